//! Appending to a room's timeline, which no guard protects.

use bytes::Bytes;
use doran_contract::{ErrorCode, RoomId, events::MessageEvent, subject};
use doran_eventstore::{
    Appended, CommandContext, NewEvent, Recorded, envelope::COMMAND_FINGERPRINT, event_id,
};
use doran_platform::http::Refusal;
use serde::Serialize;

use crate::state::Service;

/// Answers after the log has it. The event's id follows from the command's.
pub(crate) async fn append<E>(
    service: &Service,
    room: RoomId,
    event: E,
    ctx: &CommandContext,
) -> Result<Appended, Refusal>
where
    E: Serialize + Into<MessageEvent>,
{
    let body = body(&event)?;
    let event = new_event(room, &event.into(), body, ctx);
    Ok(service.lane.append(event).await?)
}

pub(super) fn body(event: &impl Serialize) -> Result<Bytes, Refusal> {
    let body = serde_json::to_vec(event).map_err(|error| Refusal::internal(&error))?;
    Ok(Bytes::from(body))
}

/// `body` is the event's own JSON.
pub(super) fn new_event<'a>(
    room: RoomId,
    event: &MessageEvent,
    body: Bytes,
    ctx: &'a CommandContext,
) -> NewEvent<'a> {
    NewEvent {
        subject: subject::message(room, event.name()),
        event_type: event.name(),
        version: event.version(),
        event_id: event_id(ctx.command_id, 0),
        body,
        ctx,
    }
}

/// The same `Idempotency-Key` with another body is a mistake of the client's.
pub(crate) fn refuse_other_request(stored: &Recorded, ctx: &CommandContext) -> Result<(), Refusal> {
    let before = stored.headers.get(COMMAND_FINGERPRINT);
    match (before, &ctx.fingerprint) {
        (Some(before), Some(now)) if before.as_str() != now => Err(Refusal::new(
            ErrorCode::IdempotencyMismatch,
            "this idempotency key was used with another body",
        )),
        _ => Ok(()),
    }
}
