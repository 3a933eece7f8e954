//! What the statements see of an event: one element of the JSON array `$1`, or of the arrays that
//! stand for it.

mod cells;
mod json;

use chrono::{DateTime, Utc};
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::read_model::Statement;

pub(crate) use cells::{CellArray, Cells};
pub(crate) use json::JsonbArray;

/// With which PostgreSQL's binary form of jsonb begins; JSON text follows.
const JSONB_VERSION: u8 = 1;

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

impl EventMeta {
    const FIELDS: [&str; 6] = ["eventId", "sequence", "time", "actor", "type", "subject"];
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
        body: &[u8],
        meta: &EventMeta,
        statement: &Statement,
    ) -> Result<Self, serde_json::Error> {
        let object = json::json_object(body)?;
        let cells = match statement.columns() {
            Some(columns) => Cells::of_object(columns, object, meta)?,
            None => None,
        };
        Ok(cells.map_or_else(|| Self::Json(json::splice(object, meta)), Self::Cells))
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
                &row.meta,
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
    use super::*;

    pub(super) fn meta() -> EventMeta {
        EventMeta {
            event_id: Uuid::from_u128(7),
            sequence: 42,
            time: DateTime::from_timestamp(1_700_000_000, 0).unwrap(),
            actor: Some("a \"quoted\" actor".to_owned()),
            event_type: "OrderPlaced".to_owned(),
            subject: "order.1.OrderPlaced".to_owned(),
        }
    }

    pub(super) fn with_meta(fields: &str) -> Value {
        let meta = r#""eventId":"00000000-0000-0000-0000-000000000007","sequence":42,
            "time":"2023-11-14T22:13:20Z","actor":"a \"quoted\" actor","type":"OrderPlaced",
            "subject":"order.1.OrderPlaced"}"#;
        serde_json::from_str(&format!("{{{fields}{meta}")).unwrap()
    }

    fn statement(columns: &str) -> Statement {
        let sql = format!("select e.id from jsonb_to_recordset($1) as e({columns})");
        Statement::parse("OrderPlaced.sql", &sql).unwrap()
    }

    fn both_ways(body: &str, statement: &Statement) -> Row {
        let row = Row::of_body(body.as_bytes(), &meta(), statement).unwrap();
        let opened = EventRow {
            meta: meta(),
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
