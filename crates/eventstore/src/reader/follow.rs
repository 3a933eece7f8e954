//! Following a stream as it grows: an ordered reader that heals itself.
//!
//! It reads what is past through a consumer of its own, and what is new from the stream's tail if
//! the process keeps one. On any doubt it begins anew behind the last event it gave out.

use std::{
    error::Error,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use async_nats::{
    datetime::from_nanos,
    jetstream::consumer::{AckPolicy, DeliverPolicy, pull},
};
use chrono::{DateTime, Utc};
use futures_util::{
    Stream, StreamExt,
    stream::{self, BoxStream},
};
use uuid::Uuid;

use super::{
    LogReader, ReadError,
    consumer::Consumer,
    incarnation,
    tail::{Seat, Tail},
};
use crate::{BoxError, Recorded};

/// When the server forgets a consumer that nobody pulls from.
const CONSUMER_FORGOTTEN_AFTER: Duration = Duration::from_secs(30);
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);
/// How often a consumer is made anew because it reads from a replica that has stopped.
const ELSEWHERE: u32 = 10;

/// Where following begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// At this stream sequence (1 is the first), or the next one that fits.
    Sequence(u64),
    /// At the first event stored at or after this time (of the server's clock).
    Time(DateTime<Utc>),
}

/// The log is not the one that was followed so far: it was made anew or lost its end.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LogChanged {
    /// The stream was deleted and created again.
    #[error("stream {stream} was made anew")]
    Incarnation { stream: String },
    /// What was read already is not in the log any more, or something else is in its place.
    #[error("stream {stream} ends at {head} or was written anew before {seen}, which was read")]
    Rewound {
        stream: String,
        head: u64,
        seen: u64,
    },
}

/// A stream of events without end; after an error it is over.
pub struct Follow(BoxStream<'static, Result<Arc<Recorded>, LogChanged>>);

struct Follower {
    reader: LogReader,
    filters: Vec<String>,
    start: Start,
    /// The last event given out: its sequence and id.
    seen: Option<(u64, Uuid)>,
    /// What the log was at the first look.
    log: Option<KnownLog>,
    /// Shared by all who follow the stream in this process.
    tail: Option<Arc<Tail>>,
    source: Option<Source>,
    pause: Duration,
    /// What the leader has and a replica has not given.
    owed: Option<u64>,
    /// Up to here the leader has nothing that fits and was not given out.
    proven: u64,
    /// The replica that has stopped.
    avoided: Option<String>,
}

/// What tells a log from one of the same name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct KnownLog {
    pub(super) incarnation: Option<String>,
}

/// Where events come from.
enum Source {
    Consumer(Box<Consumer>),
    Tail(Seat),
}

enum Trouble {
    Changed(LogChanged),
    /// What a new consumer may mend.
    Passing(BoxError),
}

impl From<LogChanged> for Trouble {
    fn from(changed: LogChanged) -> Self {
        Self::Changed(changed)
    }
}

impl From<BoxError> for Trouble {
    fn from(error: BoxError) -> Self {
        Self::Passing(error)
    }
}

impl Follow {
    pub(super) fn new(reader: LogReader, filters: Vec<String>, start: Start) -> Self {
        Self::of(Follower::new(reader, filters, start))
    }

    /// Everything after `seen`, of this log and no other.
    pub(super) fn after(reader: LogReader, seen: u64, log: KnownLog) -> Self {
        let mut follower = Follower::new(reader, Vec::new(), Start::Sequence(seen + 1));
        follower.log = Some(log);
        Self::of(follower)
    }

    fn of(follower: Follower) -> Self {
        let events = stream::unfold(Some(follower), async |follower| {
            let mut follower = follower?;
            match follower.next().await {
                Ok(event) => Some((Ok(event), Some(follower))),
                Err(changed) => Some((Err(changed), None)),
            }
        });
        Self(events.boxed())
    }
}

impl Stream for Follow {
    type Item = Result<Arc<Recorded>, LogChanged>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.poll_next_unpin(cx)
    }
}

impl Follower {
    fn new(reader: LogReader, filters: Vec<String>, start: Start) -> Self {
        Self {
            reader,
            filters,
            start,
            seen: None,
            log: None,
            tail: None,
            source: None,
            pause: FIRST_PAUSE,
            owed: None,
            proven: 0,
            avoided: None,
        }
    }

    async fn next(&mut self) -> Result<Arc<Recorded>, LogChanged> {
        loop {
            match self.attempt().await {
                Ok(Some(event)) => {
                    self.seen = Some((event.sequence, event.event_id));
                    self.pause = FIRST_PAUSE;
                    self.owed = None;
                    return Ok(event);
                }
                Ok(None) => {}
                Err(Trouble::Changed(changed)) => return Err(changed),
                Err(Trouble::Passing(error)) => self.recover(&error).await,
            }
        }
    }

    /// None if nothing has come for now, or the tail has gone on without this follower.
    async fn attempt(&mut self) -> Result<Option<Arc<Recorded>>, Trouble> {
        let mut source = match self.source.take() {
            Some(source) => source,
            None => self.open().await?,
        };
        let event = match &mut source {
            Source::Consumer(consumer) => {
                let Some(event) = consumer.next().await? else {
                    self.compare_with_leader(consumer.server()).await?;
                    self.source = Some(source);
                    return Ok(None);
                };
                Arc::new(event)
            }
            Source::Tail(seat) => match seat.next(&self.filters).await {
                Some(event) => event,
                None => return Ok(None),
            },
        };
        if self.seen.is_some_and(|(seen, _)| event.sequence <= seen) {
            return Err(BoxError::from("an event came a second time").into());
        }
        if matches!(source, Source::Consumer(_))
            && let Some(seat) = self.seat_behind(event.sequence)
        {
            source = Source::Tail(seat);
        }
        self.source = Some(source);
        Ok(Some(event))
    }

