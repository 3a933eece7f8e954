//! JSON bodies: read, checked, and refused with the name of the field that does not fit.

use std::time::Duration;

use axum::{
    extract::{FromRequest, Request},
    http::{StatusCode, header::CONTENT_TYPE},
};
use bytes::Bytes;
use doran_contract::{ErrorCode, FieldError};
use garde::Validate;
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use tokio::time::timeout;

use super::{
    Refusal,
    openapi::{Sketch, Takes},
};

/// A megabyte over a poor line.
const WITHIN: Duration = Duration::from_secs(30);

/// A valid body, and its bytes as they came.
#[derive(Debug)]
pub struct Body<T> {
    pub value: T,
    pub raw: Bytes,
}

impl<S, T> FromRequest<S> for Body<T>
where
    S: Send + Sync,
    T: DeserializeOwned + Validate<Context = ()>,
{
    type Rejection = Refusal;

    async fn from_request(request: Request, _: &S) -> Result<Self, Refusal> {
        if !is_json(&request) {
            return Err(Refusal::new(
                ErrorCode::UnsupportedMediaType,
                "the body must be application/json",
            ));
        }
        let raw = read(request).await?;
        let value = parse(&raw)?;
        Ok(Self { value, raw })
    }
}

impl<T: JsonSchema> Takes for Body<T> {
    fn describe(sketch: &mut Sketch<'_>) {
        sketch.takes_json::<T>();
        sketch.refuses([400, 413, 415, 422]);
    }
}

/// The bytes of a body, in time and in bounds.
pub(super) async fn read(request: Request) -> Result<Bytes, Refusal> {
    timeout(WITHIN, Bytes::from_request(request, &()))
        .await
        .map_err(|_elapsed| Refusal::new(ErrorCode::BadRequest, "the body did not arrive in time"))?
        .map_err(|rejection| {
            if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
                Refusal::new(ErrorCode::TooLarge, "the body is larger than 1 MiB")
            } else {
                Refusal::new(ErrorCode::BadRequest, "the body did not arrive whole")
            }
        })
}

pub(super) fn is_json(request: &Request) -> bool {
    let Some(value) = request.headers().get(CONTENT_TYPE) else {
        return false;
    };
    let essence = value
        .to_str()
        .unwrap_or_default()
        .split(';')
        .next()
        .unwrap_or_default();
    essence.trim().eq_ignore_ascii_case("application/json")
}

fn parse<T>(raw: &[u8]) -> Result<T, Refusal>
where
    T: DeserializeOwned + Validate<Context = ()>,
{
    if raw.iter().all(u8::is_ascii_whitespace) {
        return Err(Refusal::new(ErrorCode::BadRequest, "the body is empty"));
    }
    let mut json = serde_json::Deserializer::from_slice(raw);
    let value: T = serde_path_to_error::deserialize(&mut json).map_err(|error| refuse(&error))?;
    json.end().map_err(|_error| malformed())?;
    value
        .validate()
        .map_err(|report| Refusal::invalid(fields(&report)))?;
    Ok(value)
}

fn malformed() -> Refusal {
    Refusal::new(ErrorCode::BadRequest, "the body is not JSON")
}

fn refuse(error: &serde_path_to_error::Error<serde_json::Error>) -> Refusal {
    if error.inner().is_syntax() || error.inner().is_eof() || error.inner().is_io() {
        return malformed();
    }
    let text = error.inner().to_string();
    let reason = text
        .split(" at line ")
        .next()
        .unwrap_or_default()
        .to_owned();
    let path = error.path().to_string();
    let named = reason
        .strip_prefix("missing field `")
        .and_then(|rest| rest.strip_suffix('`'));
    let field = match named {
        Some(field) if path == "." => field.to_owned(),
        Some(field) => format!("{path}.{field}"),
        None => path,
    };
    let reason = if named.is_some() {
        "is missing".to_owned()
    } else {
        quiet(&reason)
    };
    Refusal::invalid_field(&field, reason)
}

/// Serde quotes the offending value; what a person typed has no place in an answer or a log.
fn quiet(reason: &str) -> String {
    match reason.split_once(", expected ") {
        Some((_, expected)) => format!("expected {expected}"),
        None => reason.to_owned(),
    }
}

pub(super) fn fields(report: &garde::Report) -> Vec<FieldError> {
    report
        .iter()
        .map(|(path, error)| FieldError {
            field: camel_case(&path.to_string()),
            reason: error.to_string(),
        })
        .collect()
}

fn camel_case(path: &str) -> String {
    let mut camel = String::with_capacity(path.len());
    let mut chars = path.chars();
    while let Some(c) = chars.next() {
        match c {
            '_' => camel.extend(chars.next().map(|next| next.to_ascii_uppercase())),
            other => camel.push(other),
        }
    }
    camel
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize, Validate)]
    #[serde(rename_all = "camelCase")]
    struct Sample {
        #[garde(length(chars, min = 1, max = 3))]
        first_name: String,
        #[garde(range(max = 9))]
        count: u32,
    }

    fn refused(raw: &str) -> (ErrorCode, Vec<(String, String)>) {
        let refusal = parse::<Sample>(raw.as_bytes()).unwrap_err();
        let fields = refusal
            .fields()
            .iter()
            .map(|f| (f.field.clone(), f.reason.clone()));
        (refusal.code(), fields.collect())
    }

    #[test]
    fn what_is_not_json_is_a_bad_request() {
        for raw in [
            "",
            " \n",
            "{",
            "{\"firstName\":\"a\",\"count\":1} x",
            "nonsense",
        ] {
            assert_eq!(refused(raw).0, ErrorCode::BadRequest, "{raw}");
        }
    }

    #[test]
    fn a_missing_field_is_named() {
        let (code, fields) = refused(r#"{"firstName":"a"}"#);
        assert_eq!(code, ErrorCode::ValidationFailed);
        assert_eq!(fields, [("count".to_owned(), "is missing".to_owned())]);
    }

    #[test]
    fn a_wrong_type_is_named_without_its_value() {
        let (code, fields) = refused(r#"{"firstName":"a","count":"secret"}"#);
        assert_eq!(code, ErrorCode::ValidationFailed);
        assert_eq!(fields, [("count".to_owned(), "expected u32".to_owned())]);
    }

    #[test]
    fn a_broken_rule_is_named_as_the_client_wrote_it() {
        let (_, fields) = refused(r#"{"firstName":"long","count":1}"#);
        assert_eq!(
            fields.first().map(|(field, _)| field.as_str()),
            Some("firstName")
        );
    }
}
