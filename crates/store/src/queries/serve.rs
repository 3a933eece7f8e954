//! How bytes that people uploaded are handed out: never as anything that a browser would run.

use axum::http::{
    HeaderMap, HeaderName, HeaderValue,
    header::{
        ACCEPT_RANGES, CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_SECURITY_POLICY, CONTENT_TYPE,
        ETAG, X_CONTENT_TYPE_OPTIONS,
    },
};
use doran_contract::{BlobId, ErrorCode};
use doran_platform::http::Refusal;

const POLICY: &str = "sandbox; default-src 'none'";
const RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");
/// The bytes under an address never change, and whoever may see them may not any more tomorrow.
const CACHE: &str = "private, max-age=0, must-revalidate";

/// Where a browser puts what it gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Disposition {
    Inline,
    Attachment,
}

/// The headers of every answer with bytes of a file.
pub(super) fn headers(
    (media_type, etag): (&str, &str),
    disposition: Disposition,
    name: &str,
) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (header, value) in [
        (CONTENT_TYPE, content_type(media_type)),
        (CONTENT_DISPOSITION, content_disposition(disposition, name)),
        (ETAG, etag.to_owned()),
        (X_CONTENT_TYPE_OPTIONS, "nosniff".to_owned()),
        (CONTENT_SECURITY_POLICY, POLICY.to_owned()),
        (RESOURCE_POLICY, "same-site".to_owned()),
        (CACHE_CONTROL, CACHE.to_owned()),
        (ACCEPT_RANGES, "bytes".to_owned()),
    ] {
        if let Ok(value) = HeaderValue::try_from(value) {
            headers.insert(header, value);
        }
    }
    headers
}

/// Of a file; its bytes under the blob's id never change.
pub(super) fn etag(blob: BlobId) -> String {
    format!("\"{blob}\"")
}

/// Whether the client has what it asks for, by `If-None-Match`.
pub(super) fn is_known(headers: &HeaderMap, etag: &str) -> bool {
    let known = headers
        .get_all(axum::http::header::IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','));
    known
        .map(|known| known.trim().trim_start_matches("W/"))
        .any(|known| known == etag || known == "*")
}

pub(super) fn unsatisfiable() -> Refusal {
    Refusal::new(
        ErrorCode::RangeNotSatisfiable,
        "the range does not lie in the file",
    )
}

fn content_type(media_type: &str) -> String {
    if media_type.starts_with("text/") {
        return format!("{media_type}; charset=utf-8");
    }
    media_type.to_owned()
}

/// RFC 6266: a name in ASCII for old clients, and the whole one as RFC 8187 writes it.
fn content_disposition(disposition: Disposition, name: &str) -> String {
    let kind = match disposition {
        Disposition::Inline => "inline",
        Disposition::Attachment => "attachment",
    };
    let plain: String = name
        .chars()
        .map(|c| match c {
            '"' | '\\' | '%' => '_',
            c if c.is_ascii_graphic() || c == ' ' => c,
            _ => '_',
        })
        .collect();
    let whole: String = name.bytes().map(extended).collect();
    format!("{kind}; filename=\"{plain}\"; filename*=UTF-8''{whole}")
}

fn extended(byte: u8) -> String {
    if byte.is_ascii_alphanumeric() || b"!#$&+-.^_`|~".contains(&byte) {
        char::from(byte).to_string()
    } else {
        format!("%{byte:02X}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_korean_name_comes_whole_and_no_name_breaks_out_of_the_header() {
        assert_eq!(
            content_disposition(Disposition::Attachment, "회의 \"1\".txt"),
            "attachment; filename=\"__ _1_.txt\"; \
             filename*=UTF-8''%ED%9A%8C%EC%9D%98%20%221%22.txt"
        );
        let forged = content_disposition(Disposition::Inline, "a.png\"; filename=\"b.html");
        assert_eq!(forged.matches('"').count(), 2, "{forged}");
    }

    #[test]
    fn a_client_that_has_it_is_told_so() {
        let asked = |value: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert("if-none-match", HeaderValue::from_static(value));
            is_known(&headers, "\"a\"")
        };
        assert!(asked("\"a\"") && asked("\"b\", W/\"a\"") && asked("*"));
        assert!(!asked("\"b\"") && !asked("a"));
        assert!(!is_known(&HeaderMap::new(), "\"a\""));
    }
}
