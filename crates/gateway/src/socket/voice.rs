//! How one subscription is spoken to.

use axum::extract::ws::Utf8Bytes;

use super::stomp::Heading;
use crate::live::Broadcast;

#[derive(Clone, Debug)]
pub(crate) enum Voice {
    Native,
    Stomp(Heading),
}

impl Voice {
    /// The frame as the socket gets it; none if its dialect has no such frame.
    pub(crate) fn say(&self, broadcast: &Broadcast) -> Option<Utf8Bytes> {
        match self {
            Self::Native => Some(broadcast.native()),
            Self::Stomp(heading) => broadcast.stomp().map(|body| heading.over(body)),
        }
    }
}
