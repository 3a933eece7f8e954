//! The schema `user_schema`: its migrations, and the read models that fill it.

use std::sync::Arc;

use async_trait::async_trait;
use doran_contract::events::{SESSION_EVENTS, USER_EVENTS, UserEvent};
use doran_eventstore::Recorded;
use doran_platform::{
    Blinder, Platform, ReadSide, database, event_schema, http::Probe, keyring::Keyring,
    profile::SealedPersonalData, read_models, read_models_probe,
};
use doran_projection::{Enrich, EnrichError, FolderError, Positions};
use rust_embed::RustEmbed;
use serde_json::{Map, Value, json};
use sqlx::PgPool;

use crate::{StartError, names::name_tokens};

/// The PostgreSQL schema of this service.
pub const SCHEMA: &str = "user_schema";

#[derive(RustEmbed)]
#[folder = "../../migrations/user_schema"]
struct Migrations;

#[derive(RustEmbed)]
#[folder = "../../projections/user"]
struct ReadModels;

/// The tables and what fills them.
pub fn read_side(platform: &Platform) -> Result<ReadSide, FolderError> {
    let read_models = read_models::<ReadModels>("user")?;
    Ok(ReadSide::new::<Migrations>(SCHEMA, read_models)
        .events(event_schema(USER_EVENTS))
        .events(event_schema(SESSION_EVENTS))
        .enrich("name_tokens", Arc::new(NameTokens::new(platform))))
}

pub(crate) async fn start(platform: &Platform) -> Result<(PgPool, Positions, Probe), StartError> {
    let read_side = read_side(platform)?;
    let pool = database::pool(&platform.config, SCHEMA)?;
    database::measure(SCHEMA, &pool, &platform.lifecycle);
    read_side.migrate(&pool, SCHEMA).await?;
    let service = Arc::new(read_side.service(platform, pool.clone(), SCHEMA)?);
    service.run(&(&platform.lifecycle).into());
    let positions = service.positions();
    Ok((
        pool,
        positions,
        read_models_probe("read models user", service),
    ))
}

/// Adds `nameTokens` to events that hold names: keyed hashes of pieces of the opened ones.
struct NameTokens {
    keyring: Keyring,
    blinder: Blinder,
}

impl NameTokens {
    fn new(platform: &Platform) -> Self {
        Self {
            keyring: platform.keyring.clone(),
            blinder: platform.blinder.clone(),
        }
    }
}

#[async_trait]
impl Enrich for NameTokens {
    async fn enrich(
        &self,
        event: &Recorded,
        body: &str,
    ) -> Result<Map<String, Value>, EnrichError> {
        let permanent = |error: serde_json::Error| EnrichError::Permanent(error.into());
        let body: Value = serde_json::from_str(body).map_err(permanent)?;
        let body = json!({ "type": event.event_type, "data": body });
        let user_event: UserEvent = serde_json::from_value(body).map_err(permanent)?;
        let Some(sealed) = SealedPersonalData::of(user_event, event.event_id) else {
            return Ok(Map::new());
        };
        // Whose key was destroyed is found by nobody.
        let personal = sealed.open(&self.keyring).await?;
        let tokens =
            personal.map_or_else(Vec::new, |personal| name_tokens(&self.blinder, &personal));
        Ok([("nameTokens".to_owned(), tokens.into())]
            .into_iter()
            .collect())
    }
}
