//! `doran user`: the service for accounts.

use anyhow::Result;

use crate::{
    exit::dependency,
    process::{RoleOptions, run_service},
};

const PORT: u16 = 8082;

/// Run the service for accounts on port 8082
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  doran user --nats-user user --port 8082")]
pub(crate) struct User {
    #[command(flatten)]
    options: RoleOptions,
}

impl User {
    pub(crate) async fn run(self) -> Result<()> {
        run_service("user", PORT, self.options, async |platform| {
            doran_user::start(platform).await.map_err(dependency)
        })
        .await
    }
}
