//! Query strings and path ids, refused in the project's own form.

use std::{fmt, str::FromStr};

use axum::{
    extract::{FromRequestParts, Path, rejection::QueryRejection},
    http::request::Parts,
};
use doran_contract::ErrorCode;
use garde::Validate;
use schemars::JsonSchema;
use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, IntoDeserializer},
};

use super::{
    Refusal,
    body::fields,
    openapi::{Sketch, Takes},
};

/// A valid query string.
#[derive(Debug)]
pub struct Query<T>(pub T);

impl<S, T> FromRequestParts<S> for Query<T>
where
    S: Send + Sync,
    T: DeserializeOwned + Validate<Context = ()>,
{
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refusal> {
        let axum::extract::Query(value) =
            axum::extract::Query::<T>::try_from_uri(&parts.uri).map_err(|error| refuse(&error))?;
        value
            .validate()
            .map_err(|report| Refusal::invalid(fields(&report)))?;
        Ok(Self(value))
    }
}

impl<T: JsonSchema> Takes for Query<T> {
    fn describe(sketch: &mut Sketch<'_>) {
        sketch.takes_query::<T>();
        sketch.refuses([400, 422]);
    }
}

fn refuse(rejection: &QueryRejection) -> Refusal {
    let text = std::error::Error::source(rejection)
        .map(ToString::to_string)
        .unwrap_or_default();
    match text.split_once(": ") {
        Some((field, reason)) => Refusal::invalid_field(field, reason),
        None => Refusal::new(ErrorCode::BadRequest, "the query string cannot be read"),
    }
}

/// Reads a filter of a list; an empty one, as forms send it, is none.
pub fn unless_empty<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: DeserializeOwned,
{
    let text = Option::<String>::deserialize(deserializer)?;
    let text = text.filter(|text| !text.trim().is_empty());
    text.map(|text| T::deserialize(text.into_deserializer()))
        .transpose()
}

/// An id in the path. What is not an id at all is malformed, not unknown.
#[derive(Clone, Copy, Debug)]
pub struct Id<T>(pub T);

impl<S, T> FromRequestParts<S> for Id<T>
where
    S: Send + Sync,
    T: FromStr + Send,
{
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        let malformed = || Refusal::new(ErrorCode::BadRequest, "the id in the path is not a UUID");
        let Path(text) = Path::<String>::from_request_parts(parts, state)
            .await
            .map_err(|_error| malformed())?;
        text.parse().map(Self).map_err(|_error| malformed())
    }
}

impl<T> Takes for Id<T> {
    fn describe(sketch: &mut Sketch<'_>) {
        sketch.refuses([400]);
    }
}

/// Length of a page: 1–100, 50 unless told.
#[derive(Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema, Validate)]
#[garde(transparent)]
#[schemars(inline)]
#[serde(transparent)]
pub struct Limit(#[garde(range(min = 1, max = 100))] u32);

impl Limit {
    pub fn get(self) -> i64 {
        i64::from(self.0)
    }
}

impl Default for Limit {
    fn default() -> Self {
        Self(50)
    }
}

impl fmt::Debug for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
