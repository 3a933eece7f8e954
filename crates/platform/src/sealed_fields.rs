//! The sealed fields of an event's body, wherever in it they stand.

use doran_contract::Sealed;
use serde_json::Value;

/// A sealed value and where it stands.
pub struct SealedField {
    /// The way to it, as RFC 6901 writes it.
    pub pointer: String,
    /// Its name when it was sealed: the keys on the way to it, joined by dots.
    pub field: String,
    pub sealed: Sealed,
}

pub fn sealed_fields(body: &Value) -> Vec<SealedField> {
    let mut found = Vec::new();
    find(body, &mut Vec::new(), &mut found);
    found
}

fn find(value: &Value, path: &mut Vec<String>, found: &mut Vec<SealedField>) {
    if let Some(sealed) = as_sealed(value) {
        found.push(SealedField {
            pointer: pointer(path),
            field: path.join("."),
            sealed,
        });
        return;
    }
    let children: Vec<(String, &Value)> = match value {
        Value::Object(fields) => fields
            .iter()
            .map(|(key, value)| (key.clone(), value))
            .collect(),
        Value::Array(items) => items
            .iter()
            .enumerate()
            .map(|(index, value)| (index.to_string(), value))
            .collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => return,
    };
    for (key, child) in children {
        path.push(key);
        find(child, path, found);
        path.pop();
    }
}

/// The path as RFC 6901 writes it.
fn pointer(path: &[String]) -> String {
    path.iter().fold(String::new(), |pointer, key| {
        pointer + "/" + &key.replace('~', "~0").replace('/', "~1")
    })
}

fn as_sealed(value: &Value) -> Option<Sealed> {
    let fields = value.as_object()?;
    if fields.len() != 2 {
        return None;
    }
    serde_json::from_value(value.clone()).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn sealed_fields_are_found_at_any_depth_and_nothing_else_is() {
        let key = "00000000-0000-0000-0000-000000000001";
        let sealed = json!({ "key": key, "data": "AA" });
        let body = json!({
            "email": sealed,
            "parts": [{ "text": sealed }],
            "settings": { "key": "not an id", "data": "AA" },
            "more": { "key": key, "data": "AA", "third": 1 },
        });
        let found = sealed_fields(&body);
        let names: Vec<_> = found.iter().map(|found| found.field.as_str()).collect();
        assert_eq!(names, ["email", "parts.0.text"]);
        for SealedField { pointer, .. } in &found {
            assert_eq!(body.pointer(pointer), Some(&sealed));
        }
    }
}
