//! `POST /api/store/files`: files as `multipart/form-data`; what is refused of one is refused of all.

use std::time::Duration;

use axum::{
    extract::{DefaultBodyLimit, FromRequest, Multipart, Request, State},
    http::header::CONTENT_LENGTH,
};
use doran_contract::{
    ErrorCode, FileId, UserId, events::FileStored, id::created_by, store, store::url, subject,
};
use doran_eventstore::{CommandContext, Position, event_id};
use doran_platform::{
    http::{Actor, CommandHeaders, Refusal, Success},
    keyring::Place,
};
use schemars::JsonSchema;
use serde::Serialize;
use tokio::time::timeout;

use super::SOURCE;
use crate::{
    file::{Command, find},
    state::Service,
    upload::{MAX_FILES, Parsing, Received, Upload},
};

/// A whole request. What is noted as under way for longer has broken off.
const DEADLINE: Duration = Duration::from_mins(30);
/// Beside its files a request has boundaries and headers of parts.
const OVERHEAD_BYTES: u64 = 64 * 1024;
/// How long a refused body is still read, so that a client that is sending hears why.
const DRAIN: Duration = Duration::from_secs(5);

#[derive(JsonSchema, Serialize)]
pub(crate) struct Uploaded {
    items: Vec<store::File>,
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
    mut request: Request,
) -> Result<Success<Uploaded>, Refusal> {
    service.require_active(actor.user_id).await?;
    let announced = announced(&request);
    if announced > most_bytes(&service) {
        return Err(Refusal::new(
            ErrorCode::TooLarge,
            "the request is too large",
        ));
    }
    // A request brings several files, and the service counts each.
    let most = usize::try_from(most_bytes(&service)).unwrap_or(usize::MAX);
    DefaultBodyLimit::max(most).apply(&mut request);
    let parsing = Parsing::default();
    let request = request.map(|body| parsing.watch(body));
    let mut multipart = Multipart::from_request(request, &())
        .await
        .map_err(|_error| {
            Refusal::new(
                ErrorCode::UnsupportedMediaType,
                "the body must be multipart/form-data",
            )
        })?;
    let begun = Upload::begin(&service, actor.user_id, announced).await;
    let mut upload = match begun {
        Ok(upload) => upload,
        Err(refusal) => return refuse(multipart, &parsing, refusal).await,
    };
    let receiving = timeout(DEADLINE, receive(&mut upload, &mut multipart, &parsing));
    let received = receiving.await.unwrap_or_else(|_late| Err(broken()));
    match received {
        Ok(files) => {
            let ctx = headers.context(&service.platform, SOURCE, Some(actor.user_id), &[]);
            keep(&service, upload, files, (actor.user_id, &ctx)).await
        }
        Err(refusal) => {
            upload.settle().await;
            refuse(multipart, &parsing, refusal).await
        }
    }
}

/// What is said of the body's length; nothing, where nothing is said.
fn announced(request: &Request) -> u64 {
    let length = request.headers().get(CONTENT_LENGTH);
    let length = length.and_then(|length| length.to_str().ok()?.parse().ok());
    length.unwrap_or(0)
}

async fn receive(
    upload: &mut Upload,
    multipart: &mut Multipart,
    parsing: &Parsing,
) -> Result<Vec<Received>, Refusal> {
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
        parsing.begins_file();
        files.push(upload.receive(field).await?);
        parsing.ends_file();
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

async fn refuse<T>(mut rest: Multipart, parsing: &Parsing, refusal: Refusal) -> Result<T, Refusal> {
    parsing.refuse();
    let draining = async { while let Ok(Some(_skipped)) = rest.next_field().await {} };
    if timeout(DRAIN, draining).await.is_err() {
        tracing::debug!("a refused upload goes on too long to be read to its end");
    }
    Err(refusal)
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
        Some(position) => success.at(&position).version(position.sequence),
        None => success,
    })
}
