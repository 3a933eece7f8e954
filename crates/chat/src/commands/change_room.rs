//! `PATCH /api/chat/rooms/{id}`: the owner or an admin renames a room or describes it.

use axum::extract::State;
use doran_contract::{RoomId, room::Room};
use doran_platform::http::{Actor, Body, CommandHeaders, Id, Refusal, Success, valid};
use garde::Validate;
use serde::Deserialize;

use super::{
    SOURCE,
    answer::room_answer,
    rules::{self, MAX_DESCRIPTION_CHARS, MAX_NAME_CHARS, trimmed},
};
use crate::{
    room::{Change, Command},
    state::Service,
};

#[derive(Deserialize, Validate)]
pub(crate) struct Request {
    #[serde(alias = "roomName")]
    #[garde(
        length(chars, max = MAX_NAME_CHARS),
        inner(custom(valid::not_blank), custom(valid::no_control_characters))
    )]
    name: Option<String>,
    /// `null` takes the description away.
    #[serde(default, deserialize_with = "rules::present")]
    #[garde(inner(inner(
        length(chars, max = MAX_DESCRIPTION_CHARS),
        custom(rules::description)
    )))]
    #[expect(
        clippy::option_option,
        reason = "not there, null, or a text: three cases"
    )]
    description: Option<Option<String>>,
}

pub(crate) async fn change_room(
    State(service): State<Service>,
    actor: Actor,
    Id(room_id): Id<RoomId>,
    headers: CommandHeaders,
    body: Body<Request>,
) -> Result<Success<Room>, Refusal> {
    let ctx = headers.context(&service.platform, SOURCE, Some(actor.user_id), &body.raw);
    let Request { name, description } = body.value;
    let change = Change {
        name: name.map(|name| name.trim().to_owned()),
        description: description.map(|text| text.as_deref().and_then(trimmed)),
    };
    let actor = actor.user_id;
    let outcome = service
        .rooms
        .execute(
            &(),
            &room_id.to_string(),
            Command::Change { actor, change },
            &ctx,
        )
        .await?;
    let room = room_answer(&service, &outcome, &ctx, actor).await?;
    Ok(Success::ok(room)
        .at(&outcome.position)
        .version(outcome.sequence))
}
