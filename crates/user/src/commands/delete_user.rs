//! `DELETE /api/users/{id}`: somebody leaves for good, or an administrator makes them.
//!
//! The event hides the person and frees the address. The policy `erase-deleted-people` then takes
//! away what could still be opened.

use axum::extract::State;
use doran_contract::UserId;
use doran_platform::http::{Actor, CommandHeaders, Id, Refusal, Success};
use schemars::JsonSchema;
use serde::Serialize;

use super::SOURCE;
use crate::{access::require_self_or_admin, state::Service, user::Command};

#[derive(Debug, JsonSchema, Serialize)]
pub(crate) struct Deleted {
    id: UserId,
    deleted: bool,
}

pub(crate) async fn delete_user(
    State(service): State<Service>,
    actor: Actor,
    Id(user): Id<UserId>,
    headers: CommandHeaders,
) -> Result<Success<Deleted>, Refusal> {
    require_self_or_admin(&actor, user)?;
    let ctx = headers.context(&service.platform, SOURCE, Some(actor.user_id), b"");
    let id = user.to_string();
    let outcome = service
        .users
        .execute(&(), &id, Command::Delete, &ctx)
        .await?;
    let deleted = Deleted {
        id: user,
        deleted: true,
    };
    Ok(Success::ok(deleted)
        .at(&outcome.position)
        .version(outcome.sequence))
}
