//! Where a request came from, behind the proxies that are trusted to say it.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use axum::{
    extract::ConnectInfo,
    http::{Extensions, HeaderMap},
};
use doran_platform::Network;

use super::hop::X_FORWARDED_FOR;

/// The networks whose word counts. None by default.
#[derive(Clone, Debug, Default)]
pub(crate) struct TrustedProxies(Vec<Network>);

impl TrustedProxies {
    pub(crate) fn new(networks: Vec<Network>) -> Self {
        Self(networks)
    }

    /// The nearest address on the request's way that is no trusted proxy's. What lies beyond it
    /// anybody may have written.
    pub(crate) fn client(&self, headers: &HeaderMap, extensions: &Extensions) -> IpAddr {
        let peer = extensions.get::<ConnectInfo<SocketAddr>>();
        let mut nearest = peer.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |info| info.0.ip());
        let values = headers.get_all(X_FORWARDED_FOR).iter().rev();
        let hops = values.flat_map(|value| value.to_str().unwrap_or("?").rsplit(','));
        for hop in hops {
            if !self.trusts(nearest) {
                break;
            }
            let Ok(address) = hop.trim().parse() else {
                break;
            };
            nearest = address;
        }
        nearest
    }

    fn trusts(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(address))
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn client(trusted: &[&str], peer: &str, forwarded: &[&'static str]) -> String {
        let networks = trusted.iter().map(|text| text.parse().unwrap());
        let values = forwarded.iter().map(|text| HeaderValue::from_static(text));
        let headers = values.map(|value| (X_FORWARDED_FOR, value)).collect();
        let mut extensions = Extensions::new();
        extensions.insert(ConnectInfo(SocketAddr::new(peer.parse().unwrap(), 1)));
        let proxies = TrustedProxies::new(networks.collect());
        proxies.client(&headers, &extensions).to_string()
    }

    #[test]
    fn without_trusted_proxies_nobody_is_believed() {
        assert_eq!(client(&[], "192.0.2.7", &["10.0.0.1"]), "192.0.2.7");
        let other = client(&["10.0.0.0/8"], "192.0.2.7", &["198.51.100.1"]);
        assert_eq!(other, "192.0.2.7");
    }

    #[test]
    fn the_rightmost_address_that_is_not_trusted_is_the_clients() {
        let trusted = ["10.0.0.0/8", "2001:db8::/32"];
        for (forwarded, expected) in [
            (&["198.51.100.1"][..], "198.51.100.1"),
            (&["1.1.1.1, 198.51.100.1"], "198.51.100.1"),
            (&["1.1.1.1, 198.51.100.1, 10.9.9.9"], "198.51.100.1"),
            (
                &["1.1.1.1", "198.51.100.1", "10.9.9.9, 2001:db8::1"],
                "198.51.100.1",
            ),
            (&["1.1.1.1, nonsense"], "10.0.0.1"),
            (&["nonsense, 10.2.2.2"], "10.2.2.2"),
            (&["", "2001:db9::5"], "2001:db9::5"),
            (&[], "10.0.0.1"),
        ] {
            assert_eq!(
                client(&trusted, "10.0.0.1", forwarded),
                expected,
                "{forwarded:?}"
            );
        }
    }
}
