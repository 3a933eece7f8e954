//! Who types in a room. It comes from all gateways, lies nowhere, and ends by itself.

use std::{collections::HashMap, future::pending, time::Duration};

use async_nats::{Client, client::PublishError};
use doran_contract::{RoomId, UserId, frame::ServerFrame, subject};
use serde::{Deserialize, Serialize};
use tokio::time::{Instant, sleep_until};

/// Who has not said for so long that they type does not any more.
const LIFE: Duration = Duration::from_secs(5);
/// People of one room whose typing is followed at once.
const MOST: usize = 100;

#[derive(Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
struct Typing {
    user_id: UserId,
    on: bool,
}

/// Tells every gateway that has the room.
pub(crate) async fn tell_of_typing(
    nats: &Client,
    room: RoomId,
    user_id: UserId,
    on: bool,
) -> Result<(), PublishError> {
    let typing = Typing { user_id, on };
    let body = serde_json::to_vec(&typing).expect("this is plain data");
    nats.publish(subject::typing(room), body.into()).await
}

/// The people who type in one room.
#[derive(Default)]
pub(super) struct Typists(HashMap<UserId, Instant>);

impl Typists {
    /// Who the message from some gateway speaks of, and what the others are told; nothing if it says
    /// nothing new.
    pub(super) fn hear(
        &mut self,
        room_id: RoomId,
        payload: &[u8],
    ) -> Option<(UserId, ServerFrame)> {
        let Typing { user_id, on } = serde_json::from_slice(payload).ok()?;
        let was_on = self.0.contains_key(&user_id);
        if on && (was_on || self.0.len() < MOST) {
            self.0.insert(user_id, Instant::now() + LIFE);
        } else {
            self.0.remove(&user_id);
        }
        let frame = ServerFrame::Typing {
            room_id,
            user_id,
            on,
        };
        (was_on != on).then_some((user_id, frame))
    }

    /// Returns when somebody's typing has ended by itself, with what the others are told.
    pub(super) async fn ended(&mut self, room_id: RoomId) -> (UserId, ServerFrame) {
        let first = self.0.iter().min_by_key(|(_, until)| **until);
        let Some((user_id, until)) = first.map(|(user, until)| (*user, *until)) else {
            return pending().await;
        };
        sleep_until(until).await;
        self.0.remove(&user_id);
        let frame = ServerFrame::Typing {
            room_id,
            user_id,
            on: false,
        };
        (user_id, frame)
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;
    use uuid::Uuid;

    use super::*;

    const ROOM: RoomId = RoomId::new(Uuid::from_u128(1));

    fn message(user: u128, on: bool) -> Vec<u8> {
        let user_id = UserId::new(Uuid::from_u128(user));
        serde_json::to_vec(&Typing { user_id, on }).unwrap()
    }

    fn is_on(told: Option<&(UserId, ServerFrame)>) -> Option<bool> {
        match told {
            Some((_, ServerFrame::Typing { on, .. })) => Some(*on),
            _ => None,
        }
    }

    #[tokio::test(start_paused = true)]
    async fn typing_is_told_once_and_ends_by_itself_five_seconds_after_the_last_word_of_it() {
        let mut typists = Typists::default();
        assert!(typists.ended(ROOM).now_or_never().is_none());
        assert_eq!(
            is_on(typists.hear(ROOM, &message(2, true)).as_ref()),
            Some(true)
        );
        tokio::time::advance(Duration::from_secs(4)).await;
        assert_eq!(is_on(typists.hear(ROOM, &message(2, true)).as_ref()), None);
        let before = Instant::now();
        assert_eq!(is_on(Some(&typists.ended(ROOM).await)), Some(false));
        assert_eq!(before.elapsed(), LIFE);
    }

    #[tokio::test]
    async fn who_stops_is_told_of_once_and_nonsense_is_not() {
        let mut typists = Typists::default();
        assert_eq!(is_on(typists.hear(ROOM, &message(2, false)).as_ref()), None);
        assert_eq!(
            is_on(typists.hear(ROOM, &message(2, true)).as_ref()),
            Some(true)
        );
        assert_eq!(
            is_on(typists.hear(ROOM, &message(2, false)).as_ref()),
            Some(false)
        );
        assert_eq!(is_on(typists.hear(ROOM, b"nonsense").as_ref()), None);
    }
}
