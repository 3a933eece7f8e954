//! The request id: accepted if it is harmless, else made; echoed and logged. The trace likewise,
//! but not echoed.

use axum::{
    extract::{Request, State},
    http::HeaderValue,
    middleware::Next,
    response::Response,
};

use crate::{
    Clock,
    trace::{TRACEPARENT, Traceparent},
};

pub const REQUEST_ID: &str = "x-request-id";

/// Id of the request under way, also the correlation id of the events it causes.
#[derive(Clone, Debug)]
pub struct RequestId(pub String);

/// Middleware that gives every request an id.
pub async fn request_id(State(clock): State<Clock>, mut request: Request, next: Next) -> Response {
    let given = request
        .headers()
        .get(REQUEST_ID)
        .and_then(|value| value.to_str().ok());
    let id = match given {
        Some(id) if is_harmless(id) => id.to_owned(),
        _ => clock.new_id().to_string(),
    };
    let header = HeaderValue::from_str(&id).ok();
    if let Some(value) = &header {
        request.headers_mut().insert(REQUEST_ID, value.clone());
    }
    request.extensions_mut().insert(RequestId(id));
    trace(&mut request);
    let mut response = next.run(request).await;
    if let Some(value) = header {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    response
}

/// Without a usable trace context a trace begins here.
fn trace(request: &mut Request) {
    let given = request.headers().get(TRACEPARENT);
    let given = given.and_then(|value| value.to_str().ok());
    let trace = given.and_then(Traceparent::parse);
    let trace = trace.unwrap_or_else(Traceparent::random);
    if let Ok(value) = HeaderValue::from_str(trace.as_str()) {
        request.headers_mut().insert(TRACEPARENT, value);
    }
    request.extensions_mut().insert(trace);
}

fn is_harmless(id: &str) -> bool {
    (1..=128).contains(&id.len())
        && id
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_that_could_forge_a_log_line_is_not_accepted() {
        assert!(is_harmless("abc-1.2_Z"));
        for bad in ["", "a b", "a\nb", "ünï", &"x".repeat(129)] {
            assert!(!is_harmless(bad));
        }
    }
}
