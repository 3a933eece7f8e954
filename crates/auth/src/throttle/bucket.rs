//! The counts of all auth processes, in the KV bucket `LOGIN_ATTEMPT`. Its keys are keyed hashes.

use std::time::Duration;

use async_nats::jetstream::{
    self,
    kv::{self, UpdateErrorKind},
};
use chrono::TimeDelta;
use doran_contract::ErrorCode;
use doran_platform::{
    Clock, Config, Unanswered,
    http::Refusal,
    secret::{HashingKey, MasterKey},
    within,
};
use tokio::time::timeout;

use super::{
    Address,
    attempts::{Attempts, Patience},
};

/// Name of the bucket.
const BUCKET: &str = "LOGIN_ATTEMPT";
const DEADLINE: Duration = Duration::from_secs(2);
/// Others may count the same account or address at the same moment so often.
const TRIES: usize = 20;

#[derive(Debug, thiserror::Error)]
pub(crate) enum ThrottleError {
    #[error("wait before the next log-in")]
    Wait(TimeDelta),
    #[error("too many log-ins of one account or address at once")]
    Crowded,
    #[error("the count of failed log-ins does not answer")]
    Unavailable(#[from] Unanswered),
}

/// Cheap to clone. Without limits it counts nothing.
#[derive(Clone)]
pub(crate) struct Throttle(Option<Counts>);

#[derive(Clone)]
struct Counts {
    bucket: kv::Store,
    addresses: HashingKey,
    clock: Clock,
}

/// A log-in that may look at its password, and is counted as failed until it is settled.
#[must_use]
pub(crate) struct Attempt(Option<Charged>);

struct Charged {
    counts: Counts,
    account: Count,
    address: Option<Count>,
}

/// One entry of the bucket, as the try left it.
struct Count {
    key: String,
    patience: Patience,
    charged: Attempts,
}

impl Throttle {
    pub(crate) async fn open(
        js: &jetstream::Context,
        (config, master, clock): (&Config, &MasterKey, &Clock),
    ) -> Result<Self, ThrottleError> {
        if config.no_limits {
            tracing::warn!("log-in throttling is off");
            return Ok(Self(None));
        }
        Ok(Self(Some(Counts {
            bucket: within(DEADLINE, js.get_key_value(BUCKET)).await?,
            addresses: master.hashing_key("log-in-address"),
            clock: clock.clone(),
        })))
    }

    /// Counts a try. `email_key` is the account's, whether or not there is one.
    pub(crate) async fn begin(
        &self,
        email_key: &str,
        address: Address,
    ) -> Result<Attempt, ThrottleError> {
        let Some(counts) = &self.0 else {
            return Ok(Attempt(None));
        };
        let account = format!("account.{email_key}");
        let account = counts.charge(account, Patience::ACCOUNT).await?;
        let address = match address.network() {
            Some(network) => {
                let hash = counts.addresses.hex(network.to_string().as_bytes());
                let address = format!("address.{hash}");
                match counts.charge(address, Patience::ADDRESS).await {
                    Ok(address) => Some(address),
                    Err(refused) => {
                        counts.give_back(&account, 1).await?;
                        return Err(refused);
                    }
                }
            }
            None => None,
        };
        Ok(Attempt(Some(Charged {
            counts: counts.clone(),
            account,
            address,
        })))
    }
}

impl Attempt {
    /// The password was right. The address is forgiven only what this account failed: else one's
    /// own account would serve to go on guessing at others.
    pub(crate) async fn succeeded(self) -> Result<(), ThrottleError> {
        self.settle(|account| account.charged.failures).await
    }

    /// The password was not looked at after all.
    pub(crate) async fn withdrawn(self) -> Result<(), ThrottleError> {
        self.settle(|_| 1).await
    }

    async fn settle(self, failures: impl Fn(&Count) -> u32) -> Result<(), ThrottleError> {
        let Some(charged) = self.0 else {
            return Ok(());
        };
        let failures = failures(&charged.account);
        for count in [Some(charged.account), charged.address]
            .into_iter()
            .flatten()
        {
            charged.counts.give_back(&count, failures).await?;
        }
        Ok(())
    }
}

impl Counts {
    async fn charge(&self, key: String, patience: Patience) -> Result<Count, ThrottleError> {
        let charged = self
            .change(&key, |attempts| {
                let charged = attempts.charge(patience, self.clock.now());
                charged.map_err(ThrottleError::Wait)
            })
            .await?;
        Ok(Count {
            key,
            patience,
            charged,
        })
    }

    async fn give_back(&self, count: &Count, failures: u32) -> Result<(), ThrottleError> {
        self.change(&count.key, |attempts| {
            Ok(attempts.give_back(count.patience, count.charged, failures))
        })
        .await?;
        Ok(())
    }

    /// Compare and set, so that none of several tries at once goes uncounted.
    async fn change(
        &self,
        key: &str,
        next: impl Fn(Attempts) -> Result<Attempts, ThrottleError>,
    ) -> Result<Attempts, ThrottleError> {
        for _ in 0..TRIES {
            let entry = within(DEADLINE, self.bucket.entry(key)).await?;
            let revision = entry.as_ref().map_or(0, |entry| entry.revision);
            let attempts = match entry {
                Some(entry) => read(&entry.value),
                None => Attempts::default(),
            };
            let changed = next(attempts)?;
            let value = serde_json::to_vec(&changed)
                .map_err(|error| ThrottleError::Unavailable(Unanswered::because(error)))?;
            match timeout(DEADLINE, self.bucket.update(key, value.into(), revision)).await {
                Ok(Ok(_)) => return Ok(changed),
                Ok(Err(error)) if error.kind() == UpdateErrorKind::WrongLastRevision => {}
                Ok(Err(error)) => {
                    return Err(ThrottleError::Unavailable(Unanswered::because(error)));
                }
                Err(late) => return Err(ThrottleError::Unavailable(Unanswered::because(late))),
            }
        }
        Err(ThrottleError::Crowded)
    }
}

impl From<ThrottleError> for Refusal {
    fn from(error: ThrottleError) -> Self {
        match &error {
            ThrottleError::Wait(wait) => {
                let seconds = wait.num_milliseconds().max(1).unsigned_abs().div_ceil(1000);
                Self::new(
                    ErrorCode::RateLimited,
                    "too many failed log-ins, wait before the next one",
                )
                .retry_after(seconds)
            }
            ThrottleError::Crowded => Self::new(
                ErrorCode::RateLimited,
                "too many log-ins at once, wait a moment",
            ),
            ThrottleError::Unavailable(_) => Self::unavailable("the log", &error),
        }
    }
}

/// What another version wrote is counted anew rather than kept from logging in.
fn read(value: &[u8]) -> Attempts {
    serde_json::from_slice(value).unwrap_or_else(|error| {
        tracing::warn!(%error, "a count of failed log-ins is not readable");
        Attempts::default()
    })
}
