//! A row as one value for each column of its statement, in the binary form of PostgreSQL's arrays.

use std::{borrow::Cow, fmt};

use chrono::{DateTime, Utc};
use doran_eventstore::Recorded;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;
use sqlx::{
    Postgres,
    encode::{Encode, IsNull},
    error::BoxDynError,
    postgres::{PgArgumentBuffer, PgTypeInfo, types::Oid},
};
use uuid::Uuid;

use super::{ENVELOPE, EventRow, JSONB_VERSION, json::push_envelope};
use crate::read_model::{Column, Columns, Kind};

/// One element after the other: its length in four bytes, -1 for null, and its value.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Cells(Vec<u8>);

impl Cells {
    /// `None` where a field is not what its column asks for.
    pub(super) fn of_object(
        columns: &Columns,
        object: &str,
        event: &Recorded,
    ) -> Result<Option<Self>, serde_json::Error> {
        let mut json = serde_json::Deserializer::from_str(object);
        let fields = Fields(columns).deserialize(&mut json)?;
        let fields = fields.into_iter().map(|field| field.map(Cow::Borrowed));
        Ok(Self::collect(columns, fields, event))
    }

    pub(super) fn of_fields(
        columns: &Columns,
        row: &EventRow,
    ) -> Result<Option<Self>, serde_json::Error> {
        let field = |column: &Column| match row.fields.get(&column.name) {
            Some(value) => serde_json::to_string(value).map(|json| Some(Cow::Owned(json))),
            None => Ok(None),
        };
        let fields = columns.iter().map(field).collect::<Result<Vec<_>, _>>()?;
        Ok(Self::collect(columns, fields, &row.event))
    }

    fn collect<'a>(
        columns: &Columns,
        fields: impl IntoIterator<Item = Option<Cow<'a, str>>>,
        event: &Recorded,
    ) -> Option<Self> {
        let mut cells = Self::default();
        for (column, field) in columns.iter().zip(fields) {
            cells.push_column(column, field.as_deref(), event)?;
        }
        Some(cells)
    }

    fn push_column(
        &mut self,
        column: &Column,
        field: Option<&str>,
        event: &Recorded,
    ) -> Option<()> {
        match (column.name.as_str(), column.kind) {
            ("eventId", Kind::Uuid) => self.push(event.event_id.as_bytes()),
            ("sequence", Kind::Bigint) => {
                let sequence = i64::try_from(event.sequence).ok()?;
                self.push(&sequence.to_be_bytes())
            }
            ("time", Kind::Timestamptz) => self.push_time(event.time),
            (name, kind) if ENVELOPE.contains(&name) => {
                let mut json = String::new();
                push_envelope(&mut json, name, event);
                self.push_json(kind, &json)
            }
            (_, kind) => self.push_json(kind, field.unwrap_or("null")),
        }
    }

    fn push_json(&mut self, kind: Kind, json: &str) -> Option<()> {
        if json == "null" {
            const NULL: i32 = -1;
            self.0.extend(NULL.to_be_bytes());
            return Some(());
        }
        match kind {
            Kind::Uuid => {
                const HYPHENATED: usize = 36;
                let id = text_of(json)?;
                let id = Uuid::try_parse(&id).ok().filter(|_| id.len() == HYPHENATED);
                self.push(id?.as_bytes())
            }
            Kind::Bigint => {
                let number: i64 = json.parse().ok()?;
                self.push(&number.to_be_bytes())
            }
            Kind::Boolean => {
                let is_true: bool = json.parse().ok()?;
                self.push(&[u8::from(is_true)])
            }
            Kind::Text | Kind::Written => self.push(text_of(json)?.as_bytes()),
            Kind::Timestamptz => {
                let time = DateTime::parse_from_rfc3339(&text_of(json)?).ok()?;
                self.push_time(time.to_utc())
            }
            Kind::Jsonb => self.push_parts(&[JSONB_VERSION], json.as_bytes()),
        }
    }

    /// Microseconds since 2000.
    fn push_time(&mut self, time: DateTime<Utc>) -> Option<()> {
        const EPOCH: i64 = 946_684_800_000_000;
        let nanos = time.timestamp_subsec_nanos();
        // PostgreSQL rounds, and makes a leap second the next minute's first.
        if !nanos.is_multiple_of(1_000) || nanos >= 1_000_000_000 {
            return None;
        }
        self.push(&(time.timestamp_micros() - EPOCH).to_be_bytes())
    }

    fn push(&mut self, value: &[u8]) -> Option<()> {
        self.push_parts(value, &[])
    }

    fn push_parts(&mut self, first: &[u8], second: &[u8]) -> Option<()> {
        let length = i32::try_from(first.len() + second.len()).ok()?;
        self.0.extend(length.to_be_bytes());
        self.0.extend(first);
        self.0.extend(second);
        Some(())
    }

    /// Each cell with its length before it.
    fn iter(&self) -> impl Iterator<Item = &[u8]> {
        let mut rest = self.0.as_slice();
        std::iter::from_fn(move || {
            let length = i32::from_be_bytes(*rest.first_chunk()?);
            let (cell, after) = rest.split_at_checked(4 + usize::try_from(length).unwrap_or(0))?;
            rest = after;
            Some(cell)
        })
    }
}

