//! An event as the log holds it, from whichever way it came, and its reading into a type.

use std::{str::FromStr, sync::Arc};

use async_nats::{
    HeaderMap,
    jetstream::{self, message::StreamMessage},
};
use bytes::Bytes;
use chrono::{DateTime, Utc};
use cqrs_es::DomainEvent;
use serde::Serialize;
use serde_json::{Value, value::RawValue};
use uuid::Uuid;

use crate::{envelope, publish::Message};

const STREAM: &str = "Nats-Stream";
const SUBJECT: &str = "Nats-Subject";
const SEQUENCE: &str = "Nats-Sequence";
const TIME_STAMP: &str = "Nats-Time-Stamp";
/// On a republished message the previous sequence on its subject, in the answers of a direct get
/// the one sent before.
const LAST_SEQUENCE: &str = "Nats-Last-Sequence";

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

/// What the places where messages come from have to say about them.
struct Place {
    stream: Arc<str>,
    subject: String,
    sequence: u64,
    stored_at: DateTime<Utc>,
}

impl Recorded {
    /// Reads what a stream republished (`live.…`).
    pub fn from_republished(message: async_nats::Message) -> Result<Self, NotRecorded> {
        let headers = message.headers.unwrap_or_default();
        let place = Place::from_headers(&headers)?;
        let previous = parsed_header(&headers, LAST_SEQUENCE)?;
        let mut recorded = Self::new(place, headers, message.payload);
        recorded.previous_on_subject = Some(previous);
        Ok(recorded)
    }

    /// Reads the answer of a direct get.
    pub fn from_direct_get(message: async_nats::Message) -> Result<Self, NotRecorded> {
        let headers = message.headers.unwrap_or_default();
        let place = Place::from_headers(&headers)?;
        Ok(Self::new(place, headers, message.payload))
    }

    /// Reads what a consumer delivered.
    pub fn from_consumer(message: jetstream::Message) -> Result<Self, NotRecorded> {
        let unusable = |_| NotRecorded {
            header: "$JS.ACK reply subject",
        };
        let info = message.info().map_err(unusable)?;
        let place = Place {
            stream: info.stream.into(),
            subject: message.subject.to_string(),
            sequence: info.stream_sequence,
            stored_at: chrono_time(info.published.unix_timestamp_nanos()),
        };
        let message = message.message;
        let headers = message.headers.unwrap_or_default();
        Ok(Self::new(place, headers, message.payload))
    }

    /// Reads what the stream's leader answered to `STREAM.MSG.GET`.
    pub fn from_stream_message(stream: Arc<str>, message: StreamMessage) -> Self {
        let place = Place {
            stream,
            subject: message.subject.to_string(),
            sequence: message.sequence,
            stored_at: chrono_time(message.time.unix_timestamp_nanos()),
        };
        Self::new(place, message.headers, message.payload)
    }

    /// What a stream in memory holds.
    pub(crate) fn from_memory(
        stream: &'static str,
        sequence: u64,
        stored_at: DateTime<Utc>,
        message: Message,
    ) -> Self {
        let place = Place {
            stream: stream.into(),
            subject: message.subject,
            sequence,
            stored_at,
        };
        Self::new(place, message.headers, message.body)
    }

    /// The event in its current shape, older versions raised by the schema's upcasters.
    pub fn decode<E: DomainEvent>(&self, schema: &Schema) -> Result<E, DecodeError> {
        let malformed = |source| self.malformed(source);
        let tagged = if self.current_version(schema)? == self.version {
            // The bytes go straight into the type: this is the hot way.
            let data: &RawValue = serde_json::from_slice(&self.payload).map_err(malformed)?;
            self.tagged(data)
        } else {
            self.tagged(&self.body(schema)?)
        };
        let tagged = tagged.map_err(malformed)?;
        serde_json::from_slice(&tagged).map_err(malformed)
    }

    /// The body as JSON in its current shape, for readers without the event's Rust type.
    pub fn body(&self, schema: &Schema) -> Result<Value, DecodeError> {
        let current = self.current_version(schema)?;
        let body = serde_json::from_slice(&self.payload).map_err(|e| self.malformed(e))?;
        (self.version..current).try_fold(body, |body, version| {
            let is_next =
                |u: &&Upcaster| u.event_type == self.event_type && u.from_version == version;
            let upcaster = schema.upcasters.iter().find(is_next);
            Ok((upcaster.ok_or_else(|| self.unknown_version())?.upcast)(
                body,
            ))
        })
    }

