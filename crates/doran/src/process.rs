//! One role's process: its port, its start, its end in order.

use std::{net::SocketAddr, time::Duration};

use anyhow::{Context, Result, bail};
use axum::Router;
use doran_platform::{
    Clock, Config, Lifecycle, Platform, Role,
    http::{Health, edge, listen, operations, serve},
    telemetry::Metrics,
};
use tokio::net::TcpListener;

use crate::exit::dependency;

/// How often old samples are folded into their histograms.
const METRICS_UPKEEP: Duration = Duration::from_secs(5);

/// What every role is told.
#[derive(Debug, clap::Args)]
pub(crate) struct RoleOptions {
    /// Port to listen on, on loopback unless --listen says otherwise
    #[arg(long, env = "DORAN_PORT")]
    port: Option<u16>,
    #[command(flatten, next_help_heading = "Servers and settings")]
    pub(crate) config: Config,
}

/// What a role is started with.
pub(crate) struct Process {
    pub(crate) platform: Platform,
    pub(crate) metrics: Metrics,
    /// Where it will be reached.
    pub(crate) address: SocketAddr,
}

/// Runs one service on a port of its own.
pub(crate) async fn run_service(
    name: &'static str,
    port: u16,
    options: RoleOptions,
    start: impl AsyncFnOnce(&Platform) -> Result<Role>,
) -> Result<()> {
    refuse_dev(name, &options)?;
    run(name, port, options, async |process| {
        let role = start(&process.platform).await?;
        Ok(with_operations(role, process))
    })
    .await
}

/// Made-up secrets would differ from process to process.
pub(crate) fn refuse_dev(name: &str, options: &RoleOptions) -> Result<()> {
    if options.config.dev {
        bail!("--dev makes secrets up and is for `doran all` alone; give {name} its key files");
    }
    Ok(())
}

/// Binds the port, starts, serves until it is asked to stop, and stops in order.
pub(crate) async fn run(
    name: &'static str,
    port: u16,
    options: RoleOptions,
    start: impl AsyncFnOnce(Process) -> Result<Router>,
) -> Result<()> {
    let listener = bind(&options, port).await?;
    let address = listener.local_addr()?;
    let metrics = Metrics::start()?;
    let lifecycle = Lifecycle::default();
    lifecycle.spawn(upkeep(metrics.clone(), lifecycle.clone()));
    let started = async {
        let platform = Platform::start(options.config, Clock::system(), lifecycle.clone(), name);
        let platform = platform.await.map_err(dependency)?;
        start(Process {
            platform,
            metrics,
            address,
        })
        .await
    };
    let started = tokio::select! {
        started = started => started.map(Some),
        stopped = lifecycle.until_stopped() => stopped.map(|()| None).map_err(Into::into),
    };
    let Ok(Some(routes)) = started else {
        lifecycle.stop().await;
        return started.map(drop);
    };
    tracing::info!(role = name, %address, "listening");
    let ending = async {
        lifecycle.until_stopped().await?;
        tracing::info!("stopping; Ctrl-C again ends at once");
        lifecycle.stop().await;
        std::io::Result::Ok(())
    };
    tokio::select! {
        ended = async { tokio::join!(serve(listener, routes, &lifecycle), ending).1 } => ended?,
        again = interrupted_again(&lifecycle) => again?,
    }
    Ok(())
}

async fn interrupted_again(lifecycle: &Lifecycle) -> std::io::Result<()> {
    lifecycle.stopping().cancelled().await;
    tokio::signal::ctrl_c().await
}

async fn bind(options: &RoleOptions, port: u16) -> Result<TcpListener> {
    let port = options.port.unwrap_or(port);
    let address = options.config.listen.map(|listen| match options.port {
        Some(port) => SocketAddr::new(listen.ip(), port),
        None => listen,
    });
    listen(address, port).await.with_context(|| {
        let place = address.map_or_else(|| format!("port {port}"), |address| address.to_string());
        format!("cannot listen on {place}; choose another with --port")
    })
}

/// A service's routes with what operators ask of every process.
fn with_operations(role: Role, process: Process) -> Router {
    let Process {
        platform, metrics, ..
    } = process;
    let health = role
        .probes
        .into_iter()
        .fold(Health::default(), Health::with);
    let routes = role.routes.merge(operations(health, metrics));
    edge(routes, platform.clock.clone())
}

async fn upkeep(metrics: Metrics, lifecycle: Lifecycle) {
    let mut ticks = tokio::time::interval(METRICS_UPKEEP);
    loop {
        tokio::select! {
            () = lifecycle.stopping().cancelled() => return,
            _ = ticks.tick() => metrics.run_upkeep(),
        }
    }
}
