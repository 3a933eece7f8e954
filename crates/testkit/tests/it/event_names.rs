//! An event has one name at every stop: in the language, in streams, lanes and read models.

use std::fs;

use doran_contract::events::{
    BOOKMARK_EVENTS, BOT_EVENTS, FILE_EVENTS, JOB_EVENTS, MESSAGE_EVENTS, ROOM_EVENTS,
    SESSION_EVENTS, USER_EVENTS,
};
use doran_projection::ReadModel;
use doran_supervisor::workspace;

/// The events of each stream.
const EVENTS: [(&str, &[(&str, u32)]); 8] = [
    ("USER", USER_EVENTS),
    ("CHATROOM", ROOM_EVENTS),
    ("MESSAGE", MESSAGE_EVENTS),
    ("SESSION", SESSION_EVENTS),
    ("STORE", BOOKMARK_EVENTS),
    ("STORE", FILE_EVENTS),
    ("JOB", JOB_EVENTS),
    ("BOT", BOT_EVENTS),
];

fn is_event_of(stream: &str, event_type: &str) -> bool {
    let mut events = EVENTS
        .iter()
        .filter(|(name, _)| *name == stream)
        .flat_map(|(_, all)| *all);
    events.any(|(name, _)| *name == event_type)
}

/// Service, and its read models.
pub(crate) fn read_models() -> Vec<(String, Vec<ReadModel>)> {
    let root = workspace().join("projections");
    let services = fs::read_dir(&root)
        .unwrap()
        .map(|entry| entry.unwrap().file_name());
    let read = |service: std::ffi::OsString| {
        let service = service.into_string().unwrap();
        let mut files = Vec::new();
        for folder in fs::read_dir(root.join(&service)).unwrap() {
            for file in fs::read_dir(folder.unwrap().path()).unwrap() {
                let path = file.unwrap().path();
                let name = path.strip_prefix(&root).unwrap().display().to_string();
                files.push((name, fs::read(&path).unwrap()));
            }
        }
        let read_models = ReadModel::all_below(&service, files).unwrap();
        (service, read_models)
    };
    services.map(read).collect()
}

#[test]
fn every_canonical_stream_has_a_file_and_every_lane_is_named_after_its_event() {
    let topology = doran_testkit::topology().unwrap();
    for (stream, _) in EVENTS {
        assert!(
            topology.streams.iter().any(|file| file.name() == stream),
            "{stream}"
        );
    }
    for file in &topology.streams {
        let stem = file
            .path
            .rsplit('/')
            .next()
            .unwrap()
            .trim_end_matches(".json");
        assert_eq!(file.name(), stem);
        for source in file.config.sources.iter().flatten() {
            assert!(
                is_event_of(&source.name, stem),
                "{stem} is no event of {}",
                source.name
            );
            let filter = source.filter_subject.as_deref().unwrap_or_default();
            assert_eq!(filter.rsplit('.').next().unwrap(), stem);
        }
    }
}

#[test]
fn every_statement_of_a_read_model_is_named_after_an_event_of_its_stream() {
    for (service, read_models) in read_models() {
        for read_model in read_models {
            let (name, stream) = (read_model.name(), read_model.stream());
            for (event_type, _) in read_model.statements() {
                assert!(
                    is_event_of(stream, event_type),
                    "{service}/{name}/{event_type}.sql"
                );
                let takes = |filter: &String| [event_type, "*", ">"].contains(&last_token(filter));
                assert!(
                    read_model.filters().iter().any(takes),
                    "{service}/{name}: {event_type}"
                );
            }
            for filter in read_model.filters() {
                let event_type = last_token(filter);
                let is_wildcard = ["*", ">"].contains(&event_type);
                let has_statement = read_model
                    .statements()
                    .any(|(named, _)| named == event_type);
                assert!(
                    is_wildcard || has_statement,
                    "{service}/{name} lacks {event_type}.sql"
                );
            }
        }
    }
}

#[test]
fn every_table_of_a_read_model_is_made_by_a_migration_and_has_one_owner() {
    for (service, read_models) in read_models() {
        let schema = if service == "user" {
            "user_schema"
        } else {
            &service
        };
        let migrations = fs::read_dir(workspace().join("migrations").join(schema)).unwrap();
        let sql: String = migrations
            .map(|file| fs::read_to_string(file.unwrap().path()).unwrap())
            .collect();
        let mut owned: Vec<&String> = read_models.iter().flat_map(ReadModel::tables).collect();
        for table in &owned {
            assert!(
                sql.contains(&format!("create table {table} ")),
                "{service}: {table}"
            );
        }
        let tables = owned.len();
        owned.sort();
        owned.dedup();
        assert_eq!(
            owned.len(),
            tables,
            "{service}: a table is fed by two read models"
        );
    }
}

fn last_token(filter: &str) -> &str {
    filter.rsplit('.').next().unwrap_or_default()
}
