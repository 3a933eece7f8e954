//! Tokens that come by mail and set a password, once, for half an hour.
//!
//! The KV bucket `PASSWORD_RESET` holds one per person, as a keyed hash, sealed with the revision of
//! the credential that it may replace: with another password an older token is void.

use std::{sync::Arc, time::Duration};

use async_nats::jetstream::{self, kv};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use doran_contract::UserId;
use doran_platform::{
    Clock, Unanswered,
    http::Refusal,
    secret::{HashingKey, MasterKey, SealingKey, random},
    within,
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

const BUCKET: &str = "PASSWORD_RESET";
const SECRET_BYTES: usize = 32;
const ID_BYTES: usize = 16;
/// How long a token serves.
pub(crate) const LIFE_MINUTES: i64 = 30;
/// Nobody is sent more than one in this time.
const PAUSE_SECONDS: i64 = 60;
const DEADLINE: Duration = Duration::from_secs(2);

#[derive(Debug, thiserror::Error)]
#[error("the store of password resets does not answer")]
pub struct ResetTokenError(#[from] Unanswered);

impl From<ResetTokenError> for Refusal {
    fn from(error: ResetTokenError) -> Self {
        Self::unavailable("the store of password resets", &error)
    }
}

/// Cheap to clone.
#[derive(Clone)]
pub(crate) struct ResetTokens {
    bucket: kv::Store,
    hashes: HashingKey,
    seal: Arc<SealingKey>,
    clock: Clock,
}

/// A token's place: whose password, and which one, it may replace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Reset {
    pub(crate) user: UserId,
    pub(crate) credential: u64,
}

#[derive(Serialize, Deserialize)]
struct Content {
    hash: String,
    credential: u64,
    issued_at: i64,
}

impl ResetTokens {
    pub(crate) async fn open(
        js: &jetstream::Context,
        master: &MasterKey,
        clock: &Clock,
    ) -> Result<Self, ResetTokenError> {
        Ok(Self {
            bucket: within(DEADLINE, js.get_key_value(BUCKET)).await?,
            hashes: master.hashing_key("password-reset-hash"),
            seal: Arc::new(master.sealing_key("password-reset")),
            clock: clock.clone(),
        })
    }

    /// A token instead of the person's last one; none shortly after that.
    pub(crate) async fn issue(&self, reset: Reset) -> Result<Option<String>, ResetTokenError> {
        let now = self.clock.now().timestamp();
        let last = self.read(reset.user).await?;
        if last.is_some_and(|last| now < last.issued_at + PAUSE_SECONDS) {
            return Ok(None);
        }
        let secret = random::<SECRET_BYTES>();
        let content = Content {
            hash: self.hashes.hex(secret.as_slice()),
            credential: reset.credential,
            issued_at: now,
        };
        let key = reset.user.to_string();
        let plain = serde_json::to_vec(&content)
            .map_err(|error| ResetTokenError(Unanswered::because(error)))?;
        let sealed = self.seal.seal(&key, &plain);
        within(DEADLINE, self.bucket.put(key, sealed.into())).await?;
        let token = [reset.user.as_uuid().as_bytes(), secret.as_slice()].concat();
        Ok(Some(URL_SAFE_NO_PAD.encode(token)))
    }

    /// What a token may do; none for one that is wrong, used, replaced or too old.
    pub(crate) async fn find(&self, token: &str) -> Result<Option<Reset>, ResetTokenError> {
        let Some((user, secret)) = parse(token) else {
            return Ok(None);
        };
        let Some(content) = self.read(user).await? else {
            return Ok(None);
        };
        let is_fresh = self.clock.now().timestamp() < content.issued_at + LIFE_MINUTES * 60;
        // Hashes are compared, so that the time of comparing tells nothing of the secret.
        let is_it = self.hashes.hex(&secret) == content.hash;
        Ok((is_fresh && is_it).then_some(Reset {
            user,
            credential: content.credential,
        }))
    }

    pub(crate) async fn forget(&self, user: UserId) -> Result<(), ResetTokenError> {
        within(DEADLINE, self.bucket.purge(user.to_string())).await?;
        Ok(())
    }

    async fn read(&self, user: UserId) -> Result<Option<Content>, ResetTokenError> {
        let key = user.to_string();
        let Some(sealed) = within(DEADLINE, self.bucket.get(key.as_str())).await? else {
            return Ok(None);
        };
        // What was not sealed here is as good as nothing.
        let plain = self.seal.open(&key, &sealed).ok();
        Ok(plain.and_then(|plain| serde_json::from_slice(&plain).ok()))
    }
}

fn parse(token: &str) -> Option<(UserId, Vec<u8>)> {
    let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
    let (id, secret) = bytes.split_at_checked(ID_BYTES)?;
    let user = UserId::new(Uuid::from_slice(id).ok()?);
    (secret.len() == SECRET_BYTES).then(|| (user, secret.to_vec()))
}
