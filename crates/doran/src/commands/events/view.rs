//! `doran events view`: a stretch of one stream.

use anyhow::Result;

use super::{Options, filter::Filter, log::Log, stretch::Printer};

/// Print events of one stream, oldest first
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example:
  doran events view MESSAGE --type MessageSent --from 1000 --limit 20 --open
  doran events view USER --aggregate 0197… --since 2026-11-01T00:00:00Z --json")]
pub(crate) struct View {
    /// A stream or a lane, such as `USER` or `MessageSent`
    stream: String,
    /// Sequence to begin with
    #[arg(long, value_name = "N", default_value_t = 1)]
    from: u64,
    /// Print so many events at most
    #[arg(long, value_name = "N", default_value_t = 100)]
    limit: usize,
    /// Print one JSON object a line
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    filter: Filter,
    #[command(flatten)]
    options: Options,
}

impl View {
    pub(crate) async fn run(self) -> Result<()> {
        let log = Log::connect(&self.options).await?;
        let (reader, head) = log.stream(&self.stream).await?;
        let begin = log.first_since(&reader, self.filter.since()).await?;
        let printer = Printer {
            log: &log,
            filter: &self.filter,
            json: self.json,
        };
        printer
            .stretch(&reader, self.from.max(begin), head, self.limit)
            .await
    }
}
