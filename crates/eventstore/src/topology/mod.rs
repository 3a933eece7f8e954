//! The streams as files: reading them, comparing them with a server, applying them, and refusing
//! to run on a server that is not what they say.
//!
//! A file has the form that `nats stream add --config` takes. Where the files come from is the
//! caller's business.

mod apply;
mod check;
mod diff;
mod parse;
mod sync;

use std::fmt;

use async_nats::jetstream::{self, context::GetStreamErrorKind, stream::Config};
use serde_json::Value;

pub use self::{
    apply::{Applied, ApplyOptions},
    check::{CheckOptions, Durability},
};
use crate::{
    BoxError,
    deadline::{Deadline, READ},
};

/// The key of a stream's metadata that holds its incarnation.
pub const INCARNATION: &str = "incarnation";

/// The incarnation of a stream; none if it was not made by [`Topology::apply`].
pub fn incarnation(config: &Config) -> Option<&str> {
    config.metadata.get(INCARNATION).map(String::as_str)
}

/// All streams, those that events are published to before the lanes that source them.
#[derive(Clone, Debug)]
pub struct Topology {
    pub streams: Vec<StreamFile>,
}

/// One stream as its file wants it.
#[derive(Clone, Debug)]
pub struct StreamFile {
    /// The file's name as it was passed, for messages.
    pub path: String,
    pub config: Config,
}

/// One difference between a file and the server.
#[derive(Clone, Debug, PartialEq)]
pub enum Difference {
    Missing {
        stream: String,
    },
    /// The stream was not created by [`Topology::apply`], so nobody could tell if it is made anew.
    NoIncarnation {
        stream: String,
    },
    /// `field` is a key of the stream file.
    Field {
        stream: String,
        field: String,
        file: Value,
        live: Value,
    },
}

/// Why stream files or a server cannot be used. `Display` names the mend where there is one.
#[derive(Debug, thiserror::Error)]
pub enum TopologyError {
    #[error("{path} is not a stream file")]
    Parse {
        path: String,
        #[source]
        source: serde_json::Error,
    },
    /// The client would drop it without a word.
    #[error("{path}: `{key}` is unknown to this client or states a default: remove it")]
    LostKey { path: String, key: String },
    #[error("{path} wants stream {stream}, which another file wants too")]
    Twice { path: String, stream: String },
    #[error("the server cannot be asked about stream {stream}")]
    Unavailable {
        stream: String,
        #[source]
        source: BoxError,
    },
    #[error("the server does not take stream {stream} as its file wants it")]
    Refused {
        stream: String,
        #[source]
        source: BoxError,
    },
    #[error("the nats-server is version {version}: install {minimum} or newer")]
    ServerVersion {
        version: String,
        minimum: &'static str,
    },
    #[error("{}: run `doran streams apply`", list(.0))]
    Differs(Vec<Difference>),
    #[error(
        "nats-server {server} acknowledges before fsync (jetstream.sync_interval is {setting}): \
         set `sync_interval: always` in its nats.conf, or allow unsynced acknowledgements"
    )]
    Unsynced { server: String, setting: String },
    #[error(
        "whether the nats-server acknowledges before fsync cannot be read: let the account import \
         `$SYS.REQ.SERVER.PING.JSZ` as nats.conf has it, or allow unsynced acknowledgements"
    )]
    SyncIntervalUnknown(#[source] BoxError),
}

impl StreamFile {
    /// The stream's name.
    pub fn name(&self) -> &str {
        &self.config.name
    }

    /// What is wanted of a server, with another number of replicas than the file's where asked.
    fn wanted(&self, replicas: Option<usize>) -> Config {
        let mut config = self.config.clone();
        config.num_replicas = replicas.unwrap_or(config.num_replicas);
        config
    }

    /// The stream as the server has it, none when it has not.
    async fn live(&self, js: &jetstream::Context) -> Result<Option<Config>, TopologyError> {
        let unavailable = |source: BoxError| TopologyError::Unavailable {
            stream: self.name().to_owned(),
            source,
        };
        let asked = Deadline::after(READ).wait_for(js.get_stream(self.name()));
        match asked.await.map_err(|elapsed| unavailable(elapsed.into()))? {
            Ok(stream) => Ok(Some(stream.cached_info().config.clone())),
            Err(error) => match error.kind() {
                GetStreamErrorKind::JetStream(reason)
                    if reason.error_code() == jetstream::ErrorCode::STREAM_NOT_FOUND =>
                {
                    Ok(None)
                }
                _ => Err(unavailable(error.into())),
            },
        }
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing { stream } => write!(f, "stream {stream} is missing"),
            Self::NoIncarnation { stream } => write!(f, "stream {stream} has no incarnation"),
            Self::Field {
                stream,
                field,
                file,
                live,
            } => write!(
                f,
                "stream {stream}: `{field}` is {live}, its file says {file}"
            ),
        }
    }
}

fn list(differences: &[Difference]) -> String {
    let lines: Vec<_> = differences.iter().map(ToString::to_string).collect();
    lines.join("; ")
}
