//! STOMP 1.2, 1.1 and 1.0, for clients written against Spring: the same sessions, rooms and rules as
//! `doran.v1`, in other frames. A frame that is refused ends the connection with ERROR, because
//! STOMP knows no other way, unless the client listens on `/user/queue/errors`.

mod connect;
mod decoder;
mod destination;
mod error;
mod frame;
mod header;
mod heart_beat;
mod log_in;
mod message;
mod queues;
mod reader;
mod send;
mod subscribe;
mod transactions;
mod version;

pub(super) use connect::greet;
pub(super) use error::farewell;
pub(super) use heart_beat::{Rates, heart_beats};
pub(crate) use message::{Body, Heading};
pub(crate) use queues::Queues;
pub(super) use reader::Reader;
pub(crate) use version::Version;
