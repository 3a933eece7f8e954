//! `projection.toml`.

use serde::Deserialize;

use super::{FolderError, require_identifier};

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Manifest {
    pub(super) stream: String,
    pub(super) filters: Vec<String>,
    pub(super) version: i32,
    pub(super) tables: Vec<String>,
    #[serde(default)]
    pub(super) enrich: bool,
    #[serde(default)]
    pub(super) build_last: Vec<String>,
}

impl Manifest {
    pub(super) fn parse(file: &str, text: &str) -> Result<Self, FolderError> {
        let manifest: Self = toml::from_str(text).map_err(|error| {
            FolderError::caused(file, "the file is not a projection.toml", error)
        })?;
        manifest
            .problem()
            .map_or(Ok(manifest), |problem| Err(FolderError::new(file, problem)))
    }

    fn problem(&self) -> Option<String> {
        if self.stream.is_empty() || self.stream.contains(|c: char| ".*> \t".contains(c)) {
            return Some(format!("`{}` is not a stream name", self.stream));
        }
        if self.filters.is_empty() {
            return Some("filters is empty".to_owned());
        }
        if let Some(filter) = self.filters.iter().find(|filter| !is_filter(filter)) {
            return Some(format!("`{filter}` is not a subject filter"));
        }
        if let Some((a, b)) = overlapping(&self.filters) {
            return Some(format!("filters `{a}` and `{b}` overlap"));
        }
        if self.version < 1 {
            return Some("version starts at 1".to_owned());
        }
        if self.tables.is_empty() {
            return Some("tables is empty".to_owned());
        }
        self.tables
            .iter()
            .chain(&self.build_last)
            .find(|name| require_identifier(name).is_err())
            .map(|name| format!("`{name}` is not a plain name of a table or an index"))
    }
}

fn is_filter(filter: &str) -> bool {
    let tokens: Vec<_> = filter.split('.').collect();
    tokens.iter().enumerate().all(|(at, token)| {
        let is_last = at + 1 == tokens.len();
        match *token {
            "*" => true,
            ">" => is_last,
            token => !token.is_empty() && !token.contains(|c: char| "*> \t".contains(c)),
        }
    })
}

/// The server refuses a consumer whose filters overlap, so say so before it is asked.
fn overlapping(filters: &[String]) -> Option<(&str, &str)> {
    filters.iter().enumerate().find_map(|(at, a)| {
        let b = filters.iter().skip(at + 1).find(|b| overlap(a, b))?;
        Some((a.as_str(), b.as_str()))
    })
}

fn overlap(a: &str, b: &str) -> bool {
    let (mut a, mut b) = (a.split('.'), b.split('.'));
    loop {
        match (a.next(), b.next()) {
            (Some(">"), Some(_)) | (Some(_), Some(">")) | (None, None) => return true,
            (Some(x), Some(y)) if x == y || x == "*" || y == "*" => {}
            _ => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(line: &str, instead: &str) -> Result<Manifest, String> {
        let text =
            "stream = \"ORDER\"\nfilters = [\"order.*.*\"]\nversion = 1\ntables = [\"orders\"]\n";
        Manifest::parse("f", &text.replace(line, instead)).map_err(|error| error.to_string())
    }

    #[test]
    fn what_the_server_or_a_rebuild_would_refuse_is_refused() {
        let cases = [
            ("ORDER", "OR.DER", "f: `OR.DER` is not a stream name"),
            ("[\"order.*.*\"]", "[]", "f: filters is empty"),
            (
                "order.*.*",
                "order.>.x",
                "f: `order.>.x` is not a subject filter",
            ),
            (
                "order.*.*",
                "order..x",
                "f: `order..x` is not a subject filter",
            ),
            (
                "\"order.*.*\"",
                "\"a.>\", \"a.*.x\"",
                "f: filters `a.>` and `a.*.x` overlap",
            ),
            ("version = 1", "version = 0", "f: version starts at 1"),
            ("[\"orders\"]", "[]", "f: tables is empty"),
            (
                "orders",
                "shop.orders",
                "f: `shop.orders` is not a plain name of a table or an index",
            ),
            (
                "version = 1",
                "version = 1\ncolour = 2",
                "f: the file is not a projection.toml",
            ),
        ];
        for (line, instead, expected) in cases {
            assert_eq!(with(line, instead).unwrap_err(), expected);
        }
    }

    #[test]
    fn filters_side_by_side_are_fine() {
        let manifest = with("\"order.*.*\"", "\"order.*.Placed\", \"order.*.Shipped\"").unwrap();
        assert_eq!(manifest.filters.len(), 2);
    }
}
