//! The streams as files: reading them, comparing them with a server, applying them, and refusing
//! to run on a server that is not what they say.

use std::fmt;

use async_nats::jetstream::{self, stream::Config};
use serde_json::Value;
use uuid::Uuid;

use crate::BoxError;

/// All stream files, streams before the lanes that source them.
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

/// What an acknowledgement of this server means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// On disk, synced.
    Fsync,
    /// In the memory or page cache of at least two servers.
    Replicated,
    /// In the memory or page cache of one server.
    Memory,
}

/// One difference between a file and the server.
#[derive(Clone, Debug, PartialEq)]
pub enum Difference {
    Missing {
        stream: String,
    },
    Field {
        stream: String,
        field: String,
        file: Value,
        live: Value,
    },
}

/// How streams are applied.
#[derive(Clone, Copy, Debug)]
pub struct ApplyOptions {
    /// Instead of the files' `num_replicas`.
    pub replicas: Option<usize>,
    /// A fresh random id: streams that are created now get it as their incarnation.
    pub incarnation: Uuid,
}

/// What was done to one stream.
#[derive(Clone, Debug, PartialEq)]
pub enum Applied {
    Created {
        stream: String,
    },
    Updated {
        stream: String,
        differences: Vec<Difference>,
    },
    Unchanged {
        stream: String,
    },
}

/// What a service insists on before it runs.
#[derive(Clone, Copy, Debug, Default)]
pub struct CheckOptions {
    /// Instead of the files' `num_replicas`.
    pub replicas: Option<usize>,
    /// Run although an acknowledged event may be lost when power fails.
    pub allow_unsynced: bool,
}

/// Why stream files or a server are not usable. `Display` says how to mend it.
#[derive(Debug, thiserror::Error)]
pub enum TopologyError {
    #[error("{path} is not a stream file")]
    Parse {
        path: String,
        #[source]
        source: serde_json::Error,
    },
    #[error("{path}: `{key}` is unknown to this client or states a default; remove it")]
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
    #[error(
        "the server is version {version}, at least {minimum} is needed: install a newer nats-server"
    )]
    ServerVersion {
        version: String,
        minimum: &'static str,
    },
    #[error("{}; run `doran streams apply`", join(.0))]
    Differs(Vec<Difference>),
    #[error(
        "server {server} acknowledges before fsync (jetstream.sync_interval is {setting}): set \
         `sync_interval: always` in nats.conf, or allow unsynced acknowledgements explicitly"
    )]
    Unsynced { server: String, setting: String },
    #[error("the server's jetstream.sync_interval could not be read")]
    SyncIntervalUnknown(#[source] BoxError),
}

impl Topology {
    /// Reads files of (name, bytes). `*.schema.json` and what does not end in `.json` is skipped.
    pub fn parse<N: AsRef<str>, B: AsRef<[u8]>>(
        files: impl IntoIterator<Item = (N, B)>,
    ) -> Result<Self, TopologyError> {
        let _ = files.into_iter().count();
        todo!()
    }

    /// What differs between the files and the server, nothing when it is as they want it.
    pub async fn diff(
        &self,
        js: &jetstream::Context,
        replicas: Option<usize>,
    ) -> Result<Vec<Difference>, TopologyError> {
        let _ = (js, replicas);
        todo!()
    }

    /// Creates and updates what differs. Never deletes a stream.
    pub async fn apply(
        &self,
        js: &jetstream::Context,
        options: ApplyOptions,
    ) -> Result<Vec<Applied>, TopologyError> {
        let _ = (js, options);
        todo!()
    }

    /// Refuses a server of the wrong version, with other streams, or that acknowledges before
    /// fsync; says what an acknowledgement means.
    pub async fn check(
        &self,
        js: &jetstream::Context,
        options: CheckOptions,
    ) -> Result<Durability, TopologyError> {
        let _ = (js, options);
        todo!()
    }
}

impl fmt::Display for Durability {
    /// The word of an acknowledgement: `fsync`, `replicated` or `memory`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Fsync => "fsync",
            Self::Replicated => "replicated",
            Self::Memory => "memory",
        })
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing { stream } => write!(f, "stream {stream} is missing"),
            Self::Field {
                stream,
                field,
                file,
                live,
            } => {
                write!(
                    f,
                    "stream {stream}: `{field}` is {live}, the file says {file}"
                )
            }
        }
    }
}

fn join(differences: &[Difference]) -> String {
    let lines: Vec<_> = differences.iter().map(ToString::to_string).collect();
    lines.join("; ")
}
