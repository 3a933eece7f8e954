//! Password hashes, sealed, in the KV bucket `CREDENTIAL` (history 1). The log never has them.

use std::{sync::Arc, time::Duration};

use async_nats::jetstream::{
    self,
    kv::{self, CreateErrorKind, UpdateErrorKind},
};
use doran_contract::UserId;
use tokio::time::timeout;

use crate::{
    Unanswered,
    overwrite::overwrite,
    password::PasswordHash,
    secret::{MasterKey, SealingKey},
    within,
};

/// Name of the bucket.
pub const BUCKET: &str = "CREDENTIAL";
const DEADLINE: Duration = Duration::from_secs(2);

#[derive(Debug, thiserror::Error)]
pub enum CredentialError {
    #[error("the credential store does not answer")]
    Unavailable(#[from] Unanswered),
    #[error("a credential cannot be opened: is this the master key it was sealed with?")]
    ForeignMasterKey,
}

/// A hash, and which of the person's hashes it is: a change names the one it replaces.
#[derive(Clone)]
pub struct Credential {
    pub hash: PasswordHash,
    pub revision: u64,
}

/// One password hash a person. Cheap to clone; held by auth and user alone.
#[derive(Clone)]
pub struct Credentials {
    bucket: kv::Store,
    key: Arc<SealingKey>,
}

impl Credentials {
    pub async fn open(
        js: &jetstream::Context,
        master: &MasterKey,
    ) -> Result<Self, CredentialError> {
        Ok(Self {
            bucket: within(DEADLINE, js.get_key_value(BUCKET)).await?,
            key: Arc::new(master.sealing_key("credential")),
        })
    }

    pub async fn find(&self, user: UserId) -> Result<Option<PasswordHash>, CredentialError> {
        let sealed = within(DEADLINE, self.bucket.get(user.to_string())).await?;
        sealed
            .map(|sealed| self.open_hash(user, &sealed))
            .transpose()
    }

    /// The hash as one that shall be replaced.
    pub async fn current(&self, user: UserId) -> Result<Option<Credential>, CredentialError> {
        let entry = within(DEADLINE, self.bucket.entry(user.to_string())).await?;
        let Some(entry) = entry.filter(|entry| entry.operation == kv::Operation::Put) else {
            return Ok(None);
        };
        Ok(Some(Credential {
            hash: self.open_hash(user, &entry.value)?,
            revision: entry.revision,
        }))
    }

    /// Puts a hash in the place of the one with this revision; says whether that was still it.
    pub async fn replace(
        &self,
        user: UserId,
        hash: &PasswordHash,
        revision: u64,
    ) -> Result<bool, CredentialError> {
        let sealed = self.key.seal(&user.to_string(), hash.as_str().as_bytes());
        let update = self
            .bucket
            .update(user.to_string(), sealed.into(), revision);
        match timeout(DEADLINE, update).await {
            Ok(Ok(_)) => Ok(true),
            Ok(Err(error)) if error.kind() == UpdateErrorKind::WrongLastRevision => Ok(false),
            Ok(Err(error)) => Err(CredentialError::Unavailable(Unanswered::because(error))),
            Err(late) => Err(CredentialError::Unavailable(Unanswered::because(late))),
        }
    }

    /// Keeps the hash of somebody who has none; says whether it did.
    pub async fn create(&self, user: UserId, hash: &PasswordHash) -> Result<bool, CredentialError> {
        let sealed = self.key.seal(&user.to_string(), hash.as_str().as_bytes());
        match timeout(
            DEADLINE,
            self.bucket.create(user.to_string(), sealed.into()),
        )
        .await
        {
            Ok(Ok(_)) => Ok(true),
            Ok(Err(error)) if error.kind() == CreateErrorKind::AlreadyExists => Ok(false),
            Ok(Err(error)) => Err(CredentialError::Unavailable(Unanswered::because(error))),
            Err(late) => Err(CredentialError::Unavailable(Unanswered::because(late))),
        }
    }

    /// Takes the hash away and overwrites its bytes in the store's files.
    pub async fn remove(&self, user: UserId) -> Result<(), CredentialError> {
        within(DEADLINE, overwrite(&self.bucket, &user.to_string())).await?;
        Ok(())
    }

    fn open_hash(&self, user: UserId, sealed: &[u8]) -> Result<PasswordHash, CredentialError> {
        let hash = self
            .key
            .open(&user.to_string(), sealed)
            .map_err(|_error| CredentialError::ForeignMasterKey)?;
        let hash =
            std::str::from_utf8(&hash).map_err(|_error| CredentialError::ForeignMasterKey)?;
        Ok(PasswordHash::new(hash))
    }
}
