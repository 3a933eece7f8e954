//! What jobs ask of the services that own the data, over NATS request/reply. Each answers with a
//! [`Reply`](crate::command::Reply), may be asked twice, and decides for itself whether it is right.

use serde::{Deserialize, Serialize};

use crate::{RoomId, SessionId, Timestamp, UserId};

pub const TEND_INACTIVE_USER: &str = "command.user.TendInactiveUser";
pub const FORGET_SESSIONS: &str = "command.auth.ForgetSessions";
pub const PURGE_ROOM: &str = "command.chat.PurgeRoom";
pub const NOTE_ARCHIVE: &str = "command.chat.NoteArchive";

/// Where a service is asked to compare its tables with the log.
pub fn audit_read_models(service: &str) -> String {
    format!("command.{service}.AuditReadModels")
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TendInactiveUser {
    pub user_id: UserId,
    pub step: InactivityStep,
}

/// What becomes of somebody who stays away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum InactivityStep {
    /// ACTIVE becomes INACTIVE.
    Rest,
    /// Who is INACTIVE is told by mail that the account ends.
    Notify,
    /// Who is INACTIVE is deleted, and with that erased.
    Delete,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Tended {
    /// False if the account is no longer one for this step.
    pub changed: bool,
}

/// Forgets sessions that ended before a time, some at once.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ForgetSessions {
    pub ended_before: Timestamp,
    /// Only counts them.
    pub dry_run: bool,
    /// Where the answer before left off.
    pub after: Option<SessionId>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Forgotten {
    pub sessions: u64,
    /// Ask again with this as `after`; none at the end.
    pub next: Option<SessionId>,
}

/// Takes what was said in a deleted room out of the tables for good.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PurgeRoom {
    pub room_id: RoomId,
}

/// The messages of a room up to a sequence lie in a file that was read back.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NoteArchive {
    pub room_id: RoomId,
    pub through: u64,
    pub archive: String,
    pub events: u64,
}

/// Of the event that made it so, which may be an earlier one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Removed {
    pub seq: u64,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AuditReadModels {}

/// What a comparison of the tables in use with ones made anew found.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Audited {
    pub tables: u64,
    pub rows: u64,
    /// Tables that differ, as `<read model>.<table>`.
    pub differing: Vec<String>,
}
