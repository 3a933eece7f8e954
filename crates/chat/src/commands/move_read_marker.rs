//! `PUT /api/chat/rooms/{id}/read`: a member has read up to a message.

use axum::extract::State;
use doran_contract::{
    RoomId,
    command::{MoveReadMarker, ReadMarker},
};
use doran_platform::http::{Actor, Body, CommandHeaders, Id, Refusal, Success};
use garde::Validate;
use schemars::JsonSchema;
use serde::Deserialize;

use super::SOURCE;
use crate::{messages::move_marker, state::Service};

#[derive(Deserialize, JsonSchema, Validate)]
pub(crate) struct Request {
    #[garde(skip)]
    seq: u64,
}

pub(crate) async fn move_read_marker(
    State(service): State<Service>,
    actor: Actor,
    Id(room_id): Id<RoomId>,
    headers: CommandHeaders,
    body: Body<Request>,
) -> Result<Success<ReadMarker>, Refusal> {
    let ctx = headers.context(&service.platform, SOURCE, Some(actor.user_id), &body.raw);
    let wanted = MoveReadMarker {
        user_id: actor.user_id,
        room_id,
        seq: body.value.seq,
    };
    let moved = move_marker(&service, wanted, ctx).await?;
    let success = Success::ok(ReadMarker { seq: moved.seq });
    Ok(match moved.position {
        Some(position) => success.at(&position).version(position.sequence),
        None => success,
    })
}
