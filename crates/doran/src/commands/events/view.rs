//! `doran events view`: a stretch of one stream.

use anyhow::Result;
use doran_contract::subject;
use doran_eventstore::Recorded;

use super::{Options, line::Line, log::Log};
use crate::output;

/// How many events are read at once.
const PAGE: usize = 500;

/// Print events of one stream, oldest first
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example:
  doran events view MESSAGE --type MessageSent --from 1000 --limit 20 --open
  doran events view USER --subject 'user.0197….*' --json")]
pub(crate) struct View {
    /// A stream or a lane, such as `USER` or `MessageSent`
    stream: String,
    /// Only events whose subject fits; `*` stands for one token, `>` for the rest
    #[arg(long)]
    subject: Option<String>,
    /// Only events of this type
    #[arg(long = "type", value_name = "TYPE")]
    event_type: Option<String>,
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
    options: Options,
}

impl View {
    pub(crate) async fn run(self) -> Result<()> {
        let log = Log::connect(&self.options).await?;
        let (reader, head) = log.stream(&self.stream).await?;
        let filter = self.filter();
        let (mut from, mut printed) = (self.from, 0);
        while printed < self.limit && from <= head {
            let events = reader.read(&filter, from, PAGE.min(self.limit)).await?;
            let Some(last) = events.last() else { break };
            from = last.sequence + 1;
            for event in events.iter().filter(|event| self.wants(event)) {
                if printed == self.limit {
                    break;
                }
                let line = Line::of(event, log.opener.as_ref()).await?;
                output::line(&if self.json { line.json()? } else { line.text() })?;
                printed += 1;
            }
        }
        Ok(())
    }

    /// What the server leaves out for us.
    fn filter(&self) -> String {
        let of_type = || self.event_type.as_deref().and_then(subject::every);
        self.subject
            .clone()
            .or_else(of_type)
            .unwrap_or_else(|| ">".to_owned())
    }

    fn wants(&self, event: &Recorded) -> bool {
        self.event_type
            .as_ref()
            .is_none_or(|wanted| *wanted == event.event_type)
    }
}
