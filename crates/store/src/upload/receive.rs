//! Taking in one file after the other, piece by piece, and taking back what was not finished.

use std::{mem, sync::Arc, time::Duration};

use aws_lc_rs::digest::{Context, SHA256};
use axum::extract::multipart::Field;
use bytes::{Bytes, BytesMut};
use doran_contract::{BlobId, ErrorCode, UserId};
use doran_platform::{
    http::Refusal,
    keyring::{DataKey, KeyringError},
};
use image::ImageFormat;
use tokio::time::timeout;
use uuid::Uuid;

use super::{
    kind::{Kind, KindError},
    name::{NameError, base_name},
    picture::{self, Picture, PictureError},
    quota::{self, Pending},
};
use crate::{
    blobs::{PART_BYTES, Parts},
    state::Service,
};

/// A picture has to fit into memory.
const MAX_PICTURE_BYTES: u64 = 20 * 1024 * 1024;
/// Between two pieces of a body.
const IDLE: Duration = Duration::from_secs(30);

/// A file whose bytes lie in the file store.
pub(crate) struct Received {
    pub(crate) name: String,
    pub(crate) media_type: &'static str,
    pub(crate) blob_id: BlobId,
    pub(crate) size: u64,
    /// Width and height, of pictures.
    pub(crate) pixels: Option<(u32, u32)>,
    /// Of the name and of the bytes as they came.
    pub(crate) digest: Vec<u8>,
}

/// The files of one request. What was not kept when it is over is deleted.
pub(crate) struct Upload {
    service: Service,
    uploader: UserId,
    key: DataKey,
    pending: Pending,
    blobs: Vec<Blob>,
    state: State,
}

struct Blob {
    id: BlobId,
    bytes: u64,
    is_kept: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Open,
    Over,
}

impl Upload {
    /// Makes room for what the request says that it brings.
    pub(crate) async fn begin(
        service: &Service,
        uploader: UserId,
        announced_bytes: u64,
    ) -> Result<Self, Refusal> {
        let key = service.platform.keyring.key(uploader).await?;
        let clock = &service.platform.clock;
        let upload = Self {
            service: service.clone(),
            uploader,
            key: key.ok_or(KeyringError::NoKey)?,
            pending: Pending {
                id: clock.new_id(),
                bytes: announced_bytes,
                since: clock.timestamp(),
            },
            blobs: Vec::new(),
            state: State::Open,
        };
        let reserving = service.quota.reserve(service, uploader, &upload.pending);
        reserving.await?;
        Ok(upload)
    }

    /// Takes in the next file.
    pub(crate) async fn receive(&mut self, mut field: Field<'_>) -> Result<Received, Refusal> {
        let name = field.file_name().ok_or(NameError::Missing)?;
        let name = base_name(name)?;
        let kind = Kind::of(&name, field.content_type())?;
        let blob_id = quota::blob(self.pending.id, self.blobs.len());
        self.blobs.push(Blob {
            id: blob_id,
            bytes: 0,
            is_kept: false,
        });
        let mut body = Body::new(&mut field, self.most_bytes(kind));
        body.digest.update(name.as_bytes());
        body.digest.update(&[0]);
        let pixels = if let Some(format) = kind.picture() {
            Some(self.picture(&mut body, (kind, format)).await?)
        } else {
            self.stream(&mut body, kind).await?;
            None
        };
        Ok(Received {
            name,
            media_type: kind.media_type,
            blob_id,
            size: self.blobs.last().map_or(0, |blob| blob.bytes),
            pixels,
            digest: body.digest.finish().as_ref().to_vec(),
        })
    }

    /// The blob belongs to a stored file from now on.
    pub(crate) fn keep(&mut self, id: BlobId) {
        for blob in self.blobs.iter_mut().filter(|blob| blob.id == id) {
            blob.is_kept = true;
        }
    }

    /// Whether the files are stored is not known: whoever collects what broke off finds out.
    pub(crate) fn leave(mut self) {
        self.state = State::Over;
    }

    /// Deletes what was not kept, and gives back the room.
    pub(crate) async fn settle(mut self) {
        self.state = State::Over;
        let blobs = mem::take(&mut self.blobs);
        settle(&self.service, (self.uploader, self.pending.id), blobs).await;
    }

    fn most_bytes(&self, kind: &Kind) -> u64 {
        let most = self.service.platform.config.files.max_file_bytes;
        match kind.picture() {
            Some(_) => most.min(MAX_PICTURE_BYTES),
            None => most,
        }
    }

    async fn stream(&mut self, body: &mut Body<'_, '_>, kind: &Kind) -> Result<(), Refusal> {
        let mut buffer = BytesMut::new();
        let mut number = 0;
        while let Some(piece) = body.next().await? {
            buffer.extend_from_slice(&piece);
            while buffer.len() >= PART_BYTES {
                let part = buffer.split_to(PART_BYTES);
                self.put(number, &part, kind).await?;
                number += 1;
            }
        }
        if number == 0 || !buffer.is_empty() {
            self.put(number, &buffer, kind).await?;
        }
        Ok(())
    }

    async fn put(&mut self, number: u64, part: &[u8], kind: &Kind) -> Result<(), Refusal> {
        if number == 0 {
            if part.is_empty() {
                return Err(invalid("must not be empty"));
            }
            kind.check(part)?;
        }
        let length = u64::try_from(part.len()).unwrap_or(u64::MAX);
        if let Some(blob) = self.blobs.last_mut() {
            blob.bytes += length;
        }
        self.make_room().await?;
        Ok(self.parts().put(&self.key, number, part).await?)
    }

