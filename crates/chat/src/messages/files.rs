//! Files that a message takes along: the sender's own, as the log of the store service has them.

use chrono::{DateTime, TimeDelta, Utc};
use doran_contract::{
    FileId, UserId,
    events::{AttachedFile, FILE_EVENTS, FileEvent, FileStored, MessageSent},
    message::{Attachment, MAX_ATTACHMENTS},
    subject,
};
use doran_platform::{
    attachments::name_field,
    event_schema,
    http::Refusal,
    keyring::{DataKey, KeyringError, Place},
};
use futures_util::future::try_join_all;

use crate::state::Service;

/// How long after its upload a file can be sent. The store service collects it an hour later if
/// no message has it, so that what is being sent is never collected.
const SENDABLE: TimeDelta = TimeDelta::hours(23);

/// Files of one person with their names opened.
pub(super) struct Files(Vec<(FileStored, String)>);

pub(super) fn check_files(files: &[FileId]) -> Result<(), Refusal> {
    if files.len() > MAX_ATTACHMENTS {
        return Err(refused(format!("must be {MAX_ATTACHMENTS} at most")));
    }
    let is_twice = |(index, file)| files.iter().take(index).any(|before| before == file);
    if files.iter().enumerate().any(is_twice) {
        return Err(refused("must name each file once"));
    }
    Ok(())
}

impl Files {
    /// Refuses what the person did not upload, removed, or uploaded long ago.
    pub(super) async fn find(
        service: &Service,
        sender: UserId,
        files: &[FileId],
        now: DateTime<Utc>,
    ) -> Result<Self, Refusal> {
        if files.is_empty() {
            return Ok(Self(Vec::new()));
        }
        let key = service.platform.keyring.key(sender).await?;
        let key = key.ok_or(KeyringError::NoKey)?;
        let found = files
            .iter()
            .map(|file| find(service, *file, (sender, &key), now));
        try_join_all(found).await.map(Self)
    }

    /// As the event has them, for the message whose content is sealed at `place`.
    pub(super) fn sealed(&self, key: &DataKey, place: Place<'_>) -> Vec<AttachedFile> {
        let sealed = self.0.iter().enumerate().map(|(index, (file, name))| {
            let field = name_field(index);
            let place = Place {
                field: &field,
                ..place
            };
            AttachedFile {
                file_id: file.file_id,
                name: key.seal(place, name),
                media_type: file.media_type.clone(),
                size: file.size,
                width: file.width,
                height: file.height,
            }
        });
        sealed.collect()
    }

    /// As clients see those of `event`, which took them along.
    pub(super) fn opened(self, event: &MessageSent) -> Vec<Attachment> {
        let files = event.attachments.iter().cloned();
        let names = self.0.into_iter().map(|(_, name)| name);
        files
            .zip(names)
            .map(|(file, name)| Attachment::opened(file, name))
            .collect()
    }
}

async fn find(
    service: &Service,
    file: FileId,
    (sender, key): (UserId, &DataKey),
    now: DateTime<Utc>,
) -> Result<(FileStored, String), Refusal> {
    let unknown = || refused("must be files that you uploaded and did not remove");
    let last = service.store_log.last(&subject::file(file, "*")).await?;
    let recorded = last.ok_or_else(unknown)?;
    let event = recorded
        .decode::<FileEvent>(&event_schema(FILE_EVENTS))
        .map_err(|error| Refusal::internal(&error))?;
    let stored = match event {
        FileEvent::FileStored(stored) if stored.uploader_id == sender => stored,
        FileEvent::FileStored(_) | FileEvent::FileRemoved(_) => return Err(unknown()),
    };
    if now - recorded.time > SENDABLE {
        return Err(refused("must have been uploaded within 23 hours"));
    }
    let place = Place {
        subject: &recorded.subject,
        event_id: recorded.event_id,
        field: "name",
    };
    let name = key.open(place, &stored.name)?;
    Ok((stored, name))
}

fn refused(reason: impl Into<String>) -> Refusal {
    Refusal::invalid_field("fileIds", reason)
}
