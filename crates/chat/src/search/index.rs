//! Adds to the events of the read model `search` what their messages shall be found by.

use async_trait::async_trait;
use doran_contract::{RoomId, Sealed};
use doran_eventstore::Recorded;
use doran_platform::{
    Blinder, Platform,
    keyring::{Keyring, Place},
};
use doran_projection::{Enrich, EnrichError};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::text::{Run, runs};

/// Adds `searchTokens`.
pub(crate) struct SearchTokens {
    keyring: Keyring,
    blinder: Blinder,
}

/// The part of an event that is opened.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Written {
    room_id: Option<RoomId>,
    content: Option<Sealed>,
}

impl SearchTokens {
    pub(crate) fn new(platform: &Platform) -> Self {
        Self {
            keyring: platform.keyring.clone(),
            blinder: platform.blinder.clone(),
        }
    }
}

#[async_trait]
impl Enrich for SearchTokens {
    async fn enrich(
        &self,
        event: &Recorded,
        body: &str,
    ) -> Result<Map<String, Value>, EnrichError> {
        let written: Written =
            serde_json::from_str(body).map_err(|error| EnrichError::Permanent(error.into()))?;
        // A deletion says nothing.
        let Some(content) = &written.content else {
            return Ok(Map::new());
        };
        let room = written.room_id;
        let room = room.ok_or_else(|| EnrichError::Permanent("no room".into()))?;
        let place = Place {
            subject: &event.subject,
            event_id: event.event_id,
            field: "content",
        };
        let opened = self.keyring.open_field(place, content).await;
        // What an erased person wrote is found by nobody.
        let text = opened?.into_text().unwrap_or_default();
        let tokens = tokens_of(&text, room, &self.blinder);
        Ok([("searchTokens".to_owned(), tokens.into())]
            .into_iter()
            .collect())
    }
}

/// What a text in a room is found by.
pub(super) fn tokens_of(text: &str, room: RoomId, blinder: &Blinder) -> Vec<i64> {
    let runs = runs(text);
    let mut pieces: Vec<_> = runs.iter().flat_map(Run::pieces).collect();
    pieces.sort_unstable();
    pieces.dedup();
    let token = |piece: &String| blinder.message_token(room, piece);
    pieces.iter().map(token).collect()
}
