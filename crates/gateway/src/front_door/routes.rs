//! The URL map, sockets excepted.

use axum::{
    Router,
    http::{Extensions, HeaderMap, StatusCode, Version, header::ACCEPT_RANGES},
    routing::{any, get},
};
use doran_platform::http::Health;
use metrics_exporter_prometheus::PrometheusHandle;
use tower_http::compression::{
    CompressionLayer,
    predicate::{Predicate, SizeAbove},
};

use super::{about::about, documents, forward::forward, headers, operations, page};
use crate::gateway::Gateway;

/// Smaller answers fit into one packet anyway.
const COMPRESS_ABOVE_BYTES: u64 = 1024;

/// What is handed out in ranges is handed out as it is: a range is one of these very bytes.
fn compressible() -> impl Predicate {
    let is_whole = |_: StatusCode, _: Version, headers: &HeaderMap, _: &Extensions| {
        !headers.contains_key(ACCEPT_RANGES)
    };
    SizeAbove::new(COMPRESS_ABOVE_BYTES).and(is_whole)
}

pub(crate) fn routes(
    gateway: &Gateway,
    health: Health,
    prometheus: PrometheusHandle,
) -> Router<Gateway> {
    let api = Router::new()
        .route("/api", get(about))
        .route("/api/asyncapi.json", get(documents::asyncapi))
        .route("/api/{*path}", any(forward));
    let all = Router::new()
        .merge(api)
        .merge(operations::routes(health, prometheus))
        .merge(page::routes())
        .layer(CompressionLayer::new().compress_when(compressible()))
        .layer(gateway.origins.cors());
    headers::secure(all)
}
