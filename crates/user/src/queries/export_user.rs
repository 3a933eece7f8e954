//! `GET /api/users/{id}/export`: everything about a person, for themselves and administrators.

use std::sync::Arc;

use axum::{
    body::Body,
    extract::State,
    http::{
        HeaderName,
        header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE},
    },
    response::{IntoResponse, Response},
};
use doran_contract::{ErrorCode, UserId};
use doran_platform::http::{Actor, Id, Refusal};
use futures_util::TryStreamExt;

use crate::{
    access::require_self_or_admin,
    export::{Account, Export, ExportError},
    settings::Settings,
    state::Service,
    user::Error,
};

const HEADERS: [(HeaderName, &str); 3] = [
    (CONTENT_TYPE, "application/zip"),
    (CONTENT_DISPOSITION, "attachment; filename=\"export.zip\""),
    (CACHE_CONTROL, "no-store"),
];

pub(crate) async fn export_user(
    State(service): State<Service>,
    actor: Actor,
    Id(user): Id<UserId>,
) -> Result<Response, Refusal> {
    require_self_or_admin(&actor, user)?;
    let platform = &service.platform;
    let profile = platform.profiles.find(user).await?;
    let profile = profile.ok_or(Error::NotFound)?;
    let key = platform.keyring.key(user).await?.ok_or(Error::NotFound)?;
    let permit = Arc::clone(&service.exports).try_acquire_owned();
    let permit = permit.map_err(|_taken| {
        Refusal::new(
            ErrorCode::Unavailable,
            "too many exports are under way, try again",
        )
        .retry_after(30)
    })?;
    let settings = Settings::of(&service, user).await?;
    let account = Account {
        user: &profile.user,
        settings: &settings,
    };
    let export = Export::begin(platform, account, key, permit).await?;
    let body = export.stream().inspect_err(|error| {
        tracing::error!(%error, "an export broke off");
    });
    Ok((HEADERS, Body::from_stream(body)).into_response())
}

impl From<ExportError> for Refusal {
    fn from(error: ExportError) -> Self {
        match error {
            ExportError::Read(error) => error.into(),
            ExportError::Archive(_) | ExportError::Json(_) => Self::internal(&error),
        }
    }
}
