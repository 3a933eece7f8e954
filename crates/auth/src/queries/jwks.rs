//! `GET /api/auth/.well-known/jwks.json`: the public keys, without the envelope of other answers.

use axum::{
    Json,
    extract::State,
    http::header::CACHE_CONTROL,
    response::{IntoResponse, Response},
};

use crate::state::Service;

pub(crate) async fn jwks(State(service): State<Service>) -> Response {
    let keys = service.platform.verifier.jwks();
    ([(CACHE_CONTROL, "public, max-age=300")], Json(keys)).into_response()
}
