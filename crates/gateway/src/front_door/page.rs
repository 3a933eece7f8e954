//! The pages, embedded: each file of `web/` under its own name, `index.html` as `/`, and
//! `api-docs.html` as `/api/docs` as well.

use axum::{
    Router,
    http::{
        HeaderMap, StatusCode,
        header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, IF_NONE_MATCH},
    },
    response::{IntoResponse, Response},
    routing::get,
};
use rust_embed::{EmbeddedFile, RustEmbed};

use crate::gateway::Gateway;

#[derive(RustEmbed)]
#[folder = "../../web"]
struct Web;

const INDEX: &str = "index.html";
const API_DOCS: &str = "api-docs.html";
/// What a browser runs or shows; tests and tooling stay inside.
const SHOWN: [&str; 5] = ["html", "js", "css", "svg", "png"];
const HIDDEN: &str = "tests/";
const POLICY: &str = "default-src 'self'; img-src 'self' blob:; object-src 'none'; base-uri 'none'; \
     form-action 'self'; frame-ancestors 'none'";
/// File names have no hash in them, so each use asks whether the file is still the same.
const ASK_EACH_TIME: &str = "no-cache";

pub(super) fn routes() -> Router<Gateway> {
    let files = Web::iter().filter(|path| is_shown(path));
    files.fold(Router::new(), |routes, path| {
        let url = if path == INDEX {
            "/".to_owned()
        } else {
            format!("/{path}")
        };
        routes.route(
            &url,
            get(async move |headers: HeaderMap| answer(&path, &headers)),
        )
    })
}

/// The page that shows the API's document.
pub(super) async fn api_docs(request: HeaderMap) -> Response {
    answer(API_DOCS, &request)
}

fn is_shown(path: &str) -> bool {
    let extension = path.rsplit('.').next().unwrap_or_default();
    SHOWN.contains(&extension) && !path.starts_with(HIDDEN)
}

fn answer(path: &str, request: &HeaderMap) -> Response {
    let Some(file) = Web::get(path) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let etag = etag(&file);
    let same = request
        .get(IF_NONE_MATCH)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|known| known.split(',').any(|one| one.trim().ends_with(&etag)));
    let headers = [
        (CACHE_CONTROL, ASK_EACH_TIME.to_owned()),
        (CONTENT_SECURITY_POLICY, POLICY.to_owned()),
        (ETAG, etag),
    ];
    if same {
        return (StatusCode::NOT_MODIFIED, headers).into_response();
    }
    let media_type = media_type(&file);
    (
        headers,
        [(CONTENT_TYPE, media_type)],
        file.data.into_owned(),
    )
        .into_response()
}

fn etag(file: &EmbeddedFile) -> String {
    let bytes = file.metadata.sha256_hash();
    let hash = bytes
        .iter()
        .fold(String::new(), |hash, byte| hash + &format!("{byte:02x}"));
    format!("\"{hash}\"")
}

fn media_type(file: &EmbeddedFile) -> String {
    let media_type = file.metadata.mimetype();
    if media_type.starts_with("text/") {
        format!("{media_type}; charset=utf-8")
    } else {
        media_type.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_is_there_and_its_tests_are_not() {
        let shown: Vec<_> = Web::iter().filter(|path| is_shown(path)).collect();
        assert!(shown.iter().any(|path| path == INDEX));
        assert!(shown.iter().any(|path| path == "app.js"));
        assert!(!shown.iter().any(|path| path.contains("test")));
        assert!(!shown.iter().any(|path| path.ends_with(".json")));
    }

    #[test]
    fn scripts_and_styles_have_the_type_that_browsers_insist_on() {
        for (path, expected) in [
            ("app.js", "text/javascript; charset=utf-8"),
            ("style.css", "text/css; charset=utf-8"),
            (INDEX, "text/html; charset=utf-8"),
            ("icon.svg", "image/svg+xml"),
        ] {
            assert_eq!(media_type(&Web::get(path).unwrap()), expected);
        }
    }

    #[test]
    fn a_file_that_has_not_changed_is_not_sent_again() {
        let first = answer("app.js", &HeaderMap::new());
        assert_eq!(first.status(), StatusCode::OK);
        let mut again = HeaderMap::new();
        again.insert(IF_NONE_MATCH, first.headers()[ETAG].clone());
        assert_eq!(answer("app.js", &again).status(), StatusCode::NOT_MODIFIED);
    }
}
