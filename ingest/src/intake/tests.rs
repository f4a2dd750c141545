//! Requests as senders make them, and what the spool holds afterwards.

mod repeats;

use std::io::Write;
use std::sync::Arc;

use axum::body::{Body, to_bytes};
use axum::http::{Request, Response, StatusCode};
use serde_json::Value;
use tower::ServiceExt;

use super::{AppendError, Appender, IntakeState, Outgoing, SpoolAppender, router};
use crate::config;
use crate::identity::Identities;
use crate::labels::Labeller;
use crate::spool::{Ballast, Spool};
use crate::testing::native;

const TOKEN: &str = "a-token-of-some-length";

struct Intake {
    dir: tempfile::TempDir,
    spool: Spool,
    state: IntakeState,
}

fn state(dir: &std::path::Path, config: config::Intake, appender: Arc<dyn Appender>) -> IntakeState {
    let identities = Arc::new(Identities::open(&dir.join("secrets")).unwrap());
    IntakeState::new(config, identities, Arc::new(Labeller::new()), appender)
}

impl Intake {
    fn new(config: config::Intake) -> Self {
        Self::over(config, config::Spool { ballast: config::Bytes(0), ..config::Spool::default() })
    }

    fn over(config: config::Intake, spool: config::Spool) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let spool = Spool::open(&dir.path().join("spool"), &spool).unwrap();
        let state = state(dir.path(), config, Arc::new(SpoolAppender::new(spool.clone())));
        Self { dir, spool, state }
    }

    async fn send(&self, request: Request<Body>) -> (StatusCode, Value) {
        let response = router(self.state.clone()).oneshot(request).await.unwrap();
        read(response).await
    }

    async fn post(&self, body: impl Into<Body>) -> (StatusCode, Value) {
        self.send(Request::post("/intake/native").body(body.into()).unwrap()).await
    }

    /// What was appended.
    fn log(&self) -> Vec<String> {
        let records = self.spool.reader().unwrap().read(64 << 20).unwrap();
        records.iter().map(|record| String::from_utf8_lossy(&record.payload).into_owned()).collect()
    }
}

async fn read(response: Response<Body>) -> (StatusCode, Value) {
    let status = response.status();
    if status.is_client_error() || status.is_server_error() {
        assert_eq!(response.headers()["content-type"], "application/problem+json");
    }
    let body = to_bytes(response.into_body(), 1 << 20).await.unwrap();
    (status, serde_json::from_slice(&body).unwrap_or(Value::Null))
}

fn open() -> Intake {
    Intake::new(config::Intake::default())
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[tokio::test]
async fn good_records_go_in_stripped_and_bad_ones_beside_them_as_rejects() {
    let intake = open();
    let body = format!("[{},{{\"request_id\":7}},{}]", native("a"), native("b"));
    let (status, answer) = intake.post(body).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!((&answer["accepted"], &answer["rejected"]), (&2.into(), &1.into()));
    assert_eq!(answer["rejects"][0]["index"], 1);
    let log = intake.log();
    assert_eq!(log.len(), 3);
    assert!(log[0].contains("\"a\"") && log[1].starts_with("{\"rejected\"") && log[2].contains("\"b\""));
    for record in &log {
        assert!(!record.contains("canary") && !record.contains("somebody"), "{record}");
    }
}

#[tokio::test]
async fn an_empty_array_is_accepted_and_an_empty_body_is_not() {
    let intake = open();
    let (status, answer) = intake.post("[]").await;
    assert_eq!((status, &answer["accepted"]), (StatusCode::OK, &0.into()));
    let (status, answer) = intake.post("").await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert!(answer["detail"].as_str().unwrap().contains("the body is empty"));
    assert!(intake.log().is_empty());
}

#[tokio::test]
async fn bodies_may_be_compressed_named_or_not() {
    let intake = open();
    let body = native("a") + "\n" + &native("b");
    for (encoding, bytes) in [
        (Some("gzip"), gzip(body.as_bytes())),
        (None, gzip(body.as_bytes())),
        (Some("zstd"), zstd::encode_all(body.as_bytes(), 1).unwrap()),
    ] {
        let mut request = Request::post("/intake/auto");
        if let Some(encoding) = encoding {
            request = request.header("content-encoding", encoding);
        }
        let (status, answer) = intake.send(request.body(bytes.into()).unwrap()).await;
        assert_eq!((status, &answer["accepted"]), (StatusCode::OK, &2.into()));
    }
    let request = Request::post("/intake/auto").header("content-encoding", "br").body("x".into()).unwrap();
    assert_eq!(intake.send(request).await.0, StatusCode::UNSUPPORTED_MEDIA_TYPE);
}

#[tokio::test]
async fn a_cut_gzip_is_refused_but_what_came_before_is_kept() {
    let intake = open();
    let lines: Vec<String> = (0..500).map(|n| native(&format!("r{n}"))).collect();
    let whole = gzip(lines.join("\n").as_bytes());
    let (status, answer) = intake.post(whole[..whole.len() - 20].to_vec()).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert!(answer["detail"].as_str().unwrap().contains("cut off"), "{answer}");
    let log = intake.log();
    assert!(log.len() > 100);
    assert!(log.last().unwrap().contains("\"truncated\""));
}

#[tokio::test]
async fn a_body_of_noise_is_refused_and_recorded() {
    let intake = open();
    let noise: Vec<u8> = (0..5000u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8 | 0x80).collect();
    let (status, answer) = intake.post(noise).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert_eq!(answer["title"], "Nothing could be read");
    assert_eq!(intake.log().len(), 1);
    let (status, answer) = intake.post("{\"prompt\": \"a secret canary\"").await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert!(!answer.to_string().contains("canary") && !intake.log().concat().contains("canary"));
}

#[tokio::test]
async fn a_record_over_the_limit_costs_only_itself() {
    let intake = Intake::new(config::Intake {
        max_record: config::Bytes::kib(64),
        max_event: config::Bytes::kib(8),
        max_body: config::Bytes::mib(1),
        ..config::Intake::default()
    });
    let long = format!("{{\"request_id\":\"{}\"}}", "x".repeat(100_000));
    let padded = native("padded").replace("acme/one", &"m".repeat(9000));
    let (status, answer) = intake.post(format!("[{},{long},{padded},{}]", native("a"), native("b"))).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    assert_eq!((&answer["accepted"], &answer["rejected"]), (&2.into(), &2.into()));
    assert_eq!(answer["rejects"][0]["reason"], "too_large");
    let (status, _) = intake.post(vec![b' '; 2 << 20]).await;
    assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE);
    let bomb = gzip(&vec![b' '; 16 << 20]);
    assert_eq!(intake.post(bomb).await.0, StatusCode::PAYLOAD_TOO_LARGE);
}

