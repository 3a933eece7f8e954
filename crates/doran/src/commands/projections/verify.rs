//! `doran projections verify`.

use anyhow::Result;

use super::{Options, next::Next};

/// Build a service's tables anew beside the ones in use, compare them, and drop them again
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  doran projections verify chat --json")]
pub(crate) struct Verify {
    #[command(flatten)]
    options: Options,
}

impl Verify {
    pub(crate) async fn run(self) -> Result<()> {
        let (name, json) = (self.options.service, self.options.json);
        self.options
            .with_platform(async |platform| {
                let next = Next::open(platform, name, json).await?;
                next.fill(platform).await?;
                next.compare().await?;
                next.abort().await
            })
            .await
    }
}
