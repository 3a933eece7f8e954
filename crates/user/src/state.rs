//! What every handler of this service has at hand.

use axum::extract::FromRef;
use doran_contract::subject::USER_STREAM;
use doran_eventstore::{JetStreamStore, LogReader};
use doran_platform::{Platform, credentials::Credentials};
use doran_projection::Positions;
use sqlx::PgPool;

use crate::user::User;

#[derive(Clone)]
pub(crate) struct Service {
    pub(crate) platform: Platform,
    pub(crate) credentials: Credentials,
    pub(crate) users: JetStreamStore<User>,
    pub(crate) log: LogReader,
    pub(crate) pool: PgPool,
    positions: Positions,
}

impl Service {
    pub(crate) fn new(
        platform: Platform,
        credentials: Credentials,
        pool: PgPool,
        positions: Positions,
    ) -> Self {
        Self {
            users: JetStreamStore::new(platform.js.clone()),
            log: LogReader::new(platform.js.clone(), USER_STREAM),
            platform,
            credentials,
            pool,
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
