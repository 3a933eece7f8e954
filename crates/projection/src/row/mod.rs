//! What the statements see of an event: one element of the JSON array `$1`, or of the arrays that
//! stand for it.

mod cells;
mod json;

use doran_eventstore::Recorded;
use serde_json::{Map, Value};

use crate::read_model::Statement;

pub(crate) use cells::{CellArray, Cells};
pub(crate) use json::{JsonbArray, NO_OBJECT, json_object};

/// With which PostgreSQL's binary form of jsonb begins; JSON text follows.
const JSONB_VERSION: u8 = 1;

/// What every element of `$1` carries beside the event's own fields: its `event_id`, its place in
/// the stream, the time that it says itself, who caused it, its type and its subject.
const ENVELOPE: [&str; 6] = ["eventId", "sequence", "time", "actor", "type", "subject"];

/// What one event gives its statement.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Row {
    /// A value for each of the statement's columns.
    Cells(Cells),
    /// A JSON object: the statement has no columns, or a field does not look as its column asks,
    /// and PostgreSQL shall say what it makes of it.
    Json(String),
}

impl Row {
    /// `body` holds the event's own fields, over which those that were added are put and over
    /// these its envelope.
    pub(crate) fn of(
        event: &Recorded,
        body: &str,
        added: &Map<String, Value>,
        statement: &Statement,
    ) -> Result<Self, serde_json::Error> {
        let cells = match statement.columns() {
            Some(columns) => Cells::of(columns, event, body, added)?,
            None => None,
        };
        Ok(match cells {
            Some(cells) => Self::Cells(cells),
            None => Self::Json(json::splice(event, body, added)?),
        })
    }

    pub(crate) fn cells(&self) -> Option<&Cells> {
        match self {
            Self::Cells(cells) => Some(cells),
            Self::Json(_) => None,
        }
    }

    pub(crate) fn json(&self) -> Option<&str> {
        match self {
            Self::Json(json) => Some(json),
            Self::Cells(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use async_nats::HeaderMap;
    use doran_eventstore::envelope;
    use serde_json::json;

    use super::*;

    pub(super) fn event(body: &str) -> Recorded {
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("Nats-Stream", "ORDER"),
            ("Nats-Subject", "order.1.OrderPlaced"),
            ("Nats-Sequence", "42"),
            ("Nats-Time-Stamp", "2026-11-28T00:00:00Z"),
            (envelope::EVENT_ID, "00000000-0000-0000-0000-000000000007"),
            (envelope::TIME, "2023-11-14T22:13:20Z"),
            (envelope::ACTOR, "a \"quoted\" actor"),
        ] {
            headers.insert(name, value);
        }
        Recorded::from_direct_get(async_nats::Message {
            subject: "order.1.OrderPlaced".into(),
            reply: None,
            payload: body.to_owned().into(),
            headers: Some(headers),
            status: None,
            description: None,
            length: 0,
        })
        .unwrap()
    }

    pub(super) fn with_envelope(fields: &str) -> Value {
        let envelope = r#""eventId":"00000000-0000-0000-0000-000000000007","sequence":42,
            "time":"2023-11-14T22:13:20Z","actor":"a \"quoted\" actor","type":"OrderPlaced",
            "subject":"order.1.OrderPlaced"}"#;
        serde_json::from_str(&format!("{{{fields}{envelope}")).unwrap()
    }

    fn statement(columns: &str) -> Statement {
        let sql = format!("select e.id from jsonb_to_recordset($1) as e({columns})");
        Statement::parse("OrderPlaced.sql", &sql).unwrap()
    }

    fn row(body: &str, added: &Value, statement: &Statement) -> Row {
        let event = event(body);
        let body = json_object(&event.payload).unwrap();
        Row::of(&event, body, added.as_object().unwrap(), statement).unwrap()
    }

    #[test]
    fn added_fields_go_over_the_own_ones_and_the_envelope_over_both() {
        let all = "amount bigint, note text, id uuid, actor text, tokens bigint[], sequence bigint";
        let (body, added) = (
            r#"{"amount":3,"note":"n","id":null,"sequence":1}"#,
            json!({"note": "a", "tokens": [1, -2], "actor": "spoofed"}),
        );
        let merged = r#"{"amount":3,"note":"a","tokens":[1,-2]}"#;
        let (cells, any) = (statement(all), statement("id numeric(1, 2)"));
        let found = row(body, &added, &cells);
        assert!(found.cells().is_some());
        assert_eq!(found, row(merged, &json!({}), &cells));
        let parsed = |row: &Row| serde_json::from_str::<Value>(row.json().unwrap()).unwrap();
        let found = parsed(&row(body, &added, &any));
        assert_eq!(
            found,
            with_envelope(r#""amount":3,"note":"a","id":null,"tokens":[1,-2],"#)
        );
    }

    #[test]
    fn a_field_that_is_not_what_its_column_asks_is_left_to_postgres() {
        for (column, field) in [
            ("id uuid", r#""0""#),
            ("id uuid", "7"),
            ("id bigint", r#""7""#),
            ("id bigint", "7.0"),
            ("id bigint", "9223372036854775808"),
            ("id text", "7"),
            ("id text", "[]"),
            ("id boolean", r#""yes""#),
            ("id timestamptz", r#""today""#),
            ("id timestamptz", r#""2026-11-28T10:00:00.123456789Z""#),
            ("id timestamptz", r#""2026-12-31T23:59:60Z""#),
            ("id bigint[]", "[1, null]"),
            ("id bigint[]", r#""{1}""#),
            ("id text[]", "[]"),
        ] {
            let body = format!(r#"{{"id":{field}}}"#);
            let row = row(&body, &json!({}), &statement(column));
            assert!(row.json().is_some(), "{column} {field}");
        }
    }
}
