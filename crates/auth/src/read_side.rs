//! The schema `auth`: its migrations, and the read model that fills it.

use std::sync::Arc;

use doran_contract::events::SESSION_EVENTS;
use doran_platform::{Platform, database, event_schema, read_models};
use doran_projection::{Positions, Service};
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

pub(crate) async fn start(platform: &Platform) -> Result<(PgPool, Positions), StartError> {
    let pool = database::open::<Migrations>(&platform.config, SCHEMA).await?;
    let clock = platform.clock.clone();
    let service = Service::builder(
        SCHEMA,
        pool.clone(),
        platform.js.clone(),
        Arc::new(move || clock.now()),
    )
    .read_models(read_models::<ReadModels>("auth")?)
    .events(event_schema(SESSION_EVENTS))
    .build()?;
    service.run(&(&platform.lifecycle).into());
    Ok((pool, service.positions()))
}
