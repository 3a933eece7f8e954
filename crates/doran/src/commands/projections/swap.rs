//! `doran projections swap`.

use anyhow::{Result, bail};

use super::{
    Options,
    next::{Next, rebuild},
};
use crate::exit::dependency;

/// Put what was built in the place of what is in use; without anything new, go back
///
/// `<schema>_next` takes over if it is there. Else `<schema>_prev`, which was in use before, comes
/// back. Either catches up with the log first.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  doran projections swap chat")]
pub(crate) struct Swap {
    #[command(flatten)]
    options: Options,
}

impl Swap {
    pub(crate) async fn run(self) -> Result<()> {
        let (name, json) = (self.options.service, self.options.json);
        self.options
            .with_platform(async |platform| {
                let rebuild = rebuild(platform, name)?;
                let found = rebuild.found().await.map_err(dependency)?;
                match (found.next, found.previous) {
                    (true, _) => {}
                    (false, true) => rebuild.recall_previous().await.map_err(dependency)?,
                    (false, false) => bail!(
                        "there is neither {} nor {}; `doran projections rebuild` makes one",
                        rebuild.next(),
                        rebuild.previous()
                    ),
                }
                let next = Next::open(platform, name, json).await?;
                next.fill(platform).await?;
                next.swap().await
            })
            .await
    }
}
