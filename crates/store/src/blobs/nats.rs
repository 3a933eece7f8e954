//! Pieces as objects of the NATS object store `FILES`.

use async_nats::jetstream::{
    self,
    object_store::{DeleteErrorKind, GetErrorKind, ObjectStore},
};
use async_trait::async_trait;
use bytes::Bytes;
use tokio::{io::AsyncReadExt, time::timeout};

use super::{BlobError, Blobs, DEADLINE};

/// Name of the bucket; its stream is `OBJ_FILES`.
const BUCKET: &str = "FILES";

pub(super) struct NatsBlobs(ObjectStore);

impl NatsBlobs {
    pub(super) async fn open(js: &jetstream::Context) -> Result<Self, BlobError> {
        let bucket = timeout(DEADLINE, js.get_object_store(BUCKET)).await;
        let bucket = bucket.map_err(BlobError::unavailable)?;
        bucket.map(Self).map_err(BlobError::unavailable)
    }

    async fn read(&self, name: &str) -> Result<Option<Bytes>, BlobError> {
        let mut object = match self.0.get(name).await {
            Ok(object) => object,
            Err(error) if error.kind() == GetErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(BlobError::unavailable(error)),
        };
        let mut bytes = Vec::with_capacity(object.info.size);
        let read = object.read_to_end(&mut bytes).await;
        read.map_err(BlobError::unavailable)?;
        Ok(Some(bytes.into()))
    }
}

#[async_trait]
impl Blobs for NatsBlobs {
    async fn put(&self, name: &str, bytes: Bytes) -> Result<(), BlobError> {
        let put = timeout(DEADLINE, self.0.put(name, &mut bytes.as_ref())).await;
        let put = put.map_err(BlobError::unavailable)?;
        put.map(|_info| ()).map_err(BlobError::unavailable)
    }

    async fn get(&self, name: &str) -> Result<Option<Bytes>, BlobError> {
        let read = timeout(DEADLINE, self.read(name)).await;
        read.map_err(BlobError::unavailable)?
    }

    async fn delete(&self, name: &str) -> Result<(), BlobError> {
        let deleted = timeout(DEADLINE, self.0.delete(name)).await;
        match deleted.map_err(BlobError::unavailable)? {
            Ok(()) => Ok(()),
            Err(error) if error.kind() == DeleteErrorKind::NotFound => Ok(()),
            Err(error) => Err(BlobError::unavailable(error)),
        }
    }
}
