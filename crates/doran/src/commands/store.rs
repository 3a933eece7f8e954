//! `doran store`: the service for files and bookmarks.

use anyhow::Result;

use crate::{
    exit::dependency,
    process::{RoleOptions, run_service},
};

const PORT: u16 = 8084;

/// Run the service for files and bookmarks on port 8084
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  doran store --nats-user store --port 8084")]
pub(crate) struct Store {
    #[command(flatten)]
    options: RoleOptions,
}

impl Store {
    pub(crate) async fn run(self) -> Result<()> {
        run_service("store", PORT, self.options, async |platform| {
            doran_store::start(platform).await.map_err(dependency)
        })
        .await
    }
}
