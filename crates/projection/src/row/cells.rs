//! A row as one value for each column of its statement, in the binary form of PostgreSQL's arrays.

use std::{borrow::Cow, fmt};

use chrono::{DateTime, Utc};
use doran_eventstore::Recorded;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::{Map, Value, value::RawValue};
use sqlx::{
    Postgres,
    encode::{Encode, IsNull},
    error::BoxDynError,
    postgres::{PgArgumentBuffer, PgTypeInfo, types::Oid},
};
use uuid::Uuid;

use super::{ENVELOPE, JSONB_VERSION, json::push_envelope};
use crate::read_model::{Column, Columns, Kind, Sent};

/// One value after the other: its length in four bytes, -1 for null, and its bytes. The value of a
/// column of arrays is that array's elements, written in the same way.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Cells(Vec<u8>);

impl Cells {
    /// `None` where a field is not what its column asks for.
    pub(super) fn of(
        columns: &Columns,
        event: &Recorded,
        body: &str,
        added: &Map<String, Value>,
    ) -> Result<Option<Self>, serde_json::Error> {
        let own = Fields(columns).deserialize(&mut serde_json::Deserializer::from_str(body))?;
        let mut cells = Self::default();
        for (column, own) in columns.iter().zip(own) {
            let pushed = match added.get(&column.name) {
                Some(Value::Array(numbers)) if column.kind == Kind::BigintArray => {
                    cells.push_numbers(numbers.iter().map(Value::as_i64))
                }
                Some(value) => cells.push_column(column, &serde_json::to_string(value)?, event),
                None => cells.push_column(column, own.unwrap_or("null"), event),
            };
            if pushed.is_none() {
                return Ok(None);
            }
        }
        Ok(Some(cells))
    }

    fn push_column(&mut self, column: &Column, field: &str, event: &Recorded) -> Option<()> {
        match (column.name.as_str(), column.kind) {
            ("eventId", Kind::Uuid) => self.push(event.event_id.as_bytes()),
            ("sequence", Kind::Bigint) => {
                self.push(&i64::try_from(event.sequence).ok()?.to_be_bytes())
            }
            ("time", Kind::Timestamptz) => self.push_time(event.time),
            (name, kind) if ENVELOPE.contains(&name) => {
                let mut json = String::new();
                push_envelope(&mut json, name, event);
                self.push_json(kind, &json)
            }
            (_, kind) => self.push_json(kind, field),
        }
    }

    fn push_json(&mut self, kind: Kind, json: &str) -> Option<()> {
        if json == "null" {
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
            Kind::Bigint => self.push(&json.parse::<i64>().ok()?.to_be_bytes()),
            Kind::Boolean => self.push(&[u8::from(json.parse::<bool>().ok()?)]),
            Kind::Text => self.push(text_of(json)?.as_bytes()),
            Kind::Written => {
                let is_whole_number = json.parse::<i64>().is_ok() && json != "-0";
                let text = text_of(json).or(is_whole_number.then_some(Cow::Borrowed(json)));
                self.push(text?.as_bytes())
            }
            Kind::Timestamptz => {
                let time = DateTime::parse_from_rfc3339(&text_of(json)?).ok()?;
                self.push_time(time.to_utc())
            }
            Kind::Jsonb => self.push_parts(&[JSONB_VERSION], json.as_bytes()),
            Kind::BigintArray => {
                let numbers: Vec<i64> = serde_json::from_str(json).ok()?;
                self.push_numbers(numbers.into_iter().map(Some))
            }
        }
    }

    fn push_numbers(&mut self, numbers: impl Iterator<Item = Option<i64>>) -> Option<()> {
        let mut elements = Self::default();
        for number in numbers {
            elements.push(&number?.to_be_bytes())?;
        }
        self.push(&elements.0)
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

    /// Each value with its length before it.
    fn iter(&self) -> impl Iterator<Item = &[u8]> {
        let mut rest = self.0.as_slice();
        std::iter::from_fn(move || {
            let length = i32::from_be_bytes(*rest.first_chunk()?);
            let length = LENGTH + usize::try_from(length).unwrap_or(0);
            let (value, after) = rest.split_at_checked(length)?;
            rest = after;
            Some(value)
        })
    }
}

/// Stands where a value's length would.
const NULL: i32 = -1;
/// The bytes of a value's length.
const LENGTH: usize = 4;

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

/// Values of one column as a parameter of the statement.
pub(crate) struct CellArray<'a> {
    of: Sent,
    length: usize,
    values: Vec<Cow<'a, [u8]>>,
}

