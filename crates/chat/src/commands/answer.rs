//! A room as a command answers with it: from the aggregate and the log, never from PostgreSQL.

use doran_contract::{RoomId, Timestamp, UserId, message::Message, room::Room, subject};
use doran_eventstore::{CommandContext, LogReader, Outcome, ReadError};
use doran_platform::http::{Refusal, Success};

use crate::{
    messages::{Target, message_now, sent},
    room,
    state::Service,
};

/// Executes a command of `actor` on a room, and answers with the room as they see it then.
pub(super) async fn execute(
    service: &Service,
    actor: UserId,
    room: RoomId,
    command: room::Command,
    ctx: &CommandContext,
) -> Result<Success<Room>, Refusal> {
    let outcome = service
        .rooms
        .execute(&(), &room.to_string(), command, ctx)
        .await?;
    // Nobody does here after the answer what it says they may not.
    service.directory.catch_up(room).await;
    let room = room_answer(service, &outcome, ctx, actor).await?;
    Ok(Success::ok(room)
        .at(&outcome.position)
        .version(outcome.sequence))
}

/// The room as `reader` sees it now. Unread and mention counts belong to queries: they are 0.
pub(super) async fn room_answer(
    service: &Service,
    outcome: &Outcome<room::Room>,
    ctx: &CommandContext,
    reader: UserId,
) -> Result<Room, Refusal> {
    let room = outcome.aggregate.details().ok_or(room::Error::NotFound)?;
    let (created_at, updated_at) = times(&service.room_log, room.id, outcome, ctx).await?;
    let role = room.members.get(&reader).copied();
    let last_message = match role {
        Some(_) => last_message(service, room.id, reader).await?,
        None => None,
    };
    Ok(Room {
        id: room.id,
        name: room.name.clone(),
        description: room.description.clone(),
        kind: room.kind,
        visibility: room.visibility,
        owner_id: room.owner_id,
        bot_id: room.bot_id,
        settings: room.settings.clone(),
        member_count: u32::try_from(room.members.len()).unwrap_or(u32::MAX),
        role,
        status: room.status(),
        last_message_at: last_message.as_ref().map(|message| message.created_at),
        last_message,
        unread_count: 0,
        mention_count: 0,
        created_at,
        updated_at,
    })
}

/// When the room was made and last changed. The aggregate knows no times, its events do.
async fn times(
    log: &LogReader,
    room: RoomId,
    outcome: &Outcome<room::Room>,
    ctx: &CommandContext,
) -> Result<(Timestamp, Timestamp), ReadError> {
    let now = ctx.time;
    let last = if outcome.events.is_empty() {
        log.get(outcome.sequence).await?
    } else {
        None
    };
    let first = log.last(&subject::room(room, "ChatRoomCreated")).await?;
    let created_at = first.map_or(now, |event| event.time);
    let updated_at = last.map_or(now, |event| event.time);
    Ok((created_at.into(), updated_at.into()))
}

async fn last_message(
    service: &Service,
    room: RoomId,
    reader: UserId,
) -> Result<Option<Message>, Refusal> {
    let filter = subject::message(room, "MessageSent");
    let Some(recorded) = service.message_log.last(&filter).await? else {
        return Ok(None);
    };
    let sent = sent(&recorded)?;
    let target = Target { recorded, sent };
    message_now(service, reader, &target).await.map(Some)
}
