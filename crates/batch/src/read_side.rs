//! The schema `batch`: its migrations, and the read models that fill it.

use std::sync::Arc;

use doran_contract::events::{
    JOB_EVENTS, MESSAGE_EVENTS, ROOM_EVENTS, SESSION_EVENTS, USER_EVENTS,
};
use doran_platform::{
    Platform, ReadSide, database, event_schema, http::Probe, read_models, read_models_probe,
};
use doran_projection::{FolderError, Positions};
use rust_embed::RustEmbed;
use sqlx::PgPool;

use crate::StartError;

/// The PostgreSQL schema of this service.
pub const SCHEMA: &str = "batch";

#[derive(RustEmbed)]
#[folder = "../../migrations/batch"]
struct Migrations;

#[derive(RustEmbed)]
#[folder = "../../projections/batch"]
struct ReadModels;

/// The tables and what fills them.
pub fn read_side() -> Result<ReadSide, FolderError> {
    let read_models = read_models::<ReadModels>("batch")?;
    let every = [
        JOB_EVENTS,
        USER_EVENTS,
        SESSION_EVENTS,
        ROOM_EVENTS,
        MESSAGE_EVENTS,
    ];
    let read_side = ReadSide::new::<Migrations>(SCHEMA, read_models);
    Ok(every.into_iter().fold(read_side, |read_side, table| {
        read_side.events(event_schema(table))
    }))
}

pub(crate) async fn start(platform: &Platform) -> Result<(PgPool, Positions, Probe), StartError> {
    let read_side = read_side()?;
    let pool = database::pool(&platform.config, SCHEMA)?;
    read_side.migrate(&pool, SCHEMA).await?;
    let service = Arc::new(read_side.service(platform, pool.clone(), SCHEMA)?);
    service.run(&(&platform.lifecycle).into());
    let positions = service.positions();
    Ok((
        pool,
        positions,
        read_models_probe("read models batch", service),
    ))
}
