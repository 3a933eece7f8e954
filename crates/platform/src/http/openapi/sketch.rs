//! What is known of an operation while its handler's types are asked, one after the other.

use std::collections::BTreeSet;

use schemars::{JsonSchema, SchemaGenerator};
use serde_json::{Map, Value, json};

use super::operation::Schemas;

/// Every route may be asked too often, fail, or find a server away.
const ALWAYS: [u16; 3] = [429, 500, 503];

/// An operation in the making.
pub struct Sketch<'a> {
    schemas: &'a mut Schemas,
    pub(super) parameters: Vec<Value>,
    pub(super) body: Option<Value>,
    /// Schema of `data`; none for what is not in the envelope.
    pub(super) data: Option<Value>,
    pub(super) statuses: BTreeSet<u16>,
    pub(super) needs_token: bool,
    pub(super) is_command: bool,
}

impl<'a> Sketch<'a> {
    pub(super) fn new(schemas: &'a mut Schemas) -> Self {
        Self {
            schemas,
            parameters: Vec::new(),
            body: None,
            data: None,
            statuses: ALWAYS.into(),
            needs_token: false,
            is_command: false,
        }
    }

    /// It may be refused with these.
    pub fn refuses(&mut self, statuses: impl IntoIterator<Item = u16>) {
        self.statuses.extend(statuses);
    }

    /// It needs an access token.
    pub fn needs_token(&mut self) {
        self.needs_token = true;
        self.refuses([401, 403]);
    }

    /// It reads a header that [`super::components`] describes under this name.
    pub fn reads_header(&mut self, component: &str) {
        self.parameters
            .push(json!({ "$ref": format!("#/components/parameters/{component}") }));
    }

    /// It writes events.
    pub(in crate::http) fn is_command(&mut self) {
        self.is_command = true;
    }

    /// Its query string is a `T`.
    pub(in crate::http) fn takes_query<T: JsonSchema>(&mut self) {
        let schema = T::json_schema(&mut self.schemas.taken);
        let required: BTreeSet<_> = strings(schema.get("required")).collect();
        let properties = schema.get("properties").and_then(Value::as_object);
        for (name, schema) in properties.into_iter().flatten() {
            let (schema, description) = without_description(schema.clone());
            let mut parameter = json!({
                "name": name,
                "in": "query",
                "required": required.contains(name.as_str()),
                "schema": schema,
            });
            if let (Some(fields), Some(description)) = (parameter.as_object_mut(), description) {
                fields.insert("description".to_owned(), description);
            }
            self.parameters.push(parameter);
        }
    }

    /// Its body has this form, which is not JSON.
    pub fn takes_media(&mut self, media_type: &str, schema: &Value) {
        self.body = Some(json!({
            "required": true,
            "content": { media_type: { "schema": schema } },
        }));
    }

    /// It takes its defaults without a body.
    pub fn may_lack_body(&mut self) {
        if let Some(fields) = self.body.as_mut().and_then(Value::as_object_mut) {
            fields.insert("required".to_owned(), Value::Bool(false));
        }
    }

    /// Its body is a `T` in JSON.
    pub(in crate::http) fn takes_json<T: JsonSchema>(&mut self) {
        let schema = T::json_schema(&mut self.schemas.taken).to_value();
        self.takes_media("application/json", &schema);
    }

    /// It answers with a `T` as `data`.
    pub(in crate::http) fn answers<T: JsonSchema>(&mut self) {
        self.data = Some(named::<T>(&mut self.schemas.given));
    }
}

fn named<T: JsonSchema>(generator: &mut SchemaGenerator) -> Value {
    generator.subschema_for::<T>().to_value()
}

fn strings(list: Option<&Value>) -> impl Iterator<Item = &str> {
    let list = list.and_then(Value::as_array);
    list.into_iter().flatten().filter_map(Value::as_str)
}

fn without_description(mut schema: Value) -> (Value, Option<Value>) {
    let description = schema
        .as_object_mut()
        .and_then(|fields: &mut Map<String, Value>| fields.remove("description"));
    (schema, description)
}
