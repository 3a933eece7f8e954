//! `doran events tail`: events as they are stored.

use anyhow::Result;
use doran_contract::subject::{
    BOT_STREAM, JOB_STREAM, MESSAGE_STREAM, ROOM_STREAM, SESSION_STREAM, STORE_STREAM, USER_STREAM,
};
use doran_eventstore::Start;
use futures_util::{StreamExt, stream::select_all};

use super::{Options, filter::Filter, line::Line, log::Log};
use crate::output;

/// Print events as they are stored, until Ctrl-C
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  doran events tail MESSAGE --open\n  doran events tail --actor 0197…"
)]
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
        let mut followed = Vec::new();
        for stream in streams {
            let (reader, head) = log.stream(stream).await?;
            let start = match self.filter.since() {
                Some(since) => Start::Time(since),
                None => Start::Sequence(head + 1),
            };
            followed.push(reader.follow(Vec::new(), start));
        }
        let mut events = select_all(followed);
        while let Some(event) = events.next().await {
            let event = event?;
            if !self.filter.fits(&event) {
                continue;
            }
            let line = Line::of(&event, log.opener.as_ref()).await?;
            output::line(&if self.json { line.json()? } else { line.text() })?;
        }
        Ok(())
    }
}
