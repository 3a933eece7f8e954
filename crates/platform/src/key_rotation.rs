//! The signing key's files, and their rotation: next becomes current, current becomes previous.
//!
//! The next key is published long before it signs, the previous one is trusted until its tokens
//! have expired. At every moment there is a current file.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use async_nats::jetstream;
use chrono::{DateTime, TimeDelta, Utc};

use crate::{
    access_token::{BUCKET, Signer, SigningKeyError},
    secret,
};

#[derive(Debug, thiserror::Error)]
pub enum RotationError {
    #[error(transparent)]
    Key(#[from] SigningKeyError),
    #[error("cannot put the key files in order")]
    Files(#[source] io::Error),
    #[error("the public keys cannot be published")]
    Publish(#[source] async_nats::Error),
    /// Two rotations in a row would take away a key that unexpired tokens are signed with.
    #[error("the last rotation was too short ago; rotate again after {0}")]
    TooEarly(DateTime<Utc>),
}

/// What a key of the set is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Published, so that everybody knows it when it begins to sign.
    Next,
    Current,
    /// Signs nothing any more; its last tokens are still valid.
    Previous,
}

/// The files beside the current key's.
#[derive(Clone, Debug)]
pub struct KeyFiles {
    current: PathBuf,
}

impl KeyFiles {
    pub fn beside(current: &Path) -> Self {
        Self {
            current: current.to_owned(),
        }
    }

    pub fn path(&self, place: Place) -> PathBuf {
        match place {
            Place::Next => self.current.with_extension("next.pem"),
            Place::Current => self.current.clone(),
            Place::Previous => self.current.with_extension("previous.pem"),
        }
    }

    /// The keys that have a file.
    pub fn keys(&self) -> Result<Vec<(Place, Signer)>, SigningKeyError> {
        let places = [Place::Next, Place::Current, Place::Previous];
        let there = places
            .into_iter()
            .filter(|place| self.path(*place).exists());
        there
            .map(|place| Ok((place, Signer::open(&self.path(place))?)))
            .collect()
    }

    /// Rotates, and says which key signs from now on. `token_life` is that of an access token.
    pub async fn rotate(
        &self,
        js: &jetstream::Context,
        now: DateTime<Utc>,
        token_life: TimeDelta,
    ) -> Result<String, RotationError> {
        let (next, previous) = (self.path(Place::Next), self.path(Place::Previous));
        let current = Signer::open(&self.current)?;
        let retired = previous.exists().then(|| Signer::open(&previous));
        let retired = retired.transpose()?;
        if retired.is_some() {
            let rotated_at: DateTime<Utc> = modified(&previous)?.into();
            let earliest = rotated_at + token_life;
            if now < earliest {
                return Err(RotationError::TooEarly(earliest));
            }
        }
        let signer = Signer::open_or_create(&next)?;
        announce(&signer, js).await?;
        // Before its file is another key's: a rotation that ends here leaves none trusted for ever.
        // After one that ended half-way both are the same key, which still signs.
        if let Some(retired) = retired.filter(|retired| retired.key_id() != current.key_id()) {
            withdraw(retired.key_id(), js).await?;
        }
        copy_private(&self.current, &previous).map_err(RotationError::Files)?;
        fs::rename(&next, &self.current).map_err(RotationError::Files)?;
        announce(&Signer::open_or_create(&next)?, js).await?;
        Ok(signer.key_id().to_owned())
    }
}

async fn announce(signer: &Signer, js: &jetstream::Context) -> Result<(), RotationError> {
    signer.announce(js).await.map_err(RotationError::Publish)
}

async fn withdraw(key_id: &str, js: &jetstream::Context) -> Result<(), RotationError> {
    let bucket = js.get_key_value(BUCKET).await;
    let bucket = bucket.map_err(|error| RotationError::Publish(error.into()))?;
    let purged = bucket.purge(key_id).await;
    purged.map_err(|error| RotationError::Publish(error.into()))
}

fn modified(path: &Path) -> Result<std::time::SystemTime, RotationError> {
    let metadata = fs::metadata(path).map_err(RotationError::Files)?;
    metadata.modified().map_err(RotationError::Files)
}

/// Whole or not at all, and readable by its owner alone.
fn copy_private(from: &Path, to: &Path) -> io::Result<()> {
    let part = to.with_extension("part");
    if part.exists() {
        fs::remove_file(&part)?;
    }
    secret::create_private(&part, &zeroize::Zeroizing::new(fs::read(from)?))?;
    fs::rename(part, to)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_files_lie_beside_each_other() {
        let files = KeyFiles::beside(Path::new("/keys/signing.pem"));
        assert_eq!(files.path(Place::Next), Path::new("/keys/signing.next.pem"));
        let previous = Path::new("/keys/signing.previous.pem");
        assert_eq!(files.path(Place::Previous), previous);
    }
}
