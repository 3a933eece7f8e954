//! An answer that is still being written, told piece by piece to who watches. Kept nowhere.

use async_nats::Client;
use doran_contract::{MessageId, RoomId, bot::BotDelta, subject};

pub(super) struct Deltas {
    nats: Client,
    room: RoomId,
    message: MessageId,
    n: u32,
}

impl Deltas {
    pub(super) fn of(nats: Client, room: RoomId, message: MessageId) -> Self {
        Self {
            nats,
            room,
            message,
            n: 0,
        }
    }

    pub(super) async fn tell(&mut self, text: String) {
        let delta = BotDelta {
            room_id: self.room,
            message_id: self.message,
            n: self.n,
            text,
        };
        self.n += 1;
        let body = serde_json::to_vec(&delta).expect("this is plain data");
        let subject = subject::bot_delta(self.room);
        if let Err(error) = self.nats.publish(subject, body.into()).await {
            tracing::debug!(%error, "nobody can be told of a piece of an answer");
        }
    }
}
