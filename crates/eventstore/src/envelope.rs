//! The envelope: which headers an event carries, and how its id is made.
//!
//! The names are those of `CloudEvents` where it has one.

use std::str::FromStr;

use async_nats::{HeaderMap, HeaderValue};
use chrono::{DateTime, SecondsFormat, SubsecRound, Utc};
use uuid::Uuid;

use crate::CommandContext;

/// The event's id, see [`event_id`].
pub const EVENT_ID: &str = "ce-id";
/// The event's type, also the last token of its subject.
pub const EVENT_TYPE: &str = "ce-type";
/// The program that wrote it.
pub const SOURCE: &str = "ce-source";
/// When it happened by the writer's clock: RFC 3339 in UTC with microseconds.
pub const TIME: &str = "ce-time";
/// The version of the body's shape, a whole number.
pub const VERSION: &str = "ce-dataversion";
/// The command that led to it.
pub const COMMAND_ID: &str = "doran-command-id";
/// The keyed hash of that command's request.
pub const COMMAND_FINGERPRINT: &str = "doran-command-fingerprint";
/// On whose behalf.
pub const ACTOR: &str = "doran-actor";
pub const CORRELATION_ID: &str = "doran-correlation-id";
pub const CAUSATION_ID: &str = "doran-causation-id";
/// W3C Trace Context.
pub const TRACEPARENT: &str = "traceparent";

/// The id of a command's `index`-th event, counted from 0: the same at every retry.
///
/// A version 5 UUID of the index in the name space of the command, so it can be known before deciding.
pub fn event_id(command_id: Uuid, index: usize) -> Uuid {
    Uuid::new_v5(&command_id, index.to_string().as_bytes())
}

/// A text that cannot stand in a header: it has a line break in it.
#[derive(Debug, thiserror::Error)]
#[error("`{header}` cannot hold this text")]
pub(crate) struct NoHeaderText {
    header: &'static str,
}

/// What differs between the messages of one command.
pub(crate) struct Label<'a> {
    pub(crate) event_id: Uuid,
    pub(crate) event_type: &'a str,
    pub(crate) version: &'a str,
}

pub(crate) fn headers(label: &Label<'_>, ctx: &CommandContext) -> Result<HeaderMap, NoHeaderText> {
    let mut headers = HeaderMap::new();
    let mut put = |header: &'static str, text: &str| -> Result<(), NoHeaderText> {
        let value = HeaderValue::from_str(text).map_err(|_invalid| NoHeaderText { header })?;
        headers.insert(header, value);
        Ok(())
    };
    put(EVENT_ID, &label.event_id.to_string())?;
    put(EVENT_TYPE, label.event_type)?;
    put(SOURCE, ctx.source)?;
    put(TIME, &ctx.time.to_rfc3339_opts(SecondsFormat::Micros, true))?;
    put(VERSION, label.version)?;
    put(COMMAND_ID, &ctx.command_id.to_string())?;
    let optional = [
        (COMMAND_FINGERPRINT, &ctx.fingerprint),
        (ACTOR, &ctx.actor),
        (CORRELATION_ID, &ctx.correlation_id),
        (CAUSATION_ID, &ctx.causation_id),
        (TRACEPARENT, &ctx.traceparent),
    ];
    for (header, text) in optional {
        if let Some(text) = text {
            put(header, text)?;
        }
    }
    Ok(headers)
}

/// A time as it reads back from its header.
pub(crate) fn written_time(time: DateTime<Utc>) -> DateTime<Utc> {
    time.trunc_subsecs(6)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn context() -> CommandContext {
        CommandContext {
            command_id: Uuid::from_u128(7),
            time: DateTime::from_timestamp_nanos(1_795_477_369_641_780_861),
            actor: Some("user-1".to_owned()),
            fingerprint: None,
            expected_sequence: None,
            correlation_id: None,
            causation_id: None,
            traceparent: None,
            source: "notes",
        }
    }

    fn label() -> Label<'static> {
        Label {
            event_id: event_id(Uuid::from_u128(7), 0),
            event_type: "NoteWritten",
            version: "1",
        }
    }

    #[test]
    fn a_retry_makes_the_same_event_ids_and_each_index_its_own() {
        let command = Uuid::from_u128(7);
        assert_eq!(event_id(command, 0), event_id(command, 0));
        assert_ne!(event_id(command, 0), event_id(command, 1));
        assert_ne!(event_id(command, 0), event_id(Uuid::from_u128(8), 0));
    }

    #[test]
    fn the_time_reads_back_as_it_was_written() {
        let headers = headers(&label(), &context()).unwrap();
        let text = headers.get(TIME).unwrap().as_str();
        assert_eq!(text, "2026-11-23T23:42:49.641780Z");
        assert_eq!(text.parse(), Ok(written_time(context().time)));
        assert_eq!(headers.get(ACTOR).unwrap().as_str(), "user-1");
        assert!(headers.get(TRACEPARENT).is_none());
    }

    #[test]
    fn a_line_break_cannot_forge_a_header() {
        let forged = CommandContext {
            actor: Some("user-1\r\nce-type: Other".to_owned()),
            ..context()
        };
        assert_eq!(headers(&label(), &forged).unwrap_err().header, ACTOR);
    }
}
