//! A read model as a folder: which events it wants and one set-based SQL statement per event type.
//!
//! Parses and checks the files; runs nothing.

mod columns;
mod error;
mod manifest;
mod statement;

use std::collections::BTreeMap;

use sqlx::SqlStr;

pub(crate) use columns::{Column, Columns, Kind, Sent};
pub use error::FolderError;
use manifest::Manifest;
pub(crate) use statement::Statement;

const MANIFEST: &str = "projection.toml";

/// What one folder says: the events a read model wants and how each changes its tables.
///
/// ```text
/// orders/
///   projection.toml      stream, filters, version, tables, enrich
///   OrderPlaced.sql      $1 = JSON array of the OrderPlaced events of a batch, in stream order
///   OrderShipped.sql
///   README.md            optional, ignored
/// ```
///
/// `projection.toml`:
///
/// ```toml
/// stream = "ORDER"                  # the one stream that feeds the tables
/// filters = ["order.*.*"]           # subject filters; no two may overlap
/// version = 1                       # raise it when the statements change: rows must be rebuilt
/// tables = ["orders"]               # the tables the statements write to, for rebuilds
/// enrich = false                    # optional: an `Enrich` must be registered under this name
/// build_last = ["orders_by_day"]    # optional: indexes that no statement needs; a rebuild builds
///                                   # them when the rows are there
/// ```
///
/// Each `.sql` file is one statement, named after the event type it applies.
/// It takes one parameter, `$1`: a jsonb array whose elements carry the event's own fields and
/// `eventId`, `sequence`, `time`, `actor`, `type`, `subject` (which win over fields of that name).
/// A statement that reads it as `jsonb_to_recordset($1) as e(…)` alone, as most do, is run with an
/// array for each column instead, which gives the same rows and costs PostgreSQL a tenth.
/// Table names are unqualified: the connection's `search_path` is the service's schema.
/// A statement must give the same rows however often and in whatever batches it runs, so the time
/// of day, random values, database sequences and `select *` are refused here.
/// An event type that matches the filters and has no file is passed over; the position advances.
#[derive(Clone, Debug)]
pub struct ReadModel {
    name: String,
    manifest: Manifest,
    statements: BTreeMap<String, Statement>,
}

impl ReadModel {
    /// Reads one folder from its files, given by their name inside the folder.
    pub fn try_new<P, B>(
        name: &str,
        files: impl IntoIterator<Item = (P, B)>,
    ) -> Result<Self, FolderError>
    where
        P: AsRef<str>,
        B: AsRef<[u8]>,
    {
        require_identifier(name).map_err(|()| {
            FolderError::new(name, "a folder name is lower case letters, digits, _")
        })?;
        let mut manifest = None;
        let mut statements = BTreeMap::new();
        for (path, bytes) in files {
            let file = format!("{name}/{}", path.as_ref());
            let text = std::str::from_utf8(bytes.as_ref())
                .map_err(|error| FolderError::caused(&file, "the file is not UTF-8", error))?;
            match path.as_ref() {
                MANIFEST => manifest = Some(Manifest::parse(&file, text)?),
                "README.md" => {}
                path => {
                    let event_type = event_type_of(path).ok_or_else(|| {
                        FolderError::new(&file, "expected projection.toml or <EventType>.sql")
                    })?;
                    statements.insert(event_type.to_owned(), Statement::parse(&file, text)?);
                }
            }
        }
        let file = format!("{name}/{MANIFEST}");
        let manifest = manifest.ok_or_else(|| FolderError::new(&file, "the file is missing"))?;
        if statements.is_empty() {
            return Err(FolderError::new(name, "the folder has no <EventType>.sql"));
        }
        Ok(Self {
            name: name.to_owned(),
            manifest,
            statements,
        })
    }

    /// Reads every folder directly below `root` from files given by their whole path, such as
    /// `chat/messages/MessageSent.sql` with root `chat`. Files outside `root` are ignored.
    pub fn all_below<P, B>(
        root: &str,
        files: impl IntoIterator<Item = (P, B)>,
    ) -> Result<Vec<Self>, FolderError>
    where
        P: AsRef<str>,
        B: AsRef<[u8]>,
    {
        let mut folders: BTreeMap<String, Vec<(String, B)>> = BTreeMap::new();
        for (path, bytes) in files {
            let below = path
                .as_ref()
                .strip_prefix(root)
                .and_then(|path| path.strip_prefix('/'));
            let Some((folder, file)) = below.and_then(|path| path.split_once('/')) else {
                continue;
            };
            folders
                .entry(folder.to_owned())
                .or_default()
                .push((file.to_owned(), bytes));
        }
        if folders.is_empty() {
            return Err(FolderError::new(root, "there is no read model below it"));
        }
        folders
            .into_iter()
            .map(|(name, files)| Self::try_new(&name, files))
            .collect()
    }

    /// The folder's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The stream that feeds the tables.
    pub fn stream(&self) -> &str {
        &self.manifest.stream
    }

