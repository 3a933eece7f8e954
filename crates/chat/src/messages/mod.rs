//! What is said in rooms: sending it once, changing it, opening it, and how far people have read.

mod append;
mod archive;
mod change;
mod decide;
mod error;
mod files;
mod known;
mod markers;
mod marks;
mod now;
mod open;
mod seen;
mod send;

pub(crate) use append::{append, refuse_other_request};
pub(crate) use change::{Target, change};
pub(crate) use error::Error;
pub(crate) use known::{Known, Place};
pub(crate) use markers::{Markers, move_marker};
pub(crate) use now::{message_now, reacted};
pub(crate) use open::{Sealed, open_all, sent};
pub(crate) use send::{Sending, send, send_all, send_as_bot};
