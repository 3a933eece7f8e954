//! Where a webhook may be: on the open internet, over HTTPS; in development also on this machine.
//! Never inside a network, where addresses answer that nobody outside was meant to ask.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use reqwest::Url;

/// Why a URL is no webhook.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum RefuseUrl {
    #[error("must be a URL")]
    Malformed,
    #[error("must be https; http is for this machine, in development")]
    NotHttps,
    #[error("must not contain a user name or password")]
    HasCredentials,
    #[error("must not be an address inside a network")]
    Inside,
}

/// Reads a URL and refuses what may not be called. Of a name it is checked again when it is
/// resolved.
pub(crate) fn check_url(text: &str, is_dev: bool) -> Result<Url, RefuseUrl> {
    let url = Url::parse(text).map_err(|_error| RefuseUrl::Malformed)?;
    let host = url.host_str().ok_or(RefuseUrl::Malformed)?;
    let address: Option<IpAddr> = host.trim_matches(['[', ']']).parse().ok();
    let is_local =
        host == "localhost" || address.is_some_and(|address| canonical(address).is_loopback());
    match url.scheme() {
        "https" => {}
        "http" if is_local && is_dev => {}
        _ => return Err(RefuseUrl::NotHttps),
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(RefuseUrl::HasCredentials);
    }
    if address.is_some_and(|address| !is_callable(address, is_dev)) || (is_local && !is_dev) {
        return Err(RefuseUrl::Inside);
    }
    Ok(url)
}

/// Whether an address is one of the open internet, or, in development, of this machine.
pub(super) fn is_callable(address: IpAddr, is_dev: bool) -> bool {
    let address = canonical(address);
    if address.is_loopback() {
        return is_dev;
    }
    match address {
        IpAddr::V4(address) => is_global_v4(address),
        IpAddr::V6(address) => is_global_v6(address),
    }
}

/// An IPv4 address that is written as an IPv6 one is what it is.
fn canonical(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(v6) => embedded_v4(v6).map_or(address, IpAddr::V4),
    }
}

fn embedded_v4(address: Ipv6Addr) -> Option<Ipv4Addr> {
    if let Some(mapped) = address.to_ipv4_mapped() {
        return Some(mapped);
    }
    match address.segments() {
        // NAT64, and 6to4.
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] | [0x2002, high, low, ..] => {
            Some(Ipv4Addr::from((u32::from(high) << 16) | u32::from(low)))
        }
        _ => None,
    }
}

fn is_global_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let is_inside = address.is_private()
        || address.is_link_local()
        || address.is_unspecified()
        || address.is_broadcast()
        || address.is_multicast()
        || address.is_documentation()
        // This network, shared addresses of providers, protocol assignments, benchmarks, reserved.
        || a == 0
        || (a == 100 && (64..128).contains(&b))
        || (a == 192 && b == 0 && c == 0)
        || (a == 198 && (18..20).contains(&b))
        || a >= 240;
    !is_inside
}

/// Only what has been handed out as global unicast, without what is for examples.
fn is_global_v6(address: Ipv6Addr) -> bool {
    let [a, b, ..] = address.segments();
    (0x2000..0x4000).contains(&a) && !(a == 0x2001 && (b == 0x0db8 || b < 0x0200))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_open_internet_may_be_called_over_https() {
        for url in [
            "https://bot.example/hook?key=1",
            "https://8.8.8.8/",
            "https://[2606:4700::1]:8443/x",
        ] {
            for is_dev in [true, false] {
                assert!(check_url(url, is_dev).is_ok(), "{url}");
            }
        }
    }

    #[test]
    fn this_machine_may_be_called_in_development_alone() {
        for url in [
            "http://127.0.0.1:9000/hook",
            "http://localhost:9000",
            "http://[::1]:9000",
            "https://localhost",
        ] {
            assert!(check_url(url, true).is_ok(), "{url}");
            assert!(check_url(url, false).is_err(), "{url}");
        }
    }

    #[test]
    fn nothing_inside_a_network_is_ever_called() {
        for host in [
            "169.254.169.254",
            "[fe80::1]",
            "[fd00:ec2::254]",
            "[::ffff:169.254.169.254]",
            "[64:ff9b::a9fe:a9fe]",
            "[2002:a9fe:a9fe::1]",
            "100.100.100.200",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.0.1",
            "0.0.0.0",
            "[::]",
            "224.0.0.1",
            "255.255.255.255",
            // Other ways to write 169.254.169.254.
            "2852039166",
            "0xa9fea9fe",
        ] {
            let url = format!("https://{host}/");
            for is_dev in [true, false] {
                assert_eq!(check_url(&url, is_dev), Err(RefuseUrl::Inside), "{url}");
            }
        }
    }

    #[test]
    fn what_is_no_webhook_is_refused_with_its_reason() {
        for (url, reason) in [
            ("bot.example", RefuseUrl::Malformed),
            ("http://bot.example/", RefuseUrl::NotHttps),
            ("http://169.254.169.254/", RefuseUrl::NotHttps),
            ("ftp://bot.example/", RefuseUrl::NotHttps),
            ("file:///etc/passwd", RefuseUrl::Malformed),
            (
                "https://user:secret@bot.example/",
                RefuseUrl::HasCredentials,
            ),
        ] {
            assert_eq!(check_url(url, true), Err(reason), "{url}");
        }
    }
}
