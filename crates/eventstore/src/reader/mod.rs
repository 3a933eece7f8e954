//! Reading a stream: by place, by subject, and as it grows. Never writes.

mod consumer;
mod direct_get;
mod follow;
mod leader;
mod logs;
mod tail;

use std::{sync::Arc, time::Duration};

use async_nats::jetstream::{self, message::StreamMessage, stream::Info};

use self::direct_get::{Answer, PAGE, Page, Request};
use self::{follow::KnownLog, logs::Tails, tail::Tail};
pub use self::{
    follow::{Follow, LogChanged, Start},
    leader::Leader,
    logs::Logs,
    tail::subject_fits,
};
use crate::{
    BoxError, DecodeError, NotRecorded, Recorded,
    claim::{ClaimState, claim_subject},
    deadline::{Deadline, READ},
    topology,
};

/// Why the log could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// It cannot be reached, or did not answer within its deadline (2 s).
    #[error("the event log cannot be reached")]
    Unavailable(#[source] BoxError),
    /// `last_per_subject` serves up to 1024 subjects.
    #[error("more subjects fit the filter than one read may return")]
    TooManySubjects,
    /// An answer without the headers that a stream's answer has.
    #[error("the answer is not a stored message")]
    NotRecorded(#[from] NotRecorded),
    /// A claim whose last message nobody can read.
    #[error("a stored message cannot be read")]
    Malformed(#[source] DecodeError),
}

impl ReadError {
    pub(crate) fn unavailable(source: impl Into<BoxError>) -> Self {
        Self::Unavailable(source.into())
    }
}

/// Before another replica is asked for what the leader has.
const PAUSE: Duration = Duration::from_millis(5);

/// Reads one stream. Cheap to clone. Each request has 2 s.
///
/// Most of it goes to any replica, which may be a moment behind. That something is *not* there is
/// always confirmed by the leader, and a replica that does not begin to answer within 400 ms is
/// given up for another. Measured with nats-server 2.15.1 and three replicas: after a kill and a
/// restart, a node kept answering direct gets with 404 or not at all, with all events on its disk.
#[derive(Clone, Debug)]
pub struct LogReader {
    js: jetstream::Context,
    stream: Arc<str>,
    /// With whom it shares what is new.
    tails: Option<Arc<Tails>>,
}

impl LogReader {
    /// A reader that shares nothing; see [`Logs::reader`].
    pub fn new(js: jetstream::Context, stream: impl Into<Arc<str>>) -> Self {
        Self {
            js,
            stream: stream.into(),
            tails: None,
        }
    }

    pub fn stream(&self) -> &str {
        &self.stream
    }

    /// Up to `max` events whose subject fits `filter`, from `from_sequence` on, in stream order.
    ///
    /// Fewer than `max` mean that the replica had no more of them when it was asked.
    pub async fn read(
        &self,
        filter: &str,
        from_sequence: u64,
        max: usize,
    ) -> Result<Vec<Recorded>, ReadError> {
        let mut events = Vec::new();
        let mut from_sequence = from_sequence.max(1);
        while events.len() < max {
            let size = PAGE.min(max - events.len());
            let page = self.page(filter, from_sequence, size).await?;
            let Some(last) = page.events.last() else {
                break;
            };
            from_sequence = last.sequence + 1;
            events.extend(page.events);
            if page.pending == 0 {
                break;
            }
        }
        Ok(events)
    }

    /// The last event whose subject fits `filter` (wildcards allowed).
    pub async fn last(&self, filter: &str) -> Result<Option<Recorded>, ReadError> {
        match self.ask_for_one(&last_of(filter)).await? {
            Some(last) => Ok(Some(last)),
            None => self.last_from_leader(filter).await,
        }
    }

    /// Like [`last`](Self::last), but as the stream's leader knows it: never stale, and dearer.
    pub async fn last_from_leader(&self, filter: &str) -> Result<Option<Recorded>, ReadError> {
        Ok(self.leader().last(filter).await?.map(self.recorded()))
    }

    /// The last event of each subject that fits `filter`, in stream order.
    pub async fn last_per_subject(&self, filter: &str) -> Result<Vec<Recorded>, ReadError> {
        let request = Request {
            last_per_subject: Some([filter]),
            ..Request::default()
        };
        Ok(self.ask_for_many(&request).await?.events)
    }

    /// The event at a sequence, none where there is none (any more).
    pub async fn get(&self, sequence: u64) -> Result<Option<Recorded>, ReadError> {
        // A server takes the head of an empty log for a request that names nothing.
        if sequence == 0 {
            return Ok(None);
        }
        let request = Request {
            sequence: Some(sequence),
            ..Request::default()
        };
        match self.ask_for_one(&request).await? {
            Some(event) => Ok(Some(event)),
            None => self.get_from_leader(sequence).await,
        }
    }

    /// Who holds a claim: the aggregate's id.
    pub async fn claim_owner(&self, kind: &str, key: &str) -> Result<Option<String>, ReadError> {
        // Not `last`: it asks a second time for what is not there, and the time of a log-in would
        // tell who has an account.
        let last = self.last_from_leader(&claim_subject(kind, key)).await?;
        let claim = ClaimState::read(last.as_ref()).map_err(ReadError::Malformed)?;
        Ok(claim.owner)
    }

    /// The sequence of the stream's last message, 0 for an empty stream; asked of the leader.
    pub async fn head(&self) -> Result<u64, ReadError> {
        Ok(self.info().await?.state.last_sequence)
    }

    /// The stream's incarnation: made when the stream was created, so a log that was deleted and
    /// made anew has another. None for a stream that was not created by [`crate::topology`].
    pub async fn incarnation(&self) -> Result<Option<String>, ReadError> {
        Ok(incarnation(&self.info().await?))
    }

    /// All events that fit one of the filters, from `start` on, as they come, without end.
    ///
    /// No filters mean the whole stream. Nothing is skipped and nothing repeated; lost connections
    /// and restarted servers are healed within. The only error ends the stream: the log is not the
    /// one it was.
    pub fn follow(&self, filters: Vec<String>, start: Start) -> Follow {
        Follow::new(self.clone(), filters, start)
    }

    fn tail(&self, log: &KnownLog, place: (Option<u64>, u64)) -> Option<Arc<Tail>> {
        let alone = Self::new(self.js.clone(), Arc::clone(&self.stream));
        Some(self.tails.as_ref()?.tail(alone, log, place))
    }

    /// The last event that fits the filter as a replica has it, be that right or not.
    pub(crate) async fn last_of_a_replica(
        &self,
        filter: &str,
    ) -> Result<Option<Recorded>, ReadError> {
        self.ask_for_one(&last_of(filter)).await
    }

    /// The first event at or after a sequence that fits the filter, as the leader knows it.
    pub(crate) async fn next_from_leader(
        &self,
        filter: &str,
        from_sequence: u64,
    ) -> Result<Option<Recorded>, ReadError> {
        let next = self.leader().next(filter, from_sequence).await?;
        Ok(next.map(self.recorded()))
    }

    /// The event at a sequence, as the leader knows it.
    pub(crate) async fn get_from_leader(
        &self,
        sequence: u64,
    ) -> Result<Option<Recorded>, ReadError> {
        Ok(self.leader().get(sequence).await?.map(self.recorded()))
    }

    async fn page(&self, filter: &str, from_sequence: u64, size: usize) -> Result<Page, ReadError> {
        let request = Request {
            sequence: Some(from_sequence),
            batch: Some(size),
            next_by_subject: Some(filter),
            ..Request::default()
        };
        self.ask_for_many(&request).await
    }

    /// Asks replicas until one answers.
    async fn ask_for_one(&self, request: &Request<'_>) -> Result<Option<Recorded>, ReadError> {
        let deadline = Deadline::after(READ);
        loop {
            let client = self.js.client();
            match request.one(&client, &self.stream, deadline).await? {
                Answer::Found(event) => return Ok(Some(event)),
                Answer::NotFound => return Ok(None),
                Answer::Silence(elapsed) if deadline.has_passed() => {
                    return Err(ReadError::unavailable(elapsed));
                }
                Answer::Silence(_) => {}
            }
        }
    }

    /// Asks replicas until one has something, or the leader has nothing either.
    async fn ask_for_many(&self, request: &Request<'_>) -> Result<Page, ReadError> {
        let deadline = Deadline::after(READ);
        loop {
            let client = self.js.client();
            match request.many(&client, &self.stream, deadline).await? {
                Answer::Found(page) => return Ok(page),
                Answer::NotFound if !self.leader_has(request).await? => return Ok(Page::default()),
                Answer::NotFound if deadline.has_passed() => {
                    let reason = "the replicas do not give what the leader has";
                    return Err(ReadError::unavailable(reason));
                }
                Answer::NotFound => tokio::time::sleep(PAUSE).await,
                Answer::Silence(elapsed) if deadline.has_passed() => {
                    return Err(ReadError::unavailable(elapsed));
                }
                Answer::Silence(_) => {}
            }
        }
    }

    /// Whether the leader has anything that a request for many would find.
    async fn leader_has(&self, request: &Request<'_>) -> Result<bool, ReadError> {
        let found = match (request.last_per_subject, request.next_by_subject) {
            (Some([filter]), _) => self.last_from_leader(filter).await?,
            (None, filter) => {
                let from_sequence = request.sequence.unwrap_or(1);
                let filter = filter.unwrap_or(">");
                self.next_from_leader(filter, from_sequence).await?
            }
        };
        Ok(found.is_some())
    }

    fn recorded(&self) -> impl FnOnce(StreamMessage) -> Recorded {
        let stream = Arc::clone(&self.stream);
        |message| Recorded::from_stream_message(stream, message)
    }

    async fn info(&self) -> Result<Info, ReadError> {
        self.leader().info().await
    }

    fn leader(&self) -> Leader {
        Leader::new(self.js.clone(), Arc::clone(&self.stream))
    }
}

fn last_of(filter: &str) -> Request<'_> {
    Request {
        last_by_subject: Some(filter),
        ..Request::default()
    }
}

fn incarnation(info: &Info) -> Option<String> {
    topology::incarnation(&info.config).map(str::to_owned)
}
