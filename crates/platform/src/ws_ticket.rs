//! WebSocket tickets: what a page may put into a URL instead of an access token. Each serves once,
//! at any gateway, for thirty seconds.
//!
//! A ticket is a random secret. The KV bucket `WS_TICKET` holds, under its keyed hash, the sealed
//! access token that it stands for, which is verified like any other when the ticket is redeemed.
//! So whoever can write the bucket can still let nobody in.

use std::{sync::Arc, time::Duration};

use async_nats::jetstream::{
    self,
    kv::{self, UpdateErrorKind},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use tokio::time::timeout;
use zeroize::Zeroizing;

use crate::{
    Clock, Unanswered,
    secret::{HashingKey, MasterKey, SealingKey, random},
    within,
};

/// Name of the bucket.
pub const BUCKET: &str = "WS_TICKET";
/// Seconds that a ticket serves.
pub const LIFE_SECONDS: u32 = 30;
const SECRET_BYTES: usize = 32;
const DEADLINE: Duration = Duration::from_secs(2);

#[derive(Debug, thiserror::Error)]
pub enum TicketError {
    #[error("the ticket is not valid, was used or has expired")]
    Invalid,
    #[error("the store of tickets does not answer")]
    Unavailable(#[from] Unanswered),
}

/// Gives and redeems tickets. Cheap to clone.
#[derive(Clone)]
pub struct WsTickets {
    bucket: kv::Store,
    hashes: HashingKey,
    seal: Arc<SealingKey>,
    clock: Clock,
}

#[derive(Serialize, Deserialize)]
struct Content {
    token: String,
    expires_at: i64,
}

impl WsTickets {
    pub async fn open(
        js: &jetstream::Context,
        master: &MasterKey,
        clock: &Clock,
    ) -> Result<Self, TicketError> {
        Ok(Self {
            bucket: within(DEADLINE, js.get_key_value(BUCKET)).await?,
            hashes: master.hashing_key("ws-ticket-hash"),
            seal: Arc::new(master.sealing_key("ws-ticket")),
            clock: clock.clone(),
        })
    }

    /// A ticket for whoever showed this access token.
    pub async fn issue(&self, token: &str) -> Result<String, TicketError> {
        let secret = random::<SECRET_BYTES>();
        let key = self.hashes.hex(secret.as_slice());
        let content = Content {
            token: token.to_owned(),
            expires_at: self.clock.now().timestamp() + i64::from(LIFE_SECONDS),
        };
        let plain = Zeroizing::new(
            serde_json::to_vec(&content)
                .map_err(|error| TicketError::Unavailable(Unanswered::because(error)))?,
        );
        let sealed = self.seal.seal(&key, &plain);
        within(DEADLINE, self.bucket.update(key, sealed.into(), 0)).await?;
        Ok(URL_SAFE_NO_PAD.encode(secret.as_slice()))
    }

    /// The access token that the ticket stands for. Of several who redeem it at once one gets it.
    pub async fn redeem(&self, ticket: &str) -> Result<Zeroizing<String>, TicketError> {
        let secret = URL_SAFE_NO_PAD.decode(ticket).map(Zeroizing::new);
        let secret = secret.map_err(|_error| TicketError::Invalid)?;
        if secret.len() != SECRET_BYTES {
            return Err(TicketError::Invalid);
        }
        let key = self.hashes.hex(&secret);
        let entry = within(DEADLINE, self.bucket.entry(key.as_str())).await?;
        let entry = entry.ok_or(TicketError::Invalid)?;
        let plain = self.seal.open(&key, &entry.value);
        let plain = plain.map_err(|_error| TicketError::Invalid)?;
        let content: Content =
            serde_json::from_slice(&plain).map_err(|_error| TicketError::Invalid)?;
        self.use_up(key, entry.revision).await?;
        if self.clock.now().timestamp() >= content.expires_at {
            return Err(TicketError::Invalid);
        }
        Ok(Zeroizing::new(content.token))
    }

    /// An empty value is what marks a ticket as used.
    async fn use_up(&self, key: String, revision: u64) -> Result<(), TicketError> {
        match timeout(DEADLINE, self.bucket.update(key, "".into(), revision)).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) if error.kind() == UpdateErrorKind::WrongLastRevision => {
                Err(TicketError::Invalid)
            }
            Ok(Err(error)) => Err(TicketError::Unavailable(Unanswered::because(error))),
            Err(late) => Err(TicketError::Unavailable(Unanswered::because(late))),
        }
    }
}
