//! Data keys, one per person, and what is sealed with them.
//!
//! Keys lie wrapped in the KV bucket `DATA_KEY` (history 1). Destroying a person's key turns
//! whatever it sealed into noise, in the log, its replicas and its backups.

use std::{
    collections::HashSet,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use async_nats::jetstream::{self, kv};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use doran_contract::{Sealed, UserId};
use doran_projection::EnrichError;
use moka::future::Cache;
use uuid::Uuid;
use zeroize::Zeroizing;

use crate::{
    Unanswered,
    overwrite::overwrite,
    secret::{MasterKey, OpenError, SealingKey, random},
    within,
};

/// Name of the bucket.
pub const BUCKET: &str = "DATA_KEY";
/// Keys kept in memory; the least used leave first.
const CACHED_KEYS: u64 = 100_000;
const DEADLINE: Duration = Duration::from_secs(2);

#[derive(Clone, Debug, thiserror::Error)]
pub enum KeyringError {
    #[error("the key store does not answer")]
    Unavailable(#[from] Unanswered),
    #[error("a data key cannot be opened: is this the master key it was wrapped with?")]
    ForeignMasterKey,
    #[error("the person has no data key")]
    NoKey,
}

/// Where a sealed field stands in the log. It opens nowhere else.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    pub subject: &'a str,
    pub event_id: Uuid,
    pub field: &'a str,
}

impl Place<'_> {
    fn associated_data(&self) -> String {
        format!("{}|{}|{}", self.subject, self.event_id, self.field)
    }
}

/// What became of a sealed field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Opened {
    Text(String),
    /// The key was destroyed with its owner's account.
    Destroyed,
}

impl Opened {
    pub fn into_text(self) -> Option<String> {
        match self {
            Self::Text(text) => Some(text),
            Self::Destroyed => None,
        }
    }
}

