//! Listening, and what one connection may do: it sends its headers and its body in time and in
//! bounds, says plainly how long they are, reads its answers, and ends when the process does.

use std::{
    convert::Infallible,
    io,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use axum::{
    Router,
    body::Body,
    extract::{ConnectInfo, Request},
    http::{
        HeaderMap, HeaderValue, StatusCode, Version,
        header::{CONNECTION, EXPECT, HOST, TRANSFER_ENCODING},
    },
    response::{IntoResponse, Response},
};
use doran_contract::ErrorCode;
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::Semaphore,
    time::{sleep, timeout},
};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;
use tower_http::timeout::TimeoutBody;

use super::{Refusal, SharedBody, unread::Unread};
use crate::Lifecycle;

/// From a connection's start, or its last answer, to the end of the next request's headers.
const HEADERS_WITHIN: Duration = Duration::from_secs(15);
/// Between two pieces of a body.
const BODY_SILENCE: Duration = Duration::from_secs(15);
/// While the other side takes nothing of an answer. More than a slow line needs for what the
/// system holds of it.
const UNREAD: Duration = Duration::from_mins(1);
/// All headers of a request.
const MAX_HEADER_BYTES: usize = 32 * 1024;
const MAX_HEADERS: usize = 100;
/// Beyond these hyper itself answers, which says no more than 431.
const READABLE_HEADERS: usize = 256;
/// More connections wait until others end.
const MAX_CONNECTIONS: usize = 65_536;
/// What somebody who was refused may still send before the answer, if they are sending at all.
const LINGER: Duration = Duration::from_secs(2);
const FIRST_PIECE: Duration = Duration::from_millis(100);
const LINGER_BYTES: usize = 16 * 1024 * 1024;
/// After the system refused one more connection.
const ACCEPT_AGAIN: Duration = Duration::from_millis(100);

/// Binds a port on the loopback address unless told otherwise.
pub async fn listen(address: Option<SocketAddr>, port: u16) -> io::Result<TcpListener> {
    let address = address.unwrap_or(SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port));
    TcpListener::bind(address).await
}

/// Takes connections until the lifecycle stops, which then waits for the requests under way.
pub async fn serve(listener: TcpListener, routes: Router, lifecycle: &Lifecycle) {
    let stopping = lifecycle.stopping();
    let free = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    while let Some(Ok(permit)) = stopping
        .run_until_cancelled(Arc::clone(&free).acquire_owned())
        .await
    {
        match stopping.run_until_cancelled(listener.accept()).await {
            None => return,
            Some(Err(error)) => {
                tracing::warn!(%error, "a connection is not taken");
                sleep(ACCEPT_AGAIN).await;
            }
            Some(Ok((stream, peer))) => {
                let connection = converse(stream, peer, routes.clone(), stopping.clone());
                lifecycle.spawn(async move {
                    connection.await;
                    drop(permit);
                });
            }
        }
    }
}

/// One connection, from its first request to its last.
async fn converse(
    stream: TcpStream,
    peer: SocketAddr,
    routes: Router,
    stopping: CancellationToken,
) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "small answers may wait");
    }
    let service = service_fn(move |request: Request<Incoming>| {
        let routes = routes.clone();
        async move { Ok::<_, Infallible>(answer(routes, peer, request).await) }
    });
    let mut connection = std::pin::pin!(
        http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEADERS_WITHIN)
            .max_header_size(MAX_HEADER_BYTES)
            .max_headers(READABLE_HEADERS)
            .max_buf_size(2 * MAX_HEADER_BYTES)
            .serve_connection(TokioIo::new(Unread::new(stream, UNREAD)), service)
            .with_upgrades()
    );
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stopping.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, %peer, "a connection broke off");
    }
}

async fn answer(routes: Router, peer: SocketAddr, request: Request<Incoming>) -> Response {
    let is_chunked = request.headers().contains_key(TRANSFER_ENCODING);
    let mut response = route(routes, peer, request).await;
    if is_chunked {
        // Somebody between may have believed a length that stood beside it (RFC 9112, 6.1): nothing
        // that follows on this connection is taken for a request.
        let close = HeaderValue::from_static("close");
        response.headers_mut().insert(CONNECTION, close);
    }
    response
}

async fn route(routes: Router, peer: SocketAddr, request: Request<Incoming>) -> Response {
    let waits_for_leave = request.headers().contains_key(EXPECT);
    let (mut parts, body) = request.into_parts();
    parts.extensions.insert(ConnectInfo(peer));
    let body = SharedBody::new(Body::new(TimeoutBody::new(BODY_SILENCE, body)));
    let request = Request::from_parts(parts, Body::new(body.clone()));
    let response = match refuse(&request) {
        Some(refused) => refused,
        None => match routes.oneshot(request).await {
            Ok(response) => response,
            Err(never) => match never {},
        },
    };
    if response.status().is_client_error() && !waits_for_leave {
        linger(&body).await;
    }
    response
}

/// Who is refused in the middle of sending reads the answer only when they have sent it all.
async fn linger(body: &SharedBody) {
    let before = body.moved_at();
    let draining = timeout(LINGER, body.clone().drain(LINGER_BYTES));
    let mut draining = std::pin::pin!(draining);
    let is_silent = timeout(FIRST_PIECE, draining.as_mut()).await.is_err();
    if is_silent && body.moved_at() > before {
        drop(draining.await);
    }
}

/// What no route is asked about.
fn refuse<B>(request: &Request<B>) -> Option<Response> {
    let headers = request.headers();
    if headers.len() > MAX_HEADERS {
        let refusal = Refusal::new(ErrorCode::TooLarge, "the request has too many headers");
        let mut response = refusal.into_response();
        *response.status_mut() = StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE;
        return Some(response);
    }
    if !names_one_host(request) {
        let refusal = Refusal::new(ErrorCode::BadRequest, "name one host");
        return Some(refusal.into_response());
    }
    if !is_chunked_once(headers) {
        let message = "Transfer-Encoding may be chunked, once";
        let refusal = Refusal::new(ErrorCode::BadRequest, message);
        return Some(refusal.into_response());
    }
    None
}

/// RFC 9112, 3.2.
fn names_one_host<B>(request: &Request<B>) -> bool {
    let hosts = request.headers().get_all(HOST).iter().count();
    hosts == 1 || (hosts == 0 && request.version() < Version::HTTP_11)
}

/// RFC 9112, 6.1: nothing else is undone here, and nothing twice.
fn is_chunked_once(headers: &HeaderMap) -> bool {
    let mut encodings = headers.get_all(TRANSFER_ENCODING).iter();
    let first = encodings.next();
    first.is_none_or(|encoding| encoding.as_bytes().eq_ignore_ascii_case(b"chunked"))
        && encodings.next().is_none()
}
