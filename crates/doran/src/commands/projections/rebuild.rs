//! `doran projections rebuild`.

use anyhow::Result;

use super::{Options, next::Next};

/// Build a service's tables anew from the log, and put them in the place of the ones in use
///
/// The service goes on reading and writing meanwhile. What was in use is kept as <schema>_prev;
/// `doran projections swap` goes back to it. A run that was ended goes on when it is started again.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  doran projections rebuild chat --verify")]
pub(crate) struct Rebuild {
    /// Compare every table with the one in use first, and swap only if all are equal
    #[arg(long)]
    verify: bool,
    #[command(flatten)]
    options: Options,
}

impl Rebuild {
    pub(crate) async fn run(self) -> Result<()> {
        let (name, json) = (self.options.service, self.options.json);
        self.options
            .with_platform(async |platform| {
                let next = Next::open(platform, name, json).await?;
                next.fill(platform).await?;
                if self.verify {
                    next.compare().await?;
                }
                next.swap().await
            })
            .await
    }
}
