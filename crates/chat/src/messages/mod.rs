//! What is said in rooms: sending it once, opening it, and how far people have read.

mod archive;
mod known;
mod markers;
mod open;
mod send;

pub(crate) use known::{Known, Place};
pub(crate) use markers::{Markers, move_marker};
pub(crate) use open::{Sealed, open_all, open_recorded};
pub(crate) use send::{Sending, send};
