//! The edge of a process: what every request passes first, and the listening itself.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    time::Duration,
};

use axum::{
    Router,
    extract::{DefaultBodyLimit, Request},
    http::StatusCode,
    middleware,
    response::{IntoResponse, Response},
};
use doran_contract::ErrorCode;
use tokio::net::TcpListener;
use tower_http::{
    catch_panic::CatchPanicLayer,
    trace::{DefaultOnResponse, TraceLayer},
};
use tracing::{Level, Span};

use super::{MAX_JSON_BYTES, Refusal, RequestId, measure::measure, request_id};
use crate::{Clock, Lifecycle, trace::Traceparent};

/// Wraps what the process serves: request id, access log, figures, panics as 500, body limit, 404 and 405.
pub fn edge(routes: Router, clock: Clock) -> Router {
    let trace = TraceLayer::new_for_http()
        .make_span_with(span)
        .on_response(DefaultOnResponse::new().level(Level::INFO));
    routes
        .fallback(async || Refusal::not_found("route"))
        .method_not_allowed_fallback(async || {
            Refusal::new(
                ErrorCode::MethodNotAllowed,
                "this route does not take that method",
            )
        })
        .layer(DefaultBodyLimit::max(MAX_JSON_BYTES))
        .layer(CatchPanicLayer::custom(|_| panicked()))
        .layer(middleware::from_fn(measure))
        .layer(trace)
        .layer(middleware::from_fn_with_state(clock, request_id))
}

/// Binds a port on the loopback address unless told otherwise.
pub async fn listen(address: Option<SocketAddr>, port: u16) -> std::io::Result<TcpListener> {
    let address = address.unwrap_or(SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port));
    TcpListener::bind(address).await
}

/// Serves until the lifecycle stops; requests under way are finished within its drain time.
pub async fn serve(
    listener: TcpListener,
    routes: Router,
    lifecycle: &Lifecycle,
) -> std::io::Result<()> {
    let stopping = lifecycle.stopping().clone();
    let service = routes.into_make_service_with_connect_info::<SocketAddr>();
    let server =
        axum::serve(listener, service).with_graceful_shutdown(stopping.clone().cancelled_owned());
    tokio::select! {
        served = server => served,
        // axum waits for ever on open WebSockets, so the drain has an end of its own.
        () = async {
            stopping.cancelled().await;
            tokio::time::sleep(Duration::from_secs(5)).await;
        } => Ok(()),
    }
}

/// The path and not the query: a query can hold what people searched for.
fn span(request: &Request) -> Span {
    let id = request
        .extensions()
        .get::<RequestId>()
        .map_or("", |id| id.0.as_str());
    let trace = request.extensions().get::<Traceparent>();
    let span = tracing::info_span!(
        "http",
        method = %request.method(),
        path = request.uri().path(),
        request_id = id,
        trace_id = trace.map_or("", Traceparent::trace_id),
    );
    if let Some(trace) = trace {
        trace.adopt(&span);
    }
    span
}

fn panicked() -> Response {
    tracing::error!("a handler panicked");
    let refusal = Refusal::new(ErrorCode::Internal, "something went wrong here");
    let mut response = refusal.into_response();
    *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
    response
}
