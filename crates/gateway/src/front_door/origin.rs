//! The exact origins that browsers may come from.

use std::{collections::HashSet, time::Duration};

use axum::http::{
    HeaderMap, HeaderName, HeaderValue, Method,
    header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, ETAG, IF_MATCH, LOCATION, ORIGIN, RETRY_AFTER},
};
use doran_platform::{
    Config,
    http::{IDEMPOTENCY_KEY, MIN_POSITION, POSITION, REQUEST_ID},
};
use tower_http::cors::{AllowOrigin, CorsLayer};

use super::forward::{RATELIMIT_LIMIT, RATELIMIT_REMAINING, RATELIMIT_RESET};

const PREFLIGHT_LASTS: Duration = Duration::from_mins(10);

#[derive(Clone, Debug)]
pub(crate) struct Origins(HashSet<HeaderValue>);

impl Origins {
    pub(crate) fn new(config: &Config, own: Vec<String>) -> Self {
        let given = config.origins().into_iter().chain(own);
        let usable = given.filter_map(|origin| {
            let value = HeaderValue::from_str(origin.trim_end_matches('/'));
            if value.is_err() {
                tracing::warn!(origin, "an allowed origin is not one");
            }
            value.ok()
        });
        Self(usable.collect())
    }

    /// Whether a socket may be opened. What is not a browser sends no origin.
    pub(crate) fn admit(&self, headers: &HeaderMap) -> bool {
        let mut origins = headers.get_all(ORIGIN).iter();
        match (origins.next(), origins.next()) {
            (None, _) => true,
            (Some(origin), None) => self.0.contains(origin),
            (Some(_), Some(_)) => false,
        }
    }

    /// Separated by spaces.
    pub(crate) fn list(&self) -> String {
        let origins = self.0.iter().filter_map(|origin| origin.to_str().ok());
        let mut origins: Vec<_> = origins.collect();
        origins.sort_unstable();
        if origins.is_empty() {
            return "'none'".to_owned();
        }
        origins.join(" ")
    }

    pub(super) fn cors(&self) -> CorsLayer {
        let own = [POSITION, MIN_POSITION, IDEMPOTENCY_KEY, REQUEST_ID];
        let [position, min_position, idempotency_key, request_id] =
            own.map(HeaderName::from_static);
        CorsLayer::new()
            .allow_origin(AllowOrigin::list(self.0.iter().cloned()))
            .allow_methods([
                Method::GET,
                Method::HEAD,
                Method::POST,
                Method::PUT,
                Method::PATCH,
                Method::DELETE,
            ])
            .allow_headers([
                ACCEPT,
                AUTHORIZATION,
                CONTENT_TYPE,
                IF_MATCH,
                idempotency_key,
                min_position,
                request_id.clone(),
            ])
            .expose_headers([
                position,
                ETAG,
                LOCATION,
                RETRY_AFTER,
                request_id,
                RATELIMIT_LIMIT,
                RATELIMIT_REMAINING,
                RATELIMIT_RESET,
            ])
            .max_age(PREFLIGHT_LASTS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(origins: &[&'static str]) -> HeaderMap {
        let values = origins
            .iter()
            .map(|o| (ORIGIN, HeaderValue::from_static(o)));
        values.collect()
    }

    #[test]
    fn only_the_exact_origin_is_admitted() {
        let origins = Origins(
            ["http://localhost:8080"]
                .map(HeaderValue::from_static)
                .into(),
        );
        assert!(origins.admit(&from(&["http://localhost:8080"])));
        assert!(origins.admit(&from(&[])));
        for other in [
            "http://localhost:80801",
            "https://localhost:8080",
            "http://localhost:8080.evil.example",
            "null",
            "",
        ] {
            assert!(!origins.admit(&from(&[other])), "{other}");
        }
        let twice = from(&["http://localhost:8080", "http://evil.example"]);
        assert!(!origins.admit(&twice));
    }
}
