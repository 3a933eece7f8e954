//! The body of an upload, handed to its parser one piece at a time.
//!
//! The parser keeps what it has not understood, and takes as much at once as is there. So what lies
//! between two files is bounded here, and of a body that nobody wants nothing is kept.

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    task::{Context, Poll, ready},
};

use axum::body::{Body, BodyDataStream};
use bytes::Bytes;
use futures_util::{Stream, StreamExt};

const PIECE_BYTES: usize = 64 * 1024;
/// Boundaries and headers of parts are much smaller; the piece that has them may have more.
const MOST_BETWEEN_FILES: usize = 4 * PIECE_BYTES;

/// What the parser is at. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub(crate) struct Parsing(Arc<State>);

#[derive(Debug, Default)]
struct State {
    is_within_file: AtomicBool,
    /// Bytes that came since the last file.
    between: AtomicUsize,
    is_refused: AtomicBool,
}

struct Pieces {
    body: BodyDataStream,
    /// What has come and is not handed on.
    rest: Bytes,
    parsing: Parsing,
    /// The parser asks again before it looks at what it got.
    has_given: bool,
}

impl Parsing {
    /// The same body, for a parser whose progress is told here.
    pub(crate) fn watch(&self, body: Body) -> Body {
        Body::from_stream(Pieces {
            body: body.into_data_stream(),
            rest: Bytes::new(),
            parsing: self.clone(),
            has_given: false,
        })
    }

    pub(crate) fn begins_file(&self) {
        self.0.is_within_file.store(true, Ordering::Relaxed);
    }

    pub(crate) fn ends_file(&self) {
        self.0.between.store(0, Ordering::Relaxed);
        self.0.is_within_file.store(false, Ordering::Relaxed);
    }

    /// What is still to come is read and dropped.
    pub(crate) fn refuse(&self) {
        self.0.is_refused.store(true, Ordering::Relaxed);
    }

    /// Whether so many bytes more are too many to be no file.
    fn are_too_many(&self, bytes: usize) -> bool {
        if self.0.is_within_file.load(Ordering::Relaxed) {
            return false;
        }
        let before = self.0.between.fetch_add(bytes, Ordering::Relaxed);
        before + bytes > MOST_BETWEEN_FILES
    }

    fn is_refused(&self) -> bool {
        self.0.is_refused.load(Ordering::Relaxed)
    }
}

impl Stream for Pieces {
    type Item = Result<Bytes, axum::Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if std::mem::take(&mut self.has_given) {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        while self.rest.is_empty() || self.parsing.is_refused() {
            match ready!(self.body.poll_next_unpin(cx)) {
                Some(Ok(bytes)) => self.rest = bytes,
                end => return Poll::Ready(end),
            }
        }
        let bytes = self.rest.len().min(PIECE_BYTES);
        let piece = self.rest.split_to(bytes);
        if self.parsing.are_too_many(bytes) {
            let reason = "there is too much between two files";
            return Poll::Ready(Some(Err(axum::Error::new(reason))));
        }
        self.has_given = true;
        Poll::Ready(Some(Ok(piece)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn given(parsing: &Parsing, pieces: usize) -> usize {
        let piece = Bytes::from(vec![b'a'; 100 * 1024]);
        let pieces = std::iter::repeat_n(piece, pieces).map(Ok::<_, std::io::Error>);
        let body = Body::from_stream(futures_util::stream::iter(pieces));
        let mut watched = parsing.watch(body).into_data_stream();
        let mut bytes = 0;
        while let Some(Ok(piece)) = watched.next().await {
            bytes += piece.len();
        }
        bytes
    }

    #[tokio::test]
    async fn what_lies_between_files_is_bounded_and_files_are_not() {
        let parsing = Parsing::default();
        assert!(given(&parsing, 100).await <= MOST_BETWEEN_FILES);

        let parsing = Parsing::default();
        parsing.begins_file();
        assert_eq!(given(&parsing, 100).await, 100 * 100 * 1024);
        parsing.ends_file();
        assert!(given(&parsing, 100).await <= MOST_BETWEEN_FILES);
    }

    #[tokio::test]
    async fn of_what_is_refused_nothing_is_kept() {
        let parsing = Parsing::default();
        parsing.refuse();
        assert_eq!(given(&parsing, 100).await, 0);
    }
}