    /// A replica that has stopped, because its store is full or it has lost the others, gives
    /// nothing and does not say so. What the leader has must have come when the next pull ends.
    async fn compare_with_leader(&mut self, server: Option<&str>) -> Result<(), BoxError> {
        if let Some(owed) = self.owed.take() {
            self.avoided = server.map(str::to_owned);
            return Err(format!("the replica does not give event {owed}, which is stored").into());
        }
        let Some(before) = self.before() else {
            return Ok(());
        };
        let from = before.max(self.proven);
        match self.owed_after(from).await {
            Ok(owed) => self.owed = owed,
            // Without a leader nothing is stored either; the next comparison will tell.
            Err(error) => tracing::debug!(%error, "the leader cannot be asked"),
        }
        Ok(())
    }

    /// The first event after a sequence that fits, as the leader knows it.
    async fn owed_after(&mut self, sequence: u64) -> Result<Option<u64>, ReadError> {
        let head = self.reader.head().await?;
        if head <= sequence {
            return Ok(None);
        }
        let every = [">".to_owned()];
        let filters = match self.filters.as_slice() {
            [] => &every,
            filters => filters,
        };
        for filter in filters {
            let next = self.reader.next_from_leader(filter, sequence + 1).await?;
            if let Some(next) = next {
                return Ok(Some(next.sequence));
            }
        }
        self.proven = head;
        Ok(None)
    }

    /// Warns of the first failure in a row; the ones after it are no news.
    fn log(&self, error: &BoxError) {
        let (stream, error): (&str, &dyn Error) = (self.reader.stream(), &**error);
        if self.pause == FIRST_PAUSE {
            tracing::warn!(stream, error, "following is interrupted, starting again");
        } else {
            tracing::debug!(stream, error, "following is still interrupted");
        }
    }

    async fn recover(&mut self, error: &BoxError) {
        let stream = self.reader.stream();
        self.log(error);
        metrics::counter!("eventstore_follow_restarts_total", "stream" => stream.to_owned())
            .increment(1);
        tokio::time::sleep(self.pause.mul_f64(rand::random_range(0.5..1.0))).await;
        self.pause = LONGEST_PAUSE.min(self.pause * 2);
    }

    async fn open(&mut self) -> Result<Source, Trouble> {
        let (log, head) = self.verify().await?;
        let before = self.before();
        if self.tail.as_ref().is_none_or(|tail| tail.is_over()) {
            self.tail = self.reader.tail(&log, (before, head));
        }
        if let Some(seat) = before.and_then(|before| self.seat_behind(before)) {
            return Ok(Source::Tail(seat));
        }
        let deliver_policy = match (before, self.start) {
            (None, Start::Time(time)) => DeliverPolicy::ByStartTime {
                start_time: from_nanos(nanos(time))?,
            },
            (before, _) => DeliverPolicy::ByStartSequence {
                start_sequence: before.unwrap_or_default() + 1,
            },
        };
        let config = pull::Config {
            deliver_policy,
            filter_subjects: self.filters.clone(),
            ack_policy: AckPolicy::None,
            inactive_threshold: CONSUMER_FORGOTTEN_AFTER,
            memory_storage: true,
            num_replicas: 1,
            ..pull::Config::default()
        };
        let avoided = self.avoided.take();
        let mut tries = 0;
        loop {
            let consumer = Consumer::open(&self.reader, config.clone()).await?;
            tries += 1;
            // The server puts it on a replica of its choice, and forgets those that nobody uses.
            if avoided.is_none() || consumer.server() != avoided.as_deref() || tries == ELSEWHERE {
                return Ok(Source::Consumer(Box::new(consumer)));
            }
        }
    }

    /// What lies behind this follower already; unknown as long as it looks for a time.
    fn before(&self) -> Option<u64> {
        match (self.seen, self.start) {
            (Some((seen, _)), _) => Some(seen),
            (None, Start::Sequence(sequence)) => Some(sequence.saturating_sub(1)),
            (None, Start::Time(_)) => None,
        }
    }

    fn seat_behind(&self, sequence: u64) -> Option<Seat> {
        let (tail, log) = (self.tail.as_ref()?, self.log.as_ref()?);
        tail.seat_behind(sequence, log)
    }

    /// Makes sure that the log is the one followed so far, and as long as what was read of it.
    /// Returns it with its head.
    async fn verify(&mut self) -> Result<(KnownLog, u64), Trouble> {
        let stream = self.reader.stream().to_owned();
        let info = self.reader.info().await.map_err(BoxError::from)?;
        let log = KnownLog {
            incarnation: incarnation(&info),
        };
        if *self.log.get_or_insert_with(|| log.clone()) != log {
            return Err(LogChanged::Incarnation { stream }.into());
        }
        let head = info.state.last_sequence;
        let seen = self.before().unwrap_or_default();
        if head < seen {
            return Err(LogChanged::Rewound { stream, head, seen }.into());
        }
        if let Some((_, id)) = self.seen {
            let there = self.reader.get(seen).await.map_err(BoxError::from)?;
            if there.is_some_and(|event| event.event_id != id) {
                return Err(LogChanged::Rewound { stream, head, seen }.into());
            }
        }
        Ok((log, head))
    }
}

fn nanos(time: DateTime<Utc>) -> i128 {
    i128::from(time.timestamp()) * 1_000_000_000 + i128::from(time.timestamp_subsec_nanos())
}
