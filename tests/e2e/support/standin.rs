//! A stand-in for an S3 store, in memory, that misbehaves in one way as real ones are known to.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use super::config::Config;
use super::gateway::{KEY, SECRET};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    /// Does nothing wrong.
    Behaves,
    /// Takes every put, whatever `If-None-Match` says.
    IgnoresConditions,
    /// Answers every third request with 503 SlowDown.
    SlowsDown,
    /// Refuses every other conditional put with 409 though nobody has written.
    Conflicts,
    /// Every fifth put is done, but its sender is told 500.
    LosesAnswers,
    /// The credentials have expired.
    Expired,
}

/// Lives as long as the test process.
#[derive(Clone, Debug)]
pub struct StandIn {
    port: u16,
    state: Arc<Mutex<State>>,
}

#[derive(Debug)]
struct State {
    manner: Manner,
    objects: BTreeMap<String, Vec<u8>>,
    requests: u64,
    puts: u64,
    conditional: u64,
    /// How often the manner showed.
    bites: u64,
}

struct Request {
    method: String,
    path: String,
    query: String,
    if_none_match: bool,
    if_match: Option<String>,
    range: Option<(usize, usize)>,
    body: Vec<u8>,
}

struct Answer {
    status: &'static str,
    headers: String,
    body: Vec<u8>,
}

impl Answer {
    fn of(status: &'static str, body: impl Into<Vec<u8>>) -> Self {
        Self { status, headers: String::new(), body: body.into() }
    }

    fn error(status: &'static str, code: &str) -> Self {
        Self::of(
            status,
            format!(
                "<?xml version=\"1.0\"?>\n<Error>\n<Code>{code}</Code>\n<Message>As asked</Message></Error>"
            ),
        )
    }
}

fn tag(bytes: &[u8]) -> String {
    format!("\"{}-{}\"", bytes.len(), bytes.iter().fold(7_u64, |sum, b| sum.wrapping_mul(31) ^ u64::from(*b)))
}

impl StandIn {
    pub fn start(manner: Manner) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("bind a loopback port");
        let port = listener.local_addr().expect("an address").port();
        let state =
            State { manner, objects: BTreeMap::new(), requests: 0, puts: 0, conditional: 0, bites: 0 };
        let stand_in = Self { port, state: Arc::new(Mutex::new(state)) };
        let serving = stand_in.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let serving = serving.clone();
                std::thread::spawn(move || serving.serve(&stream));
            }
        });
        stand_in
    }

    /// Points a configuration here.
    pub fn of(&self, config: Config) -> Config {
        let folder = config.folder().to_owned();
        std::fs::write(folder.join("secret"), SECRET).expect("write the secret");
        let mut s3 = toml::Table::new();
        s3.insert("endpoint".into(), format!("http://127.0.0.1:{}", self.port).into());
        s3.insert("access_key_id".into(), KEY.into());
        s3.insert("secret_file".into(), folder.join("secret").to_str().expect("text").into());
        s3.insert("allow_http".into(), true.into());
        config.set("warehouse.location", "s3://lake/w").set("warehouse.s3", toml::Value::Table(s3))
    }

    /// From now on.
    pub fn turn(&self, manner: Manner) {
        self.state.lock().expect("state").manner = manner;
    }

    pub fn keys(&self) -> Vec<String> {
        self.state.lock().expect("state").objects.keys().cloned().collect()
    }

    pub fn bites(&self) -> u64 {
        self.state.lock().expect("state").bites
    }

    /// Requests of one connection until it closes.
    fn serve(&self, stream: &TcpStream) {
        let mut reader = BufReader::new(stream);
        while let Some(request) = read(&mut reader) {
            let Answer { status, headers, body } = self.answer(&request);
            let head = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\n{headers}\r\n", body.len());
            let body = if request.method == "HEAD" { &[] } else { body.as_slice() };
            let mut writer = stream;
            if writer.write_all(head.as_bytes()).and_then(|()| writer.write_all(body)).is_err() {
                return;
            }
        }
    }

    fn answer(&self, request: &Request) -> Answer {
        let mut state = self.state.lock().expect("state");
        state.requests += 1;
        if state.manner == Manner::Expired {
            state.bites += 1;
            return Answer::error("400 Bad Request", "ExpiredToken");
        }
        if state.manner == Manner::SlowsDown && state.requests.is_multiple_of(3) {
            state.bites += 1;
            return Answer::error("503 Service Unavailable", "SlowDown");
        }
        match request.method.as_str() {
            "PUT" => put(&mut state, request),
            "POST" => {
                let body = String::from_utf8_lossy(&request.body).into_owned();
                let keys = body.split("<Key>").skip(1).filter_map(|rest| rest.split("</Key>").next());
                let mut deleted = String::new();
                for key in keys {
                    state.objects.remove(&format!("/lake/{key}"));
                    deleted.push_str(&format!("<Deleted><Key>{key}</Key></Deleted>"));
                }
                Answer::of("200 OK", format!("<?xml version=\"1.0\"?><DeleteResult>{deleted}</DeleteResult>"))
            }
            "DELETE" => {
                state.objects.remove(&request.path);
                Answer::of("204 No Content", "")
            }
            _ if request.query.contains("list-type=2") => list(&state, &request.query),
            _ => get(&state, request),
        }
    }
}