#[tokio::test]
async fn a_token_is_asked_for_where_one_is_set() {
    let config = config::Intake { tokens: vec![TOKEN.to_owned().into()], ..config::Intake::default() };
    let intake = Intake::new(config);
    let request = |value: Option<&str>| {
        let mut request = Request::post("/intake/native");
        if let Some(value) = value {
            request = request.header("authorization", value);
        }
        request.body(Body::from(native("a"))).unwrap()
    };
    for wrong in [None, Some("Bearer wrong"), Some(TOKEN), Some("Basic abc"), Some("Bearer ")] {
        let response = router(intake.state.clone()).oneshot(request(wrong)).await.unwrap();
        assert_eq!(response.headers()["www-authenticate"], "Bearer realm=\"bellwether intake\"");
        assert_eq!(read(response).await.0, StatusCode::UNAUTHORIZED);
    }
    assert_eq!(intake.send(request(Some(&format!("bearer {TOKEN}")))).await.0, StatusCode::OK);
    assert_eq!(intake.log().len(), 1);
}

#[tokio::test]
async fn without_a_token_forwarded_requests_are_refused() {
    let intake = open();
    for name in ["X-Forwarded-For", "Forwarded", "Origin"] {
        let request =
            Request::post("/intake/native").header(name, "x").body(Body::from(native("a"))).unwrap();
        assert_eq!(intake.send(request).await.0, StatusCode::FORBIDDEN, "{name}");
    }
}

#[tokio::test]
async fn other_methods_and_paths_are_told_apart() {
    let intake = open();
    let get = |path: &str| Request::get(path).body(Body::empty()).unwrap();
    assert_eq!(intake.send(get("/intake/native")).await.0, StatusCode::METHOD_NOT_ALLOWED);
    let (status, answer) = intake.send(get("/nowhere")).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    assert!(answer["detail"].as_str().unwrap().contains("/intake/litellm"));
    assert_eq!(intake.send(get("/livez")).await.0, StatusCode::OK);
}

