//! The URLs of the auth service.

use axum::{
    Router,
    routing::{delete, get, post},
};

use crate::{
    commands::{
        end_session::end_session, log_in::log_in, log_out::log_out, refresh::refresh,
        ws_ticket::ws_ticket,
    },
    queries::{health::health, jwks::jwks, list_sessions::list_sessions, me::me},
    state::Service,
};

pub(crate) fn routes(service: Service) -> Router {
    Router::new()
        .route("/api/auth/login", post(log_in))
        .route("/api/auth/refresh", post(refresh))
        .route("/api/auth/logout", post(log_out))
        .route("/api/auth/ws-ticket", post(ws_ticket))
        .route("/api/auth/me", get(me))
        .route("/api/auth/validate", get(me))
        .route("/api/auth/sessions", get(list_sessions))
        .route("/api/auth/sessions/{id}", delete(end_session))
        .route("/api/auth/.well-known/jwks.json", get(jwks))
        .route("/api/auth/health", get(health))
        .with_state(service)
}
