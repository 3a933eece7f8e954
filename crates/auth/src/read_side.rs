//! The schema `auth`: its migrations, and the read model that fills it.

use std::sync::Arc;

use doran_contract::events::SESSION_EVENTS;
use doran_platform::{
    Platform, ReadSide, database, event_schema, http::Probe, read_models, read_models_probe,
};
use doran_projection::{FolderError, Positions};
use rust_embed::RustEmbed;
use sqlx::PgPool;

use crate::StartError;

/// The PostgreSQL schema of this service.
pub const SCHEMA: &str = "auth";

#[derive(RustEmbed)]
#[folder = "../../migrations/auth"]
struct Migrations;

#[derive(RustEmbed)]
#[folder = "../../projections/auth"]
struct ReadModels;

/// The tables and what fills them.
pub fn read_side() -> Result<ReadSide, FolderError> {
    let read_models = read_models::<ReadModels>("auth")?;
    Ok(ReadSide::new::<Migrations>(SCHEMA, read_models).events(event_schema(SESSION_EVENTS)))
}

pub(crate) async fn start(platform: &Platform) -> Result<(PgPool, Positions, Probe), StartError> {
    let read_side = read_side()?;
    let pool = database::pool(&platform.config, SCHEMA)?;
    database::measure(SCHEMA, &pool, &platform.lifecycle);
    read_side.migrate(&pool, SCHEMA).await?;
    let service = Arc::new(read_side.service(platform, pool.clone(), SCHEMA)?);
    service.run(&(&platform.lifecycle).into());
    let positions = service.positions();
    Ok((
        pool,
        positions,
        read_models_probe("read models auth", service),
    ))
}
