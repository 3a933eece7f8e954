//! `POST /api/store/files`: files as `multipart/form-data`; what is refused of one is refused of all.

use std::time::Duration;

use axum::{
    extract::{FromRequest, Multipart, Request, State},
    http::header::CONTENT_LENGTH,
};
use doran_contract::{
    ErrorCode, FileId, UserId, events::FileStored, id::created_by, store, store::url, subject,
};
use doran_eventstore::{CommandContext, Position, event_id};
use doran_platform::{
    http::{
        Actor, CommandHeaders, Refusal, Success,
        openapi::{Sketch, Takes},
    },
    keyring::Place,
};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;
use tokio::time::timeout;

use super::SOURCE;
use crate::{
    file::{Command, find},
    state::Service,
    upload::{MAX_FILES, Received, Upload},
};

/// A whole request. What is noted as under way for longer has broken off.
const DEADLINE: Duration = Duration::from_mins(30);
/// Beside its files a request has boundaries and headers of parts.
const OVERHEAD_BYTES: u64 = 64 * 1024;

#[derive(JsonSchema, Serialize)]
pub(crate) struct Uploaded {
    items: Vec<store::File>,
}

/// A body with files.
pub(crate) struct Form {
    multipart: Multipart,
    /// What is said of its length; nothing, where nothing is said.
    announced: u64,
}

impl<S: Send + Sync> FromRequest<S> for Form {
    type Rejection = Refusal;

    async fn from_request(request: Request, state: &S) -> Result<Self, Refusal> {
        let length = request.headers().get(CONTENT_LENGTH);
        let length = length.and_then(|length| length.to_str().ok()?.parse().ok());
        let multipart = Multipart::from_request(request, state).await;
        Ok(Self {
            multipart: multipart.map_err(|_error| {
                Refusal::new(
                    ErrorCode::UnsupportedMediaType,
                    "the body must be multipart/form-data",
                )
            })?,
            announced: length.unwrap_or(0),
        })
    }
}

impl Takes for Form {
    fn describe(sketch: &mut Sketch<'_>) {
        let file = json!({ "type": "string", "format": "binary" });
        let form = json!({
            "type": "object",
            "required": ["files"],
            "properties": { "files": { "type": "array", "items": file, "maxItems": MAX_FILES } },
        });
        sketch.takes_media("multipart/form-data", &form);
        sketch.refuses([400, 413, 415, 422]);
    }
}

/// Bytes that a request may have.
fn most_bytes(service: &Service) -> u64 {
    let files = u64::try_from(MAX_FILES).unwrap_or(u64::MAX);
    let file = service.platform.config.files.max_file_bytes;
    file.saturating_mul(files).saturating_add(OVERHEAD_BYTES)
}

pub(crate) async fn upload_files(
    State(service): State<Service>,
    actor: Actor,
    headers: CommandHeaders,
    form: Form,
) -> Result<Success<Uploaded>, Refusal> {
    service.require_active(actor.user_id).await?;
    let Form {
        mut multipart,
        announced,
    } = form;
    if announced > most_bytes(&service) {
        return Err(Refusal::new(
            ErrorCode::TooLarge,
            "the request is too large",
        ));
    }
    let mut upload = Upload::begin(&service, actor.user_id, announced).await?;
    let receiving = timeout(DEADLINE, receive(&mut upload, &mut multipart));
    let received = receiving.await.unwrap_or_else(|_late| Err(broken()));
    match received {
        Ok(files) => {
            let ctx = headers.context(&service.platform, SOURCE, Some(actor.user_id), &[]);
            keep(&service, upload, files, (actor.user_id, &ctx)).await
        }
        Err(refusal) => {
            upload.settle().await;
            Err(refusal)
        }
    }
}

