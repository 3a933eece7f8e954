//! The URL map, sockets excepted.

use axum::{
    Router,
    http::{Extensions, HeaderMap, StatusCode, Version, header::ACCEPT_RANGES},
    routing::any,
};
use doran_platform::{
    http::{Health, Routes, get, operations},
    telemetry::Metrics,
};
use tower_http::compression::{
    CompressionLayer, Predicate,
    predicate::{NotForContentType, SizeAbove},
};

use super::{about::about, documents, forward::forward, headers, page};
use crate::gateway::Gateway;

/// Smaller answers fit into one packet anyway.
const COMPRESS_ABOVE_BYTES: u64 = 1024;

pub(crate) fn routes(gateway: &Gateway, health: Health, metrics: Metrics) -> Router<Gateway> {
    let api = described()
        .into_router()
        .route("/api/{*path}", any(forward));
    let all = Router::new()
        .merge(api)
        .merge(operations(health, metrics))
        .merge(page::routes())
        .layer(CompressionLayer::new().compress_when(is_worth_compressing()))
        .layer(gateway.origins.cors());
    headers::secure(all)
}

/// Media and archives are compressed already; events must not wait until a block is full.
fn is_worth_compressing() -> impl Predicate {
    let kinds = [
        "image/",
        "video/",
        "audio/",
        "application/zip",
        "text/event-stream",
    ];
    let [image, video, audio, zip, events] = kinds.map(NotForContentType::const_new);
    // What is handed out in ranges is handed out as it is: a range is one of these very bytes.
    let is_whole = |_: StatusCode, _: Version, headers: &HeaderMap, _: &Extensions| {
        !headers.contains_key(ACCEPT_RANGES)
    };
    SizeAbove::new(COMPRESS_ABOVE_BYTES)
        .and(is_whole)
        .and(image)
        .and(video)
        .and(audio)
        .and(zip)
        .and(events)
}

/// What the gateway itself answers under `/api`.
pub(crate) fn described() -> Routes<Gateway> {
    Routes::new()
        .route("/api", get(about))
        .route("/api/docs", get(page::api_docs).gives("text/html"))
        .route(
            "/api/openapi.json",
            get(documents::openapi).gives("application/json"),
        )
        .route(
            "/api/asyncapi.json",
            get(documents::asyncapi).gives("application/json"),
        )
}
