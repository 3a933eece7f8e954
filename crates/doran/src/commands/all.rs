//! `doran all`: every role in one process.

use anyhow::Result;
use axum::Router;
use doran_gateway::{Upstream, Upstreams};
use doran_platform::http::Health;

use crate::{
    exit::dependency,
    front_door,
    process::{self, Process, RoleOptions},
};

const PORT: u16 = 8080;

/// Run every role in one process, on port 8080
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  doran all --dev --port 8080")]
pub(crate) struct All {
    #[command(flatten)]
    options: RoleOptions,
}

impl All {
    pub(crate) async fn run(self) -> Result<()> {
        process::run("all", PORT, self.options, start).await
    }
}

async fn start(process: Process) -> Result<Router> {
    let platform = &process.platform;
    if platform.config.dev {
        tracing::warn!(
            "--dev: missing secrets are made up and local origins allowed; keep it off the network"
        );
    }
    let auth = doran_auth::start(platform).await.map_err(dependency)?;
    let user = doran_user::start(platform).await.map_err(dependency)?;
    let chat = doran_chat::start(platform).await.map_err(dependency)?;
    let store = doran_store::start(platform).await.map_err(dependency)?;
    let batch = doran_batch::start(platform).await.map_err(dependency)?;
    let probes = auth
        .probes
        .into_iter()
        .chain(user.probes)
        .chain(chat.probes)
        .chain(store.probes)
        .chain(batch.probes);
    let health = probes.fold(Health::default(), Health::with);
    let upstreams = Upstreams {
        auth: Upstream::InProcess(auth.routes),
        users: Upstream::InProcess(user.routes),
        chat: Upstream::InProcess(chat.routes),
        store: Upstream::InProcess(store.routes),
        batch: Upstream::InProcess(batch.routes),
    };
    front_door::start(process, upstreams, health).await
}
