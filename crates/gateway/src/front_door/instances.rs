//! A service in other processes: pooled connections, taken in turns.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{
    body::Body,
    http::{Request, Uri, header::CONTENT_TYPE, uri::InvalidUriParts},
    response::Response,
};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use tokio::time::timeout;

use super::upstream::CallError;

const CONNECT: Duration = Duration::from_secs(1);
/// From the request's first byte to the answer's headers.
const ANSWER: Duration = Duration::from_secs(15);
/// The same for files, which take as long as their bytes: what the store service waits for them.
const UPLOAD: Duration = Duration::from_mins(30);
const IDLE: Duration = Duration::from_secs(30);

#[derive(Clone)]
pub(super) struct Instances {
    client: Client<HttpConnector, Body>,
    bases: Arc<[Uri]>,
    next: Arc<AtomicUsize>,
}

impl Instances {
    pub(super) fn new(bases: Vec<Uri>) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_connect_timeout(Some(CONNECT));
        connector.set_nodelay(true);
        Self {
            client: Client::builder(TokioExecutor::new())
                .pool_idle_timeout(IDLE)
                .build(connector),
            bases: bases.into(),
            next: Arc::default(),
        }
    }

    pub(super) async fn call(&self, mut request: Request<Body>) -> Result<Response, CallError> {
        let turn = self.next.fetch_add(1, Ordering::Relaxed);
        let base = turn
            .checked_rem(self.bases.len())
            .and_then(|index| self.bases.get(index));
        let base = base.ok_or(CallError::Absent)?;
        let is_safe = request.method().is_safe();
        *request.uri_mut() = at(base, request.uri()).map_err(axum::http::Error::from)?;
        let patience = if brings_files(&request) {
            UPLOAD
        } else {
            ANSWER
        };
        match timeout(patience, self.client.request(request)).await {
            Ok(Ok(response)) => Ok(response.map(Body::new)),
            Ok(Err(error)) if is_safe || error.is_connect() => Err(CallError::Away(error.into())),
            Ok(Err(error)) => Err(CallError::FateUnknown(error.into())),
            Err(elapsed) => Err(CallError::FateUnknown(elapsed.into())),
        }
    }
}

fn brings_files(request: &Request<Body>) -> bool {
    let content_type = request.headers().get(CONTENT_TYPE);
    content_type.is_some_and(|value| value.as_bytes().starts_with(b"multipart/"))
}

/// The same path and query on another host.
fn at(base: &Uri, uri: &Uri) -> Result<Uri, InvalidUriParts> {
    let mut parts = base.clone().into_parts();
    parts.path_and_query = uri.path_and_query().cloned();
    Uri::from_parts(parts)
}
