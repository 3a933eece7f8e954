//! The native WebSocket protocol `doran.v1`: one socket, its frames, its end.
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
mod subscribe;
mod subscriptions;
mod typing;
mod unsubscribe;
mod upgrade;

#[cfg(test)]
pub(crate) use link::Login;
pub(crate) use link::{ConnectionId, Link};
pub(crate) use read_marker::ReadMarkers;
pub(crate) use sockets::Sockets;
pub(crate) use upgrade::routes;
