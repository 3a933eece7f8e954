//! The URL map, sockets excepted.

use axum::{
    Router,
    routing::{any, get},
};
use doran_platform::{
    http::{Health, operations},
    telemetry::Metrics,
};
use tower_http::compression::{CompressionLayer, predicate::SizeAbove};

use super::{about::about, documents, forward::forward, headers, page};
use crate::gateway::Gateway;

/// Smaller answers fit into one packet anyway.
const COMPRESS_ABOVE_BYTES: u64 = 1024;

pub(crate) fn routes(gateway: &Gateway, health: Health, metrics: Metrics) -> Router<Gateway> {
    let api = Router::new()
        .route("/api", get(about))
        .route("/api/asyncapi.json", get(documents::asyncapi))
        .route("/api/{*path}", any(forward));
    let all = Router::new()
        .merge(api)
        .merge(operations(health, metrics))
        .merge(page::routes())
        .layer(CompressionLayer::new().compress_when(SizeAbove::new(COMPRESS_ABOVE_BYTES)))
        .layer(gateway.origins.cors());
    headers::secure(all)
}
