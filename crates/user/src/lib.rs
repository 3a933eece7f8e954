//! People: registration, profile, search, status and role, deletion and erasure. Owns the stream
//! `USER` and the schema `user_schema`.
//!
//! Log-in and sessions belong to auth; what a status means for rooms belongs to chat.

mod access;
pub mod admin;
mod commands;
mod export;
mod names;
mod policies;
mod queries;
mod read_side;
mod reset_token;
mod routes;
mod settings;
mod state;
mod upkeep;
mod user;

use doran_platform::{
    Platform, Role, audit,
    credentials::{CredentialError, Credentials},
    database::DatabaseError,
    http::{Operation, Probe},
    mail::{MailError, Mailer},
};
use doran_projection::{FolderError, SetupError};
use sqlx::PgPool;

pub use crate::{
    policies::ERASE_DELETED,
    read_side::{SCHEMA, read_side},
    user::Error,
};
use crate::{
    policies::EraseDeleted,
    reset_token::{ResetTokenError, ResetTokens},
    state::Service,
};

/// Why the service does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("cannot open the credential store")]
    Credentials(#[from] CredentialError),
    #[error(transparent)]
    Mail(#[from] MailError),
    #[error("cannot open the store of password resets")]
    Resets(#[from] ResetTokenError),
    #[error("cannot offer what jobs ask for over NATS")]
    Endpoints(#[source] async_nats::Error),
    #[error(transparent)]
    Database(#[from] DatabaseError),
    #[error("a read model of the user service is not usable")]
    ReadModel(#[from] FolderError),
    #[error("the read models of the user service do not fit together")]
    Setup(#[from] SetupError),
}

/// Opens the schema, starts its read models, and answers with the routes.
pub async fn start(platform: &Platform) -> Result<Role, StartError> {
    let credentials = Credentials::open(&platform.js, &platform.master_key).await?;
    let (pool, positions, read_models) = read_side::start(platform).await?;
    let database = database_probe(pool.clone());
    let reset_tokens =
        ResetTokens::open(&platform.js, &platform.master_key, &platform.clock).await?;
    let mailer = Mailer::new(&platform.config)?;
    let service = Service::new(
        platform.clone(),
        credentials,
        (reset_tokens, mailer),
        (pool, positions),
    );
    let erasing = platform.run_policy(EraseDeleted(service.clone()));
    let probes = vec![
        platform.nats_probe(),
        platform.nats_store_probe(),
        database,
        read_models,
        erasing,
    ];
    upkeep::offer(&service)
        .await
        .map_err(StartError::Endpoints)?;
    audit::offer(platform, commands::SOURCE, read_side(platform)?)
        .await
        .map_err(StartError::Endpoints)?;
    let routes = routes::routes().with_state(service);
    Ok(Role::new(platform, routes, probes))
}

/// What the routes take and answer.
pub fn operations() -> Vec<Operation> {
    routes::routes().operations()
}

/// Without PostgreSQL people still register; nobody is found.
fn database_probe(pool: PgPool) -> Probe {
    Probe::optional("postgres user_schema", move || {
        let pool = pool.clone();
        async move {
            let answer = sqlx::query("select 1").execute(&pool).await;
            answer
                .map(|_| ())
                .map_err(|_error| "does not answer".to_owned())
        }
    })
}