    async fn picture(
        &mut self,
        body: &mut Body<'_, '_>,
        (kind, format): (&Kind, ImageFormat),
    ) -> Result<(u32, u32), Refusal> {
        let mut bytes = Vec::new();
        while let Some(piece) = body.next().await? {
            bytes.extend_from_slice(&piece);
            kind.check(&bytes).or_else(|error| {
                // The first piece may be shorter than what tells the format.
                if bytes.len() < 32 { Ok(()) } else { Err(error) }
            })?;
        }
        if bytes.is_empty() {
            return Err(invalid("must not be empty"));
        }
        kind.check(&bytes)?;
        let Picture {
            bytes,
            thumbnail,
            width,
            height,
        } = prepare(&self.service, format, bytes).await?;
        for (number, part) in (0..).zip(bytes.chunks(PART_BYTES)) {
            self.put(number, part, kind).await?;
        }
        self.parts().put_thumbnail(&self.key, &thumbnail).await?;
        Ok((width, height))
    }

    /// What is written may be more than what was announced.
    async fn make_room(&mut self) -> Result<(), Refusal> {
        let bytes = self.blobs.iter().map(|blob| blob.bytes).sum();
        if bytes <= self.pending.bytes {
            return Ok(());
        }
        self.pending.bytes = bytes;
        let service = &self.service;
        let reserving = service.quota.reserve(service, self.uploader, &self.pending);
        Ok(reserving.await?)
    }

    fn parts(&self) -> Parts {
        let blob = self
            .blobs
            .last()
            .map_or_else(|| quota::blob(self.pending.id, 0), |blob| blob.id);
        Parts::of(&self.service.blobs, blob)
    }
}

/// Also when the client hung up, and nobody waits for the answer any more.
impl Drop for Upload {
    fn drop(&mut self) {
        if self.state == State::Over {
            return;
        }
        let (service, blobs) = (self.service.clone(), mem::take(&mut self.blobs));
        let whose = (self.uploader, self.pending.id);
        let lifecycle = service.platform.lifecycle.clone();
        lifecycle.spawn(async move { settle(&service, whose, blobs).await });
    }
}

/// What does not succeed here is left to whoever collects what broke off.
async fn settle(service: &Service, (uploader, upload): (UserId, Uuid), blobs: Vec<Blob>) {
    for blob in blobs.iter().filter(|blob| !blob.is_kept) {
        let parts = Parts::of(&service.blobs, blob.id);
        if let Err(error) = parts.delete(blob.bytes).await {
            tracing::warn!(%error, "a broken-off upload is deleted later");
            return;
        }
    }
    if let Err(error) = service.quota.release(uploader, upload).await {
        tracing::warn!(%error, "the room of an upload is given back later");
    }
}

/// A field's bytes, up to a limit.
struct Body<'f, 'm> {
    field: &'f mut Field<'m>,
    bytes: u64,
    most_bytes: u64,
    digest: Context,
}

impl<'f, 'm> Body<'f, 'm> {
    fn new(field: &'f mut Field<'m>, most_bytes: u64) -> Self {
        Self {
            field,
            bytes: 0,
            most_bytes,
            digest: Context::new(&SHA256),
        }
    }

    async fn next(&mut self) -> Result<Option<Bytes>, Refusal> {
        let broken = || Refusal::new(ErrorCode::BadRequest, "the body did not arrive whole");
        let piece = timeout(IDLE, self.field.chunk()).await;
        let piece = piece.map_err(|_late| broken())?;
        let piece = piece.map_err(|error| match error.status().as_u16() {
            413 => too_large("the request is too large".to_owned()),
            _ => broken(),
        })?;
        if let Some(piece) = &piece {
            self.bytes += u64::try_from(piece.len()).unwrap_or(u64::MAX);
            if self.bytes > self.most_bytes {
                let most = self.most_bytes;
                return Err(too_large(format!("such a file has {most} bytes at most")));
            }
            self.digest.update(piece);
        }
        Ok(piece)
    }
}

/// One at a time for each turn, on a thread of its own.
async fn prepare(
    service: &Service,
    format: ImageFormat,
    bytes: Vec<u8>,
) -> Result<Picture, Refusal> {
    let turn = Arc::clone(&service.pictures).acquire_owned().await;
    let turn = turn.map_err(|error| Refusal::internal(&error))?;
    let preparing = tokio::task::spawn_blocking(move || {
        let picture = picture::prepare(format, &bytes);
        drop(turn);
        picture
    });
    let picture = preparing.await;
    Ok(picture.map_err(|error| Refusal::internal(&error))??)
}

fn too_large(message: String) -> Refusal {
    Refusal::new(ErrorCode::TooLarge, message)
}

fn invalid(reason: impl Into<String>) -> Refusal {
    Refusal::invalid_field("files", reason)
}

impl From<NameError> for Refusal {
    fn from(error: NameError) -> Self {
        invalid(error.to_string())
    }
}

impl From<KindError> for Refusal {
    fn from(error: KindError) -> Self {
        Self::new(ErrorCode::UnsupportedMediaType, error.to_string())
    }
}

impl From<PictureError> for Refusal {
    fn from(error: PictureError) -> Self {
        match error {
            PictureError::Large => too_large(error.to_string()),
            PictureError::Damaged => invalid(error.to_string()),
        }
    }
}
