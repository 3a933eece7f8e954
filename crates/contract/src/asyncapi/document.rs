//! The parts of the document, gathered.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::schema::references;

#[derive(Default)]
pub(super) struct Document {
    channels: Map<String, Value>,
    operations: Map<String, Value>,
    messages: Map<String, Value>,
    schemas: BTreeMap<String, Value>,
}

impl Document {
    /// A shape, with those of `parts` that it needs.
    pub(super) fn add_schema(&mut self, name: &str, schema: &Value, parts: &Map<String, Value>) {
        if let Some(known) = self.schemas.get(name) {
            assert_eq!(known, schema, "two shapes are named {name}");
            return;
        }
        self.schemas.insert(name.to_owned(), schema.clone());
        for part in references(schema) {
            self.add_schema(&part, &parts[&part], parts);
        }
    }

    pub(super) fn add_channel(&mut self, name: &str, mut channel: Value) {
        channel["messages"] = json!({});
        channel["parameters"] = parameters(channel["address"].as_str().unwrap());
        let known = self.channels.insert(name.to_owned(), channel);
        assert!(known.is_none(), "two channels are named {name}");
    }

    /// A message of a channel, and what is done with it there.
    pub(super) fn add_message(
        &mut self,
        (channel, name): (&str, &str),
        message: Value,
        operations: &[Operation<'_>],
    ) {
        self.channels[channel]["messages"][name] = refer(&format!("components/messages/{name}"));
        let known = self.messages.insert(name.to_owned(), message);
        assert!(known.is_none(), "two messages are named {name}");
        for operation in operations {
            let mut described = json!({
                "action": operation.action,
                "channel": refer(&format!("channels/{channel}")),
                "messages": [refer(&format!("channels/{channel}/messages/{name}"))],
            });
            if let Some((channel, answers)) = operation.reply {
                let message = |name: &&str| refer(&format!("channels/{channel}/messages/{name}"));
                described["reply"] = json!({
                    "channel": refer(&format!("channels/{channel}")),
                    "messages": answers.iter().map(message).collect::<Vec<_>>(),
                });
            }
            let name = format!("{}{name}", operation.verb);
            let known = self.operations.insert(name.clone(), described);
            assert!(known.is_none(), "two operations are named {name}");
        }
    }

    pub(super) fn into_value(self, info: &Value, servers: &Value) -> Value {
        let Self {
            channels,
            operations,
            messages,
            schemas,
        } = self;
        json!({
            "asyncapi": "3.0.0",
            "info": info,
            "defaultContentType": "application/json",
            "servers": servers,
            "channels": channels,
            "operations": operations,
            "components": { "messages": messages, "schemas": schemas },
        })
    }
}

/// What the system does with a message.
#[derive(Clone, Copy)]
pub(super) struct Operation<'a> {
    verb: &'static str,
    action: &'static str,
    /// On which channel an answer comes, and which messages it may be.
    reply: Option<(&'a str, &'a [&'a str])>,
}

impl<'a> Operation<'a> {
    pub(super) const STORE: Self = Self::sent("store");
    pub(super) const SEND: Self = Self::sent("send");

    const fn sent(verb: &'static str) -> Self {
        Self {
            verb,
            action: "send",
            reply: None,
        }
    }

    pub(super) const fn receive(channel: &'a str, answers: &'a [&'a str]) -> Self {
        Self {
            verb: "receive",
            action: "receive",
            reply: Some((channel, answers)),
        }
    }
}

pub(super) fn refer(path: &str) -> Value {
    json!({ "$ref": format!("#/{path}") })
}

fn parameters(address: &str) -> Value {
    let names = address.split(['.', '/']).filter_map(|token| {
        let name = token.strip_prefix('{')?.strip_suffix('}')?;
        let description = match name {
            "shard" => "Two digits made of the room's id",
            "job" => "The job's name",
            _ => "A UUID in lower case",
        };
        Some((name.to_owned(), json!({ "description": description })))
    });
    Value::Object(names.collect())
}
