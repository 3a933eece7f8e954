//! E-mail addresses in paths.

use axum::{
    extract::{FromRequestParts, Path},
    http::request::Parts,
};
use doran_platform::http::{
    Refusal,
    openapi::{Sketch, Takes},
};

/// A valid address.
pub(crate) struct Email(pub(crate) String);

impl<S: Send + Sync> FromRequestParts<S> for Email {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        let invalid = |reason: String| Refusal::invalid_field("email", reason);
        let Path(email) = Path::<String>::from_request_parts(parts, state)
            .await
            .map_err(|error| invalid(error.body_text()))?;
        garde::rules::email::parse_email(&email).map_err(|error| invalid(error.to_string()))?;
        Ok(Self(email))
    }
}

impl Takes for Email {
    fn describe(sketch: &mut Sketch<'_>) {
        sketch.refuses([422]);
    }
}
