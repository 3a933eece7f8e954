//! `doran bench fanout`: one room with many sockets, against a bare loop of sockets.

mod bare;
mod round;

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, anyhow};
use serde_json::json;
use tokio::{task::JoinSet, time::sleep};
use tokio_util::sync::CancellationToken;

use self::round::{Entry, Load, round};
use super::{
    client::{At, Frames, Scene, Socket},
    summary::{Round, median, percents, tell},
};
use crate::{output, progress::Progress};

/// How long a socket that never reads may live after the last message: it answers no ping.
const STUCK_LIMIT: Duration = Duration::from_secs(90);
/// Sockets that messages go in at: what one socket sends is stored one after the other.
const SENDERS: usize = 16;
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Compare how fast the messages of one room reach many sockets with a bare loop of sockets
///
/// Both sides carry frames of the same size to the same number of sockets, in turns; then each is
/// given messages at a rate, and how long they take is told. Registers people and makes a room,
/// which stay: take a system that you throw away.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example:
  doran bench fanout --sockets 500
  doran bench fanout --sockets 500 --stuck 50 --rounds 1")]
pub(crate) struct Fanout {
    /// Sockets that are subscribed to the room
    #[arg(long, default_value_t = 500, value_parser = clap::value_parser!(u16).range(1..=20_000))]
    sockets: u16,
    /// People that the sockets are spread over
    #[arg(long, default_value_t = 25, value_parser = clap::value_parser!(u16).range(1..=500))]
    people: u16,
    /// Messages of a round
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(10..=1_000_000))]
    messages: u32,
    /// How often the two sides take turns
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=100))]
    rounds: u32,
    /// Messages a second at which the time that they take is measured
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    rate: u32,
    /// For so many seconds
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=120))]
    seconds: u32,
    /// Sockets that never read, beside which it is measured in turns, each round taking a minute;
    /// sockets live as long as their access tokens, five minutes unless the system says otherwise
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u16).range(0..=5_000))]
    stuck: u16,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    at: At,
}

/// One of the two that are compared.
struct Side {
    readers: Vec<Frames>,
    entry: Entry,
    to: To,
}

enum To {
    Bare(SocketAddr),
    Gateway(Scene),
}

impl Fanout {
    pub(crate) async fn run(self) -> Result<()> {
        let mut ours = self.ours().await?;
        let bytes = ours.frame_bytes().await?;
        let (address, serving) = bare::serve().await?;
        let mut bare = self.bare(address, bytes).await?;
        let load = Load {
            messages: self.messages as usize,
            rate: None,
        };
        let (mut raw, mut delivered) = (Vec::new(), Vec::new());
        for _ in 0..self.rounds {
            raw.push(bare.round(load).await?);
            delivered.push(ours.round(load).await?);
        }
        tell("fanout", &raw, &delivered, self.json)?;
        self.tell_paced("a bare loop", bare.round(self.paced()).await?)?;
        drop(serving);
        if self.stuck > 0 {
            return self.beside_the_stuck(&mut ours).await;
        }
        self.tell_paced("ours", ours.round(self.paced()).await?)
    }

    /// Every message a second goes to every socket.
    fn paced(&self) -> Load {
        Load {
            messages: (self.rate * self.seconds) as usize,
            rate: Some(self.rate),
        }
    }

    async fn ours(&self) -> Result<Side> {
        let people = usize::from(self.people.min(self.sockets));
        let scene = Scene::set(&self.at, people).await?;
        let readers = open(&scene, usize::from(self.sockets)).await?;
        Ok(Side {
            readers,
            entry: Entry::Room(scene.room),
            to: To::Gateway(scene),
        })
    }

    async fn bare(&self, address: SocketAddr, bytes: usize) -> Result<Side> {
        let mut readers = Vec::new();
        for _ in 0..self.sockets {
            readers.push(
                Socket::connect(&format!("ws://{address}/ws"))
                    .await?
                    .split()
                    .1,
            );
        }
        Ok(Side {
            readers,
            entry: Entry::Bare { bytes },
            to: To::Bare(address),
        })
    }

    /// The same rate with and without others in the room who do not read, in turns.
    async fn beside_the_stuck(&self, ours: &mut Side) -> Result<()> {
        let mut ratios = Vec::new();
        let mut slowest = Some(Duration::ZERO);
        for _ in 0..self.rounds {
            let alone = ours.round(self.paced()).await?;
            self.tell_paced("ours", alone)?;
            let To::Gateway(scene) = &ours.to else {
                return Ok(());
            };
            let others = open_sockets(scene).await?;
            let stuck = open(scene, usize::from(self.stuck)).await?;
            let beside = ours.round(self.paced()).await?;
            self.tell_paced("ours beside them", beside)?;
            let readers = std::mem::take(&mut ours.readers);
            let closed_after;
            (closed_after, ours.readers) = reading(readers, until_closed(&ours.to, others)).await?;
            drop(stuck);
            slowest = slowest.zip(closed_after).map(|(a, b)| a.max(b));
            ratios.push(beside.p99.as_secs_f64() / alone.p99.as_secs_f64());
        }
        self.tell_stuck(slowest, &ratios)
    }

