//! `PATCH /api/chat/rooms/{id}/members/{userId}`: the owner makes a member an admin, or an admin a
//! member.

use axum::extract::{Path, State};
use doran_contract::room::{Member, RoomRole};
use doran_platform::{
    directory::Membership,
    http::{Actor, Body, CommandHeaders, Refusal, Success},
};
use garde::Validate;
use schemars::JsonSchema;
use serde::Deserialize;

use super::{SOURCE, add_members::joined_at, people::members, rules, target};
use crate::{
    room::{self, Command},
    state::Service,
};

#[derive(Deserialize, JsonSchema, Validate)]
pub(crate) struct Request {
    #[garde(custom(rules::role))]
    role: RoomRole,
}

pub(crate) async fn change_role(
    State(service): State<Service>,
    actor: Actor,
    Path(path): Path<(String, String)>,
    headers: CommandHeaders,
    body: Body<Request>,
) -> Result<Success<Member>, Refusal> {
    let (room_id, user) = target(&path)?;
    let actor = actor.user_id;
    let ctx = headers.context(&service.platform, SOURCE, Some(actor), &body.raw);
    let role = body.value.role;
    let command = Command::ChangeRole { actor, user, role };
    let outcome = service
        .rooms
        .execute(&(), &room_id.to_string(), command, &ctx)
        .await?;
    service.directory.catch_up(room_id).await;
    let room = outcome.aggregate.details().ok_or(room::Error::NotFound)?;
    let role = *room.members.get(&user).ok_or(room::Error::NoSuchMember)?;
    let joined_at = joined_at(&service, room_id, user).await;
    let membership = Membership {
        role,
        joined_at: joined_at.unwrap_or_else(|| ctx.time.into()),
    };
    let mut found = members(&service, vec![(user, membership)]).await?;
    let member = found.pop().ok_or(room::Error::NoSuchMember)?;
    Ok(Success::ok(member)
        .at(&outcome.position)
        .version(outcome.sequence))
}
