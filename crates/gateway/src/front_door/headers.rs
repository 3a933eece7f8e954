//! Headers that tell browsers what not to do with an answer.

use axum::{
    Router,
    http::{
        HeaderName, HeaderValue,
        header::{CONTENT_SECURITY_POLICY, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS},
    },
};
use tower_http::set_header::SetResponseHeaderLayer;

/// For answers that are data. The page brings its own policy.
const DATA_POLICY: &str = "default-src 'none'; frame-ancestors 'none'";

/// Wraps routes so that an answer without such a header gets the strictest.
pub(super) fn secure<S: Clone + Send + Sync + 'static>(routes: Router<S>) -> Router<S> {
    [
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (REFERRER_POLICY, "no-referrer"),
        (CONTENT_SECURITY_POLICY, DATA_POLICY),
    ]
    .into_iter()
    .fold(routes, |routes, (name, value)| {
        routes.layer(unless_present(name, value))
    })
}

fn unless_present(name: HeaderName, value: &'static str) -> SetResponseHeaderLayer<HeaderValue> {
    SetResponseHeaderLayer::if_not_present(name, HeaderValue::from_static(value))
}
