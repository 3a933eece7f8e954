//! The gateway: one port for HTTP, sockets and the page. It passes requests on to the services
//! and live events on to sockets. No business rule, no database.

mod front_door;
mod gateway;
mod limits;
mod live;
mod options;
mod socket;
pub mod sockjs;

use axum::Router;
use doran_platform::{
    Platform,
    http::{Health, Operation},
    ws_ticket::TicketError,
};
use doran_projection::memory;

use crate::gateway::Gateway;
pub use crate::{
    front_door::{Upstream, Upstreams},
    live::EpochError,
    options::{Options, Timing, local_origins},
};

const WITHOUT_REDIS: &str = "limits are kept by each gateway alone, presence is unknown";

/// Why a gateway does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("cannot follow the rooms")]
    Rooms(#[from] memory::StartError),
    #[error("cannot ask which log this is")]
    Epoch(#[from] EpochError),
    #[error("cannot open the store of WebSocket tickets")]
    Tickets(#[from] TicketError),
    #[error("cannot follow what is told between gateways")]
    Unread(#[from] async_nats::SubscribeError),
    #[error("REDIS_URL is not a Redis URL")]
    Redis(#[from] redis::RedisError),
}

/// Starts the gateway: everything that its port serves. What surrounds it, request ids and the
/// access log, is [`doran_platform::http::edge`].
pub async fn start(platform: &Platform, options: Options) -> Result<Router, StartError> {
    let Options {
        upstreams,
        health,
        metrics,
        own_origins,
        timing,
        address,
    } = options;
    let gateway = Gateway::start(platform, upstreams, own_origins, timing).await?;
    let health = with_probes(health, &gateway);
    Ok(Router::new()
        .merge(socket::routes(&gateway, address))
        .merge(front_door::routes(&gateway, health, metrics))
        .with_state(gateway))
}

/// What the gateway itself answers under `/api`.
pub fn operations() -> Vec<Operation> {
    front_door::described().operations()
}

fn with_probes(health: Health, gateway: &Gateway) -> Health {
    let services = gateway.services.probes();
    let health = services.into_iter().fold(health, Health::with);
    health
        .with(gateway.platform.nats_probe())
        .with(gateway.platform.nats_store_probe())
        .with(gateway.contact.probe())
        .with(gateway.redis.probe(WITHOUT_REDIS))
}
