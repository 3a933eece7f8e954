//! Answers of real routes beside what `docs/api/openapi.json` says of them.

use std::{fs, sync::LazyLock};

use anyhow::{Context, Result, bail, ensure};
use doran_supervisor::workspace;
use jsonschema::Validator;
use serde_json::{Map, Value, json};

use crate::{closed::close, must};

static DOCUMENT: LazyLock<Value> = LazyLock::new(|| must("docs/api/openapi.json", read()));

/// Fails the test if an answer of a described path is not as described. `body` is null where it is
/// not JSON.
pub fn check_answer(method: &str, path: &str, status: u16, body: &Value) {
    let path = path.split('?').next().unwrap_or(path);
    let checked = check(method, path, status, body);
    must(&format!("{method} {path} answered {status}"), checked);
}

fn read() -> Result<Value> {
    let text = fs::read_to_string(workspace().join("docs/api/openapi.json"))?;
    let mut document: Value = serde_json::from_str(&text)?;
    close(&mut document);
    Ok(document)
}

fn check(method: &str, path: &str, status: u16, body: &Value) -> Result<()> {
    let Some(methods) = methods_of(path) else {
        return Ok(());
    };
    let Some(operation) = methods.get(&method.to_lowercase()) else {
        ensure!(status == 405, "the path has no such method");
        return Ok(());
    };
    let response = operation.pointer(&format!("/responses/{status}"));
    let response = resolve(response.context("this status is not described")?)?;
    let forms = response.get("content").and_then(Value::as_object);
    if body.is_null() && forms.is_some_and(|forms| forms.len() > 1) {
        return Ok(());
    }
    let Some(schema) = response.pointer("/content/application~1json/schema") else {
        return Ok(());
    };
    let root = json!({ "allOf": [schema], "components": DOCUMENT.get("components") });
    let validator = Validator::new(&root).context("the schema")?;
    let wrong: Vec<_> = validator
        .iter_errors(body)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    if !wrong.is_empty() {
        bail!("{}\n{body:#}", wrong.join("\n"));
    }
    Ok(())
}

/// What the document says of the template that fits best: the one with the fewest placeholders.
fn methods_of(path: &str) -> Option<&'static Map<String, Value>> {
    let paths = DOCUMENT.get("paths")?.as_object()?;
    let fitting = paths
        .iter()
        .filter(|(template, _)| fits(template, path))
        .min_by_key(|(template, _)| template.matches('{').count());
    fitting?.1.as_object()
}

fn fits(template: &str, path: &str) -> bool {
    let (mut wanted, mut given) = (template.split('/'), path.split('/'));
    loop {
        match (wanted.next(), given.next()) {
            (None, None) => return true,
            (Some(wanted), Some(given)) if wanted == given => {}
            (Some(wanted), Some(given)) if wanted.starts_with('{') && !given.is_empty() => {}
            _ => return false,
        }
    }
}

fn resolve(value: &'static Value) -> Result<&'static Value> {
    let Some(reference) = value.get("$ref").and_then(Value::as_str) else {
        return Ok(value);
    };
    let pointer = reference.trim_start_matches('#');
    DOCUMENT
        .pointer(pointer)
        .with_context(|| format!("{reference} leads nowhere"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(data: &Value) -> Value {
        json!({
            "success": true,
            "message": null,
            "data": data,
            "errorCode": null,
            "timestamp": "2026-03-01T09:00:00.000Z",
        })
    }

    #[test]
    fn an_answer_that_is_not_as_described_is_found() {
        let path = "/api/users/check-email/a@example.com";
        check("GET", path, 200, &answer(&json!(true))).unwrap();
        for (method, status, body) in [
            ("GET", 200, answer(&json!("yes"))),
            ("GET", 200, json!({})),
            ("GET", 201, answer(&json!(true))),
            ("GET", 404, answer(&json!(true))),
            ("POST", 200, answer(&json!(true))),
        ] {
            assert!(check(method, path, status, &body).is_err(), "{body}");
        }
        let more = json!({ "id": "00000000-0000-4000-8000-000000000000", "deleted": true, "x": 1 });
        let error = check("DELETE", "/api/users/7", 200, &answer(&more)).unwrap_err();
        assert!(error.to_string().contains("'x' was unexpected"), "{error}");
    }
}
