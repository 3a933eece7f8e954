//! `/iframe.html`: the page by which browsers that know no CORS come to this server's own origin.

use axum::{
    http::{
        HeaderMap, StatusCode,
        header::{
            CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, EXPIRES, IF_NONE_MATCH,
            X_CONTENT_TYPE_OPTIONS,
        },
    },
    response::{IntoResponse, Response},
};

use super::answer::{CACHED, FAR};

const PAGE: &str = r#"<!DOCTYPE html>
<html>
<head>
  <meta http-equiv="X-UA-Compatible" content="IE=edge" />
  <meta http-equiv="Content-Type" content="text/html; charset=UTF-8" />
  <script src="https://cdn.jsdelivr.net/npm/sockjs-client@1.6.1/dist/sockjs.min.js"></script>
  <script>
    document.domain = document.domain;
    SockJS.bootstrap_iframe();
  </script>
</head>
<body>
  <h2>Don't panic!</h2>
  <p>This is a SockJS hidden iframe. It's used for cross domain magic.</p>
</body>
</html>"#;
/// Changes with the page.
const TAG: &str = "\"iframe-1\"";
/// The client's own script and the two lines above; nothing else runs.
const POLICY: &str = "default-src 'none'; connect-src 'self'; \
     script-src https://cdn.jsdelivr.net/npm/sockjs-client@1.6.1/dist/sockjs.min.js \
     'sha256-lYmFXEsqdsgpRcqXPmVFJyV4CiaTNuS5IK/HjT7/fdk='";

/// `iframe.html`, `iframe-<anything>.html`
pub(super) fn is_iframe(file: &str) -> bool {
    let version = file
        .strip_prefix("iframe")
        .and_then(|rest| rest.strip_suffix(".html"));
    version.is_some_and(|version| version.is_empty() || version.starts_with('-'))
}

pub(super) fn iframe(request: &HeaderMap, embedders: &str) -> Response {
    let cached = [(CACHE_CONTROL, CACHED), (EXPIRES, FAR), (ETAG, TAG)];
    if request.get(IF_NONE_MATCH).is_some_and(|tag| tag == TAG) {
        return (StatusCode::NOT_MODIFIED, cached).into_response();
    }
    let headers = [
        (CONTENT_TYPE, "text/html; charset=UTF-8".to_owned()),
        (
            CONTENT_SECURITY_POLICY,
            format!("{POLICY}; frame-ancestors {embedders}"),
        ),
        (X_CONTENT_TYPE_OPTIONS, "nosniff".to_owned()),
    ];
    (StatusCode::OK, cached, headers, PAGE).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_version_of_the_page_is_there_and_nothing_that_looks_like_it() {
        for file in [
            "iframe.html",
            "iframe-.html",
            "iframe-0.1.2abc-dirty.2144.html",
        ] {
            assert!(is_iframe(file), "{file}");
        }
        for file in [
            "iframe.htm",
            "iframe",
            "IFRAME.HTML",
            "iframe.HTML",
            "iframex.html",
        ] {
            assert!(!is_iframe(file), "{file}");
        }
    }
}
