//! `doran bench socket`: durable messages over sockets against raw publishing.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use doran_contract::{RoomId, frame::MAX_IN_FLIGHT};
use doran_platform::{Clock, Config};
use futures_util::SinkExt;
use serde_json::json;
use tokio::task::JoinSet;
use tokio_tungstenite::tungstenite::Message;

use super::{
    client::{self, Answer, At, Scene},
    message,
    stream::{self, Bed},
    summary::{Round, tell},
};

/// Compare durable messages over sockets with raw publishing of the same durability
///
/// Registers somebody and writes messages into a room of theirs, for ever: take a system that you
/// throw away.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example:
  doran bench socket --messages 20000
  doran bench socket --messages 2000 --in-flight 1")]
pub(crate) struct Socket {
    /// Messages of a round
    #[arg(long, default_value_t = 20_000, value_parser = clap::value_parser!(u64).range(100..=10_000_000))]
    messages: u64,
    /// Messages under way at a time, up to 32 over each socket
    #[arg(long, default_value_t = 256, value_parser = clap::value_parser!(u16).range(1..=5000))]
    in_flight: u16,
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

/// What those who write in one round share.
struct Work {
    next: AtomicU64,
    messages: u64,
}

impl Socket {
    pub(crate) async fn run(self) -> Result<()> {
        let scene = Scene::set(&self.at, 1).await?;
        stream::with(&self.config, async |bed| {
            let (mut raw, mut ours) = (Vec::new(), Vec::new());
            for _ in 0..self.rounds {
                raw.push(self.raw(bed).await?);
                ours.push(self.over_sockets(&scene).await?);
            }
            tell("socket", &raw, &ours, self.json)
        })
        .await
    }

    async fn raw(&self, bed: &Arc<Bed>) -> Result<Round> {
        let (work, mut writing) = (self.work(), JoinSet::new());
        let began = Instant::now();
        for _ in 0..self.in_flight {
            writing.spawn(publish(Arc::clone(bed), Arc::clone(&work)));
        }
        collect(writing, began).await
    }

    async fn over_sockets(&self, scene: &Scene) -> Result<Round> {
        let window = usize::from(self.in_flight);
        let mut sockets = Vec::new();
        for _ in 0..window.div_ceil(MAX_IN_FLIGHT) {
            sockets.push(scene.gateway.socket(scene.owner()).await?);
        }
        let (work, mut writing) = (self.work(), JoinSet::new());
        let began = Instant::now();
        for (number, socket) in sockets.into_iter().enumerate() {
            let window = MAX_IN_FLIGHT.min(window - number * MAX_IN_FLIGHT);
            writing.spawn(send(socket, scene.room, window, Arc::clone(&work)));
        }
        collect(writing, began).await
    }

    fn work(&self) -> Arc<Work> {
        Arc::new(Work {
            next: AtomicU64::new(0),
            messages: self.messages,
        })
    }
}

impl Work {
    fn take(&self) -> Option<u64> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        (number < self.messages).then_some(number)
    }
}

async fn collect(mut writing: JoinSet<Result<Vec<Duration>>>, began: Instant) -> Result<Round> {
    let mut took = Vec::new();
    while let Some(written) = writing.join_next().await {
        took.extend(written??);
    }
    Ok(Round::of(took, began.elapsed()))
}

async fn publish(bed: Arc<Bed>, work: Arc<Work>) -> Result<Vec<Duration>> {
    let mut took = Vec::new();
    while let Some(number) = work.take() {
        let began = Instant::now();
        let id = format!("raw-{}", number % 32);
        bed.send_unguarded(&id).await?.await?;
        took.push(began.elapsed());
    }
    Ok(took)
}

/// Keeps `window` messages under way over one socket.
async fn send(
    socket: client::Socket,
    room: RoomId,
    window: usize,
    work: Arc<Work>,
) -> Result<Vec<Duration>> {
    let (mut sink, mut frames) = socket.split();
    let (mut under_way, mut took) = (HashMap::new(), Vec::new());
    let clock = Clock::system();
    loop {
        while under_way.len() < window
            && let Some(number) = work.take()
        {
            let frame = json!({
                "id": number,
                "type": "send",
                "roomId": room,
                "clientMessageId": clock.new_id(),
                "content": message::sample(number),
            });
            under_way.insert(number, Instant::now());
            sink.feed(Message::text(frame.to_string())).await?;
        }
        if under_way.is_empty() {
            return Ok(took);
        }
        sink.flush().await?;
        let frame = frames.next().await?;
        let frame = frame.context("the gateway closed the socket")?;
        let answer: Answer<'_> = serde_json::from_str(&frame)?;
        match (answer.kind, answer.id) {
            ("ack", Some(id)) => took.extend(under_way.remove(&id).map(|began| began.elapsed())),
            ("error", _) => bail!("the gateway answered {frame}"),
            (_, _) => {}
        }
    }
}
