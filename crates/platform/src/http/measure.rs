//! Counts what is answered and how long it took. Labels come from short lists, never from what a
//! client made up.

use axum::{extract::Request, http::Method, middleware::Next, response::Response};
use tokio::time::Instant;

/// Middleware around everything that a process answers.
pub(super) async fn measure(request: Request, next: Next) -> Response {
    let started = Instant::now();
    let (area, method) = (area(request.uri().path()), method(request.method()));
    let response = next.run(request).await;
    metrics::histogram!("http_request_seconds", "area" => area).record(started.elapsed());
    let status = response.status().as_u16().to_string();
    metrics::counter!("http_requests_total", "area" => area, "method" => method, "status" => status)
        .increment(1);
    response
}

/// The part of the system that a path belongs to.
fn area(path: &str) -> &'static str {
    const AREAS: [&str; 5] = ["auth", "users", "chat", "store", "batch"];
    let mut words = path.split('/').skip(1);
    match words.next() {
        Some("api") => {
            let service = words.next().unwrap_or_default();
            let known = AREAS.into_iter().find(|area| *area == service);
            known.unwrap_or("api")
        }
        Some("ws") => "sockets",
        Some("health" | "metrics" | "actuator") => "operations",
        _ => "page",
    }
}

fn method(method: &Method) -> &'static str {
    const METHODS: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
    let known = METHODS.into_iter().find(|known| *known == method.as_str());
    known.unwrap_or("other")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_is_asked_counts_for_one_of_a_few_areas() {
        for (path, expected) in [
            ("/api/chat/rooms/7", "chat"),
            ("/api/users", "users"),
            ("/api/made-up", "api"),
            ("/ws/chat/info", "sockets"),
            ("/health/ready", "operations"),
            ("/", "page"),
            ("*", "page"),
        ] {
            assert_eq!(area(path), expected, "{path}");
        }
        assert_eq!(method(&Method::from_bytes(b"BREW").unwrap()), "other");
    }
}