    /// The subject filters of the events it wants.
    pub fn filters(&self) -> &[String] {
        &self.manifest.filters
    }

    /// Raised when the statements change in a way that asks for a rebuild.
    pub fn version(&self) -> i32 {
        self.manifest.version
    }

    /// The tables that the statements write to.
    pub fn tables(&self) -> &[String] {
        &self.manifest.tables
    }

    /// Whether an [`Enrich`](crate::Enrich) must be registered under its name.
    pub fn is_enriched(&self) -> bool {
        self.manifest.enrich
    }

    /// Indexes that only queries need: a rebuild makes them when the rows are there.
    pub fn build_last(&self) -> &[String] {
        &self.manifest.build_last
    }

    /// Event types and the SQL that applies them.
    pub fn statements(&self) -> impl Iterator<Item = (&str, &str)> {
        self.statements
            .iter()
            .map(|(event_type, statement)| (event_type.as_str(), statement.sql()))
    }

    /// What runs: each file's name, the types that it takes, and its SQL.
    pub(crate) fn forms(&self) -> impl Iterator<Item = (&str, String, SqlStr)> {
        self.statements.values().flat_map(|statement| {
            let over_json = ("jsonb".to_owned(), statement.over_json());
            let over_arrays = statement
                .columns()
                .map(|columns| (columns.parameters(), columns.over_arrays()));
            [Some(over_json), over_arrays]
                .into_iter()
                .flatten()
                .map(|(parameters, sql)| (statement.file(), parameters, sql))
        })
    }

    pub(crate) fn statement(&self, event_type: &str) -> Option<&Statement> {
        self.statements.get(event_type)
    }
}

/// Lower case letters, digits and `_`, as PostgreSQL takes without quotes.
pub(crate) fn require_identifier(name: &str) -> Result<(), ()> {
    let mut characters = name.chars();
    let starts_well = characters
        .next()
        .is_some_and(|first| first.is_ascii_lowercase() || first == '_');
    let goes_on_well = characters.all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    if starts_well && goes_on_well && name.len() <= 63 {
        Ok(())
    } else {
        Err(())
    }
}

fn event_type_of(path: &str) -> Option<&str> {
    let stem = path.strip_suffix(".sql")?;
    let is_name = !stem.is_empty() && stem.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    is_name.then_some(stem)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"
        stream = "ORDER"
        filters = ["order.*.*"]
        version = 3
        tables = ["orders"]
    "#;
    const SQL: &str =
        "insert into orders (id) select e.id from jsonb_to_recordset($1) as e(id text)";

    fn read(files: &[(&str, &str)]) -> Result<ReadModel, String> {
        ReadModel::try_new(
            "orders",
            files.iter().map(|(path, text)| (*path, text.as_bytes())),
        )
        .map_err(|error| error.to_string())
    }

    #[test]
    fn a_folder_is_read() {
        let model = read(&[("projection.toml", GOOD), ("OrderPlaced.sql", SQL)]).unwrap();
        assert_eq!(model.stream(), "ORDER");
        assert_eq!(model.filters(), ["order.*.*"]);
        assert_eq!(model.version(), 3);
        assert_eq!(model.tables(), ["orders"]);
        assert!(!model.is_enriched());
        assert_eq!(
            model.statements().collect::<Vec<_>>(),
            [("OrderPlaced", SQL)]
        );
    }

    #[test]
    fn errors_name_the_file() {
        let cases: &[(&[(&str, &str)], &str)] = &[
            (
                &[("OrderPlaced.sql", SQL)],
                "orders/projection.toml: the file is missing",
            ),
            (
                &[("projection.toml", GOOD)],
                "orders: the folder has no <EventType>.sql",
            ),
            (
                &[("projection.toml", GOOD), ("notes.txt", "")],
                "orders/notes.txt: expected projection.toml or <EventType>.sql",
            ),
            (
                &[("projection.toml", "stream = 1"), ("OrderPlaced.sql", SQL)],
                "orders/projection.toml: the file is not a projection.toml",
            ),
            (
                &[("projection.toml", GOOD), ("OrderPlaced.sql", "select 1")],
                "orders/OrderPlaced.sql: the statement does not use $1",
            ),
        ];
        for (files, expected) in cases {
            assert_eq!(read(files).unwrap_err(), *expected);
        }
    }

    #[test]
    fn folders_below_a_root_are_told_apart() {
        let files = [
            ("shop/orders/projection.toml", GOOD),
            ("shop/orders/OrderPlaced.sql", SQL),
            ("shop/parcels/projection.toml", GOOD),
            ("shop/parcels/OrderShipped.sql", SQL),
            ("shopping/other/projection.toml", "nonsense"),
        ];
        let models =
            ReadModel::all_below("shop", files.map(|(path, text)| (path, text.as_bytes())))
                .unwrap();
        let names: Vec<_> = models.iter().map(ReadModel::name).collect();
        assert_eq!(names, ["orders", "parcels"]);
    }
}
