//! The edge of a process: what every request passes first, whoever listens.

use axum::{
    Router,
    extract::{DefaultBodyLimit, Request},
    http::{
        HeaderValue, StatusCode,
        header::{ACCEPT_ENCODING, CONTENT_ENCODING},
    },
    middleware::{self, Next},
    response::{IntoResponse, Response},
};
use doran_contract::ErrorCode;
use tower_http::{
    catch_panic::CatchPanicLayer,
    trace::{DefaultOnResponse, TraceLayer},
};
use tracing::{Level, Span};

use super::{MAX_JSON_BYTES, Refusal, RequestId, measure::measure, request_id};
use crate::{Clock, trace::Traceparent};

/// Wraps what the process serves: request id, access log, figures, panics as 500, body limit, 404,
/// 405, and 415 for encoded bodies.
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
        .layer(middleware::from_fn(refuse_encoded))
        .layer(middleware::from_fn(measure))
        .layer(trace)
        .layer(middleware::from_fn_with_state(clock, request_id))
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

/// A body is read as it came, so what is packed would be taken for something else.
async fn refuse_encoded(request: Request, next: Next) -> Response {
    let mut encodings = request.headers().get_all(CONTENT_ENCODING).iter();
    if encodings.all(|encoding| encoding.as_bytes().eq_ignore_ascii_case(b"identity")) {
        return next.run(request).await;
    }
    let message = "the body must come without Content-Encoding";
    let refusal = Refusal::new(ErrorCode::UnsupportedMediaType, message);
    let mut response = refusal.into_response();
    let identity = HeaderValue::from_static("identity");
    response.headers_mut().insert(ACCEPT_ENCODING, identity);
    response
}

fn panicked() -> Response {
    tracing::error!("a handler panicked");
    let refusal = Refusal::new(ErrorCode::Internal, "something went wrong here");
    let mut response = refusal.into_response();
    *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
    response
}
