//! The request id: accepted if it is harmless, else made; echoed and logged.

use axum::{
    extract::{Request, State},
    http::HeaderValue,
    middleware::Next,
    response::Response,
};

use crate::Clock;

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
    let mut response = next.run(request).await;
    if let Some(value) = header {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    response
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
