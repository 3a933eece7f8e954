//! Everything about one person as a ZIP of JSON, made while it is read: the log is scanned page by
//! page, so that memory does not grow with it.
//!
//! What belongs to other services is read from their streams: what a field names the person in.

mod archive;
mod events;

use std::collections::VecDeque;

use bytes::Bytes;
use doran_contract::{
    UserId,
    subject::{
        BOOKMARK, MESSAGE_STREAM, ROOM_STREAM, SESSION_STREAM, STORE_STREAM, USER, USER_STREAM,
    },
    user::User,
};
use doran_eventstore::{LogReader, ReadError};
use doran_platform::{Platform, keyring::DataKey};
use futures_util::{Stream, stream::try_unfold};
use serde::Serialize;
use tokio::sync::OwnedSemaphorePermit;
use zip::result::ZipError;

use self::{archive::Archive, events::Events};
use crate::settings::Settings;

#[derive(Debug, thiserror::Error)]
pub(crate) enum ExportError {
    #[error(transparent)]
    Read(#[from] ReadError),
    #[error("the archive cannot be written")]
    Archive(#[from] ZipError),
    #[error("something has no JSON")]
    Json(#[from] serde_json::Error),
}

/// An export under way.
pub(crate) struct Export {
    archive: Archive,
    files: VecDeque<(&'static str, Events)>,
    current: Option<Events>,
    key: DataKey,
    user: UserId,
    /// Only so many are under way at once.
    _permit: OwnedSemaphorePermit,
}

/// What is known at once, beside what the log has to be searched for.
pub(crate) struct Account<'a> {
    pub(crate) user: &'a User,
    pub(crate) settings: &'a Settings,
}

impl Export {
    /// Begins with what stood in the log at this moment; what comes later is not waited for.
    pub(crate) async fn begin(
        platform: &Platform,
        account: Account<'_>,
        key: DataKey,
        permit: OwnedSemaphorePermit,
    ) -> Result<Self, ExportError> {
        let user = account.user.id;
        let mut archive = Archive::new();
        archive.add("account.json", &json(account.user)?)?;
        archive.add("settings.json", &json(account.settings)?)?;
        let own = format!("{USER}.{user}.*");
        let kept = format!("{BOOKMARK}.{user}.*");
        let mut files = VecDeque::new();
        for (name, stream, filter) in [
            ("account-history.json", USER_STREAM, own.as_str()),
            ("sessions.json", SESSION_STREAM, "session.*.*"),
            ("rooms.json", ROOM_STREAM, "chatroom.*.*"),
            ("messages.json", MESSAGE_STREAM, "message.*.*.*"),
            ("bookmarks.json", STORE_STREAM, kept.as_str()),
            ("files.json", STORE_STREAM, "file.*.*"),
        ] {
            let log = LogReader::new(platform.js.clone(), stream);
            files.push_back((name, Events::until_now(log, filter).await?));
        }
        Ok(Self {
            archive,
            files,
            current: None,
            key,
            user,
            _permit: permit,
        })
    }

    /// The bytes of the archive. An error ends them early, so that nobody takes a part for all.
    pub(crate) fn stream(self) -> impl Stream<Item = Result<Bytes, ExportError>> {
        try_unfold(Some(self), async |export| {
            let Some(mut export) = export else {
                return Ok(None);
            };
            while export.go_on().await? {
                let bytes = export.archive.take();
                if !bytes.is_empty() {
                    return Ok(Some((bytes, Some(export))));
                }
            }
            Ok(Some((export.archive.finish()?, None)))
        })
    }

    /// Writes one page more; says whether there was one.
    async fn go_on(&mut self) -> Result<bool, ExportError> {
        if let Some(events) = &mut self.current {
            match events.page(self.user, &self.key).await? {
                Some(page) => self.archive.write(page.as_bytes())?,
                None => self.current = None,
            }
            return Ok(true);
        }
        let Some((name, events)) = self.files.pop_front() else {
            return Ok(false);
        };
        self.archive.start(name)?;
        self.current = Some(events);
        Ok(true)
    }
}

fn json(value: &impl Serialize) -> Result<Vec<u8>, serde_json::Error> {
    serde_json::to_vec_pretty(value)
}
