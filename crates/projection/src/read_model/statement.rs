//! One `.sql` file. The checks here read the text only; the database has the last word.

use std::sync::Arc;

use sqlx::{AssertSqlSafe, SqlSafeStr, SqlStr};

use super::{Columns, FolderError};

/// Their value differs from one replay to the next.
const NOT_REPLAYABLE: [&str; 16] = [
    "now",
    "random",
    "clock_timestamp",
    "statement_timestamp",
    "transaction_timestamp",
    "timeofday",
    "current_timestamp",
    "current_date",
    "current_time",
    "localtime",
    "localtimestamp",
    "gen_random_uuid",
    "nextval",
    "currval",
    "lastval",
    "pg_backend_pid",
];

#[derive(Clone, Debug)]
pub(crate) struct Statement {
    file: Arc<str>,
    sql: Arc<str>,
    columns: Option<Arc<Columns>>,
}

impl Statement {
    pub(crate) fn parse(file: &str, text: &str) -> Result<Self, FolderError> {
        let sql = text.trim().trim_end_matches(';').trim_end();
        problem(sql).map_or_else(
            || {
                Ok(Self {
                    file: file.into(),
                    sql: sql.into(),
                    columns: Columns::of(sql).map(Arc::new),
                })
            },
            |problem| Err(FolderError::new(file, problem)),
        )
    }

    /// `<read model>/<EventType>.sql`.
    pub(crate) fn file(&self) -> &str {
        &self.file
    }

    pub(crate) fn sql(&self) -> &str {
        &self.sql
    }

    /// The columns as which it reads its events, if it says them.
    pub(crate) fn columns(&self) -> Option<&Columns> {
        self.columns.as_deref()
    }

    /// The statement that takes a JSON array.
    pub(crate) fn over_json(&self) -> SqlStr {
        sql_str(&self.sql)
    }
}

/// The text comes from the program's own files, never from a request.
pub(super) fn sql_str(sql: &Arc<str>) -> SqlStr {
    AssertSqlSafe(Arc::clone(sql)).into_sql_str()
}

fn problem(sql: &str) -> Option<String> {
    let words = words_of(sql);
    if !words.iter().any(|word| word == "$1") {
        return Some("the statement does not use $1".to_owned());
    }
    if words.iter().any(|word| word == ";") {
        return Some("a file holds one statement".to_owned());
    }
    let other_parameter = words
        .iter()
        .find(|word| word.len() > 1 && word.starts_with('$') && *word != "$1");
    if let Some(parameter) = other_parameter {
        return Some(format!("the only parameter is $1, not {parameter}"));
    }
    if let Some(word) = words
        .iter()
        .find(|word| NOT_REPLAYABLE.contains(&word.as_str()))
    {
        return Some(format!("`{word}` gives other rows on a replay"));
    }
    words
        .windows(2)
        .any(|pair| matches!(pair, [select, star] if select == "select" && star == "*"))
        .then(|| "name the columns instead of `select *`".to_owned())
}

/// Words and single signs in lower case, without comments and quoted text.
fn words_of(sql: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut rest = sql;
    while let Some(first) = rest.chars().next() {
        rest = if let Some(comment) = rest.strip_prefix("--") {
            comment.split_once('\n').map_or("", |(_, after)| after)
        } else if let Some(comment) = rest.strip_prefix("/*") {
            comment.split_once("*/").map_or("", |(_, after)| after)
        } else if let Some(body) = rest.strip_prefix("$$") {
            body.split_once("$$").map_or("", |(_, after)| after)
        } else if first == '\'' || first == '"' {
            let body = rest.strip_prefix(first).unwrap_or("");
            body.split_once(first).map_or("", |(_, after)| after)
        } else {
            let is_part = |c: char| c.is_alphanumeric() || c == '_' || c == '$';
            let word = if is_part(first) {
                rest.split(|c| !is_part(c)).next().unwrap_or(rest)
            } else {
                rest.split_at_checked(first.len_utf8())
                    .map_or(rest, |(sign, _)| sign)
            };
            if !first.is_whitespace() {
                words.push(word.to_lowercase());
            }
            rest.strip_prefix(word).unwrap_or("")
        };
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(sql: &str) -> Option<String> {
        Statement::parse("f.sql", sql)
            .err()
            .map(|error| error.to_string())
    }

    #[test]
    fn a_trailing_semicolon_is_taken_off() {
        let statement = Statement::parse("f.sql", "delete from t where id = $1 ;\n").unwrap();
        assert_eq!(statement.sql(), "delete from t where id = $1");
    }

    #[test]
    fn what_a_replay_would_change_is_refused() {
        for (sql, expected) in [
            (
                "update t set at = NOW() where $1",
                "f.sql: `now` gives other rows on a replay",
            ),
            (
                "update t set d = current_date, x = $1",
                "f.sql: `current_date` gives other rows on a replay",
            ),
            (
                "delete from t where $1; drop table t",
                "f.sql: a file holds one statement",
            ),
            ("select $1, $2", "f.sql: the only parameter is $1, not $2"),
            (
                "insert into t select  * from jsonb_to_recordset($1)",
                "f.sql: name the columns instead of `select *`",
            ),
            ("select 1 -- $1", "f.sql: the statement does not use $1"),
        ] {
            assert_eq!(refusal(sql).as_deref(), Some(expected));
        }
    }

    #[test]
    fn comments_and_quoted_text_are_not_read_as_sql() {
        assert_eq!(refusal("select $1 -- now(); random()"), None);
        assert_eq!(
            refusal("select $1, 'now(); it''s', \"random\", $$;$$ /* ; */"),
            None
        );
        assert_eq!(refusal("select count(*), $1, e.known from t e"), None);
    }
}
