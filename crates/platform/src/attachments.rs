//! The names of a message's files: sealed with their sender's key, each in its place in the event.

use doran_contract::{UserId, events::AttachedFile, message::Attachment};
use uuid::Uuid;

use crate::keyring::{DataKey, Keyring, OpenFieldError, Place};

/// How the name of the file at `index` is called when it is sealed.
pub fn name_field(index: usize) -> String {
    format!("attachments.{index}.name")
}

/// The files with their names opened; none of somebody whose key was destroyed.
pub async fn open_attachments(
    keyring: &Keyring,
    subject: &str,
    event_id: Uuid,
    files: &[AttachedFile],
) -> Result<Vec<Attachment>, OpenFieldError> {
    let Some(owner) = owner(files) else {
        return Ok(Vec::new());
    };
    match keyring.key(owner).await? {
        Some(key) => opened_with(&key, subject, event_id, files),
        None => Ok(Vec::new()),
    }
}

/// As [`open_attachments`], with the sender's key at hand.
pub fn opened_with(
    key: &DataKey,
    subject: &str,
    event_id: Uuid,
    files: &[AttachedFile],
) -> Result<Vec<Attachment>, OpenFieldError> {
    let opened = files.iter().enumerate().map(|(index, file)| {
        let place = Place {
            subject,
            event_id,
            field: &name_field(index),
        };
        let name = key.open(place, &file.name)?;
        Ok(Attachment::opened(file.clone(), name))
    });
    opened.collect()
}

/// All files of a message are its sender's.
fn owner(files: &[AttachedFile]) -> Option<UserId> {
    files.first().map(|file| file.name.key)
}
