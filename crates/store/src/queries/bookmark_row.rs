//! A bookmark as the read model has it, and its message as the log has it: opened for its owner.
//!
//! The message's text is asked of the log by its place, so that this service keeps no second copy
//! of what people say.

use chrono::{DateTime, Utc};
use doran_contract::{
    BookmarkId, MessageId, RoomId, Sealed, UserId,
    events::{MESSAGE_EVENTS, MessageEvent},
    store::{Bookmark, KeptMessage},
    subject::{self, STORE_STREAM},
};
use doran_eventstore::Recorded;
use doran_platform::{attachments::open_attachments, event_schema, http::Refusal, keyring::Place};
use sqlx::{FromRow, types::Json};
use uuid::Uuid;

use crate::state::Service;

/// What to select from `bookmarks b`, with what became of the message.
macro_rules! bookmark_columns {
    () => {
        "b.id, b.user_id, b.message_id, b.room_id, b.sender_id, b.seq, b.note, b.event_id,
        b.sequence, b.created_at, m.edit_seq, coalesce(m.deleted, false) as deleted
        from bookmarks b
        left join messages m on m.id = b.message_id"
    };
}
pub(crate) use bookmark_columns;

const ONE: &str = concat!(
    "select ",
    bookmark_columns!(),
    " where b.id = $1 and b.user_id = $2"
);

#[derive(FromRow)]
pub(crate) struct BookmarkRow {
    id: Uuid,
    user_id: Uuid,
    message_id: Uuid,
    room_id: Uuid,
    sender_id: Uuid,
    seq: i64,
    note: Option<Json<Sealed>>,
    event_id: Uuid,
    pub(super) sequence: i64,
    created_at: DateTime<Utc>,
    edit_seq: Option<i64>,
    deleted: bool,
}

impl BookmarkRow {
    pub(crate) async fn find(
        service: &Service,
        user: UserId,
        id: BookmarkId,
    ) -> Result<Option<Self>, Refusal> {
        service.catch_up("bookmarks", STORE_STREAM).await?;
        let row = sqlx::query_as(ONE)
            .bind(id.as_uuid())
            .bind(user.as_uuid())
            .fetch_optional(&service.pool);
        Ok(row.await?)
    }

    fn message(&self) -> KeptMessage {
        KeptMessage {
            id: MessageId::new(self.message_id),
            room_id: RoomId::new(self.room_id),
            seq: self.seq.unsigned_abs(),
            sender_id: UserId::new(self.sender_id),
            hidden: false,
            sender_type: None,
            content: None,
            content_type: None,
            attachments: Vec::new(),
            edited_at: None,
            deleted: self.deleted,
            created_at: None,
        }
    }
}

/// The bookmark as its owner sees it now.
pub(crate) async fn open(
    service: &Service,
    reader: UserId,
    row: BookmarkRow,
) -> Result<Bookmark, Refusal> {
    let keyring = &service.platform.keyring;
    let note = match &row.note {
        Some(Json(note)) => {
            let place = Place {
                subject: &subject::bookmark(UserId::new(row.user_id), "BookmarkSaved"),
                event_id: row.event_id,
                field: "note",
            };
            keyring.open_field(place, note).await?.into_text()
        }
        None => None,
    };
    let mut message = row.message();
    let role = service.directory.role(message.room_id, reader).await;
    if role.is_none() {
        message.hidden = true;
    } else if !message.deleted {
        fill(service, &mut message, row.edit_seq).await?;
    }
    Ok(Bookmark {
        id: BookmarkId::new(row.id),
        message,
        note,
        created_at: row.created_at.into(),
    })
}

/// What the message said when it was sent, and what it says since it was edited.
async fn fill(
    service: &Service,
    message: &mut KeptMessage,
    edit_seq: Option<i64>,
) -> Result<(), Refusal> {
    let Some(recorded) = service.message_log.get(message.seq).await? else {
        message.deleted = true;
        return Ok(());
    };
    let keyring = &service.platform.keyring;
    if let MessageEvent::MessageSent(sent) = decode(&recorded)? {
        message.sender_type = Some(sent.sender_type);
        message.content_type = Some(sent.content_type);
        message.created_at = Some(recorded.time.into());
        message.content = text(service, &recorded, &sent.content).await?;
        let files = &sent.attachments;
        message.attachments =
            open_attachments(keyring, &recorded.subject, recorded.event_id, files).await?;
    }
    if let Some(edit) = edit_seq
        && let Some(recorded) = service.message_log.get(edit.unsigned_abs()).await?
        && let MessageEvent::MessageEdited(edited) = decode(&recorded)?
    {
        message.content = text(service, &recorded, &edited.content).await?;
        message.edited_at = Some(recorded.time.into());
    }
    message.deleted = message.content.is_none();
    Ok(())
}

fn decode(recorded: &Recorded) -> Result<MessageEvent, Refusal> {
    let event = recorded.decode(&event_schema(MESSAGE_EVENTS));
    event.map_err(|error| Refusal::internal(&error))
}

async fn text(
    service: &Service,
    recorded: &Recorded,
    content: &Sealed,
) -> Result<Option<String>, Refusal> {
    let place = Place {
        subject: &recorded.subject,
        event_id: recorded.event_id,
        field: "content",
    };
    let opened = service.platform.keyring.open_field(place, content).await?;
    Ok(opened.into_text())
}
