//! `DELETE /api/store/bookmarks/{id}`, and `DELETE /api/store/bookmarks` with several ids.

use axum::extract::State;
use doran_contract::{BookmarkId, events::BookmarkEvent};
use doran_platform::http::{Actor, Body, CommandHeaders, Id, Refusal, Success};
use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::SOURCE;
use crate::{bookmark::Command, state::Service};

#[derive(Deserialize, JsonSchema, Validate)]
#[garde(transparent)]
#[serde(transparent)]
pub(crate) struct Ids(#[garde(length(min = 1, max = 100))] Vec<BookmarkId>);

/// Which bookmarks are gone: of those that were asked for the ones that were there.
#[derive(JsonSchema, Serialize)]
pub(crate) struct Removed {
    removed: Vec<BookmarkId>,
}

pub(crate) async fn remove_bookmark(
    State(service): State<Service>,
    actor: Actor,
    Id(id): Id<BookmarkId>,
    headers: CommandHeaders,
) -> Result<Success<Removed>, Refusal> {
    remove(&service, actor, &headers, (vec![id], &[])).await
}

pub(crate) async fn remove_bookmarks(
    State(service): State<Service>,
    actor: Actor,
    headers: CommandHeaders,
    body: Body<Ids>,
) -> Result<Success<Removed>, Refusal> {
    remove(&service, actor, &headers, (body.value.0, &body.raw)).await
}

async fn remove(
    service: &Service,
    actor: Actor,
    headers: &CommandHeaders,
    (ids, raw): (Vec<BookmarkId>, &[u8]),
) -> Result<Success<Removed>, Refusal> {
    let user = actor.user_id;
    let ctx = headers.context(&service.platform, SOURCE, Some(user), raw);
    let command = Command::Remove(ids.clone());
    let bookmarks = &service.bookmarks;
    let outcome = bookmarks
        .execute(&(), &user.to_string(), command, &ctx)
        .await?;
    let removed = if outcome.replayed {
        ids
    } else {
        outcome.events.iter().map(id_of).collect()
    };
    Ok(Success::ok(Removed { removed })
        .at(&outcome.position)
        .version(outcome.sequence))
}

fn id_of(event: &BookmarkEvent) -> BookmarkId {
    match event {
        BookmarkEvent::BookmarkSaved(saved) => saved.bookmark_id,
        BookmarkEvent::BookmarkRemoved(removed) => removed.bookmark_id,
    }
}
