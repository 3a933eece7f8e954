//! Following a stream as it grows: an ordered reader that heals itself.
//!
//! It pulls from an ephemeral consumer that acknowledges nothing, and trusts only what it can
//! check: consumer sequences without a hole, and at the end of each pull as many messages as the
//! server says it sent. On any doubt it makes a new consumer behind the last event it gave out.

use std::{
    error::Error,
    pin::Pin,
    sync::atomic::Ordering,
    task::{Context, Poll},
    time::Duration,
};

use async_nats::{
    Message, StatusCode, Subscriber,
    datetime::from_nanos,
    jetstream::{
        self,
        consumer::{AckPolicy, DeliverPolicy, pull},
    },
};
use chrono::{DateTime, Utc};
use futures_util::{
    Stream, StreamExt,
    stream::{self, BoxStream},
};
use uuid::Uuid;

use super::{LogReader, incarnation};
use crate::{
    BoxError, Recorded,
    deadline::{Deadline, READ},
};

/// The most messages under way to this reader.
const PULL: usize = 500;
/// How long the server keeps a pull open. It ends each with a count of what it did not send, so a
/// lost last message is noticed after this time.
const PULL_EXPIRES: Duration = Duration::from_secs(5);
/// How often a quiet reader looks whether the connection is still the same one.
const GLANCE: Duration = Duration::from_millis(250);
/// When the server forgets a consumer that nobody pulls from.
const CONSUMER_FORGOTTEN_AFTER: Duration = Duration::from_secs(30);
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

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
pub struct Follow(BoxStream<'static, Result<Recorded, LogChanged>>);

impl Follow {
    pub(super) fn new(reader: LogReader, filters: Vec<String>, start: Start) -> Self {
        let follower = Follower {
            reader,
            filters,
            start,
            seen: None,
            log: None,
            session: None,
            pause: FIRST_PAUSE,
        };
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
    type Item = Result<Recorded, LogChanged>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.poll_next_unpin(cx)
    }
}

struct Follower {
    reader: LogReader,
    filters: Vec<String>,
    start: Start,
    /// The last event given out: its sequence and id.
    seen: Option<(u64, Uuid)>,
    /// What the log was at the first look.
    log: Option<KnownLog>,
    session: Option<Session>,
    pause: Duration,
}

#[derive(Clone, PartialEq, Eq)]
struct KnownLog {
    incarnation: Option<String>,
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

impl Follower {
    async fn next(&mut self) -> Result<Recorded, LogChanged> {
        loop {
            match self.attempt().await {
                Ok(event) => {
                    self.seen = Some((event.sequence, event.event_id));
                    self.pause = FIRST_PAUSE;
                    return Ok(event);
                }
                Err(Trouble::Changed(changed)) => return Err(changed),
                Err(Trouble::Passing(error)) => self.recover(&error).await,
            }
        }
    }

    async fn attempt(&mut self) -> Result<Recorded, Trouble> {
        let mut session = match self.session.take() {
            Some(session) => session,
            None => self.open().await?,
        };
        let event = session.next().await?;
        if self.seen.is_some_and(|(seen, _)| event.sequence <= seen) {
            return Err(BoxError::from("an event came a second time").into());
        }
        self.session = Some(session);
        Ok(event)
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

    async fn open(&mut self) -> Result<Session, Trouble> {
        self.verify().await?;
        let deliver_policy = match (self.seen, self.start) {
            (Some((seen, _)), _) => from_sequence(seen + 1),
            (None, Start::Sequence(sequence)) => from_sequence(sequence),
            (None, Start::Time(time)) => DeliverPolicy::ByStartTime {
                start_time: from_nanos(nanos(time))?,
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
        Ok(Session::open(&self.reader, config).await?)
    }

    /// Makes sure that the log is the one followed so far, and as long as what was read of it.
    async fn verify(&mut self) -> Result<(), Trouble> {
        let stream = self.reader.stream().to_owned();
        let info = self.reader.info().await.map_err(BoxError::from)?;
        let log = KnownLog {
            incarnation: incarnation(&info),
        };
        if *self.log.get_or_insert_with(|| log.clone()) != log {
            return Err(LogChanged::Incarnation { stream }.into());
        }
        let head = info.state.last_sequence;
        let seen = match (self.seen, self.start) {
            (Some((seen, _)), _) => seen,
            (None, Start::Sequence(sequence)) => sequence.saturating_sub(1),
            (None, Start::Time(_)) => 0,
        };
        if head < seen {
            return Err(LogChanged::Rewound { stream, head, seen }.into());
        }
        if let Some((_, id)) = self.seen {
            let there = self.reader.get(seen).await.map_err(BoxError::from)?;
            if there.is_some_and(|event| event.event_id != id) {
                return Err(LogChanged::Rewound { stream, head, seen }.into());
            }
        }
        Ok(())
    }
}

/// One consumer on one connection, and the pull that is open on it.
struct Session {
    js: jetstream::Context,
    answers: Subscriber,
    inbox: String,
    pull_subject: String,
    /// How often the client had connected when the session began.
    connects: u64,
    /// Consumer sequence of the last message.
    delivered: u64,
    /// How many messages the open pull may still bring; 0: no pull is open.
    open: usize,
    deadline: Deadline,
}

impl Session {
    async fn open(reader: &LogReader, config: pull::Config) -> Result<Self, BoxError> {
        let js = reader.js.clone();
        let connects = connects(&js);
        let deadline = Deadline::after(READ);
        let consumer = js.create_consumer_on_stream(config, reader.stream());
        let consumer = deadline.wait_for(consumer).await??;
        let inbox = js.client().new_inbox();
        let answers = deadline
            .wait_for(js.client().subscribe(inbox.clone()))
            .await??;
        let name = &consumer.cached_info().name;
        Ok(Self {
            pull_subject: format!("$JS.API.CONSUMER.MSG.NEXT.{}.{name}", reader.stream()),
            js,
            answers,
            inbox,
            connects,
            delivered: 0,
            open: 0,
            deadline,
        })
    }

    async fn next(&mut self) -> Result<Recorded, BoxError> {
        loop {
            if self.open == 0 {
                self.pull().await?;
            }
            let glance = self.deadline.within(GLANCE);
            match glance.wait_for(self.answers.next()).await {
                Ok(Some(message)) if message.status.is_none() => return self.receive(message),
                Ok(Some(message)) => self.end_of_pull(&message)?,
                Ok(None) => return Err("the connection was closed".into()),
                Err(elapsed) if self.deadline.has_passed() => return Err(elapsed.into()),
                Err(_quiet) if connects(&self.js) != self.connects => {
                    return Err("the connection was lost in between".into());
                }
                Err(_quiet) => {}
            }
        }
    }

    async fn pull(&mut self) -> Result<(), BoxError> {
        let request = serde_json::json!({
            "batch": PULL,
            "expires": u64::try_from(PULL_EXPIRES.as_nanos())?,
        });
        let (subject, inbox) = (self.pull_subject.clone(), self.inbox.clone());
        let client = self.js.client();
        let sent = client.publish_with_reply(subject, inbox, request.to_string().into());
        Deadline::after(READ).wait_for(sent).await??;
        self.open = PULL;
        self.deadline = Deadline::after(PULL_EXPIRES + READ);
        Ok(())
    }

    fn receive(&mut self, message: Message) -> Result<Recorded, BoxError> {
        let message = jetstream::Message {
            message,
            context: self.js.clone(),
        };
        let delivered = message.info()?.consumer_sequence;
        if delivered != self.delivered + 1 {
            return Err("an event was lost on its way".into());
        }
        let event = Recorded::from_consumer(&message)?;
        self.delivered = delivered;
        self.open -= 1;
        Ok(event)
    }

    /// The server ends a pull with the count of what it did not send of it.
    fn end_of_pull(&mut self, message: &Message) -> Result<(), BoxError> {
        let header = |name| {
            message
                .headers
                .as_ref()
                .and_then(|headers| headers.get(name))
        };
        let unsent = header("Nats-Pending-Messages");
        let unsent: Option<usize> = unsent.and_then(|count| count.as_str().parse().ok());
        match (message.status, unsent) {
            (Some(StatusCode::TIMEOUT), Some(unsent)) if self.open == unsent => {
                self.open = 0;
                Ok(())
            }
            (Some(StatusCode::TIMEOUT), _) => Err("the last events were lost on their way".into()),
            (Some(status), _) => {
                let description = message.description.as_deref().unwrap_or_default();
                Err(format!("the consumer answered {} {description}", status.as_u16()).into())
            }
            (None, _) => Err("an answer has no status".into()),
        }
    }
}

fn from_sequence(sequence: u64) -> DeliverPolicy {
    DeliverPolicy::ByStartSequence {
        start_sequence: sequence.max(1),
    }
}

fn nanos(time: DateTime<Utc>) -> i128 {
    i128::from(time.timestamp()) * 1_000_000_000 + i128::from(time.timestamp_subsec_nanos())
}

fn connects(js: &jetstream::Context) -> u64 {
    js.client().statistics().connects.load(Ordering::Relaxed)
}
