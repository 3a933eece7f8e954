//! An event as the log holds it, from whichever way it came, and its reading into a type.

use std::sync::Arc;

use async_nats::HeaderMap;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use cqrs_es::DomainEvent;
use serde_json::Value;
use uuid::Uuid;

/// The event types a reader knows, and the way from older versions to the current ones.
#[derive(Clone, Copy, Debug)]
pub struct Schema {
    /// Name and current version of each type.
    pub types: &'static [(&'static str, u32)],
    pub upcasters: &'static [Upcaster],
}

/// Turns the body of one version into the body of the next.
#[derive(Clone, Copy, Debug)]
pub struct Upcaster {
    pub event_type: &'static str,
    /// It makes `from_version + 1`.
    pub from_version: u32,
    pub upcast: fn(Value) -> Value,
}

/// One stored event: where it lies, its envelope, its body still as bytes.
#[derive(Clone, Debug)]
pub struct Recorded {
    pub stream: Arc<str>,
    /// The subject it is stored under, also when it came over the republished one.
    pub subject: String,
    pub sequence: u64,
    /// `ce-time`, what the writer's clock said; the time of storing where there is none.
    pub time: DateTime<Utc>,
    /// `ce-id`; made from stream and sequence for a message that somebody wrote without envelope.
    pub event_id: Uuid,
    /// `ce-type`, else the subject's last token.
    pub event_type: String,
    /// `ce-dataversion`, else 1.
    pub version: u32,
    pub command_id: Option<Uuid>,
    pub actor: Option<String>,
    /// Only on republished events: the sequence of the previous one on the same subject, 0 for
    /// none. What does not follow it has been lost on the way and is read from the log.
    pub previous_on_subject: Option<u64>,
    pub headers: HeaderMap,
    pub payload: Bytes,
}

/// Why a stored event could not be read into its type.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// A newer build, or somebody else, wrote a type that this one does not know.
    #[error("{stream}:{sequence} has the unknown type {event_type:?}")]
    UnknownType {
        stream: Arc<str>,
        sequence: u64,
        event_type: String,
    },
    /// A newer version than this build's, or an older one without a way to the current.
    #[error("{stream}:{sequence} is version {version} of {event_type}, which is not known here")]
    UnknownVersion {
        stream: Arc<str>,
        sequence: u64,
        event_type: String,
        version: u32,
    },
    /// The body is not what its type and version promise.
    #[error("{stream}:{sequence} does not have the shape of {event_type}")]
    Malformed {
        stream: Arc<str>,
        sequence: u64,
        event_type: String,
        #[source]
        source: serde_json::Error,
    },
}

/// A message that cannot have come from a stream: it lacks the headers that name its place.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the message has no usable `{header}`")]
pub struct NotRecorded {
    pub header: &'static str,
}

impl Recorded {
    /// Reads what a stream republished (`live.…`).
    pub fn from_republished(message: async_nats::Message) -> Result<Self, NotRecorded> {
        let _ = message;
        todo!()
    }

    /// Reads the answer of a direct get.
    pub fn from_direct_get(message: async_nats::Message) -> Result<Self, NotRecorded> {
        let _ = message;
        todo!()
    }

    /// Reads what a consumer delivered.
    pub fn from_consumer(message: &async_nats::jetstream::Message) -> Result<Self, NotRecorded> {
        let _ = message;
        todo!()
    }

    /// The event in its current shape, older versions raised by the schema's upcasters.
    pub fn decode<E: DomainEvent>(&self, schema: &Schema) -> Result<E, DecodeError> {
        let _ = schema;
        todo!()
    }

    /// The body as JSON in its current shape, for readers without the event's Rust type.
    pub fn body(&self, schema: &Schema) -> Result<Value, DecodeError> {
        let _ = schema;
        todo!()
    }
}
