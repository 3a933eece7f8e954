//! The gateway as both `doran gateway` and `doran all` start it.

use anyhow::Result;
use axum::Router;
use doran_gateway::{Options, Upstreams, local_origins};
use doran_platform::http::{Health, edge};

use crate::{exit::dependency, process::Process};

/// The routes of the front door; `health` are the probes of services in this process.
pub(crate) async fn start(
    process: Process,
    upstreams: Upstreams,
    health: Health,
) -> Result<Router> {
    let Process {
        platform,
        metrics,
        address,
    } = process;
    // What comes from the machine's own browser to a port that only the machine can reach.
    let is_local = platform.config.dev || address.ip().is_loopback();
    let options = Options {
        own_origins: if is_local {
            local_origins(address.port())
        } else {
            Vec::new()
        },
        address: Some(address),
        ..Options::new(upstreams, health, metrics)
    };
    let routes = doran_gateway::start(&platform, options)
        .await
        .map_err(dependency)?;
    Ok(edge(routes, platform.clock.clone()))
}
