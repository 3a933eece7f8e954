//! A row as one JSON object, for the statements that take `$1` as it is.

use std::fmt::Write as _;

use chrono::SecondsFormat;
use doran_eventstore::Recorded;
use serde_json::{Map, Value, value::RawValue};
use sqlx::Postgres;
use sqlx::encode::{Encode, IsNull};
use sqlx::error::BoxDynError;
use sqlx::postgres::{PgArgumentBuffer, PgTypeInfo};
use uuid::Uuid;

use super::ENVELOPE;

/// Joins an event's body, what was added to it and its envelope, without parsing the body.
///
/// What counts comes last: of two equal keys jsonb keeps the second.
pub(super) fn splice(
    event: &Recorded,
    body: &str,
    added: &Map<String, Value>,
) -> Result<String, serde_json::Error> {
    let mut row = String::with_capacity(body.len() + event.subject.len() + 192);
    row.push('{');
    push_fields(&mut row, body);
    push_fields(&mut row, &serde_json::to_string(added)?);
    for name in ENVELOPE {
        push_comma(&mut row);
        push_text(&mut row, name);
        row.push(':');
        push_envelope(&mut row, name, event);
    }
    row.push('}');
    Ok(row)
}

fn push_fields(row: &mut String, object: &str) {
    let fields = object
        .strip_prefix('{')
        .and_then(|object| object.strip_suffix('}'))
        .unwrap_or("")
        .trim();
    if !fields.is_empty() {
        push_comma(row);
        row.push_str(fields);
    }
}

fn push_comma(row: &mut String) {
    if row.len() > 1 {
        row.push(',');
    }
}

/// The value of one field of [`ENVELOPE`].
pub(super) fn push_envelope(row: &mut String, name: &str, event: &Recorded) {
    let mut id = Uuid::encode_buffer();
    match name {
        "eventId" => push_text(row, event.event_id.hyphenated().encode_lower(&mut id)),
        "sequence" => {
            write!(row, "{}", event.sequence).expect("writing to a string does not fail");
        }
        "time" => push_text(
            row,
            &event.time.to_rfc3339_opts(SecondsFormat::AutoSi, true),
        ),
        "type" => push_text(row, &event.event_type),
        "subject" => push_text(row, &event.subject),
        _actor => match &event.actor {
            Some(actor) => push_text(row, actor),
            None => row.push_str("null"),
        },
    }
}

fn push_text(row: &mut String, text: &str) {
    let needs_escape = |c: char| c < ' ' || c == '"' || c == '\\';
    if text.contains(needs_escape) {
        row.push_str(&Value::from(text).to_string());
    } else {
        row.push('"');
        row.push_str(text);
        row.push('"');
    }
}

pub(crate) const NO_OBJECT: &str = "an event's body is a JSON object";

/// The body's text, if it is a JSON object.
pub(crate) fn json_object(body: &[u8]) -> Result<&str, serde_json::Error> {
    let text = serde_json::from_slice::<&RawValue>(body)?.get();
    if text.starts_with('{') {
        Ok(text)
    } else {
        Err(serde::de::Error::custom(NO_OBJECT))
    }
}

/// Rows as one jsonb array, written straight into the statement's arguments.
pub(crate) struct JsonbArray<'a>(pub(crate) Vec<&'a str>);

impl sqlx::Type<Postgres> for JsonbArray<'_> {
    fn type_info() -> PgTypeInfo {
        <sqlx::types::Json<()> as sqlx::Type<Postgres>>::type_info()
    }
}

impl Encode<'_, Postgres> for JsonbArray<'_> {
    fn encode_by_ref(&self, buffer: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        buffer.push(super::JSONB_VERSION);
        buffer.push(b'[');
        for (at, row) in self.0.iter().enumerate() {
            if at > 0 {
                buffer.push(b',');
            }
            buffer.extend_from_slice(row.as_bytes());
        }
        buffer.push(b']');
        Ok(IsNull::No)
    }

    fn size_hint(&self) -> usize {
        self.0.iter().map(|row| row.len() + 1).sum::<usize>() + 3
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::tests::{event, with_envelope},
        *,
    };

    #[test]
    fn a_spliced_row_is_the_body_and_the_envelope() {
        for (body, fields) in [
            (r#"{"amount": 3}"#, r#""amount":3,"#),
            ("  { } ", ""),
            (r#"{"sequence": 1}"#, ""),
        ] {
            let event = event(body);
            let row = splice(&event, json_object(&event.payload).unwrap(), &Map::new()).unwrap();
            assert_eq!(
                serde_json::from_str::<Value>(&row).unwrap(),
                with_envelope(fields)
            );
        }
    }

    #[test]
    fn a_body_that_is_no_object_is_refused() {
        for body in ["", "[1]", "3", "{\"a\":}", "{} {}", "\u{feff}{}"] {
            assert!(json_object(body.as_bytes()).is_err(), "{body}");
        }
        assert!(json_object(b"{\"a\":\"\xff\"}").is_err());
    }
}
