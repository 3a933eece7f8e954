//! A request on its way to a service, as often as it may be sent.

use std::time::Duration;

use axum::{
    body::{Body, Bytes, to_bytes},
    http::{Method, Request, Uri, header::CONTENT_LENGTH, request::Parts},
};
use doran_platform::http::{IDEMPOTENCY_KEY, MAX_JSON_BYTES, SharedBody};
use tokio::time::timeout;

/// As services wait for a body in JSON.
const WITHIN: Duration = Duration::from_secs(30);

pub(super) struct Payload {
    parts: Parts,
    body: Kept,
    /// Whether it may be executed twice.
    is_idempotent: bool,
}

enum Kept {
    /// May be sent again.
    Whole(Bytes),
    /// May be sent again as long as nobody has read of it.
    Stream(SharedBody),
}

/// The client broke off in the middle of its request.
#[derive(Debug, thiserror::Error)]
#[error("the request did not arrive whole")]
pub(crate) struct BrokenOff;

impl Payload {
    /// Keeps the body if the request may be sent again and it is small.
    pub(super) async fn read(request: Request<Body>) -> Result<Self, BrokenOff> {
        let (parts, body) = request.into_parts();
        let is_idempotent = is_query(&parts.method) || parts.headers.contains_key(IDEMPOTENCY_KEY);
        let body = if is_idempotent && is_small(&parts) {
            let whole = timeout(WITHIN, to_bytes(body, MAX_JSON_BYTES)).await;
            let whole = whole.map_err(|_elapsed| BrokenOff)?;
            Kept::Whole(whole.map_err(|_error| BrokenOff)?)
        } else {
            Kept::Stream(SharedBody::new(body))
        };
        Ok(Self {
            parts,
            body,
            is_idempotent,
        })
    }

    pub(super) fn is_query(&self) -> bool {
        is_query(&self.parts.method)
    }

    pub(super) fn uri(&self) -> &Uri {
        &self.parts.uri
    }

    /// The request once more, to another address.
    pub(super) fn request(&self, uri: Uri) -> Request<Body> {
        let mut parts = self.parts.clone();
        parts.uri = uri;
        let body = match &self.body {
            Kept::Whole(bytes) => Body::from(bytes.clone()),
            Kept::Stream(shared) => Body::new(shared.clone()),
        };
        Request::from_parts(parts, body)
    }

    /// The body that is being sent, if it is not kept.
    pub(super) fn stream(&self) -> Option<&SharedBody> {
        match &self.body {
            Kept::Whole(_) => None,
            Kept::Stream(shared) => Some(shared),
        }
    }

    /// Whether it can be sent again, after an instance got none of it.
    pub(super) fn is_whole(&self) -> bool {
        self.stream().is_none_or(|shared| !shared.is_touched())
    }

    /// Whether it can be sent again, after an instance may have executed it.
    pub(super) fn may_repeat(&self) -> bool {
        self.is_idempotent && self.is_whole()
    }

    /// Whether the client broke off.
    pub(super) fn is_broken_off(&self) -> bool {
        self.stream().is_some_and(SharedBody::is_broken)
    }
}

/// What has neither a length nor an encoding has no body.
fn is_small(parts: &Parts) -> bool {
    let length = parts.headers.get(CONTENT_LENGTH);
    let length = length.map(|length| length.to_str().ok().and_then(|text| text.parse().ok()));
    match length {
        Some(length) => length.is_some_and(|bytes: usize| bytes <= MAX_JSON_BYTES),
        None => is_query(&parts.method),
    }
}

fn is_query(method: &Method) -> bool {
    [Method::GET, Method::HEAD].contains(method)
}
