//! Read your writes: a query waits until its read models have reached `Doran-Min-Position`.

use std::time::Duration;

use axum::{
    extract::{FromRef, FromRequestParts},
    http::request::Parts,
};
use doran_contract::ErrorCode;
use doran_eventstore::Position;
use doran_projection::Positions;

use super::{
    MIN_POSITION, Refusal,
    openapi::{Sketch, Takes},
};

const PATIENCE: Duration = Duration::from_secs(2);

/// Proof that the service's read models are as new as the client asked for.
#[derive(Clone, Copy, Debug)]
pub struct UpToDate;

impl Takes for UpToDate {
    fn describe(sketch: &mut Sketch<'_>) {
        sketch.reads_header("DoranMinPosition");
        sketch.refuses([400]);
    }
}

impl<S> FromRequestParts<S> for UpToDate
where
    S: Send + Sync,
    Positions: FromRef<S>,
{
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        let Some(value) = parts.headers.get(MIN_POSITION) else {
            return Ok(Self);
        };
        let wanted = value
            .to_str()
            .ok()
            .and_then(|text| Position::parse_list(text).ok())
            .ok_or_else(|| {
                Refusal::new(
                    ErrorCode::BadRequest,
                    "Doran-Min-Position must be STREAM:sequence, comma separated",
                )
            })?;
        Positions::from_ref(state).wait(&wanted, PATIENCE).await?;
        Ok(Self)
    }
}
