//! Whoever is erased leaves nothing in the search index: each room that has something of theirs in
//! it is told, in the log, so that tables which are made anew agree with those in use.

use std::time::Duration;

use async_trait::async_trait;
use doran_contract::{
    RoomId, UserId,
    events::{AuthorErased, USER_EVENTS, UserEvent},
    subject::USER_STREAM,
};
use doran_eventstore::Recorded;
use doran_platform::event_schema;
use doran_projection::policy::{Declaration, Failure, Policy, Start};
use sqlx::types::Uuid;

use crate::{commands::SOURCE, messages::append, state::Service};

pub const NOTE_ERASED: Declaration = Declaration {
    service: SOURCE,
    name: "rooms-note-erased-authors",
    version: 1,
    stream: USER_STREAM,
    // By then the key is gone: nothing more can be sealed with it.
    filters: &["user.*.UserErased"],
    // Nobody who was erased may be missed; of whom nothing is left costs one look.
    start: Start::All,
};

/// What the table may be behind. One that is made anew takes longer: then the event comes again.
const PATIENCE: Duration = Duration::from_secs(30);

/// The index knows best where something is left, also of who left the room or was banned from it.
const ROOMS: &str = "
    select distinct room_id
    from message_tokens
    where key_owner = $1";

pub(crate) struct NoteErased(pub(crate) Service);

/// One room is to be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Note {
    room: RoomId,
    author: UserId,
}

fn erased(event: &UserEvent) -> Option<UserId> {
    match event {
        UserEvent::UserErased(erased) => Some(erased.user_id),
        UserEvent::UserCreated(_)
        | UserEvent::UserProfileChanged(_)
        | UserEvent::UserEmailChanged(_)
        | UserEvent::UserSettingsChanged(_)
        | UserEvent::UserStatusChanged(_)
        | UserEvent::UserRoleChanged(_)
        | UserEvent::PasswordChanged(_)
        | UserEvent::UserDeleted(_) => None,
    }
}

#[async_trait]
impl Policy for NoteErased {
    type Command = Note;

    fn declaration(&self) -> Declaration {
        NOTE_ERASED
    }

    async fn react(&self, event: &Recorded) -> Result<Vec<Note>, Failure> {
        let Some(author) = erased(&event.decode(&event_schema(USER_EVENTS))?) else {
            return Ok(Vec::new());
        };
        let Self(service) = self;
        // What was on its way into the log and lies behind what is waited for now is not opened.
        service.platform.keyring.forget(author).await;
        let caught_up = service.catch_up("search", PATIENCE).await;
        caught_up.map_err(Failure::transient)?;
        let rooms: Vec<Uuid> = sqlx::query_scalar(ROOMS)
            .bind(author.as_uuid())
            .fetch_all(&service.pool)
            .await
            .map_err(Failure::transient)?;
        let note = |room| Note {
            room: RoomId::new(room),
            author,
        };
        Ok(rooms.into_iter().map(note).collect())
    }

    async fn execute(&self, event: &Recorded, note: Note) -> Result<(), Failure> {
        let Self(service) = self;
        let Note { room, author } = note;
        let ctx = NOTE_ERASED.context(event, &room.to_string(), service.platform.clock.now());
        let erased = AuthorErased {
            room_id: room,
            user_id: author,
        };
        let told = append(service, room, erased, &ctx).await;
        told.map_err(Failure::transient)?;
        Ok(())
    }
}
