//! `doran bench load`: an aggregate out of a long stream, from a snapshot and what came after it.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use async_nats::jetstream;
use doran_eventstore::{JetStreamStore, LogReader, SnapshotPolicy};
use doran_platform::Config;
use serde_json::json;

use super::{
    counter::{Counter, STREAM, context},
    stream::{self, Bed},
    summary::Round,
};
use crate::{output, progress::Progress};

/// The aggregate that is loaded.
const ID: &str = "loaded";
/// As many events as a load reads at once.
const READ_AT_ONCE: usize = 500;
/// Messages under way while the stream is filled.
const IN_FLIGHT: u64 = 1_000;

/// Measure how long an aggregate takes to load from its snapshot and its newest events
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  doran bench load --events 100000")]
pub(crate) struct Load {
    /// Events in the stream
    #[arg(long, default_value_t = 1_000_000, value_parser = clap::value_parser!(u64).range(1_000..=100_000_000))]
    events: u64,
    /// Events of the aggregate after its snapshot
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(0..=400))]
    tail: u64,
    /// How often it is loaded, each time by a store that knows nothing
    #[arg(long, default_value_t = 300, value_parser = clap::value_parser!(u32).range(10..=100_000))]
    loads: u32,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten, next_help_heading = "Servers and settings")]
    config: Config,
}

impl Load {
    pub(crate) async fn run(self) -> Result<()> {
        stream::with(&self.config, async |bed| {
            self.fill(bed).await?;
            // Loaded once without a snapshot, which is slow, and writes one.
            let always = SnapshotPolicy {
                after_events: 1,
                after: Duration::ZERO,
            };
            let store = JetStreamStore::<Counter>::with_snapshot_policy(bed.js.clone(), always);
            let began = Instant::now();
            let loaded = store
                .load(ID)
                .await?
                .context("the aggregate is not there")?;
            let cold = began.elapsed();
            for _ in 0..self.tail {
                store.execute(&(), ID, (), &context(&bed.clock)).await?;
            }
            let measured = self.measure(&bed.js, loaded.sequence).await;
            let bucket = bed.js.get_key_value("SNAPSHOT").await?;
            bucket.purge(format!("bench.{ID}")).await?;
            self.tell(cold, measured?)
        })
        .await
    }

    /// Spreads the aggregate's events evenly over the stream.
    async fn fill(&self, bed: &Bed) -> Result<()> {
        let mut progress = Progress::new("filling", self.events);
        let mut sent = 0;
        while sent < self.events {
            let mut acks = Vec::new();
            for number in sent..self.events.min(sent + IN_FLIGHT) {
                let is_ours = number % IN_FLIGHT == 0;
                let other = format!("other-{}", number % 997);
                let id = if is_ours { ID } else { &other };
                acks.push(bed.send_unguarded(id).await?);
            }
            sent += acks.len() as u64;
            for ack in acks {
                ack.await?;
            }
            progress.at(sent);
        }
        progress.end();
        Ok(())
    }

    /// Loading from the snapshot. In turns with it the cheapest question to the log there is, and
    /// the two that a load cannot do without, one after the other, with nothing made of the answers.
    async fn measure(&self, js: &jetstream::Context, snapshot: u64) -> Result<[Round; 3]> {
        let log = LogReader::new(js.clone(), STREAM);
        let snapshots = LogReader::new(js.clone(), "KV_SNAPSHOT");
        let (events, key) = (format!("bench.{ID}.*"), format!("$KV.SNAPSHOT.bench.{ID}"));
        let [mut last, mut raw, mut loads] = [const { Vec::new() }; 3];
        for _ in 0..self.loads {
            let began = Instant::now();
            log.last(&events).await?;
            last.push(began.elapsed());
            let began = Instant::now();
            snapshots.last(&key).await?;
            log.read(&events, snapshot, READ_AT_ONCE).await?;
            raw.push(began.elapsed());
            let store = JetStreamStore::<Counter>::new(js.clone());
            let began = Instant::now();
            store
                .load(ID)
                .await?
                .context("the aggregate is not there")?;
            loads.push(began.elapsed());
        }
        Ok([last, raw, loads].map(|took| {
            let total = took.iter().sum();
            Round::of(took, total)
        }))
    }

    fn tell(&self, cold: Duration, [last, raw, load]: [Round; 3]) -> Result<()> {
        let ms = |time: Duration| time.as_secs_f64() * 1e3;
        if self.json {
            return output::json(&json!({
                "bench": "load",
                "events": self.events,
                "tail": self.tail,
                "withoutSnapshotMs": ms(cold),
                "lastEventP50Ms": ms(last.p50),
                "rawP50Ms": ms(raw.p50),
                "loadP50Ms": ms(load.p50),
                "loadP99Ms": ms(load.p99),
            }));
        }
        let row = |side: &str, round: Round| {
            [
                side.to_owned(),
                format!("{:.3}", ms(round.p50)),
                format!("{:.3}", ms(round.p99)),
            ]
        };
        let rows = [
            row("last event of the aggregate", last),
            row("its snapshot, then what is newer, only read", raw),
            row("load from snapshot and tail", load),
        ];
        output::table(["LOAD", "P50 MS", "P99 MS"], rows)?;
        Ok(output::line(&format!(
            "without a snapshot: {:.1} ms, once",
            ms(cold)
        ))?)
    }
}
