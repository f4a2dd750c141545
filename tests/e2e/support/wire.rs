//! Servers of a few bytes that stand where a broker is expected.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Serves each connection on a thread of its own, for as long as the test process lives.
#[derive(Debug)]
pub struct Wire {
    address: SocketAddr,
    connections: Arc<AtomicUsize>,
}

impl Wire {
    /// `serve` gets each connection, and the port that the server has.
    pub fn serve(host: &str, serve: impl Fn(TcpStream, u16) + Copy + Send + 'static) -> Self {
        let listener = TcpListener::bind((host, 0)).expect("bind a loopback port");
        let address = listener.local_addr().expect("address of a bound port");
        let connections = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&connections);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                count.fetch_add(1, Ordering::Relaxed);
                std::thread::spawn(move || serve(stream, address.port()));
            }
        });
        Self { address, connections }
    }

    /// Hands every byte on to `port` of localhost and back.
    pub fn forward(host: &str, port: u16) -> Self {
        Self::serve(host, move |from, _| {
            let Ok(to) = TcpStream::connect(("127.0.0.1", port)) else { return };
            let back = (to.try_clone(), from.try_clone());
            let (Ok(answers), Ok(asker)) = back else { return };
            std::thread::spawn(move || copy(answers, asker));
            copy(from, to);
        })
    }

    /// A broker of before Kafka 0.10: it hangs up on what it does not know.
    pub fn broker_without_versions() -> Self {
        Self::serve("127.0.0.1", |mut stream, _| while answer(&mut stream, |_| None).is_some() {})
    }

    /// A broker of Kafka 0.10.0 with one topic of one partition: it tells versions, and of itself no more than they had.
    pub fn broker_of_0_10(topic: &'static str) -> Self {
        Self::serve("127.0.0.1", move |mut stream, port| {
            let reply = |request: &Request| match (request.api, request.version) {
                (API_VERSIONS, version) => Some(api_versions(version)),
                (METADATA, 0..=1) => Some(metadata(request.version, topic, port)),
                _ => None,
            };
            while answer(&mut stream, reply).is_some() {}
        })
    }

    pub fn address(&self) -> String {
        self.address.to_string()
    }

    /// How often somebody has come.
    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }
}

fn copy(mut from: TcpStream, mut to: TcpStream) {
    let _ = std::io::copy(&mut from, &mut to);
    let _ = to.shutdown(Shutdown::Both);
}

const METADATA: i16 = 3;
const API_VERSIONS: i16 = 18;
const UNSUPPORTED_VERSION: i16 = 35;
/// Kind of request and the newest version of it, all from version 0: Produce, Fetch, ListOffsets, Metadata,
/// OffsetCommit, OffsetFetch, GroupCoordinator, JoinGroup, Heartbeat, LeaveGroup, SyncGroup, ApiVersions.
const OF_0_10_0: [(i16, i16); 12] = [
    (0, 2),
    (1, 2),
    (2, 0),
    (METADATA, 1),
    (8, 2),
    (9, 1),
    (10, 0),
    (11, 0),
    (12, 0),
    (13, 0),
    (14, 0),
    (API_VERSIONS, 0),
];

struct Request {
    api: i16,
    version: i16,
}

/// Reads one request and answers it. None: the connection is over.
fn answer(stream: &mut TcpStream, reply: impl Fn(&Request) -> Option<Vec<u8>>) -> Option<()> {
    let mut size = [0; 4];
    stream.read_exact(&mut size).ok()?;
    let mut body = vec![0; usize::try_from(i32::from_be_bytes(size)).ok()?];
    stream.read_exact(&mut body).ok()?;
    let number = |at: usize| Some(i16::from_be_bytes(body.get(at..at + 2)?.try_into().ok()?));
    let (request, correlation) = (Request { api: number(0)?, version: number(2)? }, body.get(4..8)?);
    let Some(reply) = reply(&request) else {
        let _ = stream.shutdown(Shutdown::Both);
        return None;
    };
    let size = i32::try_from(correlation.len() + reply.len()).ok()?;
    stream.write_all(&[&size.to_be_bytes(), correlation, &reply].concat()).ok()
}

fn api_versions(version: i16) -> Vec<u8> {
    let error = if version == 0 { 0 } else { UNSUPPORTED_VERSION };
    let mut reply = error.to_be_bytes().to_vec();
    reply.extend((OF_0_10_0.len() as i32).to_be_bytes());
    for (api, newest) in OF_0_10_0 {
        reply.extend([api, 0, newest].map(i16::to_be_bytes).concat());
    }
    reply
}

fn metadata(version: i16, topic: &str, port: u16) -> Vec<u8> {
    let text = |text: &str| [&(text.len() as i16).to_be_bytes()[..], text.as_bytes()].concat();
    let node = 1_i32.to_be_bytes();
    let one = node;
    let mut reply = [&one[..], &node, &text("127.0.0.1"), &i32::from(port).to_be_bytes()].concat();
    if version > 0 {
        // No rack; the controller.
        reply.extend((-1_i16).to_be_bytes());
        reply.extend(node);
    }
    reply.extend([&one[..], &0_i16.to_be_bytes(), &text(topic)].concat());
    if version > 0 {
        // Not an internal topic.
        reply.push(0);
    }
    // One partition, 0, without error: its leader, replicas and those in sync.
    reply.extend(
        [&one[..], &0_i16.to_be_bytes(), &0_i32.to_be_bytes(), &node, &one, &node, &one, &node].concat(),
    );
    reply
}
