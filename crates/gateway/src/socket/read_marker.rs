//! Up to where somebody has read a room: asked of the chat service when they subscribe.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use doran_contract::{ErrorCode, RoomId, command::ReadMarker};
use tokio::time::Instant;

use crate::front_door::{Service, Services};

const PATIENCE: Duration = Duration::from_secs(1);
/// After an answer that did not come nobody asks for so long.
const PAUSE: Duration = Duration::from_secs(5);

/// A marker is a convenience: without the chat service's database people subscribe all the same,
/// and read from the beginning.
#[derive(Default)]
pub(crate) struct ReadMarkers {
    paused_until: Mutex<Option<Instant>>,
}

impl ReadMarkers {
    /// The sequence, or 0 if it cannot be had now.
    pub(super) async fn find(&self, services: &Services, room: RoomId, token: &str) -> u64 {
        if self.is_paused() {
            return 0;
        }
        let path = format!("/api/chat/rooms/{room}/read");
        let marker: Result<ReadMarker, _> =
            services.get(Service::Chat, &path, token, PATIENCE).await;
        match marker {
            Ok(marker) => marker.seq,
            Err(refused) => {
                tracing::warn!(error = %refused, %room, "a read marker cannot be had");
                if refused.code == ErrorCode::Unavailable {
                    self.pause();
                }
                0
            }
        }
    }

    fn is_paused(&self) -> bool {
        let until = *self
            .paused_until
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        until.is_some_and(|until| Instant::now() < until)
    }

    fn pause(&self) {
        let until = Instant::now() + PAUSE;
        *self
            .paused_until
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = Some(until);
    }
}
