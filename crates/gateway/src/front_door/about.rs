//! `GET /api`: what answers here.

use doran_platform::http::Success;
use schemars::JsonSchema;
use serde::Serialize;

use super::Service;

#[derive(Debug, JsonSchema, Serialize)]
pub(super) struct About {
    name: &'static str,
    version: &'static str,
    routes: Vec<String>,
}

pub(super) async fn about() -> Success<About> {
    let services = Service::ALL.map(|service| format!("/api/{}/**", service.name()));
    let own = [
        "/api/docs",
        "/api/openapi.json",
        "/api/asyncapi.json",
        "/ws",
        "/health/live",
        "/health/ready",
        "/metrics",
    ]
    .map(str::to_owned);
    Success::ok(About {
        name: "DoranDoran",
        version: env!("CARGO_PKG_VERSION"),
        routes: services.into_iter().chain(own).collect(),
    })
}
