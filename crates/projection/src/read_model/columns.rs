//! The columns as which a statement reads its events, and the same statement over arrays.

use std::{iter, sync::Arc};

use sqlx::SqlStr;

use super::statement::sql_str;

/// What a statement's `jsonb_to_recordset($1) as e(…)` names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Columns {
    columns: Vec<Column>,
    sql: Arc<str>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Column {
    pub(crate) name: String,
    pub(crate) kind: Kind,
    /// As the statement says it.
    sql_type: String,
}

/// How the values of a column are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Uuid,
    Bigint,
    Boolean,
    Text,
    Timestamptz,
    Jsonb,
    /// All rows' elements in one array, and two that say where each row's begin and end.
    BigintArray,
    /// As text that PostgreSQL reads.
    Written,
}

/// An array that the statement takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sent {
    Uuids,
    Bigints,
    Integers,
    Booleans,
    Texts,
    Timestamps,
    Jsonbs,
}

impl Columns {
    /// The columns, if the statement reads `$1` in this form alone.
    ///
    /// From an array for each column PostgreSQL gets its rows about ten times as fast as from one
    /// JSON text, so the statement runs as
    /// `unnest($1::uuid[], $2::bigint[]) as e("orderId", "amount")`.
    pub(crate) fn of(sql: &str) -> Option<Self> {
        const FORM: &str = "jsonb_to_recordset";
        if sql.matches("$1").count() != 1 || sql.matches(FORM).count() != 1 {
            return None;
        }
        let (before, after) = sql.split_once(FORM)?;
        let after = ["(", "$1", ")"].into_iter().try_fold(after, after_sign)?;
        let (keyword, after) = word(after)?;
        let (alias, after) = word(after)?;
        let (definitions, rest) = after_sign(after, "(")?.split_once(')')?;
        let columns: Option<Vec<_>> = definitions.split(',').map(Column::parse).collect();
        let columns = columns.filter(|_| keyword.eq_ignore_ascii_case("as"))?;
        let sql = format!("{before}{}{rest}", from_arrays(&columns, alias)).into();
        Some(Self { columns, sql })
    }

    pub(crate) fn iter(&self) -> impl ExactSizeIterator<Item = &Column> {
        self.columns.iter()
    }

    /// The statement that takes one array for each column.
    pub(crate) fn over_arrays(&self) -> SqlStr {
        sql_str(&self.sql)
    }

    /// The types of what it takes, as PostgreSQL writes them.
    pub(crate) fn parameters(&self) -> String {
        let sent = self.iter().flat_map(|column| column.kind.parameters());
        let types: Vec<_> = sent.map(Sent::sql_type).collect();
        types.join(", ")
    }
}

impl Column {
    fn parse(definition: &str) -> Option<Self> {
        let definition = definition.trim();
        let (name, sql_type) = if let Some(quoted) = definition.strip_prefix('"') {
            let (name, sql_type) = quoted.split_once('"')?;
            (name.to_owned(), sql_type)
        } else {
            let (name, sql_type) = word(definition)?;
            (name.to_lowercase(), sql_type)
        };
        let sql_type = sql_type.trim().to_lowercase();
        Some(Self {
            name,
            kind: Kind::of(&sql_type)?,
            sql_type,
        })
    }
}

impl Kind {
    /// None for types of which it is not known here what text means in them.
    fn of(sql_type: &str) -> Option<Self> {
        Some(match sql_type {
            "uuid" => Self::Uuid,
            "bigint" => Self::Bigint,
            "boolean" => Self::Boolean,
            "text" => Self::Text,
            "timestamptz" => Self::Timestamptz,
            "jsonb" => Self::Jsonb,
            "bigint[]" => Self::BigintArray,
            "date" | "integer" | "smallint" | "numeric" | "double precision" | "text[]"
            | "uuid[]" => Self::Written,
            _other => return None,
        })
    }

    /// One array with a value for each row, or its elements.
    pub(crate) fn sent(self) -> Sent {
        match self {
            Self::Uuid => Sent::Uuids,
            Self::Bigint | Self::BigintArray => Sent::Bigints,
            Self::Boolean => Sent::Booleans,
            Self::Text | Self::Written => Sent::Texts,
            Self::Timestamptz => Sent::Timestamps,
            Self::Jsonb => Sent::Jsonbs,
        }
    }

    fn parameters(self) -> impl Iterator<Item = Sent> {
        let places = match self {
            Self::BigintArray => 2,
            _one_value => 0,
        };
        iter::once(self.sent()).chain(iter::repeat_n(Sent::Integers, places))
    }
}

impl Sent {
    fn sql_type(self) -> &'static str {
        match self {
            Self::Uuids => "uuid[]",
            Self::Bigints => "bigint[]",
            Self::Integers => "integer[]",
            Self::Booleans => "boolean[]",
            Self::Texts => "text[]",
            Self::Timestamps => "timestamptz[]",
            Self::Jsonbs => "jsonb[]",
        }
    }

    /// The numbers of the elements' and the array's type, which never change (`pg_type.dat`).
    pub(crate) fn oids(self) -> (u32, u32) {
        match self {
            Self::Uuids => (2950, 2951),
            Self::Bigints => (20, 1016),
            Self::Integers => (23, 1007),
            Self::Booleans => (16, 1000),
            Self::Texts => (25, 1009),
            Self::Timestamps => (1184, 1185),
            Self::Jsonbs => (3802, 3807),
        }
    }
}

