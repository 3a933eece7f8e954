//! What commands with an `Idempotency-Key` were answered first.
//!
//! The KV bucket `ANSWER` holds the answer under the command's id for a day, sealed with the data
//! key of whoever asked. It spares nobody the guards of the log: without it a repetition is still
//! recognised by what the first one wrote, but answered with what is so now.

use std::{error::Error, time::Duration};

use async_nats::jetstream::{self, kv, kv::CreateErrorKind, stream::PurgeError};
use doran_contract::UserId;
use serde::{Deserialize, Serialize};
use tokio::time::timeout;
use uuid::Uuid;

use crate::{
    Unanswered,
    keyring::{Keyring, KeyringError},
    within,
};

/// Name of the bucket.
pub const BUCKET: &str = "ANSWER";
/// Whoever repeats a command waits no longer for what it was answered.
const DEADLINE: Duration = Duration::from_millis(500);

#[derive(Debug, thiserror::Error)]
pub enum FirstAnswersError {
    #[error("the store of first answers does not answer")]
    Unavailable(#[from] Unanswered),
    #[error(transparent)]
    Keyring(#[from] KeyringError),
    #[error("a kept answer is damaged")]
    Damaged(#[source] Box<dyn Error + Send + Sync>),
}

/// An answer that went well, as it went out.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct FirstAnswer {
    /// Of the request: another one under the same key is not this command.
    pub(crate) fingerprint: String,
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

/// Cheap to clone.
#[derive(Clone)]
pub struct FirstAnswers {
    bucket: kv::Store,
    keyring: Keyring,
}

impl FirstAnswers {
    pub(crate) async fn open(
        js: &jetstream::Context,
        keyring: Keyring,
    ) -> Result<Self, FirstAnswersError> {
        let bucket = within(DEADLINE, js.get_key_value(BUCKET)).await?;
        Ok(Self { bucket, keyring })
    }

    pub(crate) async fn find(
        &self,
        actor: UserId,
        command: Uuid,
    ) -> Result<Option<FirstAnswer>, FirstAnswersError> {
        let Some(sealed) = within(DEADLINE, self.bucket.get(command.to_string())).await? else {
            return Ok(None);
        };
        let Some(key) = self.keyring.key(actor).await? else {
            return Ok(None);
        };
        let plain = key
            .open_bytes(&place(command), &sealed)
            .map_err(|error| FirstAnswersError::Damaged(error.into()))?;
        serde_json::from_slice(&plain)
            .map(Some)
            .map_err(|error| FirstAnswersError::Damaged(error.into()))
    }

    /// Keeps an answer, unless one is kept already.
    pub(crate) async fn keep(
        &self,
        actor: UserId,
        command: Uuid,
        answer: &FirstAnswer,
    ) -> Result<(), FirstAnswersError> {
        let Some(key) = self.keyring.key(actor).await? else {
            return Ok(());
        };
        let plain = serde_json::to_vec(answer).expect("this is plain data");
        let sealed = key.seal_bytes(&place(command), &plain);
        let creating = self.bucket.create(command.to_string(), sealed.into());
        match timeout(DEADLINE, creating).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) if error.kind() == CreateErrorKind::AlreadyExists => Ok(()),
            Ok(Err(error)) => Err(FirstAnswersError::Unavailable(Unanswered::because(error))),
            Err(late) => Err(FirstAnswersError::Unavailable(Unanswered::because(late))),
        }
    }

    /// Drops all answers. Any of them may show what an erased person said.
    pub async fn forget_all(&self) -> Result<(), PurgeError> {
        self.bucket.stream.purge().await.map(drop)
    }
}

/// Where a sealed answer opens.
fn place(command: Uuid) -> String {
    format!("answer|{command}")
}
