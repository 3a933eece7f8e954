//! From files to stream configurations, without losing a key on the way.

use std::{collections::HashSet, ffi::OsStr, path::Path};

use async_nats::jetstream::stream::Config;
use serde_json::Value;

use super::{StreamFile, Topology, TopologyError};

impl Topology {
    /// Reads files of (name, bytes). What does not end in `.json`, and `*.schema.json`, is skipped.
    ///
    /// # Errors
    ///
    /// A key that does not come through: the client's type drops unknown keys silently, and with
    /// them what somebody thought to have switched on.
    pub fn parse<N: AsRef<str>, B: AsRef<[u8]>>(
        files: impl IntoIterator<Item = (N, B)>,
    ) -> Result<Self, TopologyError> {
        let mut streams: Vec<StreamFile> = Vec::new();
        let mut names = HashSet::new();
        for (path, bytes) in files {
            let path = path.as_ref();
            if !is_stream_file(path) {
                continue;
            }
            let file = parse_file(path, bytes.as_ref())?;
            if !names.insert(file.name().to_owned()) {
                return Err(TopologyError::Twice {
                    path: file.path,
                    stream: file.config.name,
                });
            }
            streams.push(file);
        }
        streams.sort_by_key(|file| (file.config.sources.is_some(), file.config.name.clone()));
        Ok(Self { streams })
    }
}

fn is_stream_file(path: &str) -> bool {
    Path::new(path).extension() == Some(OsStr::new("json")) && !path.ends_with(".schema.json")
}

fn parse_file(path: &str, bytes: &[u8]) -> Result<StreamFile, TopologyError> {
    let parse = |source| TopologyError::Parse {
        path: path.to_owned(),
        source,
    };
    let file: Value = serde_json::from_slice(bytes).map_err(parse)?;
    let config: Config = serde_json::from_value(file.clone()).map_err(parse)?;
    let understood = serde_json::to_value(&config).map_err(parse)?;
    if let Some(key) = lost_key(&file, &understood) {
        return Err(TopologyError::LostKey {
            path: path.to_owned(),
            key,
        });
    }
    Ok(StreamFile {
        path: path.to_owned(),
        config,
    })
}

/// The first key of `file` that `understood` lacks or has otherwise, as a path with dots.
fn lost_key(file: &Value, understood: &Value) -> Option<String> {
    match (file, understood) {
        (Value::Object(file), Value::Object(understood)) => file.iter().find_map(|(key, value)| {
            let lost = match understood.get(key) {
                None => String::new(),
                Some(understood) => lost_key(value, understood)?,
            };
            Some(join(key, &lost))
        }),
        (Value::Array(file), Value::Array(understood)) if file.len() == understood.len() => {
            let mut pairs = file.iter().zip(understood).enumerate();
            pairs.find_map(|(index, (file, understood))| {
                Some(join(&index.to_string(), &lost_key(file, understood)?))
            })
        }
        _ => (file != understood).then(String::new),
    }
}

fn join(key: &str, rest: &str) -> String {
    if rest.is_empty() {
        key.to_owned()
    } else {
        format!("{key}.{rest}")
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn file(name: &str, change: impl FnOnce(&mut Value)) -> Vec<u8> {
        let mut file = json!({
            "name": name,
            "subjects": ["note.*.*"],
            "retention": "limits",
            "storage": "file",
            "num_replicas": 1,
            "discard": "new",
            "max_msgs": -1,
            "republish": { "src": "note.>", "dest": "live.note.>", "headers_only": false },
        });
        change(&mut file);
        file.to_string().into_bytes()
    }

    fn parse_one(change: impl FnOnce(&mut Value)) -> Result<Topology, TopologyError> {
        Topology::parse([("NOTE.json", file("NOTE", change))])
    }

    #[test]
    fn a_file_becomes_the_configuration_it_describes() {
        let topology = parse_one(|_| {}).unwrap();
        let config = &topology.streams.first().unwrap().config;
        assert_eq!(config.subjects, ["note.*.*"]);
        assert_eq!(
            config.republish.as_ref().unwrap().destination,
            "live.note.>"
        );
    }

    #[test]
    fn a_key_that_the_client_does_not_know_is_refused_by_name() {
        let top = parse_one(|file| file["allow_atomic_publish"] = json!(true));
        assert!(
            matches!(top, Err(TopologyError::LostKey { key, .. }) if key == "allow_atomic_publish")
        );
        let nested = parse_one(|file| file["republish"]["source"] = json!("x"));
        assert!(
            matches!(nested, Err(TopologyError::LostKey { key, .. }) if key == "republish.source")
        );
        let source = json!([{ "name": "NOTE", "filter": "note.1.*" }]);
        let in_list = parse_one(|file| file["sources"] = source);
        assert!(
            matches!(in_list, Err(TopologyError::LostKey { key, .. }) if key == "sources.0.filter")
        );
    }

    #[test]
    fn a_file_without_what_it_must_say_is_refused() {
        let incomplete = parse_one(|file| {
            file.as_object_mut().unwrap().remove("discard");
        });
        assert!(matches!(incomplete, Err(TopologyError::Parse { .. })));
    }

    #[test]
    fn lanes_come_after_streams_and_other_files_are_skipped() {
        let lane = file("NoteWritten", |file| {
            file["sources"] = json!([{ "name": "NOTE", "filter_subject": "note.*.NoteWritten" }]);
        });
        let files = [
            ("lanes/NoteWritten.json", lane),
            ("NoteWritten.schema.json", b"{".to_vec()),
            ("README.md", b"#".to_vec()),
            ("NOTE.json", file("NOTE", |_| {})),
        ];
        let names = Topology::parse(files).unwrap();
        let names: Vec<_> = names.streams.iter().map(StreamFile::name).collect();
        assert_eq!(names, ["NOTE", "NoteWritten"]);
    }

    #[test]
    fn two_files_for_one_stream_are_refused() {
        let files = [
            ("a.json", file("NOTE", |_| {})),
            ("b.json", file("NOTE", |_| {})),
        ];
        let twice = Topology::parse(files);
        assert!(matches!(twice, Err(TopologyError::Twice { path, .. }) if path == "b.json"));
    }
}
