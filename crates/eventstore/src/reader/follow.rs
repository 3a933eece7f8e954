//! Following a stream as it grows.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use chrono::{DateTime, Utc};
use futures_util::{Stream, StreamExt, stream::BoxStream};

use crate::Recorded;

/// Where following begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// At this stream sequence (1 is the first), or the next one that fits.
    Sequence(u64),
    /// At the first event stored at or after this time (of the server's clock).
    Time(DateTime<Utc>),
}

/// The log is not the one that was followed so far: it was made anew or lost its end.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LogChanged {
    #[error("stream {stream} was made anew")]
    Incarnation { stream: String },
    #[error("stream {stream} ends at {head}, before {seen} which was read already")]
    Rewound {
        stream: String,
        head: u64,
        seen: u64,
    },
}

/// A stream of events without end; after an error it is over.
pub struct Follow(BoxStream<'static, Result<Recorded, LogChanged>>);

impl Stream for Follow {
    type Item = Result<Recorded, LogChanged>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.poll_next_unpin(cx)
    }
}
