//! What every handler of this service has at hand.

use std::sync::Arc;

use axum::extract::FromRef;
use doran_contract::subject::USER_STREAM;
use doran_eventstore::{JetStreamStore, LogReader};
use doran_platform::{Platform, credentials::Credentials, mail::Mailer};
use doran_projection::Positions;
use sqlx::PgPool;
use tokio::sync::Semaphore;

use crate::{reset_token::ResetTokens, user::User};

/// Mails that may be on their way at once.
const MAILS: usize = 32;

/// Exports under way in one process: each scans the log.
const MAX_EXPORTS: usize = 2;

#[derive(Clone)]
pub(crate) struct Service {
    pub(crate) platform: Platform,
    pub(crate) credentials: Credentials,
    pub(crate) reset_tokens: ResetTokens,
    pub(crate) mailer: Mailer,
    /// Turns of mails that are on their way.
    pub(crate) mails: Arc<Semaphore>,
    pub(crate) users: JetStreamStore<User>,
    pub(crate) log: LogReader,
    pub(crate) pool: PgPool,
    pub(crate) exports: Arc<Semaphore>,
    positions: Positions,
}

impl Service {
    pub(crate) fn new(
        platform: Platform,
        credentials: Credentials,
        (reset_tokens, mailer): (ResetTokens, Mailer),
        (pool, positions): (PgPool, Positions),
    ) -> Self {
        Self {
            users: JetStreamStore::new(platform.js.clone()),
            log: LogReader::new(platform.js.clone(), USER_STREAM),
            platform,
            credentials,
            reset_tokens,
            mailer,
            mails: Arc::new(Semaphore::new(MAILS)),
            pool,
            exports: Arc::new(Semaphore::new(MAX_EXPORTS)),
            positions,
        }
    }
}

impl FromRef<Service> for Platform {
    fn from_ref(service: &Service) -> Self {
        service.platform.clone()
    }
}

impl FromRef<Service> for Positions {
    fn from_ref(service: &Service) -> Self {
        service.positions.clone()
    }
}
