//! `POST /api/store/bookmarks`: somebody keeps a message of a room that they are in, or gives what
//! they keep another note.

use axum::extract::State;
use doran_contract::{
    BookmarkId, MessageId, RoomId, UserId, events::BookmarkSaved, store::Bookmark, subject,
    subject::MESSAGE_STREAM,
};
use doran_eventstore::event_id;
use doran_platform::{
    http::{Actor, Body, CommandHeaders, Refusal, Success, valid},
    keyring::Place,
};
use garde::Validate;
use schemars::JsonSchema;
use serde::Deserialize;
use uuid::Uuid;

use super::SOURCE;
use crate::{
    bookmark::Command,
    queries::bookmark_row::{BookmarkRow, open},
    state::Service,
};

const MAX_NOTE_CHARS: usize = 1_000;

#[derive(Deserialize, JsonSchema, Validate)]
#[serde(rename_all = "camelCase")]
#[garde(allow_unvalidated)]
pub(crate) struct Request {
    message_id: MessageId,
    room_id: RoomId,
    #[garde(inner(length(chars, max = MAX_NOTE_CHARS), custom(valid::written_text)))]
    note: Option<String>,
}

pub(crate) async fn save_bookmark(
    State(service): State<Service>,
    actor: Actor,
    headers: CommandHeaders,
    body: Body<Request>,
) -> Result<Success<Bookmark>, Refusal> {
    let user = actor.user_id;
    let ctx = headers.context(&service.platform, SOURCE, Some(user), &body.raw);
    let request = body.value;
    service.require_active(user).await?;
    if service
        .directory
        .role(request.room_id, user)
        .await
        .is_none()
    {
        return Err(Refusal::not_found("message"));
    }
    let (sender_id, seq) = locate(&service, &request).await?;
    let id = BookmarkId::derive(user, request.message_id);
    let kept = kept(&service, user, id).await?;
    let note = request.note.as_ref();
    let note = note.filter(|note| {
        kept.as_ref()
            .is_none_or(|kept| kept.note.as_ref() != Some(note))
    });
    let subject = subject::bookmark(user, "BookmarkSaved");
    let place = Place {
        subject: &subject,
        event_id: event_id(ctx.command_id, 0),
        field: "note",
    };
    let note = match note {
        Some(note) => Some(service.platform.keyring.seal(user, place, note).await?),
        None => None,
    };
    let command = Command::Save(Box::new(BookmarkSaved {
        bookmark_id: id,
        user_id: user,
        message_id: request.message_id,
        room_id: request.room_id,
        sender_id,
        seq,
        note,
    }));
    let bookmarks = &service.bookmarks;
    let outcome = bookmarks
        .execute(&(), &user.to_string(), command, &ctx)
        .await?;
    let bookmark = self::kept(&service, user, id).await?;
    let bookmark = bookmark.ok_or_else(|| Refusal::not_found("bookmark"))?;
    let success = if kept.is_some() {
        Success::ok(bookmark)
    } else {
        Success::created(&format!("/api/store/bookmarks/{id}"), bookmark)
    };
    Ok(success.at(&outcome.position).version(outcome.sequence))
}

/// What is kept of the message now.
async fn kept(
    service: &Service,
    user: UserId,
    id: BookmarkId,
) -> Result<Option<Bookmark>, Refusal> {
    match BookmarkRow::find(service, user, id).await? {
        Some(row) => open(service, user, row).await.map(Some),
        None => Ok(None),
    }
}

/// Who wrote the message, and where it lies. What was deleted cannot be kept any more.
async fn locate(service: &Service, request: &Request) -> Result<(UserId, u64), Refusal> {
    if let Some(place) = look_up(service, request).await? {
        return Ok(place);
    }
    service.catch_up("messages", MESSAGE_STREAM).await?;
    let place = look_up(service, request).await?;
    place.ok_or_else(|| Refusal::not_found("message"))
}

async fn look_up(
    service: &Service,
    request: &Request,
) -> Result<Option<(UserId, u64)>, sqlx::Error> {
    let row: Option<(Uuid, i64)> = sqlx::query_as(
        "select m.sender_id, m.seq
        from messages m
        where m.id = $1
            and m.room_id = $2
            and not m.deleted",
    )
    .bind(request.message_id.as_uuid())
    .bind(request.room_id.as_uuid())
    .fetch_optional(&service.pool)
    .await?;
    Ok(row.map(|(sender, seq)| (UserId::new(sender), seq.unsigned_abs())))
}
