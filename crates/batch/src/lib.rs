//! Jobs: when they are due, who runs them, and what they report. Owns the stream `JOB`, the work in
//! `SCHEDULE`, and the schema `batch`.
//!
//! What a job changes in another service it asks of that service: nobody else's subject is written
//! to from here.

pub mod admin;
mod commands;
mod cron;
mod day;
mod due;
mod job;
mod jobs;
mod queries;
mod read_side;
mod routes;
mod run;
mod runner;
mod schedule;
mod state;

use doran_platform::{
    Platform, Role, audit,
    database::DatabaseError,
    http::{Operation, Probe},
};
use doran_projection::{FolderError, SetupError};
use sqlx::PgPool;

use crate::state::Service;
pub use crate::{
    read_side::{SCHEMA, read_side},
    runner::Timing,
};

/// Why the service does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("cannot offer what jobs ask for over NATS")]
    Endpoints(#[source] async_nats::Error),
    #[error(transparent)]
    Database(#[from] DatabaseError),
    #[error("a read model of the batch service is not usable")]
    ReadModel(#[from] FolderError),
    #[error("the read models of the batch service do not fit together")]
    Setup(#[from] SetupError),
}

/// Opens the schema, starts its read models and the runner, and answers with the routes.
pub async fn start(platform: &Platform) -> Result<Role, StartError> {
    start_with(platform, Timing::default()).await
}

/// What the routes take and answer.
pub fn operations() -> Vec<Operation> {
    routes::routes().operations()
}

/// As [`start`], with another patience.
pub async fn start_with(platform: &Platform, timing: Timing) -> Result<Role, StartError> {
    let (pool, positions, read_models) = read_side::start(platform).await?;
    let database = database_probe(pool.clone());
    let service = Service::new(platform.clone(), pool, positions);
    audit::offer(platform, commands::SOURCE, read_side()?)
        .await
        .map_err(StartError::Endpoints)?;
    let running = runner::start(&service, timing);
    let probes = vec![
        platform.nats_probe(),
        platform.nats_store_probe(),
        database,
        read_models,
        running,
    ];
    let routes = routes::routes().with_state(service);
    Ok(Role::new(platform, routes, probes))
}

/// Jobs wait for it, and so does every answer.
fn database_probe(pool: PgPool) -> Probe {
    Probe::optional("postgres batch", move || {
        let pool = pool.clone();
        async move {
            let answer = sqlx::query("select 1").execute(&pool).await;
            answer
                .map(|_| ())
                .map_err(|_error| "does not answer".to_owned())
        }
    })
}
