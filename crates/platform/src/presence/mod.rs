//! Who is there, kept in Redis by the gateways and read by whoever asks.
//!
//! Each gateway says of each of its people how they are, again and again; what it does not repeat
//! ends by itself, so a gateway that was killed leaves nobody behind. Somebody is online if they
//! are at any gateway, and away if they are away at all of them.

use std::{collections::HashMap, sync::LazyLock, time::Duration};

use chrono::DateTime;
use doran_contract::{
    Timestamp, UserId,
    room::{Presence, PresenceState},
};
use redis::Script;
use uuid::Uuid;

use crate::redis::Redis;

/// The time is Redis's own. Both scripts begin with how a person's entry is judged.
static BEAT: LazyLock<Script> =
    LazyLock::new(|| Script::new(concat!(include_str!("judge.lua"), include_str!("beat.lua"))));
static LOOK: LazyLock<Script> =
    LazyLock::new(|| Script::new(concat!(include_str!("judge.lua"), include_str!("look.lua"))));

/// Person, state, and when they were last seen, in milliseconds.
type Row = (String, String, i64);

/// How long what a gateway says holds.
#[derive(Clone, Copy, Debug)]
pub struct Terms {
    /// Without being repeated.
    pub life: Duration,
    /// After the last socket has gone; who is back by then was never away.
    pub grace: Duration,
}

/// Cheap to clone.
#[derive(Clone)]
pub struct Presences {
    redis: Redis,
}

impl Presences {
    pub fn new(redis: Redis) -> Self {
        Self { redis }
    }

    /// Notes how people are at a gateway; none are gone from it. Answers whose presence has
    /// changed with it or by itself, each once among all gateways; none while Redis is away.
    pub async fn note(
        &self,
        gateway: Uuid,
        terms: Terms,
        people: &[(UserId, Option<PresenceState>)],
    ) -> Option<Vec<Presence>> {
        let mut call = BEAT.prepare_invoke();
        call.arg(gateway.to_string())
            .arg(milliseconds(terms.life))
            .arg(milliseconds(terms.grace));
        for (user, state) in people {
            call.arg(user.to_string()).arg(state.map_or("gone", name));
        }
        let rows: Vec<Row> = self.redis.run(&call).await?;
        Some(rows.into_iter().filter_map(read).collect())
    }

    /// How people are, in the order given; unknown while Redis is away.
    pub async fn look(&self, people: &[UserId]) -> Vec<Presence> {
        let mut call = LOOK.prepare_invoke();
        for user in people {
            call.arg(user.to_string());
        }
        let rows: Option<Vec<Row>> = self.redis.run(&call).await;
        let known: HashMap<_, _> = rows
            .unwrap_or_default()
            .into_iter()
            .filter_map(read)
            .map(|presence| (presence.user_id, presence))
            .collect();
        let unknown = |user_id| Presence {
            user_id,
            state: PresenceState::Unknown,
            last_seen_at: None,
        };
        let people = people.iter();
        people
            .map(|user| known.get(user).copied().unwrap_or_else(|| unknown(*user)))
            .collect()
    }
}

fn name(state: PresenceState) -> &'static str {
    match state {
        PresenceState::Online => "online",
        PresenceState::Away => "away",
        PresenceState::Offline | PresenceState::Unknown => "gone",
    }
}

fn read((user, state, seen): Row) -> Option<Presence> {
    let state = match state.as_str() {
        "online" => PresenceState::Online,
        "away" => PresenceState::Away,
        _ => PresenceState::Offline,
    };
    Some(Presence {
        user_id: user.parse().ok()?,
        state,
        last_seen_at: DateTime::from_timestamp_millis(seen)
            .filter(|_| seen > 0)
            .map(Timestamp::from),
    })
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