fn put(state: &mut State, request: &Request) -> Answer {
    let stands = state.objects.get(&request.path).map(|bytes| tag(bytes));
    state.puts += 1;
    if request.if_none_match {
        state.conditional += 1;
        match state.manner {
            Manner::IgnoresConditions => state.bites += 1,
            Manner::Conflicts if stands.is_none() && state.conditional % 2 == 1 => {
                state.bites += 1;
                return Answer::error("409 Conflict", "ConditionalRequestConflict");
            }
            _ if stands.is_some() => {
                return Answer::error("412 Precondition Failed", "PreconditionFailed");
            }
            _ => {}
        }
    }
    if request.if_match.is_some() && request.if_match != stands {
        return Answer::error("412 Precondition Failed", "PreconditionFailed");
    }
    let headers = format!("etag: {}\r\n", tag(&request.body));
    state.objects.insert(request.path.clone(), request.body.clone());
    if state.manner == Manner::LosesAnswers && state.puts.is_multiple_of(5) {
        state.bites += 1;
        return Answer::error("500 Internal Server Error", "InternalError");
    }
    Answer { headers, ..Answer::of("200 OK", "") }
}

fn get(state: &State, request: &Request) -> Answer {
    let Some(bytes) = state.objects.get(&request.path) else {
        return Answer::error("404 Not Found", "NoSuchKey");
    };
    let headers = format!("etag: {}\r\nlast-modified: Wed, 25 Nov 2026 12:00:00 GMT\r\n", tag(bytes));
    match request.range {
        None => Answer { headers, ..Answer::of("200 OK", bytes.clone()) },
        Some((from, to)) => {
            let to = (to + 1).min(bytes.len());
            let headers = format!("{headers}content-range: bytes {from}-{}/{}\r\n", to - 1, bytes.len());
            Answer { headers, ..Answer::of("206 Partial Content", &bytes[from..to]) }
        }
    }
}

fn list(state: &State, query: &str) -> Answer {
    let prefix = query.split('&').find_map(|part| part.strip_prefix("prefix=")).unwrap_or_default();
    let prefix = format!("/lake/{}", prefix.replace("%2F", "/"));
    let entries: String = state
        .objects
        .iter()
        .filter(|(key, _)| key.starts_with(&prefix))
        .map(|(key, bytes)| {
            let (key, size, tag) = (key.trim_start_matches("/lake/"), bytes.len(), tag(bytes));
            let at = "2026-11-25T12:00:00.000Z";
            format!("<Contents><Key>{key}</Key><LastModified>{at}</LastModified><ETag>{tag}</ETag><Size>{size}</Size></Contents>")
        })
        .collect();
    Answer::of(
        "200 OK",
        format!(
            "<?xml version=\"1.0\"?><ListBucketResult><Name>lake</Name><IsTruncated>false</IsTruncated>{entries}</ListBucketResult>"
        ),
    )
}

/// None at the end of the connection.
fn read(reader: &mut impl BufRead) -> Option<Request> {
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|read| *read > 0)?;
    let mut words = line.split_whitespace();
    let (method, target) = (words.next()?.to_owned(), words.next()?.to_owned());
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    let mut request = Request {
        method,
        path: path.replace("%3D", "="),
        query: query.to_owned(),
        if_none_match: false,
        if_match: None,
        range: None,
        body: Vec::new(),
    };
    let mut length = 0;
    loop {
        let mut header = String::new();
        reader.read_line(&mut header).ok().filter(|read| *read > 0)?;
        let Some((name, value)) = header.trim_end().split_once(": ") else { break };
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.parse().ok()?,
            "if-none-match" => request.if_none_match = value == "*",
            "if-match" => request.if_match = Some(value.to_owned()),
            "range" => {
                let (from, to) = value.strip_prefix("bytes=")?.split_once('-')?;
                request.range = Some((from.parse().ok()?, to.parse().unwrap_or(usize::MAX - 1)));
            }
            _ => {}
        }
    }
    request.body = vec![0; length];
    reader.read_exact(&mut request.body).ok()?;
    Some(request)
}
