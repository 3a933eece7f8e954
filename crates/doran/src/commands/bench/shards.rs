//! `doran bench shards`: one log against the same log split over several streams.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use doran_eventstore::{LogReader, Start};
use doran_platform::{Clock, Config};
use futures_util::StreamExt;
use serde_json::json;
use tokio::{task::JoinSet, time::timeout};
use tokio_util::sync::CancellationToken;

use super::{
    stream::{self, Bed},
    summary::{Round, median, percents, row},
};
use crate::output;

/// How long a follower may wait for one event.
const PATIENCE: Duration = Duration::from_secs(30);

/// Compare one stream with several that share its subjects out
///
/// As `MESSAGE` could be split by the shard in its subjects: every room lies in one shard, is
/// written in order, and each stream has somebody who follows it. On one server all streams share
/// one disk; in a cluster each has a leader of its own.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example:
  doran bench shards
  doran bench shards --shards 4 --replicas 3    # on a cluster of three")]
pub(crate) struct Shards {
    /// Streams that the log is split over
    #[arg(long = "shards", default_value_t = 2, value_parser = clap::value_parser!(u32).range(2..=32))]
    streams: u32,
    /// Rooms, each of which sends one message after the other
    #[arg(long, default_value_t = 256, value_parser = clap::value_parser!(u32).range(2..=5000))]
    rooms: u32,
    /// How long each side of a round takes
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=600))]
    seconds: u64,
    /// How often the two sides take turns
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=100))]
    rounds: u32,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten, next_help_heading = "Servers and settings")]
    config: Config,
}

/// A log, in so many streams.
struct Side {
    name: String,
    bed: Arc<Bed>,
    streams: Vec<String>,
}

/// What a side did in one round.
struct Done {
    written: Round,
    /// Until the last of it had been followed, after the last was acknowledged.
    behind: Duration,
}

impl Shards {
    pub(crate) async fn run(self) -> Result<()> {
        let bed = Arc::new(Bed {
            js: stream::connect(&self.config).await?,
            clock: Clock::system(),
        });
        let one = self.side(&bed, "one stream", 1).await?;
        let many = format!("{} streams", self.streams);
        let many = self.side(&bed, &many, self.streams).await?;
        let done = self.compare(&one, &many).await;
        for name in one.streams.iter().chain(&many.streams) {
            stream::delete(&bed.js, name).await?;
        }
        done
    }

    async fn side(&self, bed: &Arc<Bed>, name: &str, shards: u32) -> Result<Side> {
        let replicas = self.config.replicas.unwrap_or(1);
        let mut streams = Vec::new();
        for shard in 0..shards {
            let stream = format!("BENCH_{shard:02}_OF_{shards:02}");
            let subject = format!("bench-{shards:02}.{shard:02}.*.*");
            let made = stream::make(&bed.js, &bed.clock, (&stream, &subject), replicas.into());
            made.await?;
            streams.push(stream);
        }
        Ok(Side {
            name: name.to_owned(),
            bed: Arc::clone(bed),
            streams,
        })
    }

    async fn compare(&self, one: &Side, many: &Side) -> Result<()> {
        let (mut before, mut after) = (Vec::new(), Vec::new());
        for _ in 0..self.rounds {
            before.push(self.round(one).await?);
            after.push(self.round(many).await?);
        }
        let pairs = before.iter().zip(&after);
        let ratios: Vec<_> = pairs
            .map(|(one, many)| many.written.rate / one.written.rate)
            .collect();
        let behind = |done: &[Done]| {
            let all = done.iter().map(|done| done.behind.as_secs_f64() * 1e3);
            median(all.collect())
        };
        if self.json {
            let rate = |done: &[Done]| median(done.iter().map(|done| done.written.rate).collect());
            return output::json(&json!({
                "bench": "shards",
                "shards": self.streams,
                "onePerSecond": rate(&before),
                "shardsPerSecond": rate(&after),
                "oneBehindMs": behind(&before),
                "shardsBehindMs": behind(&after),
                "ratio": median(ratios.clone()),
                "ratios": ratios,
            }));
        }
        let rows = [(one, &before), (many, &after)].map(|(side, done)| {
            let rounds: Vec<_> = done.iter().map(|done| done.written).collect();
            row(&side.name, &rounds)
        });
        output::table(["shards", "EVENTS/S", "P50 MS", "P99 MS"], rows)?;
        output::line(&format!(
            "{} / one stream: {:.0} % (rounds: {})",
            many.name,
            median(ratios.clone()) * 100.0,
            percents(&ratios)
        ))?;
        Ok(output::line(&format!(
            "followed to the end, after the last acknowledgement: {:.1} ms, {:.1} ms",
            behind(&before),
            behind(&after)
        ))?)
    }

    /// Every room writes for as long as one side of a round takes, while each stream is followed.
    async fn round(&self, side: &Side) -> Result<Done> {
        let mut following = JoinSet::new();
        let written = CancellationToken::new();
        for stream in &side.streams {
            let reader = LogReader::new(side.bed.js.clone(), stream.as_str());
            let from = reader.head().await? + 1;
            following.spawn(follow(reader, from, written.clone()));
        }
        let began = Instant::now();
        let end = began + Duration::from_secs(self.seconds);
        let mut writing = JoinSet::new();
        let shards = u32::try_from(side.streams.len())?;
        for room in 0..self.rooms {
            let aggregate = format!("bench-{shards:02}.{:02}.room-{room}", room % shards);
            writing.spawn(write(Arc::clone(&side.bed), aggregate, end));
        }
        let mut took = Vec::new();
        while let Some(wrote) = writing.join_next().await {
            took.extend(wrote??);
        }
        let acknowledged = Instant::now();
        let (events, elapsed) = (took.len(), acknowledged - began);
        written.cancel();
        let mut followed = 0;
        while let Some(read) = following.join_next().await {
            followed += read??;
        }
        anyhow::ensure!(
            followed == events,
            "{events} events were acknowledged and {followed} followed"
        );
        Ok(Done {
            written: Round::of(took, elapsed),
            behind: acknowledged.elapsed(),
        })
    }
}

/// One message of the room after the other.
async fn write(bed: Arc<Bed>, aggregate: String, end: Instant) -> Result<Vec<Duration>> {
    let mut took = Vec::new();
    while Instant::now() < end {
        let began = Instant::now();
        bed.send_below(&aggregate).await?.await?;
        took.push(began.elapsed());
    }
    Ok(took)
}

/// Reads the stream up to where it is when everything was written; how many events there were.
async fn follow(reader: LogReader, from: u64, written: CancellationToken) -> Result<usize> {
    let mut events = reader.follow(Vec::new(), Start::Sequence(from));
    let (mut count, mut last) = (0, from - 1);
    let mut head = None;
    loop {
        if head.is_some_and(|head| last >= head) {
            return Ok(count);
        }
        tokio::select! {
            event = timeout(PATIENCE, events.next()) => {
                let event = event.context("a stream could not be followed")?;
                last = event.context("a stream is not followed any more")??.sequence;
                count += 1;
            }
            () = written.cancelled(), if head.is_none() => head = Some(reader.head().await?),
        }
    }
}