/// What the statement reads instead of its `jsonb_to_recordset`.
fn from_arrays(columns: &[Column], alias: &str) -> String {
    let [mut arrays, mut names, mut values] = [const { Vec::new() }; 3];
    let mut taken = 0;
    let mut parameter = |sent: Sent| {
        taken += 1;
        format!("${taken}::{}", sent.sql_type())
    };
    for Column {
        name,
        kind,
        sql_type,
    } in columns
    {
        let sent = parameter(kind.sent());
        if *kind == Kind::BigintArray {
            let (first, last) = (format!("\"{name} first\""), format!("\"{name} last\""));
            values.push(format!("({sent})[{first}:{last}] as \"{name}\""));
            arrays.extend([parameter(Sent::Integers), parameter(Sent::Integers)]);
            names.extend([first, last]);
            continue;
        }
        arrays.push(sent);
        names.push(format!("\"{name}\""));
        values.push(match kind {
            Kind::Written => format!("\"{name}\"::{sql_type} as \"{name}\""),
            _sent_as_it_is => format!("\"{name}\""),
        });
    }
    let rows = format!(
        "unnest({}) as {alias}({})",
        arrays.join(", "),
        names.join(", ")
    );
    if names == values {
        rows
    } else {
        format!("(select {} from {rows}) as {alias}", values.join(", "))
    }
}

fn after_sign<'a>(text: &'a str, sign: &str) -> Option<&'a str> {
    text.trim_start().strip_prefix(sign)
}

/// The name or keyword with which the text begins, and what follows it.
fn word(text: &str) -> Option<(&str, &str)> {
    let text = text.trim_start();
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let end = text.find(|c| !is_part(c)).unwrap_or(text.len());
    text.split_at_checked(end)
        .filter(|(word, _)| !word.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recordset_becomes_arrays() {
        let columns = Columns::of(
            "insert into t select e.\"orderId\", e.sequence\nfrom jsonb_to_recordset ( $1 ) AS e (
                \"orderId\" uuid, Sequence BIGINT\n) where e.sequence > 3",
        )
        .unwrap();
        assert_eq!(
            columns.over_arrays().as_str(),
            "insert into t select e.\"orderId\", e.sequence\nfrom \
             unnest($1::uuid[], $2::bigint[]) as e(\"orderId\", \"sequence\") where e.sequence > 3"
        );
        let kinds: Vec<_> = columns.iter().map(|c| (c.name.as_str(), c.kind)).collect();
        assert_eq!(kinds, [("orderId", Kind::Uuid), ("sequence", Kind::Bigint)]);
    }

    #[test]
    fn what_has_no_array_of_its_own_is_sent_as_text() {
        let columns =
            Columns::of("select e.day from jsonb_to_recordset($1) as e(day date, id uuid)")
                .unwrap();
        assert_eq!(
            columns.over_arrays().as_str(),
            "select e.day from (select \"day\"::date as \"day\", \"id\" \
             from unnest($1::text[], $2::uuid[]) as e(\"day\", \"id\")) as e"
        );
    }

    #[test]
    fn arrays_of_numbers_are_parts_of_one_array() {
        let columns = Columns::of(
            "select e.t from jsonb_to_recordset($1) as e(id uuid, t bigint[], b bigint)",
        )
        .unwrap();
        assert_eq!(
            columns.over_arrays().as_str(),
            "select e.t from (select \"id\", ($2::bigint[])[\"t first\":\"t last\"] as \"t\", \"b\" \
             from unnest($1::uuid[], $3::integer[], $4::integer[], $5::bigint[]) \
             as e(\"id\", \"t first\", \"t last\", \"b\")) as e"
        );
        assert_eq!(
            columns.parameters(),
            "uuid[], bigint[], integer[], integer[], bigint[]"
        );
    }

    #[test]
    fn other_forms_have_no_columns() {
        for sql in [
            "select e from jsonb_array_elements($1) as e(body)",
            "select e.a from jsonb_to_recordset($1) as e(a text) where $1 <> '[]'",
            "select e.a from jsonb_to_recordset($1) as e(a numeric(10, 2))",
            "select e.a from jsonb_to_recordset($1) as e(U&\"a\" text)",
            "select e.a from jsonb_to_recordset($1) as e(a text -- a\n)",
            "select e.a from jsonb_to_recordset($1) as e(a)",
            "select e.a from jsonb_to_recordset($1) as e(a json)",
            "select e.a from jsonb_to_recordset($1) as e(a my_type, b bigint)",
            "select e.a from jsonb_to_recordset($1 -> 'x') as e(a text)",
        ] {
            assert_eq!(Columns::of(sql), None, "{sql}");
        }
    }
}