#[tokio::test]
async fn a_full_disk_is_told_to_come_back() {
    let intake = open();
    let name = intake.dir.path().file_name().unwrap().to_string_lossy().into_owned();
    fail::cfg("spool-write", &format!("return({name})")).unwrap();
    let request = Request::post("/intake/native").body(Body::from(native("a"))).unwrap();
    let response = router(intake.state.clone()).oneshot(request).await.unwrap();
    fail::remove("spool-write");
    assert_eq!(response.headers()["retry-after"], "5");
    assert_eq!(read(response).await.0, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(intake.post(native("a")).await.0, StatusCode::OK);
    assert_eq!(intake.log().len(), 1);
}

#[tokio::test]
async fn a_spool_at_its_bound_answers_429_before_a_body_is_read() {
    let bound = config::Spool {
        ballast: config::Bytes(0),
        max_bytes: config::Bytes::kib(2),
        ..config::Spool::default()
    };
    let intake = Intake::over(config::Intake::default(), bound);
    let mut accepted = 0;
    let full = loop {
        let request = Request::post("/intake/native").body(Body::from(native("a"))).unwrap();
        let response = router(intake.state.clone()).oneshot(request).await.unwrap();
        if response.status() != StatusCode::OK {
            break response;
        }
        accepted += 1;
    };
    assert_eq!(full.headers()["retry-after"], "10");
    let (status, answer) = read(full).await;
    assert_eq!((status, &answer["title"]), (StatusCode::TOO_MANY_REQUESTS, &"Spool is full".into()));
    assert_eq!(intake.log().len(), accepted);
    assert!(accepted > 0);
}

#[tokio::test]
async fn while_the_ballast_is_given_up_nothing_is_taken() {
    let spool = config::Spool { ballast: config::Bytes::kib(4), ..config::Spool::default() };
    let intake = Intake::over(config::Intake::default(), spool);
    let ballast = Ballast::new(intake.spool.dir(), 4 << 10);
    ballast.give_up().unwrap();
    let (status, answer) = intake.post(native("a")).await;
    assert_eq!(
        (status, &answer["title"]),
        (StatusCode::SERVICE_UNAVAILABLE, &"Log cannot be written".into())
    );
    ballast.restore().unwrap();
    assert_eq!(intake.post(native("a")).await.0, StatusCode::OK);
}

#[tokio::test]
async fn windows_of_decoders_count_as_bytes_in_flight() {
    // The header of a zstd frame with a window of 8 MiB, and a block that does not end the frame.
    let mut encoder = zstd::Encoder::new(Vec::new(), 1).unwrap();
    encoder.window_log(23).unwrap();
    encoder.write_all(native("a").as_bytes()).unwrap();
    encoder.flush().unwrap();
    let body = encoder.get_ref().clone();
    let limit = |mib| config::Intake {
        in_flight: config::Bytes::mib(mib),
        max_record: config::Bytes::mib(1),
        ..config::Intake::default()
    };
    let (status, _) = Intake::new(limit(8)).post(body.clone()).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    // With room for the window the body is read to its end, which it lacks.
    let (status, answer) = Intake::new(limit(16)).post(body).await;
    assert_eq!((status, &answer["title"]), (StatusCode::BAD_REQUEST, &"Compressed body is broken".into()));
}

#[tokio::test]
async fn too_many_bytes_in_flight_are_told_to_come_back() {
    let intake = Intake::new(config::Intake { in_flight: config::Bytes(100), ..config::Intake::default() });
    let (status, _) = intake.post(native("a").repeat(10)).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
}

/// Never answers before it is told to.
#[derive(Debug)]
struct Held {
    gate: Arc<tokio::sync::Semaphore>,
}

impl Appender for Held {
    fn append(&self, _: Vec<Outgoing>) -> futures::future::BoxFuture<'_, Result<(), AppendError>> {
        Box::pin(async {
            let _permit = self.gate.acquire().await;
            Ok(())
        })
    }
}

#[tokio::test]
async fn the_answer_waits_for_the_durable_append() {
    let dir = tempfile::tempdir().unwrap();
    let gate = Arc::new(tokio::sync::Semaphore::new(0));
    let state = state(dir.path(), config::Intake::default(), Arc::new(Held { gate: Arc::clone(&gate) }));
    let request = Request::post("/intake/native").body(Body::from(native("a"))).unwrap();
    let mut answer = tokio::spawn(router(state).oneshot(request));
    for _ in 0..100 {
        tokio::task::yield_now().await;
        assert!(!answer.is_finished());
    }
    gate.add_permits(1);
    assert_eq!((&mut answer).await.unwrap().unwrap().status(), StatusCode::OK);
}

/// A record without texts, so that many are quick to decode.
fn small(id: usize) -> String {
    let at = "2026-11-25T11:00:00Z";
    format!(r#"{{"request_id":"r{id}","started_at":"{at}","attempts":[{{"model":"m","http_status":200}}]}}"#)
        + "\n"
}

/// Keeps how many records and bytes came at a time.
#[derive(Debug, Default)]
struct Sizes(std::sync::Mutex<Vec<(usize, usize)>>);

impl Appender for Sizes {
    fn append(&self, records: Vec<Outgoing>) -> futures::future::BoxFuture<'_, Result<(), AppendError>> {
        let bytes = records.iter().map(|record| record.payload.capacity()).sum();
        self.0.lock().unwrap().push((records.len(), bytes));
        Box::pin(async { Ok(()) })
    }
}

