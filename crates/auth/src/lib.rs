//! Log-in, sessions and tokens. Owns the stream `SESSION`, the schema `auth` and the key that signs
//! access tokens.
//!
//! Once it runs, nothing but the list of sessions needs PostgreSQL. Accounts belong to user.

mod commands;
mod policies;
mod queries;
mod read_side;
mod refresh_token;
mod routes;
mod session;
mod signing_key;
mod state;
mod throttle;
mod tokens;
mod upkeep;

use std::{path::Path, sync::Arc};

use doran_platform::{
    Config, Platform, Role,
    access_token::{Signer, SigningKeyError},
    audit,
    credentials::{CredentialError, Credentials},
    database::DatabaseError,
    http::{Operation, Probe},
    ws_ticket::{TicketError, WsTickets},
};
use doran_projection::{FolderError, SetupError, memory};
use sqlx::PgPool;

pub use crate::{
    policies::END_WITH_ACCOUNT,
    read_side::{SCHEMA, read_side},
};
use crate::{
    policies::EndWithAccount,
    session::StandingSessions,
    signing_key::SigningKey,
    state::Service,
    throttle::{Throttle, ThrottleError},
};

/// Why the service does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("no signing key: set DORAN_SIGNING_KEY_FILE to an Ed25519 key, PKCS#8 in PEM")]
    NoSigningKey,
    #[error(transparent)]
    SigningKey(#[from] SigningKeyError),
    #[error("cannot publish the key that verifies access tokens")]
    PublishKey(#[source] async_nats::Error),
    #[error("cannot open the credential store")]
    Credentials(#[from] CredentialError),
    #[error("cannot follow the sessions")]
    Sessions(#[from] memory::StartError),
    #[error("cannot open the store of WebSocket tickets")]
    Tickets(#[from] TicketError),
    #[error("cannot open the count of failed log-ins")]
    Throttle(#[source] Box<dyn std::error::Error + Send + Sync>),
    #[error("cannot offer what jobs ask for over NATS")]
    Endpoints(#[source] async_nats::Error),
    #[error(transparent)]
    Database(#[from] DatabaseError),
    #[error("a read model of the auth service is not usable")]
    ReadModel(#[from] FolderError),
    #[error("the read models of the auth service do not fit together")]
    Setup(#[from] SetupError),
}

/// Publishes the key that verifies tokens, starts the read model, and answers with the routes.
pub async fn start(platform: &Platform) -> Result<Role, StartError> {
    let path = platform.config.signing_key_file.clone();
    let path = path.ok_or(StartError::NoSigningKey)?;
    let signer = signer(&platform.config, &path)?;
    let signing_key = SigningKey::start(signer, path, platform).await;
    let signing_key = signing_key.map_err(StartError::PublishKey)?;
    let credentials = Credentials::open(&platform.js, &platform.master_key).await?;
    let throttle = throttle(platform)
        .await
        .map_err(|error| StartError::Throttle(error.into()))?;
    let tickets = WsTickets::open(&platform.js, &platform.master_key, &platform.clock).await?;
    let (pool, positions, read_models) = read_side::start(platform).await?;
    let standing = StandingSessions::start(&platform.logs, &platform.lifecycle).await?;
    let database = database_probe(pool.clone());
    // On the heap: every role's future would be larger otherwise.
    let service = Arc::new(Service::new(
        platform.clone(),
        signing_key,
        (credentials, throttle, tickets),
        standing,
        (pool, positions),
    ));
    let ending = platform.run_policy(EndWithAccount(Service::clone(&service)));
    let probes = vec![
        platform.nats_probe(),
        platform.nats_store_probe(),
        database,
        read_models,
        ending,
    ];
    let routes = routes::routes().with_state(Service::clone(&service));
    Box::pin(offer(platform, service)).await?;
    Ok(Role::new(platform, routes, probes))
}

/// What other services ask for over NATS.
async fn offer(platform: &Platform, service: Arc<Service>) -> Result<(), StartError> {
    let offered = upkeep::offer(service).await;
    offered.map_err(StartError::Endpoints)?;
    let offered = audit::offer(platform, commands::SOURCE, read_side()?).await;
    offered.map_err(StartError::Endpoints)
}

/// What the routes take and answer.
pub fn operations() -> Vec<Operation> {
    routes::routes().operations()
}

async fn throttle(platform: &Platform) -> Result<Throttle, ThrottleError> {
    let means = (&platform.config, &platform.master_key, &platform.clock);
    Throttle::open(&platform.js, means).await
}

fn signer(config: &Config, path: &Path) -> Result<Signer, StartError> {
    let signer = if config.dev {
        Signer::open_or_create(path)
    } else {
        Signer::open(path)
    };
    Ok(signer?)
}

/// Without PostgreSQL people still log in; nobody sees a list of sessions.
fn database_probe(pool: PgPool) -> Probe {
    Probe::optional("postgres auth", move || {
        let pool = pool.clone();
        async move {
            let answer = sqlx::query("select 1").execute(&pool).await;
            answer
                .map(|_| ())
                .map_err(|_error| "does not answer".to_owned())
        }
    })
}
