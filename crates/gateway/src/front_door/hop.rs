//! Headers that concern one connection only, and those that a client must not forge.

use std::net::IpAddr;

use axum::http::{
    HeaderMap, HeaderName, HeaderValue,
    header::{
        CONNECTION, EXPECT, FORWARDED, HOST, PROXY_AUTHENTICATE, PROXY_AUTHORIZATION, TE, TRAILER,
        TRANSFER_ENCODING, UPGRADE,
    },
};

const KEEP_ALIVE: HeaderName = HeaderName::from_static("keep-alive");
const PROXY_CONNECTION: HeaderName = HeaderName::from_static("proxy-connection");
pub(super) const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const X_FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const X_REAL_IP: HeaderName = HeaderName::from_static("x-real-ip");

/// Prepares a request's headers for the way to a service.
pub(crate) fn inward(headers: &mut HeaderMap, client: IpAddr) {
    remove_hop_by_hop(headers);
    // What a request says of its own way was judged here and is not passed on.
    for forged in [
        HOST,
        EXPECT,
        FORWARDED,
        X_FORWARDED_FOR,
        X_FORWARDED_HOST,
        X_FORWARDED_PROTO,
        X_REAL_IP,
    ] {
        headers.remove(forged);
    }
    if let Ok(address) = HeaderValue::from_str(&client.to_string()) {
        headers.insert(X_FORWARDED_FOR, address);
    }
}

/// Prepares an answer's headers for the way to the client.
pub(crate) fn outward(headers: &mut HeaderMap) {
    remove_hop_by_hop(headers);
}

fn remove_hop_by_hop(headers: &mut HeaderMap) {
    let named: Vec<HeaderName> = headers
        .get_all(CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|names| names.split(','))
        .filter_map(|name| name.trim().parse().ok())
        .collect();
    let always = [
        CONNECTION,
        KEEP_ALIVE,
        PROXY_AUTHENTICATE,
        PROXY_AUTHORIZATION,
        PROXY_CONNECTION,
        TE,
        TRAILER,
        TRANSFER_ENCODING,
        UPGRADE,
    ];
    for name in named.into_iter().chain(always) {
        headers.remove(name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let pairs = pairs.iter().map(|(name, value)| {
            (
                HeaderName::from_static(name),
                HeaderValue::from_static(value),
            )
        });
        pairs.collect()
    }

    #[test]
    fn headers_of_one_connection_stay_on_it() {
        let mut headers = headers(&[
            ("connection", "keep-alive, X-Own"),
            ("x-own", "1"),
            ("transfer-encoding", "chunked"),
            ("authorization", "Bearer x"),
        ]);
        outward(&mut headers);
        assert_eq!(headers.len(), 1);
        assert!(headers.contains_key("authorization"));
    }

    #[test]
    fn a_client_cannot_say_where_it_comes_from() {
        let mut headers = headers(&[("x-forwarded-for", "10.0.0.1"), ("x-real-ip", "10.0.0.1")]);
        inward(&mut headers, IpAddr::from([192, 0, 2, 7]));
        assert_eq!(headers.len(), 1);
        assert_eq!(headers["x-forwarded-for"], "192.0.2.7");
    }
}
