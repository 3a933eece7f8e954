//! The columns as which a statement reads its events, and the same statement over arrays.

use std::{fmt::Write as _, sync::Arc};

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
    /// As text that PostgreSQL reads: of every other type.
    Written,
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
        let types = self.iter().map(|column| column.kind.array());
        types.collect::<Vec<_>>().join(", ")
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
        let element = sql_type.strip_suffix("[]").unwrap_or(&sql_type);
        let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == ' ';
        let is_known = !element.is_empty() && element.chars().all(is_plain);
        is_known.then(|| Self {
            name,
            kind: Kind::of(&sql_type),
            sql_type,
        })
    }
}

impl Kind {
    fn of(sql_type: &str) -> Self {
        match sql_type {
            "uuid" => Self::Uuid,
            "bigint" => Self::Bigint,
            "boolean" => Self::Boolean,
            "text" => Self::Text,
            "timestamptz" => Self::Timestamptz,
            "jsonb" => Self::Jsonb,
            _other => Self::Written,
        }
    }

    fn array(self) -> &'static str {
        match self {
            Self::Uuid => "uuid[]",
            Self::Bigint => "bigint[]",
            Self::Boolean => "boolean[]",
            Self::Text | Self::Written => "text[]",
            Self::Timestamptz => "timestamptz[]",
            Self::Jsonb => "jsonb[]",
        }
    }
}

fn from_arrays(columns: &[Column], alias: &str) -> String {
    let [mut arrays, mut names, mut values] = [const { String::new() }; 3];
    for (column, number) in columns.iter().zip(1..) {
        let comma = if number == 1 { "" } else { ", " };
        let Column {
            name,
            kind,
            sql_type,
        } = column;
        let _infallible = write!(arrays, "{comma}${number}::{}", kind.array());
        let _infallible = write!(names, "{comma}\"{name}\"");
        let _infallible = match kind {
            Kind::Written => write!(values, "{comma}\"{name}\"::{sql_type} as \"{name}\""),
            _sent_as_it_is => write!(values, "{comma}\"{name}\""),
        };
    }
    let arrays = format!("unnest({arrays}) as {alias}({names})");
    if names == values {
        arrays
    } else {
        format!("(select {values} from {arrays}) as {alias}")
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
    fn other_forms_have_no_columns() {
        for sql in [
            "select e from jsonb_array_elements($1) as e(body)",
            "select e.a from jsonb_to_recordset($1) as e(a text) where $1 <> '[]'",
            "select e.a from jsonb_to_recordset($1) as e(a numeric(10, 2))",
            "select e.a from jsonb_to_recordset($1) as e(U&\"a\" text)",
            "select e.a from jsonb_to_recordset($1) as e(a text -- a\n)",
            "select e.a from jsonb_to_recordset($1) as e(a)",
            "select e.a from jsonb_to_recordset($1 -> 'x') as e(a text)",
        ] {
            assert_eq!(Columns::of(sql), None, "{sql}");
        }
    }
}
