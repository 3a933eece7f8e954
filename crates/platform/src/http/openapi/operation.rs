//! One method of one path.

use std::collections::BTreeMap;

use axum::http::Method;
use schemars::{SchemaGenerator, generate::SchemaSettings};
use serde_json::{Map, Value, json};

use super::Sketch;

/// Where schemas that have a name lie in the document.
const DEFINITIONS: &str = "/components/schemas";
/// Placeholders that stand for ids, whatever of.
const IDS: [&str; 3] = ["id", "user", "message"];

/// One method of one path, and how to ask its handler's types about it.
pub struct Operation {
    pub method: Method,
    pub path: &'static str,
    /// The handler's name, with where it lies.
    pub handler: &'static str,
    pub(super) sketch: fn(&mut Sketch<'_>),
    /// Statuses of what goes well.
    pub(super) succeeds: Vec<u16>,
    /// Statuses that its types do not tell.
    pub(super) refuses: Vec<u16>,
    /// Forms of an answer beside the envelope, or instead of it.
    pub(super) media_types: Vec<&'static str>,
    /// The `data` of an answer whose type does not tell it.
    pub(super) data: Option<fn(&mut Sketch<'_>)>,
    /// Form of a body that its types do not tell.
    pub(super) takes: Option<&'static str>,
}

/// The schemas that operations refer to by name: of what they take and of what they give.
pub struct Schemas {
    pub(super) taken: SchemaGenerator,
    pub(super) given: SchemaGenerator,
}

impl Default for Schemas {
    fn default() -> Self {
        let settings = SchemaSettings::draft2020_12().with(|settings| {
            settings.definitions_path = DEFINITIONS.into();
            settings.meta_schema = None;
        });
        Self {
            taken: settings.clone().for_deserialize().into_generator(),
            given: settings.for_serialize().into_generator(),
        }
    }
}

impl Schemas {
    /// Whatever was referred to. A name that stands for two shapes is answered with both.
    pub fn finish(mut self) -> BTreeMap<String, Vec<Value>> {
        let mut named: BTreeMap<String, Vec<Value>> = BTreeMap::new();
        for definitions in [&mut self.taken, &mut self.given].map(|g| g.take_definitions(true)) {
            for (name, schema) in definitions {
                let shapes = named.entry(name).or_default();
                if !shapes.contains(&schema) {
                    shapes.push(schema);
                }
            }
        }
        named
    }
}

impl Operation {
    /// As the document has it, but for what tells it from others, its id and its tag.
    pub fn describe(&self, schemas: &mut Schemas) -> Value {
        let mut sketch = Sketch::new(schemas);
        if self.method != Method::GET {
            // Whatever the handler, see `repetition`.
            sketch.reads_header("IdempotencyKey");
            sketch.refuses([409]);
        }
        (self.sketch)(&mut sketch);
        if let Some(data) = self.data {
            data(&mut sketch);
        }
        if let Some(media_type) = self.takes {
            sketch.takes_media(media_type, &json!({}));
        }
        sketch.refuses(self.refuses.iter().copied());
        let mut parameters: Vec<Value> = placeholders(self.path).map(path_parameter).collect();
        if !parameters.is_empty() {
            sketch.refuses([404]);
        }
        parameters.append(&mut sketch.parameters);
        let security = if sketch.needs_token {
            json!([{ "bearer": [] }])
        } else {
            json!([])
        };
        let mut operation = Map::from_iter([
            ("summary".to_owned(), sentence(self.name()).into()),
            ("security".to_owned(), security),
            ("parameters".to_owned(), parameters.into()),
            ("responses".to_owned(), self.responses(&sketch)),
        ]);
        if let Some(body) = sketch.body {
            operation.insert("requestBody".to_owned(), body);
        }
        operation.into()
    }

    /// The handler's name.
    pub fn name(&self) -> &'static str {
        let name = self.handler.rsplit("::").next();
        name.unwrap_or(self.handler)
    }

    fn responses(&self, sketch: &Sketch<'_>) -> Value {
        let media_types = self.media_types.iter();
        let mut content: Map<String, Value> = media_types
            .map(|media_type| ((*media_type).to_owned(), json!({})))
            .collect();
        if self.media_types.is_empty() || sketch.data.is_some() {
            let schema = json!({ "schema": envelope(sketch.data.as_ref()) });
            content.insert("application/json".to_owned(), schema);
        }
        let mut responses = Map::new();
        for status in &self.succeeds {
            let mut response = json!({ "description": "It went well.", "content": content });
            if let Some(fields) = response.as_object_mut().filter(|_| sketch.is_command) {
                fields.insert("headers".to_owned(), command_headers(*status));
            }
            responses.insert(status.to_string(), response);
        }
        for status in &sketch.statuses {
            let refused = json!({ "$ref": format!("#/components/responses/Refused{status}") });
            responses.insert(status.to_string(), refused);
        }
        responses.into()
    }
}

fn command_headers(status: u16) -> Value {
    let names = ["Doran-Position", "ETag", "Location"];
    let names = names
        .into_iter()
        .filter(|name| *name != "Location" || status == 201);
    let headers = names.map(|name| {
        let header = json!({ "$ref": format!("#/components/headers/{name}") });
        (name.to_owned(), header)
    });
    Value::Object(headers.collect())
}

/// The envelope of an answer that went well.
fn envelope(data: Option<&Value>) -> Value {
    json!({
        "type": "object",
        "required": ["success", "message", "data", "errorCode", "timestamp"],
        "properties": {
            "success": { "const": true },
            "message": { "type": ["string", "null"] },
            "data": data.cloned().unwrap_or(Value::Bool(true)),
            "errorCode": { "type": "null" },
            "timestamp": { "type": "string", "format": "date-time" },
        },
    })
}

fn placeholders(path: &str) -> impl Iterator<Item = &str> {
    let parts = path.split('/');
    parts.filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
}

fn path_parameter(name: &str) -> Value {
    let schema = if IDS.contains(&name) {
        json!({ "type": "string", "format": "uuid" })
    } else {
        json!({ "type": "string" })
    };
    json!({ "name": name, "in": "path", "required": true, "schema": schema })
}

/// `create_room` → `Create room`.
fn sentence(name: &str) -> String {
    let mut chars = name.chars();
    let first = chars.next().map(|first| first.to_ascii_uppercase());
    let rest = chars.map(|c| if c == '_' { ' ' } else { c });
    first.into_iter().chain(rest).collect()
}
