//! Whose requests are counted together.
//!
//! `X-Forwarded-For` grows to the right: only what trusted proxies appended can be believed. So the list is
//! walked from the right, trusted addresses are skipped, and the first other one is the client; and it is read
//! only when the connection itself comes from a trusted proxy.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use axum::extract::ConnectInfo;
use axum::http::{HeaderMap, Request};
use tower_governor::GovernorError;
use tower_governor::key_extractor::KeyExtractor;

use crate::config::Network;

#[derive(Clone, Debug)]
pub struct ClientKey {
    trusted: Arc<[Network]>,
}

impl ClientKey {
    pub fn new(trusted: &[String]) -> Self {
        Self { trusted: trusted.iter().filter_map(|text| Network::parse(text)).collect() }
    }

    /// Whether `address` is one of the trusted proxies.
    pub fn trusts(&self, address: IpAddr) -> bool {
        let address = unmapped(address);
        self.trusted.iter().any(|network| network.contains(address))
    }

    /// Whose connection it is when nothing is known but its other end.
    pub fn of_peer(peer: IpAddr) -> IpAddr {
        masked(unmapped(peer))
    }

    pub(crate) fn client(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let peer = unmapped(peer);
        if !self.trusts(peer) {
            return masked(peer);
        }
        let mut hops: Vec<&str> = Vec::new();
        for line in headers.get_all("x-forwarded-for") {
            // A line that is no text cannot come from a proxy that is trusted.
            let Ok(line) = line.to_str() else { return masked(peer) };
            hops.extend(line.split(',').map(str::trim));
        }
        for hop in hops.into_iter().rev() {
            match parse(hop).map(unmapped) {
                None => return masked(peer),
                Some(address) if self.trusts(address) => {}
                Some(address) => return masked(address),
            }
        }
        masked(peer)
    }
}

/// An address with or without port, IPv6 with or without brackets.
fn parse(text: &str) -> Option<IpAddr> {
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    bare.parse().ok().or_else(|| text.parse::<SocketAddr>().ok().map(|address| address.ip()))
}

fn unmapped(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V6(v6) => v6.to_ipv4_mapped().map_or(address, IpAddr::V4),
        IpAddr::V4(_) => address,
    }
}

/// One IPv6 customer has a /64.
fn masked(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from(u128::from(v6) & (u128::MAX << 64))),
        IpAddr::V4(_) => address,
    }
}

impl KeyExtractor for ClientKey {
    type Key = IpAddr;

    fn extract<T>(&self, request: &Request<T>) -> Result<IpAddr, GovernorError> {
        let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip());
        // Without a connection (a test, a unix socket) all callers share one key.
        Ok(self.client(peer.unwrap_or(IpAddr::V6(Ipv6Addr::UNSPECIFIED)), request.headers()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(peer: &str, forwarded: &[&str]) -> String {
        let key = ClientKey::new(&["10.0.0.0/8".into(), "2001:db8:ffff::/48".into()]);
        let mut headers = HeaderMap::new();
        for line in forwarded {
            headers.append("x-forwarded-for", line.parse().unwrap());
        }
        key.client(peer.parse().unwrap(), &headers).to_string()
    }

    #[test]
    fn forged_headers_do_not_move_the_key() {
        for (peer, forwarded, expected) in [
            // Not from a proxy: the header is not read.
            ("203.0.113.7", vec!["1.2.3.4"], "203.0.113.7"),
            ("203.0.113.7", vec![], "203.0.113.7"),
            // One proxy: the address that it appended.
            ("10.0.0.1", vec!["203.0.113.7"], "203.0.113.7"),
            // What the client wrote stands to the left.
            ("10.0.0.1", vec!["1.2.3.4, 203.0.113.7"], "203.0.113.7"),
            ("10.0.0.1", vec!["1.2.3.4", "203.0.113.7"], "203.0.113.7"),
            ("10.0.0.1", vec!["10.9.9.9, 203.0.113.7"], "203.0.113.7"),
            // Two proxies.
            ("10.0.0.1", vec!["1.2.3.4, 203.0.113.7, 10.0.0.2"], "203.0.113.7"),
            ("10.0.0.1", vec!["203.0.113.7", "10.0.0.2"], "203.0.113.7"),
            // Only proxies, nothing, or nonsense at the right end: the peer.
            ("10.0.0.1", vec!["10.0.0.2, 10.0.0.3"], "10.0.0.1"),
            ("10.0.0.1", vec![], "10.0.0.1"),
            ("10.0.0.1", vec!["203.0.113.7, unknown"], "10.0.0.1"),
            ("10.0.0.1", vec!["203.0.113.7,"], "10.0.0.1"),
            // Nonsense to the left of the client is never reached.
            ("10.0.0.1", vec!["nonsense, 203.0.113.7"], "203.0.113.7"),
            // Ports, brackets, mapped addresses.
            ("10.0.0.1", vec!["203.0.113.7:4711"], "203.0.113.7"),
            ("10.0.0.1", vec!["[2001:db8:1:2:3:4:5:6]:4711"], "2001:db8:1:2::"),
            ("10.0.0.1", vec!["::ffff:203.0.113.7"], "203.0.113.7"),
            ("::ffff:10.0.0.1", vec!["203.0.113.7"], "203.0.113.7"),
            // IPv6 by /64.
            ("2001:db8:1:2:aaaa::1", vec![], "2001:db8:1:2::"),
            ("2001:db8:ffff::1", vec!["2001:db8:1:2:bbbb::9"], "2001:db8:1:2::"),
        ] {
            assert_eq!(client(peer, &forwarded), expected, "{peer} {forwarded:?}");
        }
    }

    #[test]
    fn without_trusted_proxies_the_peer_is_the_key() {
        let mut headers = HeaderMap::new();
        headers.append("x-forwarded-for", "1.2.3.4".parse().unwrap());
        let key = ClientKey::new(&[]);
        assert_eq!(key.client("10.0.0.1".parse().unwrap(), &headers).to_string(), "10.0.0.1");
    }
}