    /// When the last of them was closed, if all were, and what became of the others' p99.
    fn tell_stuck(&self, closed_after: Option<Duration>, ratios: &[f64]) -> Result<()> {
        let ratio = median(ratios.to_vec());
        if self.json {
            return output::json(&json!({
                "bench": "stuck",
                "sockets": self.stuck,
                "closedAfterSeconds": closed_after.map(|time| time.as_secs_f64()),
                "p99Ratio": ratio,
                "p99Ratios": ratios,
            }));
        }
        let closed = closed_after.map_or_else(
            || format!("not closed within {} s", STUCK_LIMIT.as_secs()),
            |time| format!("closed {:.0} s after the last message", time.as_secs_f64()),
        );
        Ok(output::line(&format!(
            "{} that never read: {closed}; the p99 of the others went to {:.0} % (rounds: {})",
            self.stuck,
            ratio * 100.0,
            percents(ratios)
        ))?)
    }

    fn tell_paced(&self, side: &str, round: Round) -> Result<()> {
        let ms = |time: Duration| time.as_secs_f64() * 1e3;
        let (p50, p99) = (ms(round.p50), ms(round.p99));
        if self.json {
            return output::json(&json!({
                "bench": "delivery",
                "side": side,
                "deliveriesPerSecond": round.rate,
                "p50Ms": p50,
                "p99Ms": p99,
            }));
        }
        Ok(output::line(&format!(
            "at {:.0} deliveries a second, {side}: p50 {p50:.1} ms, p99 {p99:.1} ms",
            round.rate
        ))?)
    }
}

/// Opens so many sockets, spread over the scene's people and subscribed to its room.
async fn open(scene: &Scene, sockets: usize) -> Result<Vec<Frames>> {
    let mut progress = Progress::new("opening sockets", sockets as u64);
    let mut readers = Vec::with_capacity(sockets);
    for person in scene.people.iter().cycle().take(sockets) {
        let mut socket = scene.gateway.socket(person).await?;
        socket.subscribe(scene.room).await?;
        readers.push(socket.split().1);
        progress.at(readers.len() as u64);
    }
    progress.end();
    Ok(readers)
}

/// Waits until the gateway has no more sockets than `others`; how long it took, if they were closed.
async fn until_closed(to: &To, others: f64) -> Result<Option<Duration>> {
    let To::Gateway(scene) = to else {
        return Ok(None);
    };
    let began = Instant::now();
    while began.elapsed() < STUCK_LIMIT {
        if open_sockets(scene).await? <= others {
            return Ok(Some(began.elapsed()));
        }
        sleep(LOOK_EVERY).await;
    }
    Ok(None)
}

/// Waits, while the readers go on reading: who does not answer pings is closed.
async fn reading<T>(
    readers: Vec<Frames>,
    wait: impl Future<Output = Result<T>>,
) -> Result<(T, Vec<Frames>)> {
    let waited = CancellationToken::new();
    let mut reading = JoinSet::new();
    for mut frames in readers {
        let waited = waited.clone();
        reading.spawn(async move {
            let to_the_end = async {
                while frames.next().await?.is_some() {}
                anyhow::Ok(())
            };
            match waited.run_until_cancelled(to_the_end).await {
                None => Ok(frames),
                Some(ended) => Err(ended
                    .err()
                    .unwrap_or_else(|| anyhow!("a reader's socket was closed"))),
            }
        });
    }
    let done = wait.await?;
    waited.cancel();
    let readers: Result<Vec<_>> = reading.join_all().await.into_iter().collect();
    Ok((done, readers?))
}

/// What the gateway says how many sockets it has.
async fn open_sockets(scene: &Scene) -> Result<f64> {
    scene.gateway.figure("gateway_sockets").await
}

impl Side {
    async fn round(&mut self, load: Load) -> Result<Round> {
        let mut senders = Vec::new();
        for _ in 0..SENDERS {
            senders.push(self.sender().await?);
        }
        let readers = std::mem::take(&mut self.readers);
        let (done, readers) = round(senders, readers, self.entry, load).await?;
        self.readers = readers;
        Ok(done)
    }

    /// Not subscribed, and gone after the round.
    async fn sender(&self) -> Result<Socket> {
        match &self.to {
            To::Bare(address) => Socket::connect(&format!("ws://{address}/ws")).await,
            To::Gateway(scene) => scene.gateway.socket(scene.owner()).await,
        }
    }

    /// How large a message is when it is delivered.
    async fn frame_bytes(&mut self) -> Result<usize> {
        let load = Load {
            messages: 1,
            rate: None,
        };
        let mut readers = std::mem::take(&mut self.readers);
        let mut probe = readers.pop().context("no socket")?;
        let sender = self.sender().await?;
        let sending = round(vec![sender], readers, self.entry, load);
        let probing = async {
            loop {
                let frame = probe
                    .next()
                    .await?
                    .context("a reader's socket was closed")?;
                if round::number(&frame).is_some() {
                    return anyhow::Ok(frame.len());
                }
            }
        };
        let ((_, readers), bytes) = tokio::try_join!(sending, probing)?;
        self.readers = readers;
        self.readers.push(probe);
        Ok(bytes)
    }
}
