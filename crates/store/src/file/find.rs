//! A file as the log has it, opened for those who may see it.

use doran_contract::{
    FileId, Timestamp,
    events::{FILE_EVENTS, FileEvent, FileStored},
    store::{self, thumbnail_url, url},
    subject,
};
use doran_platform::{
    event_schema,
    http::Refusal,
    keyring::{DataKey, Place},
};
use uuid::Uuid;

use super::Error;
use crate::state::Service;

/// A file that was not removed, and the key that opens it.
pub(crate) struct Found {
    pub(crate) stored: FileStored,
    pub(crate) key: DataKey,
    event_id: Uuid,
    time: Timestamp,
}

/// Whose key was destroyed has no files any more.
pub(crate) async fn find(service: &Service, file: FileId) -> Result<Found, Refusal> {
    let last = service.store_log.last(&subject::file(file, "*")).await?;
    let recorded = last.ok_or(Error::NotFound)?;
    let event = recorded
        .decode::<FileEvent>(&event_schema(FILE_EVENTS))
        .map_err(|error| Refusal::internal(&error))?;
    let stored = match event {
        FileEvent::FileStored(stored) => stored,
        FileEvent::FileRemoved(_) => return Err(Error::NotFound.into()),
    };
    let key = service.platform.keyring.key(stored.uploader_id).await?;
    Ok(Found {
        key: key.ok_or(Error::NotFound)?,
        event_id: recorded.event_id,
        time: recorded.time.into(),
        stored,
    })
}

impl Found {
    pub(crate) fn name(&self) -> Result<String, Refusal> {
        let place = Place {
            subject: &subject::file(self.stored.file_id, "FileStored"),
            event_id: self.event_id,
            field: "name",
        };
        Ok(self.key.open(place, &self.stored.name)?)
    }

    pub(crate) fn file(&self) -> Result<store::File, Refusal> {
        let stored = &self.stored;
        Ok(store::File {
            id: stored.file_id,
            name: self.name()?,
            media_type: stored.media_type.clone(),
            size: stored.size,
            width: stored.width,
            height: stored.height,
            url: url(stored.file_id),
            thumbnail_url: stored.width.map(|_| thumbnail_url(stored.file_id)),
            created_at: self.time,
        })
    }
}
