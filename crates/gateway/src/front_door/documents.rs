//! The documents that describe the system to programs, made from the types by tests.

use axum::{http::header::CONTENT_TYPE, response::IntoResponse};

const ASYNCAPI: &str = include_str!("../../../../docs/api/asyncapi.json");

/// The events as they lie in the log.
pub(super) async fn asyncapi() -> impl IntoResponse {
    ([(CONTENT_TYPE, "application/json")], ASYNCAPI)
}
