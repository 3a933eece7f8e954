//! `PATCH /api/chat/rooms/{id}`: the owner or an admin renames a room or describes it; the owner
//! opens or closes it and keeps its settings.

use axum::extract::State;
use doran_contract::{
    RoomId,
    room::{Room, Settings, Visibility},
};
use doran_platform::http::{Actor, Body, CommandHeaders, Id, Refusal, Success, valid};
use garde::Validate;
use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    SOURCE,
    answer::execute,
    rules::{self, MAX_DESCRIPTION_CHARS, MAX_NAME_CHARS, trimmed},
};
use crate::{
    room::{Change, Command},
    state::Service,
};

#[derive(Deserialize, JsonSchema, Validate)]
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
    #[garde(skip)]
    visibility: Option<Visibility>,
    /// As a whole: what is not in it is gone.
    #[garde(inner(custom(rules::settings)))]
    settings: Option<Settings>,
}

pub(crate) async fn change_room(
    State(service): State<Service>,
    actor: Actor,
    Id(room_id): Id<RoomId>,
    headers: CommandHeaders,
    body: Body<Request>,
) -> Result<Success<Room>, Refusal> {
    let ctx = headers.context(&service.platform, SOURCE, Some(actor.user_id), &body.raw);
    let request = body.value;
    let change = Change {
        name: request.name.map(|name| name.trim().to_owned()),
        description: request
            .description
            .map(|text| text.as_deref().and_then(trimmed)),
        visibility: request.visibility,
        settings: request.settings,
    };
    let actor = actor.user_id;
    execute(
        &service,
        actor,
        room_id,
        Command::Change { actor, change },
        &ctx,
    )
    .await
}
