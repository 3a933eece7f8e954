//! A request's body that can be asked about, and read on, after it was handed to somebody else.

use std::{
    pin::Pin,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, ready},
};

use axum::body::Body;
use bytes::Bytes;
use hyper::body::{Body as _, Frame, SizeHint};
use tokio::time::Instant;

/// Handles of one body: whoever reads takes from the same stream. Cheap to clone.
#[derive(Clone, Debug)]
pub struct SharedBody(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    body: Mutex<Body>,
    is_touched: AtomicBool,
    is_broken: AtomicBool,
    is_awaited: AtomicBool,
    moved: Mutex<Instant>,
}

impl SharedBody {
    pub fn new(body: Body) -> Self {
        Self(Arc::new(Shared {
            body: Mutex::new(body),
            is_touched: AtomicBool::new(false),
            is_broken: AtomicBool::new(false),
            is_awaited: AtomicBool::new(false),
            moved: Mutex::new(Instant::now()),
        }))
    }

    /// Whether anybody has begun to read.
    pub fn is_touched(&self) -> bool {
        self.0.is_touched.load(Ordering::Relaxed)
    }

    /// Whether the sender broke off.
    pub fn is_broken(&self) -> bool {
        self.0.is_broken.load(Ordering::Relaxed)
    }

    /// Whether a reader waits for the sender, and not the sender for a reader.
    pub fn is_awaited(&self) -> bool {
        self.0.is_awaited.load(Ordering::Relaxed)
    }

    /// When the last piece came; before the first one, when it was made.
    pub fn moved_at(&self) -> Instant {
        *self.0.moved.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads and drops what is left, so many bytes at most.
    pub async fn drain(mut self, most_bytes: usize) {
        let mut left = most_bytes;
        while !self.is_end_stream() {
            let frame = std::future::poll_fn(|cx| Pin::new(&mut self).poll_frame(cx)).await;
            let Some(Ok(frame)) = frame else { return };
            let length = frame.data_ref().map_or(0, Bytes::len);
            let Some(rest) = left.checked_sub(length) else {
                return;
            };
            left = rest;
        }
    }
}

impl hyper::body::Body for SharedBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let shared = &self.0;
        shared.is_touched.store(true, Ordering::Relaxed);
        let mut body = shared.body.lock().unwrap_or_else(PoisonError::into_inner);
        let polled = Pin::new(&mut *body).poll_frame(cx);
        shared
            .is_awaited
            .store(polled.is_pending(), Ordering::Relaxed);
        let frame = ready!(polled);
        if matches!(frame, Some(Err(_))) {
            shared.is_broken.store(true, Ordering::Relaxed);
        }
        let mut moved = shared.moved.lock().unwrap_or_else(PoisonError::into_inner);
        *moved = Instant::now();
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        let body = self.0.body.lock().unwrap_or_else(PoisonError::into_inner);
        body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let body = self.0.body.lock().unwrap_or_else(PoisonError::into_inner);
        body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use axum::body::to_bytes;

    use super::*;

    #[tokio::test]
    async fn whoever_has_a_handle_sees_what_became_of_the_body() {
        let shared = SharedBody::new(Body::from("text"));
        assert!(!shared.is_touched() && !shared.is_end_stream());
        let read = to_bytes(Body::new(shared.clone()), 10).await.unwrap();
        assert_eq!(read, "text");
        assert!(shared.is_touched() && shared.is_end_stream() && !shared.is_broken());
    }

    #[tokio::test]
    async fn a_sender_who_breaks_off_is_seen() {
        let pieces = [Ok("text"), Err(std::io::Error::other("gone"))];
        let shared = SharedBody::new(Body::from_stream(futures_util::stream::iter(pieces)));
        shared.clone().drain(100).await;
        assert!(shared.is_broken());
    }

    #[tokio::test]
    async fn who_waits_for_whom_is_seen() {
        use futures_util::StreamExt;

        let pieces = futures_util::stream::iter([Ok::<_, std::io::Error>("text")]);
        let silent = pieces.chain(futures_util::stream::pending());
        let mut shared = SharedBody::new(Body::from_stream(silent));
        assert!(!shared.is_awaited(), "nobody has begun to read");
        let mut cx = Context::from_waker(std::task::Waker::noop());
        assert!(Pin::new(&mut shared).poll_frame(&mut cx).is_ready());
        assert!(!shared.is_awaited(), "the reader has what came");
        assert!(Pin::new(&mut shared).poll_frame(&mut cx).is_pending());
        assert!(shared.is_awaited(), "the sender is silent");
    }
}
