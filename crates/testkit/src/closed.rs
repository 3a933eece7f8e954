//! Schemas without room for more: a client may see new fields, a test may not.

use serde_json::{Map, Value};

/// From now on objects have no more than what is described.
pub(crate) fn close(schema: &mut Value) {
    match schema {
        Value::Object(fields) => {
            if fields.contains_key("properties") && !hand_down(fields) {
                let closed = fields.entry("additionalProperties");
                closed.or_insert(Value::Bool(false));
            }
            fields.values_mut().for_each(close);
        }
        Value::Array(items) => items.iter_mut().for_each(close),
        _ => {}
    }
}

/// An object that is one of several has its own fields and those of what it chooses, so that each
/// choice has to know them all. False if there is nothing to choose.
fn hand_down(fields: &mut Map<String, Value>) -> bool {
    let own = fields.get("properties").cloned().unwrap_or_default();
    let choices = ["anyOf", "oneOf"]
        .into_iter()
        .find(|name| fields.contains_key(*name));
    let choices = choices.and_then(|name| fields.get_mut(name)?.as_array_mut());
    let Some(choices) = choices else { return false };
    for choice in choices.iter_mut().filter_map(Value::as_object_mut) {
        let known = choice.entry("properties");
        let known = known.or_insert_with(|| Value::Object(Map::new()));
        if let (Value::Object(known), Value::Object(own)) = (known, &own) {
            known.extend(own.clone());
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use jsonschema::is_valid;
    use serde_json::json;

    use super::*;

    #[test]
    fn an_object_has_its_own_fields_and_those_of_what_it_chooses_and_no_others() {
        let inner = json!({ "properties": { "x": {} } });
        let mut schema = json!({
            "properties": { "a": {}, "inner": inner },
            "anyOf": [
                { "properties": { "b": {} }, "required": ["b"] },
                { "properties": { "c": {} }, "required": ["c"] },
            ],
        });
        let valid = [
            json!({ "a": 1, "b": 1 }),
            json!({ "b": 1, "inner": { "x": 1 } }),
        ];
        let more = [
            json!({ "b": 1, "d": 1 }),
            json!({ "b": 1, "c": 1 }),
            json!({ "b": 1, "inner": { "y": 1 } }),
        ];
        for value in valid.iter().chain(&more) {
            assert!(is_valid(&schema, value), "{value}");
        }
        close(&mut schema);
        for value in &valid {
            assert!(is_valid(&schema, value), "{value}");
        }
        for value in &more {
            assert!(!is_valid(&schema, value), "{value}");
        }
    }
}
