//! The greeting, and `/info`: what a client asks before it begins.

use axum::{http::StatusCode, response::Response};
use serde_json::json;

use super::{
    answer::{PLAIN, answer},
    mount::Settings,
};

/// What is at the mount itself.
pub fn greeting() -> Response {
    answer(StatusCode::OK, PLAIN, "Welcome to SockJS!\n")
}

pub(super) fn info(settings: &Settings) -> Response {
    let entropy: u32 = rand::random();
    let info = json!({
        "websocket": settings.websocket,
        "cookie_needed": settings.cookie,
        // Clients do not look at it. The exact list is kept by the server.
        "origins": ["*:*"],
        "entropy": entropy,
    });
    answer(
        StatusCode::OK,
        "application/json; charset=UTF-8",
        info.to_string(),
    )
}