    fn new(place: Place, headers: HeaderMap, payload: Bytes) -> Self {
        let text = |name| headers.get(name).map(|value| value.as_str().to_owned());
        let uuid = |name| {
            headers
                .get(name)
                .and_then(|value| value.as_str().parse().ok())
        };
        let last_token = || {
            place
                .subject
                .rsplit('.')
                .next()
                .unwrap_or_default()
                .to_owned()
        };
        let time = text(envelope::TIME).and_then(|time| time.parse().ok());
        let version = text(envelope::VERSION).and_then(|version| version.parse().ok());
        Self {
            time: time.unwrap_or(place.stored_at),
            event_id: uuid(envelope::EVENT_ID)
                .unwrap_or_else(|| foreign_event_id(&place.stream, place.sequence)),
            event_type: text(envelope::EVENT_TYPE).unwrap_or_else(last_token),
            version: version.unwrap_or(1),
            command_id: uuid(envelope::COMMAND_ID),
            actor: text(envelope::ACTOR),
            previous_on_subject: None,
            stream: place.stream,
            subject: place.subject,
            sequence: place.sequence,
            headers,
            payload,
        }
    }

    /// The newest version of this event's type, when this event is not newer still.
    fn current_version(&self, schema: &Schema) -> Result<u32, DecodeError> {
        let known = schema
            .types
            .iter()
            .find(|(name, _)| *name == self.event_type);
        match known {
            None => Err(DecodeError::UnknownType {
                stream: Arc::clone(&self.stream),
                sequence: self.sequence,
                event_type: self.event_type.clone(),
            }),
            Some((_, current)) if self.version > *current => Err(self.unknown_version()),
            Some((_, current)) => Ok(*current),
        }
    }

    /// Puts type and body together in the form that adjacently tagged enums have.
    fn tagged<T: Serialize + ?Sized>(&self, data: &T) -> Result<Vec<u8>, serde_json::Error> {
        serde_json::to_vec(&Tagged {
            event_type: &self.event_type,
            data,
        })
    }

    fn unknown_version(&self) -> DecodeError {
        DecodeError::UnknownVersion {
            stream: Arc::clone(&self.stream),
            sequence: self.sequence,
            event_type: self.event_type.clone(),
            version: self.version,
        }
    }

    pub(crate) fn malformed(&self, source: serde_json::Error) -> DecodeError {
        DecodeError::Malformed {
            stream: Arc::clone(&self.stream),
            sequence: self.sequence,
            event_type: self.event_type.clone(),
            source,
        }
    }
}

#[derive(Serialize)]
struct Tagged<'a, T: ?Sized> {
    #[serde(rename = "type")]
    event_type: &'a str,
    data: &'a T,
}

impl Place {
    fn from_headers(headers: &HeaderMap) -> Result<Self, NotRecorded> {
        Ok(Self {
            stream: parsed_header::<String>(headers, STREAM)?.into(),
            subject: parsed_header(headers, SUBJECT)?,
            sequence: parsed_header(headers, SEQUENCE)?,
            stored_at: parsed_header(headers, TIME_STAMP)?,
        })
    }
}

fn parsed_header<T: FromStr>(headers: &HeaderMap, header: &'static str) -> Result<T, NotRecorded> {
    let value = headers
        .get(header)
        .and_then(|value| value.as_str().parse().ok());
    value.ok_or(NotRecorded { header })
}

/// Times outside of the years that chrono knows do not come from a server.
fn chrono_time(nanos: i128) -> DateTime<Utc> {
    i64::try_from(nanos).map_or(DateTime::UNIX_EPOCH, DateTime::from_timestamp_nanos)
}