/// The text that a JSON string stands for.
fn text_of(json: &str) -> Option<Cow<'_, str>> {
    match json.strip_prefix('"').and_then(|j| j.strip_suffix('"')) {
        Some(plain) if !plain.contains('\\') => Some(Cow::Borrowed(plain)),
        Some(_escaped) => serde_json::from_str(json).map(Cow::Owned).ok(),
        None => None,
    }
}

/// The values that an object has for the columns; of two equal keys the second counts.
struct Fields<'c>(&'c Columns);

/// Which column a key names.
struct Key<'c>(&'c Columns);

impl<'de> DeserializeSeed<'de> for Fields<'_> {
    type Value = Vec<Option<&'de str>>;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<Self::Value, D::Error> {
        json.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Fields<'_> {
    type Value = Vec<Option<&'de str>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an event's fields")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut fields = vec![None; self.0.iter().len()];
        while let Some(column) = map.next_key_seed(Key(self.0))? {
            match column.and_then(|at| fields.get_mut(at)) {
                Some(field) => *field = Some(map.next_value::<&RawValue>()?.get()),
                None => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(fields)
    }
}

impl<'de> DeserializeSeed<'de> for Key<'_> {
    type Value = Option<usize>;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<Self::Value, D::Error> {
        json.deserialize_str(self)
    }
}

impl Visitor<'_> for Key<'_> {
    type Value = Option<usize>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a field")
    }

    fn visit_str<E>(self, key: &str) -> Result<Self::Value, E> {
        Ok(self.0.iter().position(|column| column.name == key))
    }
}

/// The cells that several rows have for one column, as one array.
pub(crate) struct CellArray<'a> {
    kind: Kind,
    cells: Vec<&'a [u8]>,
}

impl<'a> CellArray<'a> {
    /// One array for each column.
    pub(crate) fn of(columns: &Columns, rows: &[&'a Cells]) -> Vec<Self> {
        let mut arrays: Vec<_> = columns
            .iter()
            .map(|column| Self {
                kind: column.kind,
                cells: Vec::with_capacity(rows.len()),
            })
            .collect();
        for row in rows {
            for (array, cell) in arrays.iter_mut().zip(row.iter()) {
                array.cells.push(cell);
            }
        }
        arrays
    }

    /// The numbers of the element's and the array's type, which never change (`pg_type.dat`).
    fn oids(&self) -> (u32, u32) {
        match self.kind {
            Kind::Uuid => (2950, 2951),
            Kind::Bigint => (20, 1016),
            Kind::Boolean => (16, 1000),
            Kind::Text | Kind::Written => (25, 1009),
            Kind::Timestamptz => (1184, 1185),
            Kind::Jsonb => (3802, 3807),
        }
    }
}

impl sqlx::Type<Postgres> for CellArray<'_> {
    fn type_info() -> PgTypeInfo {
        <Vec<String> as sqlx::Type<Postgres>>::type_info()
    }
}

impl Encode<'_, Postgres> for CellArray<'_> {
    fn encode_by_ref(&self, buffer: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        const DIMENSIONS: i32 = 1;
        const MAY_HAVE_NULLS: i32 = 1;
        const FIRST: i32 = 1;
        let length = i32::try_from(self.cells.len())?;
        let (element, _array) = self.oids();
        buffer.extend(DIMENSIONS.to_be_bytes());
        buffer.extend(MAY_HAVE_NULLS.to_be_bytes());
        buffer.extend(element.to_be_bytes());
        buffer.extend(length.to_be_bytes());
        buffer.extend(FIRST.to_be_bytes());
        for cell in &self.cells {
            buffer.extend_from_slice(cell);
        }
        Ok(IsNull::No)
    }

    fn produces(&self) -> Option<PgTypeInfo> {
        let (_element, array) = self.oids();
        Some(PgTypeInfo::with_oid(Oid(array)))
    }

    fn size_hint(&self) -> usize {
        20 + self.cells.iter().map(|cell| cell.len()).sum::<usize>()
    }
}
