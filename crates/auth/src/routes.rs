//! The URLs of the auth service.

use doran_platform::http::{Routes, delete, get, post};

use crate::{
    commands::{
        end_session::end_session, log_in::log_in, log_out::log_out, refresh::refresh,
        ws_ticket::ws_ticket,
    },
    queries::{health::health, jwks::jwks, list_sessions::list_sessions, me::me},
    state::Service,
};

pub(crate) fn routes() -> Routes<Service> {
    Routes::new()
        .route("/api/auth/login", post(log_in).refuses(&[401, 403]))
        .route("/api/auth/refresh", post(refresh).refuses(&[401, 403]))
        .route("/api/auth/logout", post(log_out))
        .route("/api/auth/ws-ticket", post(ws_ticket))
        .route("/api/auth/me", get(me))
        .route("/api/auth/validate", get(me))
        .route("/api/auth/sessions", get(list_sessions))
        .route("/api/auth/sessions/{id}", delete(end_session))
        .route(
            "/api/auth/.well-known/jwks.json",
            get(jwks).gives("application/json"),
        )
        .route("/api/auth/health", get(health))
}
