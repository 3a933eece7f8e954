//! `PUT /api/auth/users/{id}/role`: an administrator makes somebody administrator, or no longer.

use axum::extract::State;
use doran_contract::{
    UserId,
    user::{Role, User as Profile},
};
use doran_platform::http::{Admin, Body, CommandHeaders, Id, Refusal, Success};
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
    role: Role,
}

pub(crate) async fn change_role(
    State(service): State<Service>,
    Admin(actor): Admin,
    Id(user): Id<UserId>,
    headers: CommandHeaders,
    body: Body<Request>,
) -> Result<Success<Profile>, Refusal> {
    let ctx = headers.context(&service.platform, SOURCE, Some(actor.user_id), &body.raw);
    let command = Command::ChangeRole(body.value.role);
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
