//! What compose.yaml declares, alone or with compose.cluster.yaml over it.

use std::fs;

use doran_supervisor::workspace;
use serde_json::{Map, Value};

pub(crate) struct Compose {
    whole: Value,
    pub(crate) services: Vec<Service>,
}

#[derive(Clone)]
pub(crate) struct Service {
    pub(crate) name: String,
    declared: Value,
}

pub(crate) const FILES: [&str; 2] = ["compose.yaml", "compose.cluster.yaml"];

pub(crate) fn text(path: &str) -> String {
    fs::read_to_string(workspace().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

pub(crate) fn yaml(path: &str) -> Value {
    serde_saphyr::from_str(&text(path)).unwrap()
}

impl Compose {
    pub(crate) fn one_node() -> Self {
        Self::of(yaml(FILES[0]))
    }

    pub(crate) fn cluster() -> Self {
        let base = yaml(FILES[0]);
        let mut over = yaml(FILES[1]);
        for service in over["services"].as_object_mut().unwrap().values_mut() {
            if let Some(extended) = service.as_object_mut().unwrap().remove("extends") {
                assert_eq!(extended["file"], FILES[0]);
                let name = extended["service"].as_str().unwrap();
                *service = merged(&base["services"][name], service);
            }
        }
        Self::of(merged(&base, &over))
    }

    fn of(whole: Value) -> Self {
        let services = whole["services"].as_object().unwrap();
        let services = services.iter().map(|(name, declared)| Service {
            name: name.clone(),
            declared: declared.clone(),
        });
        Self {
            services: services.collect(),
            whole,
        }
    }

    pub(crate) fn named(&self, kind: &str) -> Vec<&str> {
        let names = self.whole[kind].as_object().unwrap();
        names.keys().map(String::as_str).collect()
    }

    pub(crate) fn network(&self, name: &str) -> &Value {
        &self.whole["networks"][name]
    }

    /// What runs our binary.
    pub(crate) fn ours(&self) -> impl Iterator<Item = &Service> {
        let ours = |service: &&Service| service.image() == "dorandoran";
        self.services.iter().filter(ours)
    }

    /// What runs it as long as the system does.
    pub(crate) fn roles(&self) -> impl Iterator<Item = &Service> {
        let is_role =
            |service: &&Service| service.declared["ports"].is_array() || service.is_ready();
        self.ours().filter(is_role)
    }
}

impl Service {
    pub(crate) fn image(&self) -> &str {
        self.declared["image"].as_str().unwrap()
    }

    pub(crate) fn strings(&self, key: &str) -> Vec<&str> {
        let items = self.declared[key].as_array().into_iter().flatten();
        items.map(|item| item.as_str().unwrap()).collect()
    }

    pub(crate) fn environment(&self) -> Vec<(&str, &str)> {
        let variables = self.declared["environment"].as_object();
        let variables = variables.into_iter().flatten();
        variables
            .map(|(name, value)| (name.as_str(), value.as_str().unwrap()))
            .collect()
    }

    /// Where our binary listens in it.
    pub(crate) fn port(&self) -> &str {
        let variables = self.environment();
        let listen = variables.iter().find(|(name, _)| *name == "DORAN_LISTEN");
        listen.unwrap().1.rsplit_once(':').unwrap().1
    }

    /// The words of its health check, after `CMD` or `CMD-SHELL`.
    pub(crate) fn health_check(&self) -> Option<Vec<&str>> {
        let words = self.declared["healthcheck"]["test"].as_array()?;
        let words = words.iter().map(|word| word.as_str().unwrap());
        Some(words.skip(1).collect())
    }

    pub(crate) fn declared(&self, key: &str) -> &Value {
        &self.declared[key]
    }

    fn is_ready(&self) -> bool {
        self.health_check().is_some()
    }
}

/// As compose merges files: maps key by key, volumes by where they are mounted, all else is
/// replaced (`ports` because it is marked `!override`).
fn merged(base: &Value, over: &Value) -> Value {
    match (base, over) {
        (Value::Object(base), Value::Object(over)) => {
            let mut all: Map<_, _> = base.clone();
            for (key, value) in over {
                let before = all.remove(key).unwrap_or_default();
                let now = if key == "volumes" && value.is_array() {
                    mounted(&before, value)
                } else {
                    merged(&before, value)
                };
                all.insert(key.clone(), now);
            }
            Value::Object(all)
        }
        (base, Value::Null) => base.clone(),
        (_, over) => over.clone(),
    }
}

fn mounted(base: &Value, over: &Value) -> Value {
    let target = |volume: &Value| {
        volume
            .as_str()
            .and_then(|text| text.split(':').nth(1).map(str::to_owned))
    };
    let over = over.as_array().unwrap();
    let hidden: Vec<_> = over.iter().map(target).collect();
    let base = base.as_array().into_iter().flatten();
    let kept = base.filter(|volume| !hidden.contains(&target(volume)));
    kept.chain(over).cloned().collect()
}