async fn receive(upload: &mut Upload, multipart: &mut Multipart) -> Result<Vec<Received>, Refusal> {
    let mut files = Vec::new();
    while let Some(field) = multipart
        .next_field()
        .await
        .map_err(|error| malformed(&error))?
    {
        if files.len() == MAX_FILES {
            let reason = format!("must be {MAX_FILES} at most");
            return Err(Refusal::invalid_field("files", reason));
        }
        files.push(upload.receive(field).await?);
    }
    if files.is_empty() {
        return Err(Refusal::invalid_field("files", "must be at least one"));
    }
    Ok(files)
}

fn malformed(error: &axum::extract::multipart::MultipartError) -> Refusal {
    if error.status() == axum::http::StatusCode::PAYLOAD_TOO_LARGE {
        return Refusal::new(ErrorCode::TooLarge, "the request is too large");
    }
    broken()
}

fn broken() -> Refusal {
    Refusal::new(ErrorCode::BadRequest, "the body did not arrive whole")
}

/// Notes the files one after the other; what is not noted is deleted.
async fn keep(
    service: &Service,
    mut upload: Upload,
    files: Vec<Received>,
    (user, ctx): (UserId, &CommandContext),
) -> Result<Success<Uploaded>, Refusal> {
    let mut noted = Vec::with_capacity(files.len());
    for (index, file) in files.into_iter().enumerate() {
        let blob = file.blob_id;
        match note(service, file, user, child(ctx, index)).await {
            Ok(outcome) => {
                if outcome.is_new {
                    upload.keep(blob);
                }
                noted.push(outcome);
            }
            Err(refusal) if refusal.code() == ErrorCode::FateUnknown => {
                upload.leave();
                return Err(refusal);
            }
            Err(refusal) => {
                upload.settle().await;
                return Err(refusal);
            }
        }
    }
    upload.settle().await;
    answer(service, noted).await
}

/// The part of the command that brings one of its files.
fn child(ctx: &CommandContext, index: usize) -> CommandContext {
    CommandContext {
        command_id: event_id(ctx.command_id, index),
        expected_sequence: None,
        ..ctx.clone()
    }
}

/// A file that the log has.
struct Noted {
    id: FileId,
    position: Position,
    /// False for a retry: the bytes that came again are not needed.
    is_new: bool,
}

async fn note(
    service: &Service,
    file: Received,
    user: UserId,
    mut ctx: CommandContext,
) -> Result<Noted, Refusal> {
    let id = FileId::new(created_by(ctx.command_id));
    let platform = &service.platform;
    if ctx.fingerprint.is_some() {
        ctx.fingerprint = Some(platform.blinder.fingerprint(Some(user), &file.digest));
    }
    let subject = subject::file(id, "FileStored");
    let place = Place {
        subject: &subject,
        event_id: event_id(ctx.command_id, 0),
        field: "name",
    };
    let (width, height) = file.pixels.unzip();
    let stored = FileStored {
        file_id: id,
        uploader_id: user,
        blob_id: file.blob_id,
        name: platform.keyring.seal(user, place, &file.name).await?,
        media_type: file.media_type.to_owned(),
        size: file.size,
        width,
        height,
    };
    let command = Command::Store(Box::new(stored));
    let key = id.to_string();
    let outcome = service.files.execute(&(), &key, command, &ctx).await?;
    Ok(Noted {
        id,
        position: outcome.position,
        is_new: !outcome.replayed,
    })
}

async fn answer(service: &Service, noted: Vec<Noted>) -> Result<Success<Uploaded>, Refusal> {
    let mut items = Vec::with_capacity(noted.len());
    for file in &noted {
        items.push(find(service, file.id).await?.file()?);
    }
    let first = items.first().map(|item| url(item.id)).unwrap_or_default();
    let last = noted.into_iter().map(|file| file.position);
    let last = last.max_by_key(|position| position.sequence);
    let success = Success::created(&first, Uploaded { items });
    Ok(match last {
        Some(position) => success.at(&position),
        None => success,
    })
}
