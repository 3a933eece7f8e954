//! Which address a request came from.

use std::{
    convert::Infallible,
    net::{IpAddr, Ipv6Addr, SocketAddr},
};

use axum::{
    extract::{ConnectInfo, FromRequestParts},
    http::request::Parts,
};
use doran_platform::http::openapi::{Sketch, Takes};

const X_FORWARDED_FOR: &str = "x-forwarded-for";

/// The client's address as the gateway saw it, or else the connection's own. None inside a process
/// without either.
///
/// The gateway replaces whatever a client says of its own way, so the last entry is the one hop
/// that nobody outside can write. The port of this service itself is not for clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Address(pub(super) Option<IpAddr>);

impl<S: Send + Sync> FromRequestParts<S> for Address {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let connection = parts.extensions.get::<ConnectInfo<SocketAddr>>();
        let forwarded = parts.headers.get_all(X_FORWARDED_FOR).iter().next_back();
        let last_hop = forwarded
            .and_then(|value| value.to_str().ok())
            .and_then(|hops| hops.rsplit(',').next())
            .and_then(|hop| hop.trim().parse().ok());
        Ok(Self(last_hop.or(connection.map(|info| info.0.ip()))))
    }
}

impl Takes for Address {
    fn describe(_: &mut Sketch<'_>) {}
}

impl Address {
    /// One household has one IPv4 address, and a whole /64 of IPv6.
    pub(super) fn network(self) -> Option<IpAddr> {
        self.0.map(|address| match address {
            IpAddr::V4(_) => address,
            IpAddr::V6(v6) => v6.to_ipv4_mapped().map_or_else(
                || {
                    let [a, b, c, d, ..] = v6.segments();
                    Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
                },
                IpAddr::V4,
            ),
        })
    }
}

#[cfg(test)]
mod tests {
    use axum::http::Request;

    use super::*;

    async fn address(hops: &[&str]) -> Option<String> {
        let mut request = Request::builder();
        for hop in hops {
            request = request.header(X_FORWARDED_FOR, *hop);
        }
        let (mut parts, ()) = request.body(()).unwrap().into_parts();
        parts
            .extensions
            .insert(ConnectInfo(SocketAddr::from(([127, 0, 0, 1], 9))));
        let Ok(address) = Address::from_request_parts(&mut parts, &()).await;
        address.network().map(|network| network.to_string())
    }

    #[tokio::test]
    async fn the_last_hop_counts_and_without_one_the_connection() {
        for (hops, expected) in [
            (vec![], "127.0.0.1"),
            (vec!["nonsense"], "127.0.0.1"),
            (vec!["192.0.2.7"], "192.0.2.7"),
            (vec!["10.0.0.1, 192.0.2.7"], "192.0.2.7"),
            (vec!["10.0.0.1", "192.0.2.7"], "192.0.2.7"),
            (vec!["::ffff:192.0.2.7"], "192.0.2.7"),
            (vec!["2001:db8:1:2:3:4:5:6"], "2001:db8:1:2::"),
        ] {
            assert_eq!(address(&hops).await.as_deref(), Some(expected), "{hops:?}");
        }
    }
}
