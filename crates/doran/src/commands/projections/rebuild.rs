//! `doran projections rebuild`.

use anyhow::Result;

use super::{
    Options,
    next::Next,
    past::{Moment, positions},
};

/// Build a service's tables anew from the log, and put them in the place of the ones in use
///
/// The service goes on reading and writing meanwhile. What was in use is kept as `<schema>_prev`;
/// `doran projections swap` goes back to it. A run that was ended goes on when it is started again.
/// With --to and --schema nothing is swapped: the tables as they were then stay in that schema.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  doran projections rebuild chat --verify\n  doran projections rebuild chat --to 2026-11-01T00:00:00Z --schema audit"
)]
pub(crate) struct Rebuild {
    /// Compare every table with the one in use first, and swap only if all are equal
    #[arg(long, conflicts_with = "to")]
    verify: bool,
    /// Stop there: a time (RFC 3339), a sequence, or STREAM:sequence for each stream, with commas
    #[arg(long, value_name = "MOMENT", requires = "schema")]
    to: Option<Moment>,
    /// Where to build what was there at that moment
    #[arg(long, value_name = "NAME", requires = "to")]
    schema: Option<String>,
    #[command(flatten)]
    options: Options,
}

impl Rebuild {
    pub(crate) async fn run(self) -> Result<()> {
        let (name, json) = (self.options.service, self.options.json);
        let past = self.to.zip(self.schema);
        self.options
            .with_platform(async |platform| {
                if let Some((moment, schema)) = past {
                    let end = positions(platform, name, &moment, &schema).await?;
                    let next = Next::open_past(platform, name, &schema, &end, json).await?;
                    next.fill(platform).await?;
                    next.stop().await;
                    return Ok(());
                }
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