impl<'a> CellArray<'a> {
    /// What the statement takes for these rows, in its order.
    pub(crate) fn of(columns: &Columns, rows: &[&'a Cells]) -> Vec<Self> {
        let mut by_column = vec![Vec::with_capacity(rows.len()); columns.iter().len()];
        for row in rows {
            for (values, value) in by_column.iter_mut().zip(row.iter()) {
                values.push(value);
            }
        }
        let columns = columns.iter().zip(by_column);
        columns
            .flat_map(|(column, values)| match column.kind {
                Kind::BigintArray => Self::joined(&values),
                kind => vec![Self::plain(kind.sent(), values)],
            })
            .collect()
    }

    fn plain(of: Sent, values: Vec<&'a [u8]>) -> Self {
        Self {
            of,
            length: values.len(),
            values: values.into_iter().map(Cow::Borrowed).collect(),
        }
    }

    /// All rows' elements, and where each row's begin and end among them.
    fn joined(rows: &[&'a [u8]]) -> Vec<Self> {
        const ELEMENT: usize = LENGTH + size_of::<i64>();
        let (mut elements, mut end) = (Vec::with_capacity(rows.len()), 0);
        let [mut firsts, mut lasts] = [const { Vec::new() }; 2];
        for row in rows {
            let Some((length, bytes)) = row.split_first_chunk::<LENGTH>() else {
                continue;
            };
            if i32::from_be_bytes(*length) == NULL {
                firsts.push(Cow::Borrowed(*row));
                lasts.push(Cow::Borrowed(*row));
                continue;
            }
            elements.push(Cow::Borrowed(bytes));
            firsts.push(Cow::Owned(place(end + 1)));
            end += bytes.len() / ELEMENT;
            lasts.push(Cow::Owned(place(end)));
        }
        let places = |values: Vec<_>| Self {
            of: Sent::Integers,
            length: values.len(),
            values,
        };
        let elements = Self {
            of: Sent::Bigints,
            length: end,
            values: elements,
        };
        vec![elements, places(firsts), places(lasts)]
    }
}

/// A place in an array as PostgreSQL counts them; no array is as long as a billion.
fn place(at: usize) -> Vec<u8> {
    let mut cells = Cells::default();
    let at = i32::try_from(at).unwrap_or(i32::MAX);
    cells.push(&at.to_be_bytes()).expect("four bytes fit");
    cells.0
}

impl sqlx::Type<Postgres> for CellArray<'_> {
    fn type_info() -> PgTypeInfo {
        <Vec<String> as sqlx::Type<Postgres>>::type_info()
    }
}

impl Encode<'_, Postgres> for CellArray<'_> {
    fn encode_by_ref(&self, buffer: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        const MAY_HAVE_NULLS: i32 = 1;
        const FIRST: i32 = 1;
        let dimensions = i32::from(self.length > 0);
        let (element, _array) = self.of.oids();
        buffer.extend(dimensions.to_be_bytes());
        buffer.extend(MAY_HAVE_NULLS.to_be_bytes());
        buffer.extend(element.to_be_bytes());
        if dimensions > 0 {
            buffer.extend(i32::try_from(self.length)?.to_be_bytes());
            buffer.extend(FIRST.to_be_bytes());
        }
        for value in &self.values {
            buffer.extend_from_slice(value);
        }
        Ok(IsNull::No)
    }

    fn produces(&self) -> Option<PgTypeInfo> {
        let (_element, array) = self.of.oids();
        Some(PgTypeInfo::with_oid(Oid(array)))
    }

    fn size_hint(&self) -> usize {
        20 + self.values.iter().map(|value| value.len()).sum::<usize>()
    }
}
