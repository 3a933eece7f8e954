//! Files and bookmarks. Owns the stream `STORE`, the bytes of files and the schema `store`.
//!
//! What a message says about its files belongs to chat; who is in a room does as well.

mod blobs;
mod bookmark;
mod collect;
mod commands;
mod file;
mod policies;
mod queries;
mod read_side;
mod routes;
mod state;
mod upload;

use doran_platform::{
    Platform, Role, audit,
    database::DatabaseError,
    http::{Operation, Probe},
};
use doran_projection::{FolderError, SetupError, memory};
use sqlx::PgPool;

pub use crate::{
    blobs::BlobError,
    policies::{DELETE_BYTES, LET_BELONGINGS_GO},
    read_side::{SCHEMA, read_side},
    upload::QuotaError,
};
use crate::{
    policies::{DeleteBytes, LetBelongingsGo},
    state::Service,
    upload::Quota,
};

/// Why the service does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("cannot follow the rooms")]
    Directory(#[from] memory::StartError),
    #[error(transparent)]
    Blobs(#[from] BlobError),
    #[error(transparent)]
    Quota(#[from] QuotaError),
    #[error(transparent)]
    Database(#[from] DatabaseError),
    #[error("a read model of the store service is not usable")]
    ReadModel(#[from] FolderError),
    #[error("the read models of the store service do not fit together")]
    Setup(#[from] SetupError),
    #[error("what other services ask for over NATS cannot be offered")]
    Endpoints(#[source] async_nats::Error),
}

/// Opens the schema and the file store, starts what runs by itself, and answers with the routes.
pub async fn start(platform: &Platform) -> Result<Role, StartError> {
    let directory = platform.rooms().await?.clone();
    let blobs = blobs::open(&platform.config, &platform.js).await?;
    let quota = Quota::open(&platform.js, platform.config.files.file_quota_bytes).await?;
    let (pool, positions, read_models) = read_side::start(platform).await?;
    let database = database_probe(pool.clone());
    let service = Service::new(
        platform.clone(),
        directory,
        (blobs, quota),
        (pool, positions),
    );
    let deleting = platform.run_policy(DeleteBytes(service.clone()));
    let letting_go = platform.run_policy(LetBelongingsGo(service.clone()));
    collect::start(&service);
    audit::offer(platform, commands::SOURCE, read_side()?)
        .await
        .map_err(StartError::Endpoints)?;
    let probes = vec![
        platform.nats_probe(),
        platform.nats_store_probe(),
        database,
        read_models,
        deleting,
        letting_go,
    ];
    let routes = routes::routes().with_state(service);
    Ok(Role::new(platform, routes, probes))
}

/// What the routes take and answer.
pub fn operations() -> Vec<Operation> {
    routes::routes().operations()
}

/// Without PostgreSQL bookmarks are removed, and uploaders get their files; the rest waits.
fn database_probe(pool: PgPool) -> Probe {
    Probe::optional("postgres store", move || {
        let pool = pool.clone();
        async move {
            let answer = sqlx::query("select 1").execute(&pool).await;
            answer
                .map(|_| ())
                .map_err(|_error| "does not answer".to_owned())
        }
    })
}
