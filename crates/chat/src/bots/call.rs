//! One message that a bot is to be called about, on its way from the policy to the bot's lane.

use doran_contract::{RoomId, UserId, subject};
use serde::{Deserialize, Serialize};
use sqlx::types::Uuid;

/// Rooms of one bot share these: in one lane a call waits for the one before it.
pub(super) const LANES: u8 = 4;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Call {
    pub(crate) delivery_id: Uuid,
    pub(crate) bot_id: UserId,
    pub(crate) room_id: RoomId,
    /// Of the message in `MESSAGE`.
    pub(crate) seq: u64,
}

impl Call {
    /// Where it waits. Of one room all wait in the same place, in their order.
    pub(crate) fn subject(&self) -> String {
        let [first, ..] = *self.room_id.as_uuid().as_bytes();
        subject::bot_call(self.bot_id, first % LANES)
    }
}
