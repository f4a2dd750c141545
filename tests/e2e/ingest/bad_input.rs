//! Bad input is told with the field's name, costs nothing but itself, and stops nobody.

use std::io::Write;

use serde_json::{Value, json};

use crate::support::app::{Bellwether, Running};
use crate::support::config::Config;
use crate::support::http::{self, Answer};
use crate::support::traffic::instant;
use crate::support::{scratch, store, wait};

fn event(id: &str) -> Value {
    json!({ "request_id": id, "started_at": instant(0), "attempts": [{ "model": "m", "provider": "p", "http_status": 200 }] })
}

/// An event with one member changed, the reason it must be refused for, and the field that must be named.
fn bad_events() -> Vec<(&'static str, &'static str, Value)> {
    let with = |pointer: &str, value: Value| {
        let mut event = event("bad");
        event["attempts"][0]["input_tokens"] = 1.into();
        *event.pointer_mut(pointer).expect("a member") = value;
        event
    };
    let without = |name: &str| {
        let mut event = event("bad");
        event.as_object_mut().expect("an object").remove(name);
        event
    };
    vec![
        ("wrong_type", "input_tokens", with("/attempts/0/input_tokens", json!({ "n": 1 }))),
        ("wrong_type", "attempts", with("/attempts", json!(7))),
        ("invalid_value", "input_tokens", with("/attempts/0/input_tokens", json!(-1))),
        ("invalid_value", "http_status", with("/attempts/0/http_status", json!(-200))),
        ("time_out_of_range", "started_at", with("/started_at", json!("1999-12-31T23:59:59Z"))),
        ("time_out_of_range", "started_at", with("/started_at", json!("2300-01-01T00:00:00Z"))),
        ("invalid_value", "started_at", with("/started_at", json!("yesterday"))),
        ("missing_field", "request_id", without("request_id")),
        ("missing_field", "started_at", without("started_at")),
        ("missing_field", "attempts", without("attempts")),
    ]
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

struct Intake {
    folder: tempfile::TempDir,
    config: Config,
    running: Running,
}

impl Intake {
    fn start() -> Self {
        let folder = scratch();
        let config = Config::new(folder.path())
            .without_catalogue()
            .set("ingest.flush_age", "200ms")
            .set("intake.max_body", "2 MiB")
            .set("intake.max_record", "64 KiB")
            .set("intake.max_event", "8 KiB");
        let file = config.write();
        let running =
            Bellwether::new(folder.path(), &["serve", "--roles", "intake,ingest", "--config", &file]).start();
        wait::until("the intake to live", wait::START, || http::try_get(&config.url("admin", "/livez")));
        Self { folder, config, running }
    }

    fn post(&self, body: impl Into<Vec<u8>>) -> Answer {
        http::send(http::post(&self.config.url("intake", "/intake/native")).body(body.into())).expect("post")
    }

    fn count(&self, table: &str) -> i64 {
        store::number(&self.config.warehouse(), &format!("SELECT count(*) FROM {table}"))
    }
}

#[track_caller]
fn is_problem(answer: &Answer, mentions: &[&str]) {
    assert!((400..500).contains(&answer.status), "{}: {}", answer.status, answer.text());
    assert!(answer.header("content-type").starts_with("application/problem+json"), "{:?}", answer.headers);
    let problem = answer.json();
    assert_eq!(problem["status"].as_u64(), Some(u64::from(answer.status)), "{problem}");
    assert!(problem["title"].is_string(), "{problem}");
    for word in mentions {
        assert!(problem.to_string().contains(word), "`{word}` is missing in {problem}");
    }
}

#[test]
fn intake_names_the_field_of_each_bad_event_and_takes_the_good_ones_beside_it() {
    let intake = Intake::start();
    let bad = bad_events();
    for (reason, field, event) in &bad {
        let answer = intake.post(event.to_string());
        // The age of an event is judged by the time of its append, so these two become rejects behind the answer.
        if *reason == "time_out_of_range" {
            assert_eq!(answer.status, 200, "{}", answer.text());
            continue;
        }
        let told = answer.text();
        assert!(
            told.contains(reason) && told.contains(field),
            "{reason} of {field}: {} {told}",
            answer.status
        );
    }
    // Beside good ones each rejects only itself.
    let mut body = Vec::new();
    for (index, (_, _, bad)) in bad.iter().enumerate() {
        writeln!(body, "{}", event(&format!("good-{index}"))).unwrap();
        writeln!(body, "{bad}").unwrap();
    }
    body.extend(b"{\"request_id\" 1}\n");
    writeln!(body, "{}", event("last")).unwrap();
    let answer = intake.post(body);
    assert_eq!(answer.status, 200, "{}", answer.text());
    let told = answer.json();
    let late = bad.iter().filter(|(reason, ..)| *reason == "time_out_of_range").count();
    assert_eq!(told["accepted"].as_u64(), Some((bad.len() + 1 + late) as u64), "{told}");
    assert_eq!(told["rejected"].as_u64(), Some((bad.len() + 1 - late) as u64), "{told}");
    assert!(told.to_string().contains("input_tokens"), "{told}");

    wait::until("the good events to be rows", wait::START, || {
        (intake.count("attempts") == i64::try_from(bad.len()).unwrap() + 1).then_some(())
    });
    let warehouse = intake.config.warehouse();
    let reasons = store::rows(&warehouse, "SELECT reason, detail FROM rejects");
    for (reason, field, _) in &bad {
        assert!(
            reasons
                .iter()
                .any(|row| row["reason"] == *reason
                    && row["detail"].as_str().is_some_and(|d| d.contains(field))),
            "no reject says {reason} of {field}: {reasons:?}"
        );
    }
    assert_eq!(intake.running.interrupt().code(), 0);
}

#[test]
fn intake_answers_bodies_it_cannot_read_and_goes_on() {
    let intake = Intake::start();
    let good = |id: &str| event(id).to_string();

    // Nothing in it is no error.
    for nothing in ["[]", " [ ]\n"] {
        let answer = intake.post(nothing);
        assert_eq!(
            (answer.status, answer.json()["accepted"].as_u64()),
            (200, Some(0)),
            "{nothing:?}: {}",
            answer.text()
        );
    }
    is_problem(&intake.post(""), &["empty"]);
    is_problem(&intake.post("{\"request_id\": \"x\","), &[]);
    is_problem(&intake.post("not json at all"), &[]);
    let noise: Vec<u8> = (0..4096_u32)
        .map(|i| u8::try_from(i.wrapping_mul(2_654_435_761) % 251).unwrap_or(7) | 0x80)
        .collect();
    is_problem(&intake.post(noise), &[]);
    let packed = gzip(format!("{}\n{}\n", good("a"), good("b")).as_bytes());
    is_problem(&intake.post(&packed[..packed.len() / 2]), &[]);

    // Limits: a record of 64 KiB, a body of 2 MiB, also when it was packed.
    let large = |bytes: usize| json!({ "request_id": "large", "started_at": instant(0), "pad": "x".repeat(bytes), "attempts": [] });
    is_problem(&intake.post(large(70_000).to_string()), &["64"]);
    let mixed = intake.post(format!("{}\n{}\n", large(70_000), good("beside-large")));
    assert_eq!((mixed.status, mixed.json()["rejected"].as_u64()), (200, Some(1)), "{}", mixed.text());
    let many: String = (0..60).map(|_| format!("{}\n", large(50_000))).collect();
    assert_eq!(intake.post(many.clone()).status, 413);
    assert_eq!(intake.post(gzip(many.as_bytes())).status, 413);

    // A whole packed body is fine, known from its first bytes alone.
    let answer = intake.post(gzip(good("packed").as_bytes()));
    assert_eq!((answer.status, answer.json()["accepted"].as_u64()), (200, Some(1)), "{}", answer.text());

    // Unknown names are no error: the row goes in as the log wrote it.
    let unknown = json!({ "request_id": "unknown", "started_at": instant(0),
        "attempts": [{ "model": "nobody/knows-this", "provider": "some-garage", "http_status": 200 }] });
    assert_eq!(intake.post(unknown.to_string()).status, 200);
    let wanted =
        "SELECT count(*) FROM attempts WHERE model_id = 'nobody/knows-this' AND provider_id = 'some-garage'";
    wait::until("the row with unknown names", wait::START, || {
        (store::number(&intake.config.warehouse(), wanted) == 1).then_some(())
    });
    assert_eq!(http::get(&intake.config.url("intake", "/intake/native")).status, 405);
    is_problem(&http::get(&intake.config.url("intake", "/intake/morse")), &[]);
    assert_eq!(intake.running.interrupt().code(), 0);
    drop(intake.folder);
}

#[test]
fn import_tells_bad_records_and_takes_the_good_ones() {
    let folder = scratch();
    let bad = bad_events();
    let mut file = Vec::new();
    for (index, (_, _, bad)) in bad.iter().enumerate() {
        writeln!(file, "{}\n{bad}", event(&format!("good-{index}"))).unwrap();
    }
    std::fs::write(folder.path().join("mixed.ndjson"), &file).unwrap();
    let cut = gzip(&file);
    std::fs::write(folder.path().join("cut.ndjson.gz"), &cut[..cut.len() - 30]).unwrap();
    std::fs::write(folder.path().join("noise.ndjson"), [0xff_u8, 0x00, 0xfe, b'\n'].repeat(50)).unwrap();
    std::fs::write(folder.path().join("empty.json"), "[]").unwrap();
    std::fs::write(folder.path().join("good.json"), format!("[{}]", event("in-an-array"))).unwrap();

    let import = |files: &[&str]| {
        Bellwether::new(
            folder.path(),
            &["import", "--warehouse", "w", "--format", "native", "--json"]
                .iter()
                .chain(files)
                .copied()
                .collect::<Vec<_>>(),
        )
        .run()
    };
    let told = import(&["mixed.ndjson"]).ok().json();
    assert_eq!(
        (told["rows"].as_u64(), told["rejects"].as_u64()),
        (Some(bad.len() as u64), Some(bad.len() as u64)),
        "{told}"
    );
    // A file of which nothing can be read is a failure, as is one in a packing that is not understood.
    std::fs::write(folder.path().join("log.ndjson.xz"), b"\xfd7zXZ\0\0\x04\xe6\xd6\xb4F\n\n{}\n").unwrap();
    for (unreadable, reason) in [("noise.ndjson", "not_utf8"), ("log.ndjson.xz", "unknown_format")] {
        let refused = import(&[unreadable]);
        assert_eq!(refused.code(), 1, "{}", refused.stderr);
        assert!(refused.stderr.contains("no record could be read"), "{}", refused.stderr);
        assert!(refused.stdout.contains(reason), "{}", refused.stdout);
    }
    let rest = import(&["empty.json", "noise.ndjson", "good.json"]).ok().json();
    assert_eq!(rest["rows"].as_u64(), Some(1), "{rest}");
    assert!(rest["rejects"].as_u64().is_some_and(|n| n > 0), "{rest}");
    let before = store::number(&folder.path().join("w"), "SELECT count(*) FROM attempts");
    let cut = import(&["cut.ndjson.gz"]);
    let printed = format!("{}{}", cut.stdout, cut.stderr);
    assert!(printed.contains("truncated") || printed.contains("cut"), "{printed}");
    assert!(!printed.contains("panicked"), "{printed}");
    // What it holds was there before.
    assert_eq!(store::number(&folder.path().join("w"), "SELECT count(*) FROM attempts"), before);
}
