//! Where the bytes of files lie: in pieces under names, in NATS or in an S3-compatible store.

mod nats;
mod parts;
mod s3;

use std::{sync::Arc, time::Duration};

use async_nats::jetstream;
use async_trait::async_trait;
use bytes::Bytes;
use doran_platform::{Config, http::Refusal};

pub(crate) use self::parts::{PART_BYTES, Parts};
use self::{nats::NatsBlobs, s3::S3Blobs};

/// What one piece may take to be written, read or deleted.
const DEADLINE: Duration = Duration::from_secs(15);

type Cause = Box<dyn std::error::Error + Send + Sync>;

#[derive(Debug, thiserror::Error)]
pub enum BlobError {
    #[error("the file store does not answer")]
    Unavailable(#[source] Cause),
    #[error("a piece of a file is missing or damaged")]
    Damaged,
    #[error("S3_ENDPOINT, S3_BUCKET or a key of the file store is not usable")]
    Settings,
}

impl BlobError {
    fn unavailable(cause: impl Into<Cause>) -> Self {
        Self::Unavailable(cause.into())
    }
}

impl From<BlobError> for Refusal {
    fn from(error: BlobError) -> Self {
        match error {
            BlobError::Unavailable(_) => Self::unavailable("the file store", &error),
            BlobError::Damaged | BlobError::Settings => Self::internal(&error),
        }
    }
}

/// A store of sealed pieces. Each call ends within 15 s.
#[async_trait]
pub(crate) trait Blobs: Send + Sync {
    async fn put(&self, name: &str, bytes: Bytes) -> Result<(), BlobError>;

    async fn get(&self, name: &str) -> Result<Option<Bytes>, BlobError>;

    /// That there is none is as good.
    async fn delete(&self, name: &str) -> Result<(), BlobError>;
}

/// The store that the configuration names.
pub(crate) async fn open(
    config: &Config,
    js: &jetstream::Context,
) -> Result<Arc<dyn Blobs>, BlobError> {
    Ok(match &config.files.s3_endpoint {
        Some(endpoint) => Arc::new(S3Blobs::new(endpoint, &config.files)?),
        None => Arc::new(NatsBlobs::open(js).await?),
    })
}
