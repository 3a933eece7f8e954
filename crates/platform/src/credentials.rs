//! Password hashes, sealed, in the KV bucket `CREDENTIAL` (history 1). The log never has them.

use std::{error::Error, sync::Arc, time::Duration};

use async_nats::jetstream::{
    self,
    kv::{self, CreateErrorKind},
};
use doran_contract::UserId;
use tokio::time::timeout;

use crate::{
    password::PasswordHash,
    secret::{MasterKey, SealingKey},
};

/// Name of the bucket.
pub const BUCKET: &str = "CREDENTIAL";
const DEADLINE: Duration = Duration::from_secs(2);

#[derive(Debug, thiserror::Error)]
pub enum CredentialError {
    #[error("the credential store does not answer")]
    Unavailable(#[source] Box<dyn Error + Send + Sync>),
    #[error("a credential cannot be opened: is this the master key it was sealed with?")]
    ForeignMasterKey,
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
            bucket: within(js.get_key_value(BUCKET)).await?,
            key: Arc::new(master.sealing_key("credential")),
        })
    }

    pub async fn find(&self, user: UserId) -> Result<Option<PasswordHash>, CredentialError> {
        let Some(sealed) = within(self.bucket.get(user.to_string())).await? else {
            return Ok(None);
        };
        let hash = self
            .key
            .open(&user.to_string(), &sealed)
            .map_err(|_error| CredentialError::ForeignMasterKey)?;
        let hash =
            std::str::from_utf8(&hash).map_err(|_error| CredentialError::ForeignMasterKey)?;
        Ok(Some(PasswordHash::new(hash)))
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
            Ok(Err(error)) => Err(CredentialError::Unavailable(error.into())),
            Err(late) => Err(CredentialError::Unavailable(late.into())),
        }
    }

    pub async fn remove(&self, user: UserId) -> Result<(), CredentialError> {
        within(self.bucket.purge(user.to_string())).await
    }
}

async fn within<T, E>(answer: impl Future<Output = Result<T, E>>) -> Result<T, CredentialError>
where
    E: Error + Send + Sync + 'static,
{
    match timeout(DEADLINE, answer).await {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => Err(CredentialError::Unavailable(error.into())),
        Err(late) => Err(CredentialError::Unavailable(late.into())),
    }
}
