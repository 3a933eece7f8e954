//! What the statements see of an event: one element of the JSON array `$1`.

use std::fmt::Write as _;

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Map, Value, value::RawValue};
use sqlx::Postgres;
use sqlx::encode::{Encode, IsNull};
use sqlx::error::BoxDynError;
use sqlx::postgres::{PgArgumentBuffer, PgTypeInfo};
use uuid::Uuid;

use crate::read_model::Statement;

/// What every element of `$1` carries beside the event's own fields.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventMeta {
    /// `eventId`.
    pub event_id: Uuid,
    /// `sequence`: of the stream, not of the aggregate.
    pub sequence: u64,
    /// `time`, as the event says it.
    pub time: DateTime<Utc>,
    /// `actor`: who caused the event.
    pub actor: Option<String>,
    /// `type`.
    pub event_type: String,
    /// `subject`.
    pub subject: String,
}

/// One element of `$1`, opened so that an [`Enrich`](crate::Enrich) can change its fields.
///
/// The metadata wins over a field of the same name.
#[derive(Clone, Debug, PartialEq)]
pub struct EventRow {
    pub meta: EventMeta,
    /// The event's own fields, in the shape of the current version.
    pub fields: Map<String, Value>,
}

impl EventRow {
    pub(crate) fn into_json(mut self, statement: &Statement) -> Result<String, serde_json::Error> {
        self.fields
            .retain(|name, _| statement.reads(name) && !META_FIELDS.contains(&name.as_str()));
        let fields = serde_json::to_string(&self.fields)?;
        Ok(splice(&fields, &self.meta, statement))
    }
}

const META_FIELDS: [&str; 6] = ["eventId", "sequence", "time", "actor", "type", "subject"];

/// Joins an event's body and what the statement reads of its metadata, without parsing the body
/// into values.
///
/// The metadata comes last: of two equal keys jsonb keeps the second.
pub(crate) fn splice(object: &str, meta: &EventMeta, statement: &Statement) -> String {
    let fields = object
        .strip_prefix('{')
        .and_then(|object| object.strip_suffix('}'))
        .unwrap_or("")
        .trim();
    let mut row = String::with_capacity(fields.len() + meta.subject.len() + 192);
    row.push('{');
    row.push_str(fields);
    for name in META_FIELDS {
        if statement.reads(name) {
            if row.len() > 1 {
                row.push(',');
            }
            push_meta(&mut row, name, meta);
        }
    }
    row.push('}');
    row
}

fn push_meta(row: &mut String, name: &str, meta: &EventMeta) {
    let mut id = Uuid::encode_buffer();
    push_text(row, name);
    row.push(':');
    match name {
        "eventId" => push_text(row, meta.event_id.hyphenated().encode_lower(&mut id)),
        "sequence" => {
            write!(row, "{}", meta.sequence).expect("writing to a string does not fail");
        }
        "time" => push_text(row, &meta.time.to_rfc3339_opts(SecondsFormat::AutoSi, true)),
        "type" => push_text(row, &meta.event_type),
        "subject" => push_text(row, &meta.subject),
        _actor => match &meta.actor {
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

/// The body's text, if it is a JSON object.
pub(crate) fn json_object(body: &[u8]) -> Result<&str, serde_json::Error> {
    let text = serde_json::from_slice::<&RawValue>(body)?.get();
    if text.starts_with('{') {
        Ok(text)
    } else {
        Err(serde::de::Error::custom("an event's body is a JSON object"))
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
        const JSONB_VERSION: u8 = 1;
        buffer.push(JSONB_VERSION);
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
    use super::*;

    fn meta() -> EventMeta {
        EventMeta {
            event_id: Uuid::from_u128(7),
            sequence: 42,
            time: DateTime::from_timestamp(1_700_000_000, 0).unwrap(),
            actor: Some("a \"quoted\" actor".to_owned()),
            event_type: "OrderPlaced".to_owned(),
            subject: "order.1.OrderPlaced".to_owned(),
        }
    }

    fn statement(columns: &str) -> Statement {
        let sql = format!("select e.id from jsonb_to_recordset($1) as e({columns})");
        Statement::parse("OrderPlaced.sql", &sql).unwrap()
    }

    /// One that may read whatever there is.
    fn any() -> Statement {
        Statement::parse("OrderPlaced.sql", "select $1").unwrap()
    }

    fn with_meta(fields: &str) -> Value {
        let meta = r#""eventId":"00000000-0000-0000-0000-000000000007","sequence":42,
            "time":"2023-11-14T22:13:20Z","actor":"a \"quoted\" actor","type":"OrderPlaced",
            "subject":"order.1.OrderPlaced"}"#;
        serde_json::from_str(&format!("{{{fields}{meta}")).unwrap()
    }

    #[test]
    fn a_spliced_row_is_the_body_and_the_metadata() {
        for (body, fields) in [
            (r#"{"amount": 3}"#, r#""amount":3,"#),
            ("  { } ", ""),
            (r#"{"sequence": 1}"#, ""),
        ] {
            let row = splice(json_object(body.as_bytes()).unwrap(), &meta(), &any());
            assert_eq!(
                serde_json::from_str::<Value>(&row).unwrap(),
                with_meta(fields)
            );
        }
    }

    #[test]
    fn an_opened_row_is_written_like_a_spliced_one() {
        let body = r#"{"amount":3,"time":"spoofed"}"#;
        let opened = EventRow {
            meta: meta(),
            fields: serde_json::from_str(body).unwrap(),
        };
        let opened: Value = serde_json::from_str(&opened.into_json(&any()).unwrap()).unwrap();
        let spliced: Value = serde_json::from_str(&splice(body, &meta(), &any())).unwrap();
        assert_eq!(opened, spliced);
    }

    #[test]
    fn a_row_holds_what_its_statement_reads() {
        let statement = statement("amount integer, sequence bigint");
        let opened = EventRow {
            meta: meta(),
            fields: serde_json::from_str(r#"{"amount":3,"note":"n","sequence":1}"#).unwrap(),
        };
        let opened = opened.into_json(&statement).unwrap();
        assert_eq!(opened, r#"{"amount":3,"sequence":42}"#);
        assert_eq!(splice("{}", &meta(), &statement), r#"{"sequence":42}"#);
    }

    #[test]
    fn a_body_that_is_no_object_is_refused() {
        for body in ["", "[1]", "3", "{\"a\":}", "{} {}", "\u{feff}{}"] {
            assert!(json_object(body.as_bytes()).is_err(), "{body}");
        }
        assert!(json_object(b"{\"a\":\"\xff\"}").is_err());
    }
}
