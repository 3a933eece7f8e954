//! What every handler of this service has at hand.

use axum::extract::FromRef;
use doran_contract::subject::{SESSION_STREAM, USER_STREAM};
use doran_eventstore::{JetStreamStore, LogReader};
use doran_platform::{Platform, credentials::Credentials, ws_ticket::WsTickets};
use doran_projection::Positions;
use sqlx::PgPool;

use crate::{
    refresh_token::RefreshTokens,
    session::{Session, StandingSessions},
    signing_key::SigningKey,
    throttle::Throttle,
};

#[derive(Clone)]
pub(crate) struct Service {
    pub(crate) platform: Platform,
    pub(crate) signing_key: SigningKey,
    pub(crate) refresh_tokens: RefreshTokens,
    pub(crate) credentials: Credentials,
    pub(crate) throttle: Throttle,
    pub(crate) tickets: WsTickets,
    pub(crate) sessions: JetStreamStore<Session>,
    pub(crate) standing: StandingSessions,
    pub(crate) session_log: LogReader,
    pub(crate) user_log: LogReader,
    pub(crate) pool: PgPool,
    pub(crate) positions: Positions,
}

impl Service {
    pub(crate) fn new(
        platform: Platform,
        signing_key: SigningKey,
        (credentials, throttle, tickets): (Credentials, Throttle, WsTickets),
        standing: StandingSessions,
        (pool, positions): (PgPool, Positions),
    ) -> Self {
        Self {
            signing_key,
            refresh_tokens: RefreshTokens::new(&platform.master_key),
            credentials,
            throttle,
            tickets,
            sessions: JetStreamStore::new(platform.js.clone()),
            standing,
            session_log: LogReader::new(platform.js.clone(), SESSION_STREAM),
            user_log: LogReader::new(platform.js.clone(), USER_STREAM),
            platform,
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
