//! A frame for many sockets, serialised once for each dialect that one of them speaks.

use std::cell::OnceCell;

use axum::extract::ws::Utf8Bytes;
use doran_contract::frame::ServerFrame;

use super::render::text;
use crate::socket::stomp::Body;

pub(crate) struct Broadcast {
    frame: ServerFrame,
    native: OnceCell<Utf8Bytes>,
    stomp: OnceCell<Option<Body>>,
}

impl Broadcast {
    pub(crate) fn new(frame: ServerFrame) -> Self {
        Self {
            frame,
            native: OnceCell::new(),
            stomp: OnceCell::new(),
        }
    }

    pub(crate) fn native(&self) -> Utf8Bytes {
        self.native.get_or_init(|| text(&self.frame)).clone()
    }

    /// None if STOMP has no such frame.
    pub(crate) fn stomp(&self) -> Option<&Body> {
        let body = self.stomp.get_or_init(|| Body::of(&self.frame));
        body.as_ref()
    }
}
