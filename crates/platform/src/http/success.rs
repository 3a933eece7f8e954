//! Answers that went well.

use axum::{
    Json,
    http::{
        HeaderMap, HeaderValue, StatusCode,
        header::{ETAG, LOCATION},
    },
    response::{IntoResponse, Response},
};
use doran_contract::Answer;
use doran_eventstore::Position;
use schemars::JsonSchema;
use serde::Serialize;

use super::{
    POSITION,
    openapi::{Answers, Sketch},
};
use crate::Clock;

/// `data` in the envelope of contract §1, with the headers that belong to it.
#[derive(Debug)]
pub struct Success<T> {
    status: StatusCode,
    headers: HeaderMap,
    data: T,
}

impl<T> Success<T> {
    pub fn ok(data: T) -> Self {
        Self {
            status: StatusCode::OK,
            headers: HeaderMap::new(),
            data,
        }
    }

    /// Something new that can be read at `location`.
    pub fn created(location: &str, data: T) -> Self {
        let mut success = Self {
            status: StatusCode::CREATED,
            ..Self::ok(data)
        };
        if let Ok(location) = HeaderValue::from_str(location) {
            success.headers.insert(LOCATION, location);
        }
        success
    }

    #[must_use]
    pub fn accepted(data: T) -> Self {
        Self {
            status: StatusCode::ACCEPTED,
            ..Self::ok(data)
        }
    }

    /// Where the command's events stand in the log.
    #[must_use]
    pub fn at(mut self, position: &Position) -> Self {
        if let Ok(value) = HeaderValue::from_str(&position.to_string()) {
            self.headers.insert(POSITION, value);
        }
        self
    }

    /// Version of the object, for `If-Match`.
    #[must_use]
    pub fn version(mut self, sequence: u64) -> Self {
        if let Ok(value) = HeaderValue::from_str(&format!("\"{sequence}\"")) {
            self.headers.insert(ETAG, value);
        }
        self
    }
}

impl<T: JsonSchema> Answers for Success<T> {
    fn describe(sketch: &mut Sketch<'_>) {
        sketch.answers::<T>();
    }
}

impl<T: Serialize> IntoResponse for Success<T> {
    fn into_response(self) -> Response {
        let answer = Answer {
            success: true,
            message: None,
            data: Some(self.data),
            error_code: None,
            timestamp: Clock::system().timestamp(),
        };
        (self.status, self.headers, Json(answer)).into_response()
    }
}
