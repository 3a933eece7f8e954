//! Where the next page of a list begins.

use doran_contract::Page;
use schemars::JsonSchema;
use serde::Deserialize;
use sqlx::types::Uuid;

/// What the last row of a page is sorted by: a number, and its id among equal ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[schemars(inline)]
#[serde(try_from = "String")]
pub(super) struct Cursor {
    pub(super) key: i64,
    pub(super) id: Uuid,
}

#[derive(Debug, thiserror::Error)]
#[error("must be the nextCursor of an earlier page")]
pub(super) struct InvalidCursor;

impl TryFrom<String> for Cursor {
    type Error = InvalidCursor;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let (key, id) = text.split_once('_').ok_or(InvalidCursor)?;
        Ok(Self {
            key: key.parse().map_err(|_error| InvalidCursor)?,
            id: id.parse().map_err(|_error| InvalidCursor)?,
        })
    }
}

/// A page of the first `limit` rows; there was asked for one more, to learn whether it is the last.
pub(super) fn page<R, T>(
    mut rows: Vec<R>,
    limit: i64,
    cursor: impl Fn(&R) -> Cursor,
    into_item: impl Fn(R) -> T,
) -> Page<T> {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let has_more = rows.len() > limit;
    rows.truncate(limit);
    let next = rows.last().filter(|_| has_more).map(cursor);
    Page {
        next_cursor: next.map(|Cursor { key, id }| format!("{key}_{id}")),
        items: rows.into_iter().map(into_item).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cursor_of_a_page_reads_back_as_its_last_row() {
        let at = |key| Cursor {
            key,
            id: Uuid::from_u128(7),
        };
        let first = page(vec![-3, 2, 1], 2, |row| at(*row), |row| row);
        assert_eq!(first.items, [-3, 2]);
        assert_eq!(Cursor::try_from(first.next_cursor.unwrap()).unwrap(), at(2));
        let last = page(vec![1, 2], 2, |row| at(*row), |row| row);
        assert_eq!(last.next_cursor, None);
    }

    #[test]
    fn other_text_is_no_cursor() {
        for text in ["", "1", "x_y", "1_", "_", "1_x"] {
            assert!(Cursor::try_from(text.to_owned()).is_err(), "{text}");
        }
    }
}
