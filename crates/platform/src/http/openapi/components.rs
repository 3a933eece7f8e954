//! What all operations share: headers, the access token, and refusals.

use std::collections::BTreeMap;

use doran_contract::{ErrorCode, answer::FieldError};
use schemars::{JsonSchema, SchemaGenerator};
use serde_json::{Map, Value, json};

/// The components of the document but its schemas.
pub fn components() -> Map<String, Value> {
    Map::from_iter([
        ("parameters".to_owned(), parameters()),
        ("headers".to_owned(), headers()),
        ("responses".to_owned(), refusals()),
        (
            "securitySchemes".to_owned(),
            json!({ "bearer": { "type": "http", "scheme": "bearer", "bearerFormat": "JWT" } }),
        ),
    ])
}

fn parameters() -> Value {
    let header = |name: &str, description: &str, schema: Value| json!({ "name": name, "in": "header", "description": description, "schema": schema });
    json!({
        "IdempotencyKey": header(
            "Idempotency-Key",
            "The same key with the same body is executed once.",
            json!({ "type": "string", "minLength": 1, "maxLength": 255 }),
        ),
        "IfMatch": header(
            "If-Match",
            "Executed only if the object still has this `ETag`.",
            json!({ "type": "string" }),
        ),
        "DoranMinPosition": header(
            "Doran-Min-Position",
            "The answer is not older than these positions, `STREAM:sequence`, comma separated.",
            json!({ "type": "string" }),
        ),
    })
}

fn headers() -> Value {
    let text =
        |description: &str| json!({ "description": description, "schema": { "type": "string" } });
    json!({
        "Doran-Position": text("Where the command's events stand, `STREAM:sequence`, comma separated."),
        "ETag": text("The object's version, for `If-Match`."),
        "Location": text("Where the new object can be read."),
        "Retry-After": {
            "description": "Seconds to wait before the next try.",
            "schema": { "type": "integer", "minimum": 1 },
        },
    })
}

/// One refusal for each status, with the codes that it may carry.
fn refusals() -> Value {
    let mut codes: BTreeMap<u16, Vec<ErrorCode>> = BTreeMap::new();
    for code in every_code() {
        codes.entry(code.http_status()).or_default().push(code);
    }
    let refusals = codes.into_iter().map(|(status, codes)| {
        let mut refusal = json!({
            "description": format!("Refused: {}.", listed(&codes)),
            "content": { "application/json": { "schema": refusal(status, &codes) } },
        });
        if let Some(fields) = refusal
            .as_object_mut()
            .filter(|_| [429, 503].contains(&status))
        {
            let retry_after = json!({ "$ref": "#/components/headers/Retry-After" });
            fields.insert("headers".to_owned(), json!({ "Retry-After": retry_after }));
        }
        (format!("Refused{status}"), refusal)
    });
    Value::Object(refusals.collect())
}

fn listed(codes: &[ErrorCode]) -> String {
    let codes = codes
        .iter()
        .map(|code| json!(code).to_string().replace('"', "`"));
    codes.collect::<Vec<_>>().join(", ")
}

/// As their schema lists them.
fn every_code() -> Vec<ErrorCode> {
    let mut codes = Vec::new();
    let mut open = vec![ErrorCode::json_schema(&mut SchemaGenerator::default()).to_value()];
    while let Some(value) = open.pop() {
        match value {
            Value::Object(fields) => open.extend(fields.into_iter().map(|(_, value)| value)),
            Value::Array(items) => open.extend(items.into_iter().rev()),
            text => codes.extend(serde_json::from_value::<ErrorCode>(text)),
        }
    }
    codes
}

fn refusal(status: u16, codes: &[ErrorCode]) -> Value {
    let data = if status == ErrorCode::ValidationFailed.http_status() {
        let field = FieldError::json_schema(&mut SchemaGenerator::default());
        json!({
            "type": ["object", "null"],
            "required": ["fields"],
            "properties": { "fields": { "type": "array", "items": field } },
        })
    } else {
        json!({ "type": "null" })
    };
    json!({
        "type": "object",
        "required": ["success", "message", "data", "errorCode", "timestamp"],
        "properties": {
            "success": { "const": false },
            "message": { "type": "string" },
            "data": data,
            "errorCode": { "enum": codes },
            "timestamp": { "type": "string", "format": "date-time" },
        },
    })
}
