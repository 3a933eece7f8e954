//! What every handler of this service has at hand.

use std::{sync::Arc, time::Duration};

use axum::extract::FromRef;
use doran_contract::{
    ErrorCode, UserId,
    subject::{MESSAGE_STREAM, STORE_STREAM},
    user::UserStatus,
};
use doran_eventstore::{JetStreamStore, LogReader, Position};
use doran_platform::{Platform, directory::Rooms, http::Refusal};
use doran_projection::Positions;
use sqlx::PgPool;
use tokio::sync::Semaphore;

use crate::{blobs::Blobs, bookmark::Bookmarks, file::File, upload::Quota};

/// Pictures that one process decodes at once: each may take half a gigabyte.
const MAX_PICTURES: usize = 2;
const PATIENCE: Duration = Duration::from_secs(2);

#[derive(Clone)]
pub(crate) struct Service {
    pub(crate) platform: Platform,
    pub(crate) bookmarks: JetStreamStore<Bookmarks>,
    pub(crate) files: JetStreamStore<File>,
    pub(crate) store_log: LogReader,
    pub(crate) message_log: LogReader,
    /// Rooms as authorisation knows them, in memory.
    pub(crate) directory: Rooms,
    pub(crate) blobs: Arc<dyn Blobs>,
    pub(crate) quota: Quota,
    /// Turns of pictures that are decoded.
    pub(crate) pictures: Arc<Semaphore>,
    pub(crate) pool: PgPool,
    positions: Positions,
}

impl Service {
    pub(crate) fn new(
        platform: Platform,
        directory: Rooms,
        (blobs, quota): (Arc<dyn Blobs>, Quota),
        (pool, positions): (PgPool, Positions),
    ) -> Self {
        let js = &platform.js;
        Self {
            bookmarks: JetStreamStore::new(js.clone()),
            files: JetStreamStore::new(js.clone()),
            store_log: LogReader::new(js.clone(), STORE_STREAM),
            message_log: LogReader::new(js.clone(), MESSAGE_STREAM),
            directory,
            blobs,
            quota,
            pictures: Arc::new(Semaphore::new(MAX_PICTURES)),
            pool,
            positions,
            platform,
        }
    }

    /// Waits until a read model holds everything that the stream has at this moment.
    pub(crate) async fn catch_up(&self, read_model: &str, stream: &str) -> Result<(), Refusal> {
        let log = if stream == STORE_STREAM {
            &self.store_log
        } else {
            &self.message_log
        };
        let head = Position::new(stream, log.head().await?);
        let positions = self.positions.of(&[read_model]);
        Ok(positions.wait(&[head], PATIENCE).await?)
    }

    /// Refuses people whose account rests: they read, and keep nothing.
    pub(crate) async fn require_active(&self, user: UserId) -> Result<(), Refusal> {
        let account = self.platform.users.find(user).await;
        match account.map(|account| account.status) {
            Some(UserStatus::Active) => Ok(()),
            Some(UserStatus::Inactive | UserStatus::Suspended) | None => Err(Refusal::new(
                ErrorCode::Forbidden,
                "your account is not active",
            )),
        }
    }
}

impl FromRef<Service> for Platform {
    fn from_ref(service: &Service) -> Self {
        service.platform.clone()
    }
}

impl FromRef<Service> for Positions {
    fn from_ref(service: &Service) -> Self {
        service.positions.clone()
    }
}