/// A message without an envelope still needs an id that is the same at every reading.
fn foreign_event_id(stream: &str, sequence: u64) -> Uuid {
    Uuid::new_v5(
        &Uuid::NAMESPACE_OID,
        format!("{stream}:{sequence}").as_bytes(),
    )
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;
    use serde_json::json;

    use super::*;

    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    #[serde(tag = "type", content = "data")]
    enum Note {
        #[serde(rename = "NoteWritten")]
        Written { text: String, tags: Vec<String> },
    }

    impl DomainEvent for Note {
        fn event_type(&self) -> String {
            "NoteWritten".to_owned()
        }

        fn event_version(&self) -> String {
            "3".to_owned()
        }
    }

    /// Version 1 had `body` for `text`; version 2 had no tags.
    const SCHEMA: Schema = Schema {
        types: &[("NoteWritten", 3)],
        upcasters: &[
            Upcaster {
                event_type: "NoteWritten",
                from_version: 1,
                upcast: |old| json!({ "text": old["body"] }),
            },
            Upcaster {
                event_type: "NoteWritten",
                from_version: 2,
                upcast: |old| json!({ "text": old["text"], "tags": [] }),
            },
        ],
    };

    fn stored(event_type: &str, version: u32, payload: &str) -> Recorded {
        let mut headers = HeaderMap::new();
        headers.insert(STREAM, "NOTE");
        headers.insert(SUBJECT, format!("note.1.{event_type}").as_str());
        headers.insert(SEQUENCE, "7");
        headers.insert(TIME_STAMP, "2026-11-23T23:42:49.641780861Z");
        headers.insert(LAST_SEQUENCE, "3");
        headers.insert(envelope::VERSION, version.to_string().as_str());
        Recorded::from_direct_get(message(headers, payload)).unwrap()
    }

    fn message(headers: HeaderMap, payload: &str) -> async_nats::Message {
        async_nats::Message {
            subject: "live.note.1.NoteWritten".into(),
            reply: None,
            payload: payload.to_owned().into(),
            headers: Some(headers),
            status: None,
            description: None,
            length: 0,
        }
    }

    fn written(tags: &[&str]) -> Note {
        Note::Written {
            text: "hi".to_owned(),
            tags: tags.iter().map(|tag| (*tag).to_owned()).collect(),
        }
    }

    #[test]
    fn the_current_version_is_read_as_it_is() {
        let recorded = stored("NoteWritten", 3, r#"{"text":"hi","tags":["a"]}"#);
        assert_eq!(recorded.decode::<Note>(&SCHEMA).unwrap(), written(&["a"]));
        assert_eq!(recorded.time.timestamp_subsec_nanos(), 641_780_861);
    }

    #[test]
    fn older_versions_are_raised_step_by_step() {
        let first = stored("NoteWritten", 1, r#"{"body":"hi"}"#);
        assert_eq!(first.decode::<Note>(&SCHEMA).unwrap(), written(&[]));
        let second = stored("NoteWritten", 2, r#"{"text":"hi"}"#);
        assert_eq!(
            second.body(&SCHEMA).unwrap(),
            json!({ "text": "hi", "tags": [] })
        );
    }

    #[test]
    fn an_unknown_type_a_newer_version_and_a_missing_upcaster_are_told_apart() {
        let unknown = stored("NoteBurnt", 1, "{}").decode::<Note>(&SCHEMA);
        assert!(matches!(unknown, Err(DecodeError::UnknownType { .. })));
        let newer = stored("NoteWritten", 4, "{}").decode::<Note>(&SCHEMA);
        assert!(matches!(
            newer,
            Err(DecodeError::UnknownVersion { version: 4, .. })
        ));
        let lost = stored("NoteWritten", 0, "{}").decode::<Note>(&SCHEMA);
        assert!(matches!(
            lost,
            Err(DecodeError::UnknownVersion { version: 0, .. })
        ));
    }

    #[test]
    fn a_body_that_is_not_its_type_is_malformed() {
        for payload in [
            "",
            "{",
            "null",
            r#"{"text":1,"tags":[]}"#,
            r#"{},"type":"NoteWritten""#,
        ] {
            let decoded = stored("NoteWritten", 3, payload).decode::<Note>(&SCHEMA);
            assert!(
                matches!(decoded, Err(DecodeError::Malformed { .. })),
                "{payload}"
            );
        }
    }

    #[test]
    fn only_a_republished_event_knows_the_previous_one_on_its_subject() {
        let direct = stored("NoteWritten", 3, "{}");
        assert_eq!(direct.previous_on_subject, None);
        let live = Recorded::from_republished(message(direct.headers, "{}")).unwrap();
        assert_eq!(live.previous_on_subject, Some(3));
        assert_eq!(live.subject, "note.1.NoteWritten");
    }

    #[test]
    fn a_message_without_envelope_has_the_same_id_at_every_reading() {
        let first = stored("NoteWritten", 3, "{}");
        assert_eq!(first.event_id, stored("NoteWritten", 3, "{}").event_id);
        assert_eq!(first.event_type, "NoteWritten");
        let nothing = Recorded::from_direct_get(message(HeaderMap::new(), "{}"));
        assert_eq!(nothing.unwrap_err().header, STREAM);
    }
}
