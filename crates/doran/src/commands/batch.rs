//! `doran batch`: the service for jobs and reports.

use anyhow::Result;

use crate::{
    exit::dependency,
    process::{RoleOptions, run_service},
};

const PORT: u16 = 8085;

/// Run the service for jobs and reports on port 8085
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  doran batch --nats-user batch --port 8085")]
pub(crate) struct Batch {
    #[command(flatten)]
    options: RoleOptions,
}

impl Batch {
    pub(crate) async fn run(self) -> Result<()> {
        run_service("batch", PORT, self.options, async |platform| {
            doran_batch::start(platform).await.map_err(dependency)
        })
        .await
    }
}
