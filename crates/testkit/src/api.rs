//! Calls of a service's routes without a port, and what they answer.

use anyhow::{Context, Result};
use axum::{
    Router,
    body::{Body, to_bytes},
    http::{HeaderMap, Method, Request, StatusCode, header},
};
use serde_json::Value;
use tower::ServiceExt;

use crate::{check_answer, must};

const MAX_ANSWER_BYTES: usize = 16 * 1024 * 1024;

/// The routes under test. Cheap to clone.
#[derive(Clone)]
pub struct Api(Router);

/// A call that has not been sent.
#[must_use]
pub struct Call {
    routes: Router,
    method: Method,
    path: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

/// What was answered. `body` is null where it is not JSON, `text` is there always.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Value,
    pub text: String,
}

impl Api {
    pub fn new(routes: Router) -> Self {
        Self(routes)
    }

    pub fn get(&self, path: &str) -> Call {
        self.call(Method::GET, path)
    }

    pub fn post(&self, path: &str, body: &Value) -> Call {
        self.call(Method::POST, path).json(body)
    }

    /// A call without body.
    pub fn call(&self, method: Method, path: &str) -> Call {
        Call {
            routes: self.0.clone(),
            method,
            path: path.to_owned(),
            headers: Vec::new(),
            body: Vec::new(),
        }
    }
}

impl Call {
    pub fn bearer(self, token: &str) -> Self {
        self.header(header::AUTHORIZATION.as_str(), &format!("Bearer {token}"))
    }

    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub fn json(self, body: &Value) -> Self {
        self.raw("application/json", body.to_string())
    }

    pub fn raw(mut self, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self.header(header::CONTENT_TYPE.as_str(), content_type)
    }

    pub async fn send(self) -> Reply {
        let (method, path) = (self.method.clone(), self.path.clone());
        let reply = must("call", self.answer().await);
        check_answer(method.as_str(), &path, reply.status, &reply.body);
        reply
    }

    async fn answer(self) -> Result<Reply> {
        let mut request = Request::builder().method(self.method).uri(self.path);
        for (name, value) in self.headers {
            request = request.header(name, value);
        }
        let answer = self
            .routes
            .oneshot(request.body(Body::from(self.body))?)
            .await?;
        let (status, headers) = (answer.status(), answer.headers().clone());
        let bytes = to_bytes(answer.into_body(), MAX_ANSWER_BYTES)
            .await
            .context("the answer's body")?;
        Ok(Reply {
            status: status.as_u16(),
            headers,
            body: serde_json::from_slice(&bytes).unwrap_or_default(),
            text: String::from_utf8_lossy(&bytes).into_owned(),
        })
    }
}

impl Reply {
    /// `data` of an answer that must have gone well.
    #[track_caller]
    pub fn data(&self) -> &Value {
        let is_success = StatusCode::from_u16(self.status).is_ok_and(|status| status.is_success());
        assert!(is_success, "{} {}", self.status, self.body);
        self.body.get("data").unwrap_or(&Value::Null)
    }

    /// Status and error code of a refusal.
    pub fn refusal(&self) -> (u16, &str) {
        (
            self.status,
            self.body
                .get("errorCode")
                .and_then(Value::as_str)
                .unwrap_or_default(),
        )
    }

    /// The names of the fields that a 422 complains about.
    pub fn fields(&self) -> Vec<&str> {
        let fields = self.body.pointer("/data/fields").and_then(Value::as_array);
        let names = fields
            .into_iter()
            .flatten()
            .map(|field| field.get("field").and_then(Value::as_str));
        names.map(Option::unwrap_or_default).collect()
    }

    /// A header's text, empty where there is none.
    pub fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name).and_then(|value| value.to_str().ok());
        value.unwrap_or_default()
    }
}
