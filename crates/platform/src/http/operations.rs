//! What operators and their machines ask of every process, also under the names that Spring gives it.

use axum::{
    Json, Router,
    http::header::CONTENT_TYPE,
    response::{IntoResponse, Response},
    routing::get,
};
use serde_json::{Map, Value, json};

use super::Health;
use crate::telemetry::Metrics;

/// `/health/*`, `/metrics` and `/actuator/*`.
pub fn operations<S: Clone + Send + Sync + 'static>(health: Health, metrics: Metrics) -> Router<S> {
    let asked = health.clone();
    let metrics = async move || {
        // For `dependency_up`.
        asked.report().await;
        prometheus_text(metrics.render())
    };
    Router::new()
        .merge(health.clone().routes())
        .route("/metrics", get(metrics.clone()))
        .route("/actuator/prometheus", get(metrics))
        .route("/actuator/info", get(info))
        .route(
            "/actuator/health",
            get(async move || spring_health(&health).await),
        )
}

fn prometheus_text(text: String) -> Response {
    (
        [(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")],
        text,
    )
        .into_response()
}

async fn info() -> Json<Value> {
    Json(json!({ "app": { "name": "dorandoran", "version": env!("CARGO_PKG_VERSION") } }))
}

/// Spring knows no degraded state: what is still of use is `UP`, its components say the rest.
async fn spring_health(health: &Health) -> Response {
    let report = health.report().await;
    let components: Map<String, Value> = report
        .dependencies
        .iter()
        .map(|(name, state)| {
            let state = match state {
                Ok(()) => json!({ "status": "UP" }),
                Err(reason) => json!({ "status": "DOWN", "details": { "reason": reason } }),
            };
            ((*name).to_owned(), state)
        })
        .collect();
    let status = if report.is_ready { "UP" } else { "DOWN" };
    let body = Json(json!({ "status": status, "components": components }));
    (report.http_status(), body).into_response()
}
