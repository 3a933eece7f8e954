//! `doran events tail`: events as they are stored.

use std::{collections::BTreeMap, future::pending, pin::pin};

use anyhow::Result;
use doran_contract::subject::{
    BOT_STREAM, JOB_STREAM, MESSAGE_STREAM, ROOM_STREAM, SESSION_STREAM, STORE_STREAM, USER_STREAM,
};
use doran_eventstore::Start;
use doran_platform::Clock;
use futures_util::{StreamExt, stream::select_all};
use tokio::time::sleep;

use super::{Options, filter::Filter, log::Log, stretch::Printer};
use crate::{commands::moment, exit::dependency};

/// Print events as they are stored, until Ctrl-C or `--until`
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example:
  doran events tail MESSAGE --open
  doran events tail --actor 0197… --since 2026-11-01T08:00:00Z --until 2026-11-01T18:00:00Z")]
pub(crate) struct Tail {
    /// A stream or a lane; every stream of events unless given
    stream: Option<String>,
    /// Print one JSON object a line
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    filter: Filter,
    #[command(flatten)]
    options: Options,
}

impl Tail {
    pub(crate) async fn run(self) -> Result<()> {
        let log = Log::connect(&self.options).await?;
        let streams = match &self.stream {
            Some(stream) => vec![stream.as_str()],
            None => vec![
                USER_STREAM,
                ROOM_STREAM,
                MESSAGE_STREAM,
                SESSION_STREAM,
                STORE_STREAM,
                JOB_STREAM,
                BOT_STREAM,
            ],
        };
        let mut followed = BTreeMap::new();
        let mut events = Vec::new();
        for stream in streams {
            let (reader, head) = log.stream(stream).await?;
            let begin = match self.filter.since() {
                Some(since) => moment::last_before(&reader, since).await? + 1,
                None => head + 1,
            };
            events.push(reader.follow(Vec::new(), Start::Sequence(begin)));
            followed.insert(stream, (reader, begin));
        }
        let printer = Printer {
            log: &log,
            filter: &self.filter,
            json: self.json,
        };
        let mut events = pin!(select_all(events).take_until(self.end()));
        while let Some(event) = events.next().await {
            let event = event?;
            printer.event(&event).await?;
            if let Some((_, next)) = followed.get_mut(&*event.stream) {
                *next = event.sequence + 1;
            }
        }
        // What was stored before the end, and had not come yet.
        for (reader, next) in followed.values() {
            let head = reader.head().await.map_err(dependency)?;
            printer.stretch(reader, *next, head, usize::MAX).await?;
        }
        Ok(())
    }

    /// Waits for `--until`; for ever without it.
    async fn end(&self) {
        match self.filter.until() {
            Some(until) => {
                let left = until - Clock::system().now();
                sleep(left.to_std().unwrap_or_default()).await;
            }
            None => pending().await,
        }
    }
}
