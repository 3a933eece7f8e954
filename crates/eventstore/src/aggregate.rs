//! What a service declares about an aggregate, and what executing a command on it answers.

use chrono::{DateTime, Utc};
use cqrs_es::Aggregate;
use uuid::Uuid;

use crate::{DecodeError, Position, Schema, claim::Claim};

/// Whatever lay beneath a failure: a time-out, a refused connection, an answer nobody expected.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// An aggregate whose events live in a JetStream stream.
///
/// Its events lie under `<Aggregate::TYPE>.<id>.<EventType>`, and every append of them is guarded
/// by `<Aggregate::TYPE>.<id>.*`. So neither the type nor an id may hold `.`, `*`, `>` or blanks.
pub trait EventSourced: Aggregate + Clone + 'static {
    /// The stream that holds the events, for example `USER`.
    const STREAM: &'static str;

    /// Raise it when the serialised form or the meaning of the state changes: snapshots of other
    /// versions are ignored.
    const STATE_VERSION: u32;

    /// The event types this build knows, and how older versions become the current ones.
    fn schema() -> Schema;

    /// Values that the event takes or frees for the whole stream, such as an e-mail address.
    fn claims(_event: &Self::Event) -> Vec<Claim> {
        Vec::new()
    }

    /// The refusal for a claim of this kind that somebody else holds.
    fn taken(kind: &str) -> Self::Error;
}

/// Who asks, when, and under which names the request is known.
#[derive(Clone, Debug)]
pub struct CommandContext {
    /// Names the command for ever: the same id on the same aggregate is executed once.
    pub command_id: Uuid,
    /// The clock's time, written into the events as `ce-time`. Never read from a clock in here.
    pub time: DateTime<Utc>,
    pub actor: Option<String>,
    /// A keyed hash of the request's body, to tell a retry from another request with its id.
    pub fingerprint: Option<String>,
    /// `If-Match`: the stream sequence of the aggregate's last event that the caller has seen.
    pub expected_sequence: Option<u64>,
    pub correlation_id: Option<String>,
    pub causation_id: Option<String>,
    pub traceparent: Option<String>,
    /// Which program writes the event, `ce-source`.
    pub source: &'static str,
}

/// What a command led to.
#[derive(Clone, Debug)]
pub struct Outcome<A: EventSourced> {
    /// Where a reader has to be to see this command's events.
    pub position: Position,
    /// The state after the command; for a replayed one the state as it is now.
    pub aggregate: A,
    /// Stream sequence of the aggregate's last event, the next `If-Match`. 0: it has none.
    pub sequence: u64,
    /// What was appended: nothing for a replayed command or one that changed nothing.
    pub events: Vec<A::Event>,
    /// The command had been executed before, and nothing was written now.
    pub replayed: bool,
}

/// An aggregate as the log's tail has it.
#[derive(Clone, Debug)]
pub struct Loaded<A> {
    pub aggregate: A,
    /// Stream sequence of its last event.
    pub sequence: u64,
}

/// Why a command was not executed.
#[derive(Debug, thiserror::Error)]
pub enum ExecuteError<E> {
    /// The aggregate said no. Nothing is written.
    #[error("the command is refused")]
    Refused(#[source] E),
    /// Others kept writing to the aggregate between reading and appending. Nothing is written.
    #[error("the aggregate is changed by others at the same time")]
    Conflict,
    /// The aggregate has moved on since the caller read it. Nothing is written.
    #[error("the aggregate's last event is {actual}, not the expected one")]
    PreconditionFailed { actual: u64 },
    /// The command id is known, but it belonged to another request. Nothing is written.
    #[error("the command id was used for another request")]
    IdempotencyMismatch,
    /// The log cannot be reached. Nothing is written; the same command may be sent again.
    #[error("the event log cannot be reached")]
    Unavailable(#[source] BoxError),
    /// No answer came in time. Only the same command with the same id may be sent again.
    #[error("the event log did not say whether it stored the events")]
    FateUnknown,
    /// The log has no room left. Nothing is written; the same command may be sent again when
    /// somebody has made room.
    #[error("the event log is full")]
    Full(#[source] BoxError),
    /// The log refuses the events for good: too large, not permitted. Nothing is written.
    #[error("the event log does not take the events")]
    Rejected(#[source] BoxError),
    /// The aggregate's history cannot be read by this build.
    #[error("the aggregate's history cannot be read")]
    Corrupt(#[source] DecodeError),
}

/// Why an aggregate could not be loaded.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The log cannot be reached, or did not answer in time.
    #[error("the event log cannot be reached")]
    Unavailable(#[source] BoxError),
    /// The aggregate's history cannot be read by this build.
    #[error("the aggregate's history cannot be read")]
    Corrupt(#[source] DecodeError),
}
