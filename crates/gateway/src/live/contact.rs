//! How long ago the log last confirmed what this gateway believes of people, sessions and rooms.

use std::time::Duration;

use doran_platform::{Platform, directory::Rooms, http::Probe};

/// Readiness is lost when nothing was heard for longer.
const UNREADY_AFTER: Duration = Duration::from_secs(5);

/// Cheap to clone.
#[derive(Clone)]
pub(crate) struct Contact {
    platform: Platform,
    rooms: Rooms,
}

impl Contact {
    pub(crate) fn new(platform: &Platform, rooms: &Rooms) -> Self {
        Self {
            platform: platform.clone(),
            rooms: rooms.clone(),
        }
    }

    /// Time since the log last answered, of what is decided on the part that waits longest.
    pub(crate) fn silence(&self) -> Duration {
        let rooms = self.rooms.model().last_contact().elapsed();
        rooms.max(self.platform.silence())
    }

    pub(crate) fn probe(&self) -> Probe {
        let contact = self.clone();
        Probe::essential("log", move || {
            let silence = contact.silence();
            async move {
                if silence > UNREADY_AFTER {
                    Err(format!("silent for {} s", silence.as_secs()))
                } else {
                    Ok(())
                }
            }
        })
    }
}
