//! What every handler of this service has at hand.

use std::time::Duration;

use axum::extract::FromRef;
use doran_contract::{
    ErrorCode, RoomId, UserId,
    room::{Presence, PresenceState, RoomRole},
    subject::{MESSAGE_STREAM, ROOM_STREAM, STORE_STREAM},
};
use doran_eventstore::{JetStreamStore, Lane, LogReader, Position};
use doran_platform::{Platform, directory::Rooms, http::Refusal, presence::Presences};
use doran_projection::Positions;
use sqlx::PgPool;

use crate::{
    bot::Bot,
    bots::{Bots, Keys, Webhooks},
    messages::{Known, Markers},
    room::{self, Room},
};

#[derive(Clone)]
pub(crate) struct Service {
    pub(crate) platform: Platform,
    pub(crate) rooms: JetStreamStore<Room>,
    pub(crate) room_log: LogReader,
    pub(crate) message_log: LogReader,
    /// What the store service says of files.
    pub(crate) store_log: LogReader,
    /// Rooms as authorisation knows them, in memory.
    pub(crate) directory: Rooms,
    pub(crate) bots: Bots,
    pub(crate) bot_store: JetStreamStore<Bot>,
    pub(crate) bot_keys: Keys,
    pub(crate) webhooks: Webhooks,
    pub(crate) lane: Lane,
    pub(crate) known: Known,
    pub(crate) markers: Markers,
    pub(crate) presences: Presences,
    pub(crate) pool: PgPool,
    positions: Positions,
}

impl Service {
    pub(crate) fn new(
        platform: Platform,
        (directory, (bots, webhooks), known): (Rooms, (Bots, Webhooks), Known),
        presences: Presences,
        (pool, positions): (PgPool, Positions),
    ) -> Self {
        let js = &platform.js;
        Self {
            rooms: JetStreamStore::new(js.clone()),
            room_log: LogReader::new(js.clone(), ROOM_STREAM),
            message_log: LogReader::new(js.clone(), MESSAGE_STREAM),
            store_log: LogReader::new(js.clone(), STORE_STREAM),
            directory,
            bots,
            bot_store: JetStreamStore::new(js.clone()),
            bot_keys: Keys::new(&platform.master_key),
            webhooks,
            lane: Lane::new(js.clone()),
            known,
            markers: Markers::new(pool.clone()),
            presences,
            pool,
            positions,
            platform,
        }
    }

    /// Refuses who is not in the room. Decided in memory, also while PostgreSQL is away.
    pub(crate) async fn require_member(
        &self,
        room: RoomId,
        user: UserId,
    ) -> Result<RoomRole, Refusal> {
        if let Some(role) = self.directory.role(room, user).await {
            return Ok(role);
        }
        let exists = self.directory.look(room, |_| ()).is_some();
        Err(if exists {
            room::Error::NotAMember.into()
        } else {
            room::Error::NotFound.into()
        })
    }

    /// Waits until a read model of messages holds everything that was said up to this moment.
    pub(crate) async fn catch_up(&self, read_model: &str, within: Duration) -> Result<(), Refusal> {
        let head = Position::new(MESSAGE_STREAM, self.message_log.head().await?);
        let positions = self.positions.of(&[read_model]);
        Ok(positions.wait(&[head], within).await?)
    }

    /// As [`Self::catch_up`], up to what was just stored there. Whether it is late only makes a
    /// difference to how complete an answer is.
    pub(crate) async fn settle(&self, read_model: &str, seq: u64, within: Duration) {
        let stored = Position::new(MESSAGE_STREAM, seq);
        let positions = self.positions.of(&[read_model]);
        if let Err(error) = positions.wait(&[stored], within).await {
            tracing::debug!(%error, read_model, "a command is answered from older rows");
        }
    }

    /// How people are, in the order given. Whose account is suspended or gone is not here.
    pub(crate) async fn presence(&self, people: &[UserId]) -> Vec<Presence> {
        use doran_contract::user::UserStatus;
        let mut presences = self.presences.look(people).await;
        for presence in &mut presences {
            let account = self.platform.users.get(presence.user_id);
            if account.is_none_or(|account| account.status == UserStatus::Suspended) {
                presence.state = PresenceState::Offline;
            }
        }
        presences
    }

    /// Refuses people whose account rests: they read, and say nothing anywhere.
    pub(crate) async fn require_active(&self, user: UserId) -> Result<(), Refusal> {
        use doran_contract::user::UserStatus;
        let account = self.platform.users.find(user).await;
        match account.map(|account| account.status) {
            Some(UserStatus::Active) => Ok(()),
            Some(UserStatus::Inactive | UserStatus::Suspended) | None => Err(Refusal::new(
                ErrorCode::Forbidden,
                "your account is not active",
            )),
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