#[tokio::test]
async fn a_body_that_inflates_to_more_than_the_budget_goes_through_it_in_steps() {
    let dir = tempfile::tempdir().unwrap();
    let sizes = Arc::new(Sizes::default());
    let in_flight = config::Bytes::mib(4);
    let config = config::Intake { in_flight, ..config::Intake::default() };
    let state = state(dir.path(), config, Arc::clone(&sizes) as Arc<dyn Appender>);
    let body: String = (0..20_000).map(small).collect();
    let body = gzip(body.as_bytes());
    assert!(body.len() < 1 << 20);
    let request = Request::post("/intake/native").body(Body::from(body)).unwrap();
    let (status, answer) = read(router(state).oneshot(request).await.unwrap()).await;
    assert_eq!((status, &answer["accepted"]), (StatusCode::OK, &20_000.into()), "{answer}");
    let sizes = sizes.0.lock().unwrap();
    assert_eq!(sizes.iter().map(|(records, _)| records).sum::<usize>(), 20_000);
    assert!(sizes.iter().all(|(_, bytes)| *bytes < 4 << 20), "{sizes:?}");
}

#[tokio::test]
async fn rejects_beyond_the_first_thousand_are_kept_as_one() {
    let intake = open();
    let body = native("a") + "\n" + &"1\n".repeat(100_000) + "{\"request_id\":7}\n" + &native("b");
    let (status, answer) = intake.post(gzip(body.as_bytes())).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    let rejected = answer["rejected"].as_u64().unwrap();
    assert!(rejected > 100_000);
    assert_eq!(answer["accepted"], 2);
    let log = intake.log();
    assert_eq!(log.len(), 2 + 1000 + 1);
    let last: Value = serde_json::from_str(log.last().unwrap()).unwrap();
    let detail = last["rejected"]["detail"].as_str().unwrap();
    assert!(detail.starts_with(&format!("body: {} further records refused: ", rejected - 1000)), "{detail}");
    assert!(last["rejected"]["size_bytes"].as_u64().unwrap() >= rejected - 1000);
}

#[tokio::test]
async fn why_a_body_broke_is_kept_beside_many_rejects() {
    let intake = open();
    let whole = gzip("1\n".repeat(100_000).as_bytes());
    let (status, _) = intake.post([&whole[..], b"garbage"].concat()).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    let log = intake.log();
    assert_eq!(log.len(), 1000 + 2);
    assert!(log[1000].contains("not gzip"), "{}", log[1000]);
    assert!(log[1001].contains("99000 further"), "{}", log[1001]);
}

#[tokio::test]
async fn a_gzip_with_something_behind_it_keeps_its_last_record() {
    let intake = open();
    let whole = gzip((native("a") + "\n" + &native("b")).as_bytes());
    let (status, answer) = intake.post([&whole[..], &[0; 100]].concat()).await;
    assert_eq!((status, &answer["accepted"]), (StatusCode::OK, &2.into()));
    let (status, answer) = intake.post([&whole[..], b"garbage"].concat()).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    let detail = answer["detail"].as_str().unwrap();
    assert!(detail.contains("not gzip follows; the 2 records before it were accepted"), "{detail}");
    assert_eq!(intake.log().len(), 2 + 2 + 1);
}

#[tokio::test]
async fn a_zstd_body_with_a_large_window_is_refused_with_the_reason() {
    let intake = open();
    let mut encoder = zstd::Encoder::new(Vec::new(), 1).unwrap();
    encoder.window_log(27).unwrap();
    encoder.write_all(native("a").as_bytes()).unwrap();
    let (status, answer) = intake.post(encoder.finish().unwrap()).await;
    assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE);
    assert!(answer["detail"].as_str().unwrap().contains("window above 8 MiB"), "{answer}");
    assert!(intake.log()[0].contains("window above 8 MiB"));
}

#[tokio::test]
async fn other_tasks_run_while_one_large_body_is_decoded() {
    let dir = tempfile::tempdir().unwrap();
    let state = state(dir.path(), config::Intake::default(), Arc::new(Sizes::default()));
    let body: String = (0..10_000).map(small).collect();
    let steps = body.len() / (64 << 10);
    let request = Request::post("/intake/native").body(Body::from(body)).unwrap();
    let answer = tokio::spawn(router(state).oneshot(request));
    let mut turns = 0;
    while !answer.is_finished() {
        turns += 1;
        tokio::task::yield_now().await;
    }
    assert_eq!(answer.await.unwrap().unwrap().status(), StatusCode::OK);
    assert!(turns >= steps, "{turns} turns in {steps} steps");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn the_only_worker_is_free_while_a_long_record_is_decoded() {
    let (sender, receiver) = std::sync::mpsc::channel();
    let decoding = tokio::spawn(async move {
        tokio::spawn(async move { sender.send(()) });
        super::receive::beside_others(|| receiver.recv_timeout(std::time::Duration::from_secs(20)))
    });
    assert_eq!(decoding.await.unwrap(), Ok(()));
}
