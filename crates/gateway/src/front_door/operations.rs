//! What operators and their machines ask, also under the names that Spring gives it.

use axum::{
    Json, Router,
    http::header::CONTENT_TYPE,
    response::{IntoResponse, Response},
    routing::get,
};
use doran_platform::http::Health;
use metrics_exporter_prometheus::PrometheusHandle;
use serde_json::{Map, Value, json};

use crate::gateway::Gateway;

pub(super) fn routes(health: Health, prometheus: PrometheusHandle) -> Router<Gateway> {
    let metrics = move || {
        let text = prometheus.render();
        async { metrics_text(text) }
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

fn metrics_text(text: String) -> Response {
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
