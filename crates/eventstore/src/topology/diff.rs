//! Comparing the files with a server.

use async_nats::jetstream::{self, stream::Config};
use serde_json::{Map, Value, json};

use super::{Difference, INCARNATION, StreamFile, Topology, TopologyError, incarnation};

impl Topology {
    /// What differs between the files and the server; nothing when it is as they want it.
    ///
    /// Streams of the server that no file names are none of its business.
    pub async fn diff(
        &self,
        js: &jetstream::Context,
        replicas: Option<usize>,
    ) -> Result<Vec<Difference>, TopologyError> {
        let mut differences = Vec::new();
        for file in &self.streams {
            let live = file.live(js).await?;
            differences.extend(file.differences(live.as_ref(), replicas));
        }
        Ok(differences)
    }
}

impl StreamFile {
    pub(super) fn differences(
        &self,
        live: Option<&Config>,
        replicas: Option<usize>,
    ) -> Vec<Difference> {
        let stream = self.name().to_owned();
        let Some(live) = live else {
            return vec![Difference::Missing { stream }];
        };
        let mut differences = changed_fields(&stream, &self.wanted(replicas), live);
        if incarnation(live).is_none() {
            differences.push(Difference::NoIncarnation { stream });
        }
        differences
    }
}

fn changed_fields(stream: &str, wanted: &Config, live: &Config) -> Vec<Difference> {
    let (wanted, live) = (comparable(wanted), comparable(live));
    let mut fields: Vec<_> = wanted.keys().chain(live.keys()).collect();
    fields.sort();
    fields.dedup();
    let of =
        |config: &Map<String, Value>, field: &str| config.get(field).cloned().unwrap_or_default();
    fields
        .into_iter()
        .filter(|field| wanted.get(*field) != live.get(*field))
        .map(|field| Difference::Field {
            stream: stream.to_owned(),
            field: field.clone(),
            file: of(&wanted, field),
            live: of(&live, field),
        })
        .collect()
}

/// A configuration as JSON without what the server adds of its own accord.
fn comparable(config: &Config) -> Map<String, Value> {
    let mut config = config.clone();
    config
        .metadata
        .retain(|key, _| key != INCARNATION && !key.starts_with("_nats."));
    let Ok(Value::Object(mut fields)) = serde_json::to_value(&config) else {
        return Map::new();
    };
    for (field, default) in filled_in() {
        let value = fields.entry(field).or_insert(Value::Null);
        if value.is_null() || *value == json!(0) {
            *value = default;
        }
    }
    fields.retain(|_, value| !value.is_null());
    fields
}

/// What the server fills in where a file says nothing or, as its API has it, zero.
fn filled_in() -> [(&'static str, Value); 6] {
    [
        ("max_msgs", json!(-1)),
        ("max_bytes", json!(-1)),
        ("max_msgs_per_subject", json!(-1)),
        ("max_consumers", json!(-1)),
        ("max_msg_size", json!(-1)),
        ("compression", json!("none")),
    ]
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use async_nats::jetstream::stream::Compression;

    use super::*;

    fn wanted() -> StreamFile {
        StreamFile {
            path: "NOTE.json".to_owned(),
            config: Config {
                name: "NOTE".to_owned(),
                subjects: vec!["note.*.*".to_owned()],
                num_replicas: 1,
                deny_purge: true,
                ..Config::default()
            },
        }
    }

    fn live() -> Config {
        Config {
            max_messages: -1,
            max_bytes: -1,
            max_message_size: -1,
            metadata: HashMap::from([
                (INCARNATION.to_owned(), "a".to_owned()),
                ("_nats.ver".to_owned(), "2.15.1".to_owned()),
            ]),
            ..wanted().config
        }
    }

    #[test]
    fn what_the_server_adds_is_no_difference() {
        assert_eq!(wanted().differences(Some(&live()), None), []);
    }

    #[test]
    fn each_difference_names_its_field_and_both_values() {
        let live = Config {
            deny_purge: false,
            compression: Some(Compression::S2),
            ..live()
        };
        let field = |field: &str, file: Value, live: Value| Difference::Field {
            stream: "NOTE".to_owned(),
            field: field.to_owned(),
            file,
            live,
        };
        let expected = [
            field("compression", json!("none"), json!("s2")),
            field("deny_purge", json!(true), Value::Null),
            field("num_replicas", json!(3), json!(1)),
        ];
        assert_eq!(wanted().differences(Some(&live), Some(3)), expected);
    }

    #[test]
    fn a_stream_that_is_missing_or_was_made_by_hand_differs() {
        let stream = || "NOTE".to_owned();
        let missing = Difference::Missing { stream: stream() };
        assert_eq!(wanted().differences(None, None), [missing]);
        let by_hand = Config {
            metadata: HashMap::new(),
            ..live()
        };
        let nameless = Difference::NoIncarnation { stream: stream() };
        assert_eq!(wanted().differences(Some(&by_hand), None), [nameless]);
    }
}
