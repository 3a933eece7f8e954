//! What the statements see of an event: one element of the JSON array `$1`, or of the arrays that
//! stand for it.

mod cells;
mod json;

use std::sync::Arc;

use doran_eventstore::Recorded;
use serde_json::{Map, Value};

use crate::read_model::Statement;

pub(crate) use cells::{CellArray, Cells};
pub(crate) use json::JsonbArray;

/// With which PostgreSQL's binary form of jsonb begins; JSON text follows.
const JSONB_VERSION: u8 = 1;

/// What every element of `$1` carries beside the event's own fields: its `event_id`, its place in
/// the stream, the time that it says itself, who caused it, its type and its subject.
const ENVELOPE: [&str; 6] = ["eventId", "sequence", "time", "actor", "type", "subject"];

/// One element of `$1`, opened so that an [`Enrich`](crate::Enrich) can change its fields.
///
/// What its envelope says wins over a field of the same name.
#[derive(Clone, Debug)]
pub struct EventRow {
    pub event: Arc<Recorded>,
    /// The event's own fields, in the shape of the current version.
    pub fields: Map<String, Value>,
}

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
    /// Of an event that is stored in the shape that the statement knows.
    pub(crate) fn of_body(
        event: &Recorded,
        statement: &Statement,
    ) -> Result<Self, serde_json::Error> {
        let object = json::json_object(&event.payload)?;
        let cells = match statement.columns() {
            Some(columns) => Cells::of_object(columns, object, event)?,
            None => None,
        };
        Ok(cells.map_or_else(|| Self::Json(json::splice(object, event)), Self::Cells))
    }

    pub(crate) fn of_opened(
        row: &EventRow,
        statement: &Statement,
    ) -> Result<Self, serde_json::Error> {
        let cells = match statement.columns() {
            Some(columns) => Cells::of_fields(columns, row)?,
            None => None,
        };
        Ok(match cells {
            Some(cells) => Self::Cells(cells),
            None => Self::Json(json::splice(
                &serde_json::to_string(&row.fields)?,
                &row.event,
            )),
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

    fn both_ways(body: &str, statement: &Statement) -> Row {
        let event = event(body);
        let row = Row::of_body(&event, statement).unwrap();
        let opened = EventRow {
            event: Arc::new(event),
            fields: serde_json::from_str(body).unwrap(),
        };
        let opened = Row::of_opened(&opened, statement).unwrap();
        match (&row, &opened) {
            (Row::Json(row), Row::Json(opened)) => assert_eq!(
                serde_json::from_str::<Value>(row).unwrap(),
                serde_json::from_str::<Value>(opened).unwrap()
            ),
            _cells => assert_eq!(row, opened),
        }
        row
    }

    #[test]
    fn an_opened_row_is_written_like_a_stored_one() {
        let body = r#"{"amount":3,"time":"spoofed","note":"\"n\" \ud83d\ude42","id":null}"#;
        let any = Statement::parse("OrderPlaced.sql", "select $1").unwrap();
        assert!(both_ways(body, &any).json().is_some());
        let all = statement("amount bigint, time timestamptz, note text, id uuid, actor text");
        assert!(both_ways(body, &all).cells().is_some());
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
            ("id bigint[]", "[1]"),
        ] {
            let row = both_ways(&format!(r#"{{"id":{field}}}"#), &statement(column));
            assert!(row.json().is_some(), "{column} {field}");
        }
    }
}
