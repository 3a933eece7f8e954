//! One round: messages go in at a few sockets, and each of the others reads every one of them.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use doran_contract::RoomId;
use doran_platform::Clock;
use futures_util::{SinkExt, TryStreamExt, stream::FuturesUnordered};
use serde_json::json;
use tokio::{
    sync::{Notify, Semaphore},
    task::JoinSet,
    time::{sleep_until, timeout},
};
use tokio_tungstenite::tungstenite::Message;

use super::super::{
    client::{Frames, Socket},
    summary::Round,
};

/// Messages that not every socket has read yet, where they are sent as fast as they are read.
const UNDER_WAY: usize = 32;
/// How long a round may take.
const PATIENCE: Duration = Duration::from_mins(4);
/// What a message's text begins with; its number follows.
const MARK: &str = "fan-";

/// What is sent, and how fast.
#[derive(Clone, Copy)]
pub(super) struct Load {
    pub(super) messages: usize,
    /// Messages a second; none: as fast as all sockets read them.
    pub(super) rate: Option<u32>,
}

/// How messages get in.
#[derive(Clone, Copy)]
pub(super) enum Entry {
    /// What is said is what all hear: so many bytes.
    Bare { bytes: usize },
    /// A `send` frame.
    Room(RoomId),
}

/// What the sender and the readers of one round share.
struct Tally {
    began: Instant,
    /// The number of the next message.
    next: AtomicUsize,
    /// When each message was sent, in nanoseconds of the round.
    sent: Vec<AtomicU64>,
    /// How many sockets have read each.
    read: Vec<AtomicUsize>,
    sockets: usize,
    under_way: Semaphore,
    /// How much was read in all.
    deliveries: AtomicUsize,
    is_over: Notify,
}

/// Gives the readers back, for the next round.
pub(super) async fn round(
    senders: Vec<Socket>,
    readers: Vec<Frames>,
    entry: Entry,
    load: Load,
) -> Result<(Round, Vec<Frames>)> {
    let tally = Arc::new(Tally {
        began: Instant::now(),
        next: AtomicUsize::new(0),
        sent: (0..load.messages).map(|_| AtomicU64::new(0)).collect(),
        read: (0..load.messages).map(|_| AtomicUsize::new(0)).collect(),
        sockets: readers.len(),
        under_way: Semaphore::new(UNDER_WAY),
        deliveries: AtomicUsize::new(0),
        is_over: Notify::new(),
    });
    let mut reading = JoinSet::new();
    for frames in readers {
        reading.spawn(read(frames, Arc::clone(&tally)));
    }
    let sending = async {
        let senders = senders.into_iter();
        let sending: FuturesUnordered<_> = senders
            .map(|sender| send(sender, entry, load, &tally))
            .collect();
        // Each works until the round is over, or ends it.
        tokio::select! {
            ended = sending.try_collect::<()>() => ended,
            () = tally.is_over.notified() => Ok(()),
        }
    };
    let collecting = async {
        let (mut took, mut readers) = (Vec::new(), Vec::new());
        while let Some(done) = reading.join_next().await {
            let (frames, times) = done??;
            readers.push(frames);
            took.extend(times);
        }
        anyhow::Ok((took, readers))
    };
    let both = timeout(PATIENCE, async { tokio::try_join!(sending, collecting) });
    let ((), (took, readers)) = both.await.context("a round did not end in 4 minutes")??;
    Ok((Round::of(took, tally.began.elapsed()), readers))
}

/// What one socket hears of the round.
async fn read(mut frames: Frames, tally: Arc<Tally>) -> Result<(Frames, Vec<Duration>)> {
    let mut took = Vec::with_capacity(tally.sent.len());
    while took.len() < tally.sent.len() {
        let frame = frames.next().await?;
        let frame = frame.context("a reader's socket was closed")?;
        if let Some(number) = number(&frame) {
            took.push(tally.arrived(number)?);
        }
    }
    Ok((frames, took))
}

async fn send(socket: Socket, entry: Entry, load: Load, tally: &Tally) -> Result<()> {
    let (mut sink, mut frames) = socket.split();
    let clock = Clock::system();
    let sending = async {
        loop {
            let number = tally.next.fetch_add(1, Ordering::Relaxed);
            if number >= load.messages {
                break;
            }
            match load.rate {
                Some(rate) => {
                    let turn = Duration::from_secs(1) * u32::try_from(number)? / rate;
                    sleep_until((tally.began + turn).into()).await;
                }
                None => tally.under_way.acquire().await?.forget(),
            }
            tally.sends(number);
            sink.send(Message::text(entry.frame(number, &clock)))
                .await?;
        }
        std::future::pending::<Result<()>>().await
    };
    let answers = async {
        while let Some(frame) = frames.next().await? {
            if frame.starts_with(r#"{"type":"error""#) {
                bail!("the gateway answered {frame}");
            }
        }
        bail!("the sender's socket was closed")
    };
    tokio::select! {
        ended = sending => ended,
        ended = answers => ended,
    }
}

impl Entry {
    fn frame(self, number: usize, clock: &Clock) -> String {
        let content = format!("{MARK}{number}-오늘 회의는 세 시에 시작합니다. 늦지 마세요!");
        match self {
            Self::Room(room) => json!({
                "id": number,
                "type": "send",
                "roomId": room,
                "clientMessageId": clock.new_id(),
                "content": content,
            })
            .to_string(),
            Self::Bare { bytes } => {
                let mut frame = json!({ "content": content }).to_string();
                let missing = bytes.saturating_sub(frame.len());
                frame.push_str(&" ".repeat(missing));
                frame
            }
        }
    }
}

impl Tally {
    fn sends(&self, number: usize) {
        if let Some(sent) = self.sent.get(number) {
            sent.store(self.nanoseconds(), Ordering::Release);
        }
    }

    /// One more socket has read this message; how long after it was sent.
    fn arrived(&self, number: usize) -> Result<Duration> {
        let parts = self.sent.get(number).zip(self.read.get(number));
        let (sent, read) = parts.context("a message that nobody sent")?;
        if read.fetch_add(1, Ordering::AcqRel) + 1 == self.sockets {
            self.under_way.add_permits(1);
        }
        if self.deliveries.fetch_add(1, Ordering::AcqRel) + 1 == self.sockets * self.sent.len() {
            self.is_over.notify_one();
        }
        let took = self
            .nanoseconds()
            .saturating_sub(sent.load(Ordering::Acquire));
        Ok(Duration::from_nanos(took))
    }

    fn nanoseconds(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }
}

/// The number of the message that a frame delivers.
pub(super) fn number(frame: &str) -> Option<usize> {
    let (_, after) = frame.split_once(MARK)?;
    let (number, _) = after.split_once('-')?;
    number.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_delivered_frame_says_which_message_it_is() {
        let frame = Entry::Bare { bytes: 600 }.frame(17, &Clock::system());
        assert_eq!(number(&frame), Some(17));
        assert_eq!(frame.len(), 600);
        assert_eq!(number(r#"{"type":"unread"}"#), None);
    }
}
