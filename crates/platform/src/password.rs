//! Passwords: hashed and checked with Argon2id on a small pool of its own, so that a flood of
//! log-ins starves nobody else. Where hashes are kept is not known here.

use std::{num::NonZero, sync::Arc, thread::available_parallelism};

use argon2::{
    Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier, Version,
    password_hash::{self, phc},
};
use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    task::{JoinError, spawn_blocking},
};
use unicode_normalization::UnicodeNormalization;
use zeroize::Zeroizing;

use crate::secret::random;

const MEMORY_KIB: u32 = 19_456;
const PASSES: u32 = 2;
const LANES: u32 = 1;
/// Passwords that may wait for the pool; one takes about 20 ms.
const QUEUE: usize = 128;

/// An Argon2id hash with its salt and cost, in PHC form.
#[derive(Clone)]
pub struct PasswordHash(Zeroizing<String>);

#[derive(Debug, thiserror::Error)]
pub enum PasswordError {
    #[error("too many passwords wait to be checked")]
    Busy,
    #[error("a password hash cannot be made or read")]
    Hash(password_hash::Error),
    #[error("the password pool has stopped")]
    Stopped(#[source] JoinError),
}

/// The pool. Cheap to clone; clones share it.
#[derive(Clone)]
pub struct Passwords {
    argon2: Argon2<'static>,
    nobodys: PasswordHash,
    /// Running and waiting.
    admitted: Arc<Semaphore>,
    running: Arc<Semaphore>,
}

impl PasswordHash {
    pub fn new(phc: impl Into<String>) -> Self {
        Self(Zeroizing::new(phc.into()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Passwords {
    pub fn new() -> Self {
        // One core stays free for everything else.
        let threads = available_parallelism()
            .map_or(1, NonZero::get)
            .saturating_sub(1)
            .max(1);
        let params = Params::new(MEMORY_KIB, PASSES, LANES, None)
            .expect("the constants above are within Argon2's limits");
        Self {
            argon2: Argon2::new(Algorithm::Argon2id, Version::V0x13, params),
            nobodys: nobodys_hash(),
            admitted: Arc::new(Semaphore::new(threads + QUEUE)),
            running: Arc::new(Semaphore::new(threads)),
        }
    }

    pub async fn hash(&self, password: &str) -> Result<PasswordHash, PasswordError> {
        let (argon2, password) = (self.argon2.clone(), normal(password));
        self.run(move || {
            let hash =
                argon2.hash_password_with_salt(password.as_bytes(), random::<16>().as_ref())?;
            Ok(PasswordHash::new(hash.to_string()))
        })
        .await
    }

    /// Whether `password` is the one that `hash` was made of. Without a hash it takes as long and
    /// says no, so that the time of an answer does not tell who has an account.
    pub async fn verify(
        &self,
        password: &str,
        hash: Option<&PasswordHash>,
    ) -> Result<bool, PasswordError> {
        let (argon2, password) = (self.argon2.clone(), normal(password));
        let hash = hash.unwrap_or(&self.nobodys).clone();
        self.run(move || {
            let parsed = phc::PasswordHash::new(hash.as_str())?;
            match argon2.verify_password(password.as_bytes(), &parsed) {
                Ok(()) => Ok(true),
                Err(password_hash::Error::PasswordInvalid) => Ok(false),
                Err(error) => Err(error),
            }
        })
        .await
    }

    /// The permits go with the work: a client that hangs up frees its place only when the work
    /// that it caused is done.
    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, password_hash::Error> + Send + 'static,
    ) -> Result<T, PasswordError> {
        let place = Arc::clone(&self.admitted)
            .try_acquire_owned()
            .map_err(|_full| PasswordError::Busy)?;
        let thread = acquire(&self.running).await;
        let done = spawn_blocking(move || {
            let result = work();
            drop((place, thread));
            result
        });
        done.await
            .map_err(PasswordError::Stopped)?
            .map_err(PasswordError::Hash)
    }
}

impl Default for Passwords {
    fn default() -> Self {
        Self::new()
    }
}

async fn acquire(semaphore: &Arc<Semaphore>) -> OwnedSemaphorePermit {
    let permit = Arc::clone(semaphore).acquire_owned().await;
    permit.expect("the pool's semaphores are never closed")
}

/// A hash that costs as much to check as any other and that no password fits.
fn nobodys_hash() -> PasswordHash {
    let (salt, output) = (random::<16>(), random::<32>());
    PasswordHash::new(format!(
        "$argon2id$v=19$m={MEMORY_KIB},t={PASSES},p={LANES}${}${}",
        STANDARD_NO_PAD.encode(salt.as_slice()),
        STANDARD_NO_PAD.encode(output.as_slice()),
    ))
}

/// One password however its letters were composed: keyboards differ in how they send 한글.
fn normal(password: &str) -> Zeroizing<String> {
    Zeroizing::new(password.nfc().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_password_fits_its_own_hash_and_no_other() {
        let passwords = Passwords::new();
        let hash = passwords.hash("비밀번호 1234").await.unwrap();
        assert!(hash.as_str().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
        assert!(
            passwords
                .verify("비밀번호 1234", Some(&hash))
                .await
                .unwrap()
        );
        let decomposed: String = "비밀번호 1234".nfd().collect();
        assert!(passwords.verify(&decomposed, Some(&hash)).await.unwrap());
        assert!(
            !passwords
                .verify("비밀번호 1235", Some(&hash))
                .await
                .unwrap()
        );
    }

    #[tokio::test]
    async fn without_a_hash_every_password_is_wrong() {
        assert!(!Passwords::new().verify("password", None).await.unwrap());
    }

    #[tokio::test]
    async fn the_same_password_never_hashes_to_the_same_text() {
        let passwords = Passwords::new();
        let first = passwords.hash("password").await.unwrap();
        let second = passwords.hash("password").await.unwrap();
        assert_ne!(first.as_str(), second.as_str());
    }

    #[tokio::test]
    async fn what_does_not_fit_into_the_queue_is_refused_at_once() {
        let passwords = Passwords {
            admitted: Arc::new(Semaphore::new(1)),
            ..Passwords::new()
        };
        let held = acquire(&passwords.running).await;
        let waiting = passwords.verify("first", None);
        tokio::pin!(waiting);
        assert!(futures_util::poll!(&mut waiting).is_pending());
        let refused = passwords.verify("second", None).await;
        assert!(matches!(refused, Err(PasswordError::Busy)));
        drop(held);
        assert!(!waiting.await.unwrap());
    }
}
