//! Jobs, their runs, and what they report (contract §6).

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Date, RoomId, RunId, Timestamp, UserId};

/// What a run has counted, by name.
pub type Figures = BTreeMap<String, u64>;

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Job {
    pub name: String,
    pub description: String,
    /// Cron with six fields: second, minute, hour, day of month, month, day of week.
    pub schedule: String,
    /// An IANA name, such as `Asia/Seoul`.
    pub time_zone: String,
    pub paused: bool,
    /// None while it is paused.
    pub next_run_at: Option<Timestamp>,
    pub last_run: Option<Run>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum RunState {
    Running,
    Succeeded,
    Failed,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Run {
    pub id: RunId,
    pub job: String,
    pub state: RunState,
    pub dry_run: bool,
    /// The last day that the run looks at.
    pub date: Date,
    pub started_at: Timestamp,
    pub finished_at: Option<Timestamp>,
    pub figures: Figures,
    pub error: Option<String>,
}

/// A piece of the messages of one room that lies in a file.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Archive {
    pub room_id: RoomId,
    /// The object's name in the bucket of archives.
    pub name: String,
    /// The sequence of the last event in it.
    pub through: u64,
    pub events: u64,
    pub archived_at: Timestamp,
}

/// What happened on one day.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    pub date: Date,
    pub new_users: u64,
    /// Who sent a message or logged in.
    pub active_users: u64,
    pub messages: u64,
    pub bot_messages: u64,
    pub rooms_created: u64,
    /// The busiest first, 5,000 at most.
    pub rooms: Vec<RoomFigure>,
    /// The busiest first, 1,000 at most.
    pub bots: Vec<BotFigure>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RoomFigure {
    pub room_id: RoomId,
    pub messages: u64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct BotFigure {
    pub bot_id: UserId,
    pub messages: u64,
}
