//! The schema `chat`: its migrations, and the read models that fill it.

use std::{sync::Arc, time::Duration};

use doran_contract::events::{MESSAGE_EVENTS, ROOM_EVENTS, USER_EVENTS};
use doran_platform::{
    Platform,
    database::{self, DatabaseError},
    event_schema, read_models,
};
use doran_projection::{Positions, Service, Tasks};
use rust_embed::RustEmbed;
use sqlx::PgPool;

use crate::{StartError, search::SearchTokens};

/// The PostgreSQL schema of this service.
pub const SCHEMA: &str = "chat";

/// Between two tries to reach PostgreSQL.
const PAUSE: Duration = Duration::from_secs(1);

#[derive(RustEmbed)]
#[folder = "../../migrations/chat"]
struct Migrations;

#[derive(RustEmbed)]
#[folder = "../../projections/chat"]
struct ReadModels;

/// Opens the schema and starts the read models. While PostgreSQL is away the service starts all
/// the same, for people can chat without it, and does this when PostgreSQL is back.
pub(crate) async fn start(platform: &Platform) -> Result<(PgPool, Positions), StartError> {
    let pool = database::pool(&platform.config, SCHEMA)?;
    let service = service(platform, pool.clone())?;
    let positions = service.positions();
    let tasks = Tasks::from(&platform.lifecycle);
    match database::migrate::<Migrations>(&pool, SCHEMA).await {
        Ok(()) => service.run(&tasks),
        Err(DatabaseError::Connect(error)) => {
            tracing::warn!(%error, "chat starts without PostgreSQL: queries wait for it");
            let pool = pool.clone();
            platform.lifecycle.spawn(async move {
                let opening = open(&pool);
                if tasks.cancel.run_until_cancelled(opening).await.is_some() {
                    service.run(&tasks);
                }
            });
        }
        Err(error) => return Err(error.into()),
    }
    Ok((pool, positions))
}

fn service(platform: &Platform, pool: PgPool) -> Result<Service, StartError> {
    let clock = platform.clock.clone();
    let clock = Arc::new(move || clock.now());
    Ok(Service::builder(SCHEMA, pool, platform.js.clone(), clock)
        .read_models(read_models::<ReadModels>("chat")?)
        .events(event_schema(ROOM_EVENTS))
        .events(event_schema(MESSAGE_EVENTS))
        .events(event_schema(USER_EVENTS))
        .enrich("search", Arc::new(SearchTokens::new(platform)))
        .build()?)
}

/// Ends when the tables are there.
async fn open(pool: &PgPool) {
    while let Err(error) = database::migrate::<Migrations>(pool, SCHEMA).await {
        if !matches!(error, DatabaseError::Connect(_)) {
            tracing::error!(%error, "the tables of chat cannot be made");
        }
        tokio::time::sleep(PAUSE).await;
    }
}

#[cfg(test)]
pub(crate) mod tests;
