//! The documents that describe the system to programs, made from the types by tests.

use axum::{
    http::header::CONTENT_TYPE,
    response::{IntoResponse, Response},
};

const ASYNCAPI: &str = include_str!("../../../../docs/api/asyncapi.json");
const OPENAPI: &str = include_str!("../../../../docs/api/openapi.json");

/// The events as they lie in the log, and the frames of the sockets.
pub(super) async fn asyncapi() -> Response {
    json(ASYNCAPI)
}

/// The routes of all services.
pub(super) async fn openapi() -> Response {
    json(OPENAPI)
}

fn json(document: &'static str) -> Response {
    ([(CONTENT_TYPE, "application/json")], document).into_response()
}
