//! How a read model is doing, for health checks and operators.

use std::time::Duration;

use uuid::Uuid;

/// One read model as this process sees it.
#[derive(Clone, Debug)]
pub struct Status {
    pub read_model: String,
    pub stream: String,
    /// The last stream sequence whose effect is in the tables.
    pub position: u64,
    /// The stream's last sequence when it was last asked for; 0 until then.
    pub head: u64,
    /// Events of the stream after the position. Some of them may not be for this read model.
    pub lag_events: u64,
    /// Age of the oldest event that waits for being applied; 0 when none waits.
    pub lag_seconds: f64,
    /// Aggregates whose events are parked, as far as this process has learnt.
    pub parked: u64,
    pub activity: Activity,
    /// What has gone wrong at every try since the last event was applied.
    pub failing: Option<Failing>,
}

/// Tries that all failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failing {
    /// Of the last try.
    pub error: String,
    /// Since the first try.
    pub lasting: Duration,
}

impl Status {
    /// Whether this process is the one that applies events.
    pub fn is_leader(&self) -> bool {
        matches!(self.activity, Activity::Leading)
    }

    /// Why it stands still and will not go on without an operator.
    pub fn halted(&self) -> Option<&Halt> {
        match &self.activity {
            Activity::Halted(halt) => Some(halt),
            Activity::Idle | Activity::Standby | Activity::Leading | Activity::Retrying { .. } => {
                None
            }
        }
    }
}

/// What the runner of a read model does in this process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Activity {
    /// It was not started, or has been stopped.
    Idle,
    /// Another process applies the events.
    Standby,
    /// This process applies the events.
    Leading,
    /// A dependency is away; it is asked again with backoff.
    Retrying { error: String },
    /// It stands still and says what to do. Looked at again every 30 s.
    Halted(Halt),
}

/// Why a read model refuses to go on: going on would give wrong rows.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Halt {
    #[error(
        "the tables were built from stream {stored}, not from {wanted}: rebuild the read model"
    )]
    OtherStream { stored: String, wanted: String },
    #[error(
        "the tables were built from another log (incarnation {stored}, the log's is {found}): \
         restore that log, or rebuild the read model"
    )]
    OtherIncarnation { stored: String, found: String },
    #[error(
        "the log ends at {head}, before the position {position}: \
         restore the log, or rebuild the read model"
    )]
    LogTooShort { position: u64, head: u64 },
    #[error(
        "the log holds {} at the position {position}, the tables were built from event {stored}: \
         restore the log, or rebuild the read model", Found(*found)
    )]
    OtherEvent {
        position: u64,
        stored: Uuid,
        found: Option<Uuid>,
    },
    #[error("the log changed while it was read ({reason}): restore it, or rebuild the read model")]
    LogChanged { reason: String },
    #[error("the tables were built by version {stored}, the files are version {wanted}: rebuild")]
    OtherVersion { stored: i32, wanted: i32 },
    #[error(
        "event {sequence} is version {version} of {event_type}, which is not known here: \
         run a newer release"
    )]
    UnknownVersion {
        sequence: u64,
        event_type: String,
        version: u32,
    },
    #[error("{file} does not run ({error}): mend it, or apply the missing migration")]
    BrokenStatement { file: String, error: String },
    #[error("{parked} aggregates are parked: mend the statements and retry them")]
    TooManyParked { parked: usize },
}

impl Halt {
    /// Whether positions in the log are no longer positions in the tables.
    pub(crate) fn is_about_the_log(&self) -> bool {
        match self {
            Self::OtherStream { .. }
            | Self::OtherIncarnation { .. }
            | Self::LogTooShort { .. }
            | Self::OtherEvent { .. }
            | Self::LogChanged { .. } => true,
            Self::OtherVersion { .. }
            | Self::UnknownVersion { .. }
            | Self::BrokenStatement { .. }
            | Self::TooManyParked { .. } => false,
        }
    }
}

struct Found(Option<Uuid>);

impl std::fmt::Display for Found {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            Some(id) => write!(f, "event {id}"),
            None => f.write_str("no event"),
        }
    }
}