#[derive(Debug, thiserror::Error)]
pub enum OpenFieldError {
    #[error(transparent)]
    Keyring(#[from] KeyringError),
    #[error("a sealed field is damaged or stands in the wrong place")]
    Damaged(#[from] OpenError),
    #[error("a sealed field is not base64url of text")]
    Malformed,
}

impl From<OpenFieldError> for EnrichError {
    fn from(error: OpenFieldError) -> Self {
        match error {
            // A wrong master key is the operator's mistake: wait for the right one, park nobody.
            OpenFieldError::Keyring(
                error @ (KeyringError::Unavailable(_)
                | KeyringError::ForeignMasterKey
                | KeyringError::NoKey),
            ) => Self::Unavailable(error.into()),
            error @ (OpenFieldError::Damaged(_) | OpenFieldError::Malformed) => {
                Self::Permanent(error.into())
            }
        }
    }
}

/// A person's key, for sealing and opening many fields without asking again.
#[derive(Clone)]
pub struct DataKey {
    owner: UserId,
    key: Arc<SealingKey>,
}

impl DataKey {
    pub fn seal(&self, place: Place<'_>, text: &str) -> Sealed {
        let bytes = self.key.seal(&place.associated_data(), text.as_bytes());
        Sealed {
            key: self.owner,
            data: URL_SAFE_NO_PAD.encode(bytes),
        }
    }

    /// Bytes that lie outside of the log, at a place of their own.
    pub fn seal_bytes(&self, place: &str, bytes: &[u8]) -> Vec<u8> {
        self.key.seal(place, bytes)
    }

    pub fn open_bytes(&self, place: &str, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, OpenError> {
        self.key.open(place, sealed)
    }

    pub fn open(&self, place: Place<'_>, sealed: &Sealed) -> Result<String, OpenFieldError> {
        let bytes = URL_SAFE_NO_PAD
            .decode(&sealed.data)
            .map_err(|_error| OpenFieldError::Malformed)?;
        let plain = self.key.open(&place.associated_data(), &bytes)?;
        String::from_utf8(plain.to_vec()).map_err(|_error| OpenFieldError::Malformed)
    }
}

/// All data keys. Cheap to clone.
#[derive(Clone)]
pub struct Keyring {
    bucket: kv::Store,
    wrapping: Arc<SealingKey>,
    cache: Cache<UserId, DataKey>,
    /// Whose keys are not to be used any more, whether or not they are destroyed yet.
    forgotten: Arc<RwLock<HashSet<UserId>>>,
}

impl Keyring {
    pub async fn open(js: &jetstream::Context, master: &MasterKey) -> Result<Self, KeyringError> {
        let bucket = within(DEADLINE, js.get_key_value(BUCKET)).await?;
        Ok(Self {
            bucket,
            wrapping: Arc::new(master.sealing_key("data-key")),
            cache: Cache::builder().max_capacity(CACHED_KEYS).build(),
            forgotten: Arc::default(),
        })
    }

    /// Makes a key for `owner`, or returns the one there is.
    pub async fn create(&self, owner: UserId) -> Result<DataKey, KeyringError> {
        let bytes = random::<32>();
        let wrapped = self.wrapping.seal(&owner.to_string(), bytes.as_slice());
        match within(
            DEADLINE,
            self.bucket.create(owner.to_string(), wrapped.into()),
        )
        .await
        {
            Ok(_) => {}
            Err(error) => return self.key(owner).await?.ok_or_else(|| error.into()),
        }
        let key = DataKey {
            owner,
            key: Arc::new(SealingKey::new(&bytes)),
        };
        self.cache.insert(owner, key.clone()).await;
        Ok(key)
    }

    /// The key of `owner`; none if it was destroyed, forgotten or never made.
    pub async fn key(&self, owner: UserId) -> Result<Option<DataKey>, KeyringError> {
        if self.is_forgotten(owner) {
            return Ok(None);
        }
        if let Some(key) = self.cache.get(&owner).await {
            return Ok(Some(key));
        }
        let Some(wrapped) = within(DEADLINE, self.bucket.get(owner.to_string())).await? else {
            return Ok(None);
        };
        let key = self.unwrap(owner, &wrapped)?;
        self.cache.insert(owner, key.clone()).await;
        if self.is_forgotten(owner) {
            // Forgotten between the question and the answer.
            self.cache.invalidate(&owner).await;
            return Ok(None);
        }
        Ok(Some(key))
    }

    /// Never uses the key of `owner` again in this process: what it sealed reads as destroyed.
    pub async fn forget(&self, owner: UserId) {
        self.forgotten
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(owner);
        self.cache.invalidate(&owner).await;
    }

    /// Destroys the key of `owner`: what it sealed can never be opened again. Its wrapped bytes are
    /// overwritten in the store's files. Other processes may hold it in memory until they forget it.
    pub async fn destroy(&self, owner: UserId) -> Result<(), KeyringError> {
        within(DEADLINE, overwrite(&self.bucket, &owner.to_string())).await?;
        self.cache.invalidate(&owner).await;
        Ok(())
    }

    fn is_forgotten(&self, owner: UserId) -> bool {
        self.forgotten
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .contains(&owner)
    }

    /// Seals `text` with the key of `owner`.
    pub async fn seal(
        &self,
        owner: UserId,
        place: Place<'_>,
        text: &str,
    ) -> Result<Sealed, KeyringError> {
        let key = self.key(owner).await?.ok_or(KeyringError::NoKey)?;
        Ok(key.seal(place, text))
    }

    /// Opens a field that was sealed at `place`.
    pub async fn open_field(
        &self,
        place: Place<'_>,
        sealed: &Sealed,
    ) -> Result<Opened, OpenFieldError> {
        match self.key(sealed.key).await? {
            Some(key) => key.open(place, sealed).map(Opened::Text),
            None => Ok(Opened::Destroyed),
        }
    }

    fn unwrap(&self, owner: UserId, wrapped: &[u8]) -> Result<DataKey, KeyringError> {
        let foreign = |_| KeyringError::ForeignMasterKey;
        let bytes = self
            .wrapping
            .open(&owner.to_string(), wrapped)
            .map_err(foreign)?;
        let bytes: [u8; 32] = bytes
            .as_slice()
            .try_into()
            .map_err(|_error| KeyringError::ForeignMasterKey)?;
        Ok(DataKey {
            owner,
            key: Arc::new(SealingKey::new(&bytes)),
        })
    }
}
