//! `doran bench append`: commands through the store against raw guarded publishing.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::Result;
use doran_eventstore::{JetStreamStore, SnapshotPolicy};
use doran_platform::Config;
use tokio::task::JoinSet;

use super::{
    counter::{Counter, context},
    stream::{self, Bed},
    summary::{Round, tell},
};

/// Compare commands through the event store with raw guarded publishing
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  doran bench append --seconds 5 --rounds 5")]
pub(crate) struct Append {
    /// How long each side of a round takes
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u64).range(1..=600))]
    seconds: u64,
    /// How often the two sides take turns
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=100))]
    rounds: u32,
    /// Commands under way at a time
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u32).range(1..=1000))]
    in_flight: u32,
    /// Aggregates that they are spread over
    #[arg(long, default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    aggregates: u32,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten, next_help_heading = "Servers and settings")]
    config: Config,
}

/// Who writes: one of `in_flight` that share the aggregates out, so that none conflicts.
struct Writer {
    ids: Vec<String>,
    /// Of the last event of each, where the writer keeps them.
    sequences: Vec<u64>,
}

/// What is compared.
#[derive(Clone)]
struct Side {
    bed: Arc<Bed>,
    /// None: raw publishing.
    store: Option<JetStreamStore<Counter>>,
}

impl Append {
    pub(crate) async fn run(self) -> Result<()> {
        stream::with(&self.config, async |bed| {
            let never = SnapshotPolicy {
                after_events: usize::MAX,
                after: Duration::MAX,
            };
            let store = JetStreamStore::with_snapshot_policy(bed.js.clone(), never);
            let sides = [None, Some(store)].map(|store| Side {
                bed: Arc::clone(bed),
                store,
            });
            let mut writers = [self.writers("raw"), self.writers("store")];
            let mut rounds = [Vec::new(), Vec::new()];
            for _ in 0..self.rounds {
                for ((side, writers), rounds) in sides.iter().zip(&mut writers).zip(&mut rounds) {
                    rounds.push(self.round(side, writers).await?);
                }
            }
            let [raw, store] = rounds;
            tell("append", &raw, &store, self.json)
        })
        .await
    }

    fn writers(&self, name: &str) -> Vec<Writer> {
        let ids = |first: u32| {
            let mine = (first..self.aggregates).step_by(self.in_flight as usize);
            mine.map(|id| format!("{name}-{id}")).collect::<Vec<_>>()
        };
        let writers = (0..self.in_flight.min(self.aggregates)).map(ids);
        let writer = |ids: Vec<String>| Writer {
            sequences: vec![0; ids.len()],
            ids,
        };
        writers.map(writer).collect()
    }

    /// Lets every writer write for as long as one side of a round takes.
    async fn round(&self, side: &Side, writers: &mut Vec<Writer>) -> Result<Round> {
        let began = Instant::now();
        let end = began + Duration::from_secs(self.seconds);
        let mut writing = JoinSet::new();
        for writer in writers.drain(..) {
            writing.spawn(write(side.clone(), writer, end));
        }
        let mut took = Vec::new();
        while let Some(written) = writing.join_next().await {
            let (writer, times) = written??;
            writers.push(writer);
            took.extend(times);
        }
        Ok(Round::of(took, began.elapsed()))
    }
}

async fn write(side: Side, mut writer: Writer, end: Instant) -> Result<(Writer, Vec<Duration>)> {
    let mut took = Vec::new();
    while Instant::now() < end {
        for (id, sequence) in writer.ids.iter().zip(&mut writer.sequences) {
            let began = Instant::now();
            *sequence = side.append(id, *sequence).await?;
            took.push(began.elapsed());
        }
    }
    Ok((writer, took))
}

impl Side {
    /// Appends an event behind `sequence`; the sequence it got.
    async fn append(&self, id: &str, sequence: u64) -> Result<u64> {
        let Some(store) = &self.store else {
            return Ok(self.bed.send_guarded(id, sequence).await?.await?.sequence);
        };
        let ctx = context(&self.bed.clock);
        Ok(store.execute(&(), id, (), &ctx).await?.sequence)
    }
}
