//! Ports for servers that a test starts.

use std::net::TcpListener;
use std::sync::atomic::{AtomicU16, Ordering};

/// Below the ports that a system gives to whoever asks for any: one of those, free a moment ago, may be the near end of
/// another test's connection by the time that a server asks for it.
const FIRST: u16 = 10_240;
const COUNT: u16 = 22_000;

/// How many were handed out.
static NEXT: AtomicU16 = AtomicU16::new(0);

/// A port that nobody listens on, handed out once. Several test processes begin at different ones.
pub fn free_port() -> u16 {
    let begin = u16::try_from(std::process::id() % 22).expect("a small number") * 1_000;
    for _ in 0..COUNT {
        let port = FIRST + (begin + NEXT.fetch_add(1, Ordering::Relaxed) % COUNT) % COUNT;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
    panic!("all of {COUNT} ports from {FIRST} on are taken");
}
