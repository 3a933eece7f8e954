//! `PATCH /api/users/{id}/status?status=`: an administrator suspends, rests or reinstates somebody.

use axum::extract::State;
use doran_contract::{
    UserId,
    user::{User as Profile, UserStatus},
};
use doran_platform::http::{Admin, CommandHeaders, Id, Query, Refusal, Success};
use garde::Validate;
use schemars::JsonSchema;
use serde::Deserialize;

use super::SOURCE;
use crate::{
    state::Service,
    user::{Command, Error},
};

#[derive(Deserialize, JsonSchema, Validate)]
pub(crate) struct Request {
    #[garde(skip)]
    status: UserStatus,
}

pub(crate) async fn change_status(
    State(service): State<Service>,
    Admin(actor): Admin,
    Id(user): Id<UserId>,
    headers: CommandHeaders,
    Query(Request { status }): Query<Request>,
) -> Result<Success<Profile>, Refusal> {
    let wanted = format!("{status:?}");
    let ctx = headers.context(
        &service.platform,
        SOURCE,
        Some(actor.user_id),
        wanted.as_bytes(),
    );
    let command = Command::ChangeStatus(status);
    let outcome = service
        .users
        .execute(&(), &user.to_string(), command, &ctx)
        .await?;
    let profile = service.platform.profiles.at(user, outcome.sequence).await?;
    let profile = profile.ok_or(Error::NotFound)?;
    Ok(Success::ok(profile.user.clone())
        .at(&outcome.position)
        .version(outcome.sequence))
}
