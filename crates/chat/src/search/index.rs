//! Adds to the events of the read model `search` what their messages shall be found by.

use std::{collections::BTreeSet, fmt::Write as _};

use async_trait::async_trait;
use doran_contract::{RoomId, Sealed};
use doran_platform::{
    Blinder, Platform,
    keyring::{Keyring, Place},
};
use doran_projection::{Enrich, EnrichError, EventRow};
use serde::Deserialize;

use super::text::{Run, runs};

/// Adds `searchTokens`, as PostgreSQL writes an array of bigint.
pub(crate) struct SearchTokens {
    keyring: Keyring,
    blinder: Blinder,
}

/// The part of an event that is opened.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Written {
    room_id: RoomId,
    content: Sealed,
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
    async fn enrich(&self, row: &mut EventRow) -> Result<(), EnrichError> {
        // A deletion says nothing.
        if !row.fields.contains_key("content") {
            return Ok(());
        }
        let written = Written::deserialize(&row.fields);
        let written = written.map_err(|error| EnrichError::Permanent(error.into()))?;
        let place = Place {
            subject: &row.event.subject,
            event_id: row.event.event_id,
            field: "content",
        };
        let opened = self.keyring.open_field(place, &written.content).await;
        // What an erased person wrote is found by nobody.
        let text = opened?.into_text().unwrap_or_default();
        let tokens = tokens_of(&text, written.room_id, &self.blinder);
        let tokens = array_literal(&tokens);
        row.fields.insert("searchTokens".to_owned(), tokens.into());
        Ok(())
    }
}

/// What a text in a room is found by.
pub(super) fn tokens_of(text: &str, room: RoomId, blinder: &Blinder) -> Vec<i64> {
    let runs = runs(text);
    let pieces: BTreeSet<_> = runs.iter().flat_map(Run::pieces).collect();
    let token = |piece: &String| blinder.message_token(room, piece);
    pieces.iter().map(token).collect()
}

/// Far cheaper for PostgreSQL to read than an array of JSON numbers.
fn array_literal(tokens: &[i64]) -> String {
    let mut literal = String::with_capacity(2 + 21 * tokens.len());
    literal.push('{');
    for (at, token) in tokens.iter().enumerate() {
        let comma = if at > 0 { "," } else { "" };
        write!(literal, "{comma}{token}").expect("writing to a string does not fail");
    }
    literal.push('}');
    literal
}
