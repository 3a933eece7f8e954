//! `doran chat`: the service for rooms and messages.

use anyhow::Result;

use crate::{
    exit::dependency,
    process::{RoleOptions, run_service},
};

const PORT: u16 = 8083;

/// Run the service for rooms and messages on port 8083
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  doran chat --nats-user chat --port 8083")]
pub(crate) struct Chat {
    #[command(flatten)]
    options: RoleOptions,
}

impl Chat {
    pub(crate) async fn run(self) -> Result<()> {
        run_service("chat", PORT, self.options, async |platform| {
            doran_chat::start(platform).await.map_err(dependency)
        })
        .await
    }
}
