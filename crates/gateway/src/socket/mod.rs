//! Sockets: one socket, its frames, its end. The native protocol `doran.v1` lies here, and STOMP in
//! [`stomp`]; who is on a socket and what they may do is the same for both.
//!
//! What is known of all sockets together, who is logged in on which and whether they still may be,
//! is here too. What rooms hold is in [`crate::live`].

mod answer;
mod authenticate;
mod change;
mod closing;
mod command;
mod connection;
mod frame;
mod greeting;
pub(crate) mod guard;
mod history;
mod in_flight;
mod link;
mod outbox;
mod presence;
mod read;
mod read_marker;
mod reauth;
mod request;
mod send;
mod sockets;
mod sockjs_host;
pub(crate) mod stomp;
mod subscribe;
mod subscriptions;
mod typing;
mod unsubscribe;
mod upgrade;
mod voice;

pub(crate) use link::{ConnectionId, Link};
#[cfg(test)]
pub(crate) use link::{Dialect, Login};
pub(crate) use read_marker::ReadMarkers;
pub(crate) use sockets::Sockets;
pub(crate) use upgrade::routes;
pub(crate) use voice::Voice;
