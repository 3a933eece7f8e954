//! What the commands on one service's read models share.

use anyhow::Result;
use doran_platform::{Config, Platform};

use super::ServiceName;
use crate::platform;

#[derive(Debug, clap::Args)]
pub(super) struct Options {
    /// Whose read models
    pub(super) service: ServiceName,
    /// Print JSON, one object a line
    #[arg(long)]
    pub(super) json: bool,
    #[command(flatten, next_help_heading = "Servers and settings")]
    config: Config,
}

impl Options {
    pub(super) async fn with_platform<T>(
        self,
        work: impl AsyncFnOnce(&Platform) -> Result<T>,
    ) -> Result<T> {
        platform::with(self.config, "projections", work).await
    }
}
