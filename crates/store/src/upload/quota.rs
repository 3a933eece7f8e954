//! How much room a person's files take, also while several uploads are under way in several
//! processes.
//!
//! What is stored says the log. What is under way is noted in the KV bucket `UPLOAD` by compare and
//! set before a byte is written, so that uploads at once see each other, and what one that broke
//! off left behind is found.

use std::time::Duration;

use async_nats::jetstream::{
    self,
    kv::{self, UpdateErrorKind},
};
use doran_contract::{BlobId, ErrorCode, Timestamp, UserId, subject::STORE_STREAM};
use doran_eventstore::event_id;
use doran_platform::{Unanswered, http::Refusal, within};
use futures_util::TryStreamExt;
use serde::{Deserialize, Serialize};
use tokio::time::timeout;
use uuid::Uuid;

use super::MAX_FILES;
use crate::state::Service;

/// Name of the bucket.
const BUCKET: &str = "UPLOAD";
const DEADLINE: Duration = Duration::from_secs(2);
/// Others may note something of the same person at the same moment so often.
const TRIES: usize = 2 * MAX_UPLOADS;
/// Uploads of one person that may be under way at once.
const MAX_UPLOADS: usize = 16;

/// Of an upload that is under way everything is counted there, what of it is stored already, too.
const STORED: &str = "
    select coalesce(sum(f.size), 0)::bigint
    from files f
    where f.uploader_id = $1
        and f.blob_id <> all($2)";

#[derive(Debug, thiserror::Error)]
pub enum QuotaError {
    #[error("there is no room for it: all your files may have {0} bytes together")]
    Exceeded(u64),
    #[error("too many uploads at once")]
    Crowded,
    #[error("the note of uploads does not answer")]
    Unavailable(#[from] Unanswered),
    #[error("{0}")]
    Refused(Refusal),
}

/// Cheap to clone.
#[derive(Clone)]
pub(crate) struct Quota {
    bucket: kv::Store,
    most_bytes: u64,
}

/// What one person is uploading.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct UnderWay(Vec<Pending>);

/// An upload that is under way, or broke off.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Pending {
    pub(crate) id: Uuid,
    pub(crate) bytes: u64,
    pub(crate) since: Timestamp,
}

impl Pending {
    /// What its files may be called in the file store.
    pub(crate) fn blobs(&self) -> impl Iterator<Item = BlobId> {
        let id = self.id;
        (0..MAX_FILES).map(move |index| blob(id, index))
    }
}

/// The blob of the file at `index` in an upload.
pub(crate) fn blob(upload: Uuid, index: usize) -> BlobId {
    BlobId::new(event_id(upload, index))
}

impl Quota {
    pub(crate) async fn open(js: &jetstream::Context, most_bytes: u64) -> Result<Self, QuotaError> {
        Ok(Self {
            bucket: within(DEADLINE, js.get_key_value(BUCKET)).await?,
            most_bytes,
        })
    }

    /// Notes that the upload takes so many bytes, if there is room for them.
    pub(super) async fn reserve(
        &self,
        service: &Service,
        user: UserId,
        wanted: &Pending,
    ) -> Result<(), QuotaError> {
        for _ in 0..TRIES {
            // In this order: what is stored later is still noted in what was read before.
            let (mut under_way, revision) = self.read(user).await?;
            under_way.0.retain(|pending| pending.id != wanted.id);
            if under_way.0.len() >= MAX_UPLOADS {
                return Err(QuotaError::Crowded);
            }
            under_way.0.push(wanted.clone());
            let stored = stored_bytes(service, user, &under_way).await;
            let stored = stored.map_err(QuotaError::Refused)?;
            let pending = under_way.0.iter().map(|pending| pending.bytes);
            let all = pending.fold(stored, u64::saturating_add);
            if all > self.most_bytes {
                return Err(QuotaError::Exceeded(self.most_bytes));
            }
            if self.write(user, &under_way, revision).await? {
                return Ok(());
            }
        }
        Err(QuotaError::Crowded)
    }

    /// Forgets an upload that is over.
    pub(crate) async fn release(&self, user: UserId, upload: Uuid) -> Result<(), QuotaError> {
        for _ in 0..TRIES {
            let (mut under_way, revision) = self.read(user).await?;
            let before = under_way.0.len();
            under_way.0.retain(|pending| pending.id != upload);
            if under_way.0.len() == before || self.write(user, &under_way, revision).await? {
                return Ok(());
            }
        }
        Err(QuotaError::Crowded)
    }

    /// Everything that is noted as under way.
    pub(crate) async fn under_way(&self) -> Result<Vec<(UserId, Pending)>, QuotaError> {
        let keys = within(DEADLINE, self.bucket.keys()).await?;
        let keys: Vec<String> = within(DEADLINE, keys.try_collect()).await?;
        let mut all = Vec::new();
        for user in keys.iter().filter_map(|key| key.parse().ok()) {
            let (under_way, _) = self.read(user).await?;
            all.extend(under_way.0.into_iter().map(|pending| (user, pending)));
        }
        Ok(all)
    }

    async fn read(&self, user: UserId) -> Result<(UnderWay, u64), QuotaError> {
        let entry = within(DEADLINE, self.bucket.entry(user.to_string())).await?;
        Ok(entry.map_or_else(Default::default, |entry| {
            let under_way = serde_json::from_slice(&entry.value).unwrap_or_else(|error| {
                tracing::warn!(%error, "a note of uploads is not readable");
                UnderWay::default()
            });
            (under_way, entry.revision)
        }))
    }

    /// False if somebody else wrote meanwhile.
    async fn write(
        &self,
        user: UserId,
        under_way: &UnderWay,
        revision: u64,
    ) -> Result<bool, QuotaError> {
        let value = serde_json::to_vec(under_way);
        let value = value.map_err(|error| QuotaError::Unavailable(Unanswered::because(error)))?;
        let key = user.to_string();
        match timeout(DEADLINE, self.bucket.update(key, value.into(), revision)).await {
            Ok(Ok(_)) => Ok(true),
            Ok(Err(error)) if error.kind() == UpdateErrorKind::WrongLastRevision => Ok(false),
            Ok(Err(error)) => Err(QuotaError::Unavailable(Unanswered::because(error))),
            Err(late) => Err(QuotaError::Unavailable(Unanswered::because(late))),
        }
    }
}

/// What the log holds at this moment of the person's files, beside those that are under way.
async fn stored_bytes(
    service: &Service,
    user: UserId,
    under_way: &UnderWay,
) -> Result<u64, Refusal> {
    service.catch_up("files", STORE_STREAM).await?;
    let blobs = under_way.0.iter().flat_map(Pending::blobs);
    let blobs: Vec<Uuid> = blobs.map(BlobId::as_uuid).collect();
    let bytes: i64 = sqlx::query_scalar(STORED)
        .bind(user.as_uuid())
        .bind(blobs)
        .fetch_one(&service.pool)
        .await?;
    Ok(bytes.unsigned_abs())
}

impl From<QuotaError> for Refusal {
    fn from(error: QuotaError) -> Self {
        match error {
            QuotaError::Exceeded(_) => Self::new(ErrorCode::QuotaExceeded, error.to_string()),
            QuotaError::Crowded => Self::new(ErrorCode::RateLimited, error.to_string()),
            QuotaError::Unavailable(_) => Self::unavailable("the log", &error),
            QuotaError::Refused(refusal) => refusal,
        }
    }
}
