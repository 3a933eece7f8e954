//! The schema `chat`: its migrations, and the read models that fill it.

use std::{sync::Arc, time::Duration};

use doran_contract::events::{MESSAGE_EVENTS, ROOM_EVENTS, USER_EVENTS};
use doran_platform::{
    Platform, ReadSide,
    database::{self, DatabaseError},
    event_schema,
    http::Probe,
    read_models, read_models_probe,
};
use doran_projection::{FolderError, Positions, Tasks};
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

/// The tables and what fills them.
pub fn read_side(platform: &Platform) -> Result<ReadSide, FolderError> {
    let read_models = read_models::<ReadModels>("chat")?;
    Ok(ReadSide::new::<Migrations>(SCHEMA, read_models)
        .events(event_schema(ROOM_EVENTS))
        .events(event_schema(MESSAGE_EVENTS))
        .events(event_schema(USER_EVENTS))
        .enrich("search", Arc::new(SearchTokens::new(platform))))
}

/// Opens the schema and starts the read models. While PostgreSQL is away the service starts all
/// the same, for people can chat without it, and does this when PostgreSQL is back.
pub(crate) async fn start(platform: &Platform) -> Result<(PgPool, Positions, Probe), StartError> {
    let pool = database::pool(&platform.config, SCHEMA)?;
    database::measure(SCHEMA, &pool, &platform.lifecycle);
    let read_side = read_side(platform)?;
    let service = Arc::new(read_side.service(platform, pool.clone(), SCHEMA)?);
    let probe = read_models_probe("read models chat", Arc::clone(&service));
    let positions = service.positions();
    let tasks = Tasks::from(&platform.lifecycle);
    match read_side.migrate(&pool, SCHEMA).await {
        Ok(()) => service.run(&tasks),
        Err(DatabaseError::Connect(error)) => {
            tracing::warn!(%error, "chat starts without PostgreSQL: queries wait for it");
            let pool = pool.clone();
            platform.lifecycle.spawn(async move {
                let opening = open(&read_side, &pool);
                if tasks.cancel.run_until_cancelled(opening).await.is_some() {
                    service.run(&tasks);
                }
            });
        }
        Err(error) => return Err(error.into()),
    }
    Ok((pool, positions, probe))
}

/// Ends when the tables are there.
async fn open(read_side: &ReadSide, pool: &PgPool) {
    while let Err(error) = read_side.migrate(pool, SCHEMA).await {
        if !matches!(error, DatabaseError::Connect(_)) {
            tracing::error!(%error, "the tables of chat cannot be made");
        }
        tokio::time::sleep(PAUSE).await;
    }
}

#[cfg(test)]
pub(crate) mod tests;
