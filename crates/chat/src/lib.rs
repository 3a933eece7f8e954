//! Rooms and messages. Owns the streams `CHATROOM` and `MESSAGE` and the schema `chat`.
//!
//! Sockets and live delivery belong to the gateway; accounts belong to user.

mod bot;
mod bots;
mod commands;
mod endpoints;
mod messages;
mod policies;
mod queries;
mod read_side;
mod room;
mod routes;
mod search;
mod state;
mod upkeep;

use std::time::Duration;

use doran_contract::subject::MESSAGE_STREAM;
use doran_eventstore::ReadError;
use doran_platform::{
    Platform, Role, audit,
    database::DatabaseError,
    http::{Operation, Probe},
    presence::Presences,
    redis::Redis,
};
use doran_projection::{FolderError, SetupError, memory};
use sqlx::PgPool;

use crate::{
    bots::{Bots, Webhooks, keep_calling},
    messages::Known,
    policies::{CallBots, FollowOwner, LetDeletedGo, NoteErased},
    state::Service,
};
pub use crate::{
    policies::{CALL_BOTS, FOLLOW_OWNER, LET_DELETED_GO, NOTE_ERASED},
    read_side::{SCHEMA, read_side},
    room::Error,
};

/// How long a question about presence may wait.
const REDIS_PATIENCE: Duration = Duration::from_millis(50);

/// Why the service does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("cannot follow the rooms")]
    Directory(#[from] memory::StartError),
    #[error("cannot read the messages")]
    Messages(#[from] ReadError),
    #[error("cannot offer the chat commands over NATS")]
    Endpoints(#[source] async_nats::Error),
    #[error("cannot follow the bots")]
    Bots(#[source] memory::StartError),
    #[error("webhooks cannot be called from here")]
    Webhooks(#[from] reqwest::Error),
    #[error("REDIS_URL is not a Redis URL")]
    Redis(#[from] redis::RedisError),
    #[error(transparent)]
    Database(#[from] DatabaseError),
    #[error("a read model of the chat service is not usable")]
    ReadModel(#[from] FolderError),
    #[error("the read models of the chat service do not fit together")]
    Setup(#[from] SetupError),
}

/// Starts the read models and the endpoints, and answers with the routes.
pub async fn start(platform: &Platform) -> Result<Role, StartError> {
    // Shown as 0 before the first one comes.
    metrics::counter!("chat_messages_sent_total").increment(0);
    let directory = platform.rooms().await?.clone();
    let (pool, positions, read_models) = read_side::start(platform).await?;
    let messages = platform.logs.reader(MESSAGE_STREAM);
    let known = Known::start(platform, &messages, pool.clone()).await?;
    let database = database_probe(pool.clone());
    let redis = Redis::start(
        &platform.config.redis_url,
        REDIS_PATIENCE,
        &platform.lifecycle,
    );
    let redis = redis.await?;
    let presences = Presences::new(redis.clone());
    let bots = Bots::start(&platform.logs, &platform.lifecycle).await;
    let bots = (
        bots.map_err(StartError::Bots)?,
        Webhooks::new(platform.config.dev)?,
    );
    let read_side = (pool, positions);
    let service = Service::new(
        platform.clone(),
        (directory, bots, known),
        presences,
        read_side,
    );
    let following = platform.run_policy(FollowOwner(service.clone()));
    let letting_go = platform.run_policy(LetDeletedGo(service.clone()));
    let noting = platform.run_policy(NoteErased(service.clone()));
    let calling = platform.run_policy(CallBots(service.clone()));
    platform.lifecycle.spawn(keep_calling(service.clone()));
    let redis = redis.probe("presence is unknown");
    let probes = vec![
        platform.nats_probe(),
        platform.nats_store_probe(),
        database,
        read_models,
        redis,
        following,
        letting_go,
        noting,
        calling,
    ];
    endpoints::serve(&service)
        .await
        .map_err(StartError::Endpoints)?;
    upkeep::offer(&service)
        .await
        .map_err(StartError::Endpoints)?;
    audit::offer(platform, commands::SOURCE, read_side::read_side(platform)?)
        .await
        .map_err(StartError::Endpoints)?;
    let routes = routes::routes().with_state(service);
    Ok(Role::new(platform, routes, probes))
}

/// What the routes take and answer.
pub fn operations() -> Vec<Operation> {
    routes::routes().operations()
}

/// Without PostgreSQL people still talk; history and lists wait for it.
fn database_probe(pool: PgPool) -> Probe {
    Probe::optional("postgres chat", move || {
        let pool = pool.clone();
        async move {
            let answer = sqlx::query("select 1").execute(&pool).await;
            answer
                .map(|_| ())
                .map_err(|_error| "does not answer".to_owned())
        }
    })
}
