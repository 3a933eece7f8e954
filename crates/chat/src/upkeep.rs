//! What the jobs `room-cleanup` and `message-archive` ask for: text that goes out of the tables.
//!
//! The log keeps what it has, sealed; the events say to every table, also one that is made anew,
//! that it is not wanted there.

use std::sync::Arc;

use doran_contract::{
    ErrorCode, RoomId,
    events::{MessageEvent, MessagesArchived, RoomMessagesPurged},
    subject,
    upkeep::{NOTE_ARCHIVE, NoteArchive, PURGE_ROOM, PurgeRoom, Removed},
};
use doran_eventstore::{CommandContext, Recorded};
use doran_platform::{event_schema, http::Refusal, remote};
use uuid::Uuid;

use crate::{commands::SOURCE, messages::append, room, state::Service};

/// Answers them until the process stops.
pub(crate) async fn offer(service: &Service) -> Result<(), async_nats::Error> {
    let platform = &service.platform;
    let purging = Arc::new(service.clone());
    let noting = Arc::clone(&purging);
    let purge = move |command| purge(Arc::clone(&purging), command);
    remote::offer(platform, SOURCE, PURGE_ROOM, purge).await?;
    let note = move |command| note_archive(Arc::clone(&noting), command);
    remote::offer(platform, SOURCE, NOTE_ARCHIVE, note).await
}

/// Everything that was said in a room that is deleted. Done once: nothing is said there any more.
async fn purge(service: Arc<Service>, command: PurgeRoom) -> Result<Removed, Refusal> {
    let room_id = command.room_id;
    service.directory.catch_up(room_id).await;
    if service.directory.look(room_id, |_| ()).is_some() {
        return Err(Refusal::new(ErrorCode::Conflict, "the room is not deleted"));
    }
    if service.directory.look_at_deleted(room_id, |_| ()).is_none() {
        return Err(room::Error::NotFound.into());
    }
    if let Some(earlier) = last(&service, room_id, "RoomMessagesPurged").await? {
        let seq = earlier.sequence;
        return Ok(Removed { seq });
    }
    let everything = subject::message(room_id, "*");
    let newest = service.message_log.last_from_leader(&everything).await?;
    let through = newest.map_or(0, |newest| newest.sequence);
    let ctx = context(&service, room_id, "room-cleanup");
    let purged = RoomMessagesPurged { room_id, through };
    let appended = append(&service, room_id, purged, &ctx).await?;
    Ok(Removed {
        seq: appended.sequence,
    })
}

/// What was filed is not filed again. An answer that got lost leads to the same event.
async fn note_archive(service: Arc<Service>, command: NoteArchive) -> Result<Removed, Refusal> {
    let NoteArchive {
        room_id,
        through,
        archive,
        events,
    } = command;
    if let Some(earlier) = last(&service, room_id, "MessagesArchived").await? {
        let event = earlier.decode(&event_schema(doran_contract::events::MESSAGE_EVENTS));
        let event = event.map_err(|error| Refusal::internal(&error))?;
        if let MessageEvent::MessagesArchived(filed) = event
            && filed.through >= through
        {
            let seq = earlier.sequence;
            return Ok(Removed { seq });
        }
    }
    let ctx = context(&service, room_id, &archive);
    let archived = MessagesArchived {
        room_id,
        through,
        archive,
        events,
    };
    let appended = append(&service, room_id, archived, &ctx).await?;
    Ok(Removed {
        seq: appended.sequence,
    })
}

async fn last(
    service: &Service,
    room: RoomId,
    event_type: &str,
) -> Result<Option<Recorded>, Refusal> {
    let filter = subject::message(room, event_type);
    Ok(service.message_log.last_from_leader(&filter).await?)
}

/// The same removal has the same id.
fn context(service: &Service, room: RoomId, what: &str) -> CommandContext {
    CommandContext {
        command_id: Uuid::new_v5(&room.as_uuid(), what.as_bytes()),
        time: service.platform.clock.now(),
        actor: Some("batch".to_owned()),
        fingerprint: None,
        expected_sequence: None,
        correlation_id: None,
        causation_id: None,
        traceparent: None,
        source: SOURCE,
    }
}
