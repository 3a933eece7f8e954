//! `doran bench send`: messages through the chat service against raw publishing, and how soon after
//! its acknowledgement each can be read.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use doran_contract::{RoomId, UserId};
use doran_platform::Config;
use serde_json::json;
use sqlx::{Connection, PgConnection};
use tokio::{
    task::JoinSet,
    time::{sleep, sleep_until},
};

use super::{
    client::{At, Scene},
    message,
    stream::{self, Bed},
    summary::{Round, tell},
};
use crate::{commands::projections::ServiceName, exit::dependency, output};

/// How often it is looked what can be read.
const LOOK: Duration = Duration::from_millis(2);
/// How long the read model may take to catch up in the end.
const PATIENCE: Duration = Duration::from_mins(5);

/// Measure how fast messages are sent durably, and how soon after it they can be read
///
/// Registers somebody and writes messages into a room of theirs, for ever: take a system that you
/// throw away.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example:
  doran bench send --messages 20000
  doran bench send --messages 60000 --rate 2000 --rounds 1")]
pub(crate) struct Send {
    /// Messages of a round
    #[arg(long, default_value_t = 20_000, value_parser = clap::value_parser!(u64).range(100..=10_000_000))]
    messages: u64,
    /// Messages under way at a time
    #[arg(long, default_value_t = 256, value_parser = clap::value_parser!(u32).range(1..=5000))]
    in_flight: u32,
    /// Send so many a second, and not as fast as they are taken
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    rate: Option<u32>,
    /// How often the two sides take turns
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=100))]
    rounds: u32,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    at: At,
    #[command(flatten, next_help_heading = "Servers and settings")]
    config: Config,
}

/// What the writers of one round share.
struct Writing {
    bed: Arc<Bed>,
    /// None: raw publishing.
    to: Option<(RoomId, UserId)>,
    next: AtomicU64,
    messages: u64,
    began: Instant,
    /// Between two messages, where they are sent at a rate.
    pause: Option<Duration>,
    unread: Arc<Unread>,
}

/// Messages that were acknowledged and could not be read yet, by their sequence.
#[derive(Default)]
struct Unread(Mutex<BTreeMap<u64, Instant>>);

impl Send {
    pub(crate) async fn run(self) -> Result<()> {
        let scene = Scene::set(&self.at, 1).await?;
        let to = (scene.room, scene.owner().id);
        let unread = Arc::new(Unread::default());
        let database = PgConnection::connect(&self.config.database_url).await;
        let mut database = database.map_err(dependency)?;
        let (mut raw, mut sent, mut lags) = (Vec::new(), Vec::new(), Vec::new());
        stream::with(&self.config, async |bed| {
            for _ in 0..self.rounds {
                raw.push(self.round(bed, None, &unread).await?);
                let (round, lag) = tokio::try_join!(
                    self.round(bed, Some(to), &unread),
                    lag(&mut database, &unread, self.messages),
                )?;
                sent.push(round);
                lags.extend(lag);
            }
            Ok(())
        })
        .await?;
        tell("send", &raw, &sent, self.json)?;
        let lag = Round::of(lags, Duration::from_secs(1));
        let ms = |time: Duration| time.as_secs_f64() * 1e3;
        if self.json {
            return output::json(&json!({
                "bench": "lag",
                "p50Ms": ms(lag.p50),
                "p99Ms": ms(lag.p99),
            }));
        }
        Ok(output::line(&format!(
            "readable after the acknowledgement: p50 {:.1} ms, p99 {:.1} ms",
            ms(lag.p50),
            ms(lag.p99)
        ))?)
    }

    async fn round(
        &self,
        bed: &Arc<Bed>,
        to: Option<(RoomId, UserId)>,
        unread: &Arc<Unread>,
    ) -> Result<Round> {
        let writing = Arc::new(Writing {
            bed: Arc::clone(bed),
            to,
            next: AtomicU64::new(0),
            messages: self.messages,
            began: Instant::now(),
            pause: self.rate.map(|rate| Duration::from_secs(1) / rate),
            unread: Arc::clone(unread),
        });
        let mut writers = JoinSet::new();
        for _ in 0..self.in_flight {
            writers.spawn(Arc::clone(&writing).write());
        }
        let mut took = Vec::new();
        while let Some(written) = writers.join_next().await {
            took.extend(written??);
        }
        Ok(Round::of(took, writing.began.elapsed()))
    }
}

impl Writing {
    async fn write(self: Arc<Self>) -> Result<Vec<Duration>> {
        let mut took = Vec::new();
        loop {
            let number = self.next.fetch_add(1, Ordering::Relaxed);
            if number >= self.messages {
                return Ok(took);
            }
            if let Some(pause) = self.pause {
                let turn = u32::try_from(number).unwrap_or(u32::MAX);
                sleep_until((self.began + pause * turn).into()).await;
            }
            let began = Instant::now();
            if let Some(to) = self.to {
                let (client, clock) = (self.bed.js.client(), &self.bed.clock);
                let content = message::sample(number);
                let sequence = message::send(&client, clock, to, content).await?;
                self.unread.lock().insert(sequence, Instant::now());
            } else {
                let id = format!("raw-{}", number % 32);
                self.bed.send_unguarded(&id).await?.await?;
            }
            took.push(began.elapsed());
        }
    }
}

impl Unread {
    /// When those were acknowledged that can be read by now.
    fn take_up_to(&self, sequence: u64) -> impl Iterator<Item = Instant> {
        let mut waiting = self.lock();
        let later = waiting.split_off(&(sequence + 1));
        std::mem::replace(&mut *waiting, later).into_values()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<u64, Instant>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How long each of `messages` could not be read after it was acknowledged.
async fn lag(database: &mut PgConnection, unread: &Unread, messages: u64) -> Result<Vec<Duration>> {
    let select = format!(
        "select sequence from {}.projection_position where read_model = 'messages'",
        ServiceName::Chat.schema()
    );
    let (mut lags, began) = (Vec::new(), Instant::now());
    while (lags.len() as u64) < messages {
        let position: i64 = sqlx::query_scalar(sqlx::AssertSqlSafe(select.clone()))
            .fetch_one(&mut *database)
            .await
            .context("the position of chat's messages cannot be read")?;
        let now = Instant::now();
        let readable = unread.take_up_to(position.cast_unsigned());
        lags.extend(readable.map(|acknowledged| now - acknowledged));
        if began.elapsed() > PATIENCE {
            bail!("the read model does not catch up; see `doran projections status`");
        }
        sleep(LOOK).await;
    }
    Ok(lags)
}
