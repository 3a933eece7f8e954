//! Schemas of types, cut up for the document.

use std::collections::BTreeSet;

use schemars::{JsonSchema, generate::SchemaSettings};
use serde_json::{Map, Value};

/// Where the document keeps shapes that have a name.
const NAMED: &str = "#/components/schemas/";

/// The shape of each variant of an enum of frames, by its tag, and the parts that they need. A variant
/// that carries one of several things has a shape with each of them, by the thing's title.
pub(super) struct Frames {
    pub(super) shapes: Vec<(String, Value)>,
    pub(super) parts: Map<String, Value>,
}

/// As clients write them.
pub(super) fn read_frames<T: JsonSchema>(tag: &str) -> Frames {
    frames::<T>(SchemaSettings::draft2020_12(), tag)
}

/// As the server writes them.
pub(super) fn written_frames<T: JsonSchema>(tag: &str) -> Frames {
    let mut frames = frames::<T>(SchemaSettings::draft2020_12().for_serialize(), tag);
    let shapes = frames.shapes.iter_mut().map(|(_, shape)| shape);
    shapes.chain(frames.parts.values_mut()).for_each(leave_out);
    frames
}

fn frames<T: JsonSchema>(settings: SchemaSettings, tag: &str) -> Frames {
    let (mut whole, parts) = shape::<T>(settings);
    let variants = whole.as_object_mut().unwrap().remove("oneOf").unwrap();
    let shapes = variants.as_array().unwrap().iter().flat_map(|variant| {
        let mut shape = variant.clone();
        absorb(&mut shape, &whole);
        // A variant that wraps a type of its own.
        if let Some(Value::String(named)) = shape.as_object_mut().unwrap().remove("$ref") {
            absorb(&mut shape, &parts[named.strip_prefix(NAMED).unwrap()]);
        }
        let kind = shape["properties"][tag]["const"].as_str().unwrap();
        split(kind.to_owned(), shape)
    });
    Frames {
        shapes: shapes.collect(),
        parts: parts.clone(),
    }
}

/// The shape of a type that clients write, and the parts that it needs.
pub(super) fn read_shape<T: JsonSchema>() -> (Value, Map<String, Value>) {
    shape::<T>(SchemaSettings::draft2020_12())
}

fn shape<T: JsonSchema>(mut settings: SchemaSettings) -> (Value, Map<String, Value>) {
    settings.definitions_path = "/components/schemas".into();
    let mut generator = settings.into_generator();
    let shape = T::json_schema(&mut generator).to_value();
    (shape, generator.take_definitions(true))
}

/// A shape for each thing that a frame may carry.
fn split(kind: String, mut frame: Value) -> Vec<(String, Value)> {
    let fields = frame.as_object_mut().unwrap();
    let Some(Value::Array(things)) = fields.remove("anyOf") else {
        return vec![(kind, frame)];
    };
    let shapes = things.iter().map(|thing| {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let mut shape = frame.clone();
        absorb(&mut shape, thing);
        let explained = [&frame, thing].map(|part| text(&part["description"]));
        shape["description"] = explained.join(" ").into();
        (text(&thing["title"]), shape)
    });
    shapes.collect()
}

/// Takes over the fields of another object.
fn absorb(shape: &mut Value, other: &Value) {
    if let Some(properties) = other["properties"].as_object() {
        let own = shape["properties"].as_object_mut().unwrap();
        own.extend(properties.clone());
    }
    if let Some(required) = other["required"].as_array() {
        let own = shape["required"].as_array_mut().unwrap();
        own.extend(required.iter().cloned());
    }
}

/// What may be left out is left out instead of being null.
pub(super) fn leave_out(schema: &mut Value) {
    match schema {
        Value::Object(fields) => {
            let required = fields.get("required").cloned().unwrap_or_default();
            let is_required = |name: &String| {
                let mut required = required.as_array().into_iter().flatten();
                required.any(|one| one == name)
            };
            if let Some(Value::Object(properties)) = fields.get_mut("properties") {
                let optional = properties.iter_mut().filter(|(name, _)| !is_required(name));
                optional.for_each(|(_, property)| not_null(property));
            }
            fields.values_mut().for_each(leave_out);
        }
        Value::Array(items) => items.iter_mut().for_each(leave_out),
        _ => {}
    }
}

fn not_null(property: &mut Value) {
    if let Some(types) = property["type"].as_array() {
        let others: Vec<_> = types.iter().filter(|one| *one != "null").cloned().collect();
        property["type"] = others.first().cloned().unwrap();
    }
    if let Some(choices) = property["anyOf"].as_array() {
        let [named, null] = &choices[..] else { return };
        assert_eq!(null["type"], "null");
        let named = named["$ref"].clone();
        property.as_object_mut().unwrap().remove("anyOf");
        property["$ref"] = named;
    }
}

/// Names of the shapes that a schema refers to.
pub(super) fn references(schema: &Value) -> BTreeSet<String> {
    match schema {
        Value::Object(fields) => {
            let own = fields.get("$ref").and_then(Value::as_str);
            let own = own.and_then(|target| target.strip_prefix(NAMED));
            let inner = fields.values().flat_map(references);
            own.map(str::to_owned).into_iter().chain(inner).collect()
        }
        Value::Array(items) => items.iter().flat_map(references).collect(),
        _ => BTreeSet::new(),
    }
}

/// The value and the explanation of each variant of an enum without fields.
pub(super) fn choices(schema: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let groups = schema["oneOf"].as_array().cloned();
    let groups = groups.unwrap_or_else(|| vec![schema.clone()]);
    let variants = groups.iter().flat_map(|group| {
        let values = group["enum"].as_array().cloned();
        let values = values.unwrap_or_else(|| vec![group["const"].clone()]);
        let explained = group.get("const").map(|_| text(&group["description"]));
        values.into_iter().map(move |value| {
            let explained = explained.clone().unwrap_or_default();
            (text(&value), explained)
        })
    });
    variants.collect()
}
