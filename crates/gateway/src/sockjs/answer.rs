//! Headers and short answers that all requests of SockJS have in common.

use axum::{
    body::Body,
    http::{
        HeaderMap, HeaderValue, Method, StatusCode,
        header::{
            ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS,
            ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_MAX_AGE,
            ACCESS_CONTROL_REQUEST_HEADERS, ALLOW, CACHE_CONTROL, CONTENT_TYPE, COOKIE, EXPIRES,
            ORIGIN, SET_COOKIE, VARY, X_CONTENT_TYPE_OPTIONS,
        },
    },
    response::{IntoResponse, Response},
};

pub(super) const PLAIN: &str = "text/plain; charset=UTF-8";
pub(super) const SCRIPT: &str = "application/javascript; charset=UTF-8";
pub(super) const NOT_CACHED: &str = "no-store, no-cache, no-transform, must-revalidate, max-age=0";
pub(super) const CACHED: &str = "public, max-age=31536000";
/// A year away, as far as caches care.
pub(super) const FAR: &str = "Fri, 31 Dec 2100 23:59:59 GMT";
const COOKIE_NAME: &str = "JSESSIONID=";

pub(super) fn answer(
    status: StatusCode,
    content_type: &'static str,
    body: impl Into<Body>,
) -> Response {
    let headers = [
        (CONTENT_TYPE, content_type),
        (CACHE_CONTROL, NOT_CACHED),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (status, headers, body.into()).into_response()
}

pub(super) fn not_found() -> Response {
    StatusCode::NOT_FOUND.into_response()
}

pub(super) fn method_not_allowed(allowed: &Method) -> Response {
    let allow = if *allowed == Method::POST {
        "OPTIONS, POST"
    } else {
        "OPTIONS, GET"
    };
    (StatusCode::METHOD_NOT_ALLOWED, [(ALLOW, allow)]).into_response()
}

/// The answer to a browser that asks whether it may.
pub(super) fn preflight(request: &HeaderMap, allowed: &'static str) -> Response {
    let headers = [
        (CACHE_CONTROL, CACHED),
        (EXPIRES, FAR),
        (ACCESS_CONTROL_MAX_AGE, "31536000"),
        (ACCESS_CONTROL_ALLOW_METHODS, allowed),
    ];
    let mut response = (StatusCode::NO_CONTENT, headers).into_response();
    let asked = request.get(ACCESS_CONTROL_REQUEST_HEADERS);
    if let Some(asked) = asked.filter(|asked| !asked.is_empty()) {
        let headers = response.headers_mut();
        headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, asked.clone());
    }
    response
}

/// Lets the page that asked read the answer. Its origin has been looked at.
pub(super) fn readable(mut response: Response, request: &HeaderMap) -> Response {
    if let Some(origin) = request.get(ORIGIN) {
        let headers = response.headers_mut();
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
        headers.insert(
            ACCESS_CONTROL_ALLOW_CREDENTIALS,
            HeaderValue::from_static("true"),
        );
        headers.insert(VARY, HeaderValue::from(ORIGIN));
    }
    response
}

/// Some load balancers keep a client at one server by this cookie only.
pub(super) fn with_cookie(mut response: Response, request: &HeaderMap) -> Response {
    let given = request
        .get_all(COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|cookies| cookies.split(';'))
        .find_map(|cookie| cookie.trim().strip_prefix(COOKIE_NAME));
    let value = given.unwrap_or("dummy");
    if let Ok(cookie) = HeaderValue::from_str(&format!("{COOKIE_NAME}{value}; path=/")) {
        response.headers_mut().insert(SET_COOKIE, cookie);
    }
    response
}
