//! How many connections one address may hold, so that a single visitor cannot take them all.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bellwether_web::ClientKey;

/// A browser holds six; this leaves room for an office behind one address, and sixteen such for all places.
pub const PER_ADDRESS: usize = 256;

/// Connections by address. Those of trusted proxies and of this host are not counted: they carry many visitors.
#[derive(Debug)]
pub struct Peers {
    most: usize,
    proxies: ClientKey,
    open: Mutex<HashMap<IpAddr, usize>>,
}

/// One connection; dropped, it is free for the next.
#[derive(Debug)]
pub struct Visit {
    peers: Arc<Peers>,
    /// `None` when it is not counted.
    address: Option<IpAddr>,
}

impl Peers {
    pub fn new(most: usize, trusted_proxies: &[String]) -> Arc<Self> {
        Arc::new(Self { most, proxies: ClientKey::new(trusted_proxies), open: Mutex::default() })
    }

    /// `None` when the address holds as many as it may.
    pub fn enter(self: &Arc<Self>, peer: IpAddr) -> Option<Visit> {
        if peer.to_canonical().is_loopback() || self.proxies.trusts(peer) {
            return Some(Visit { peers: Arc::clone(self), address: None });
        }
        let address = ClientKey::of_peer(peer);
        let mut open = self.lock();
        let held = open.entry(address).or_insert(0);
        if *held >= self.most {
            return None;
        }
        *held += 1;
        drop(open);
        Some(Visit { peers: Arc::clone(self), address: Some(address) })
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<IpAddr, usize>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Visit {
    fn drop(&mut self) {
        let Some(address) = self.address else { return };
        let mut open = self.peers.lock();
        if let Some(held) = open.get_mut(&address) {
            *held -= 1;
            if *held == 0 {
                open.remove(&address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_holds_so_many_connections_and_no_more() {
        let peers = Peers::new(2, &["10.0.0.0/8".into()]);
        let enter = |address: &str| peers.enter(address.parse().unwrap());
        let first = enter("203.0.113.7").unwrap();
        let _second = enter("::ffff:203.0.113.7").unwrap();
        assert!(enter("203.0.113.7").is_none());
        let _other = enter("203.0.113.8").unwrap();
        drop(first);
        let _third = enter("203.0.113.7").unwrap();
        // One IPv6 customer has a /64.
        let _six = [enter("2001:db8:1:2::1").unwrap(), enter("2001:db8:1:2::2").unwrap()];
        assert!(enter("2001:db8:1:2::3").is_none());
    }

    #[test]
    fn proxies_and_this_host_are_not_counted_and_nothing_is_kept_of_who_has_left() {
        let peers = Peers::new(1, &["10.0.0.0/8".into()]);
        for address in ["10.0.0.1", "::ffff:10.0.0.1", "127.0.0.1", "::1"] {
            let both: Vec<_> = (0..2).map(|_| peers.enter(address.parse().unwrap())).collect();
            assert!(both.iter().all(Option::is_some), "{address}");
        }
        drop(peers.enter("203.0.113.7".parse().unwrap()));
        assert!(peers.lock().is_empty());
    }
}
