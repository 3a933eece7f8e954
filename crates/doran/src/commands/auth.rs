//! `doran auth`: the service for log-in, sessions and tokens.

use anyhow::Result;

use crate::{
    exit::dependency,
    process::{RoleOptions, run_service},
};

const PORT: u16 = 8081;

/// Run the service for log-in, sessions and tokens on port 8081
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  doran auth --nats-user auth --port 8081")]
pub(crate) struct Auth {
    #[command(flatten)]
    options: RoleOptions,
}

impl Auth {
    pub(crate) async fn run(self) -> Result<()> {
        run_service("auth", PORT, self.options, async |platform| {
            doran_auth::start(platform).await.map_err(dependency)
        })
        .await
    }
}
