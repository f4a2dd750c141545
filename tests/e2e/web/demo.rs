//! `bellwether demo` as a newcomer uses it: start, look, stop, start again.

use std::collections::HashSet;
use std::path::Path;
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use crate::support::app::{Bellwether, Running};
use crate::support::{http, scratch, store, wait};

/// The promise to a newcomer, for a full year of 8 million attempts; this one is smaller.
const READY: Duration = Duration::from_secs(60);
/// A full year, thin.
const YEAR: [&str; 4] = ["--attempts", "1000000", "--seed", "4"];
/// Few days, so dense that each second has several attempts: "nothing came" then says something.
const DENSE: [&str; 6] = ["--attempts", "26000000", "--days", "2", "--seed", "4"];

fn start(folder: &Path, flags: &[&str]) -> (Running, String) {
    let common = ["demo", "--warehouse", "d", "--listen", "127.0.0.1:0"];
    let running = Bellwether::new(folder, &[&common, flags].concat()).start();
    let base = running.site(READY);
    (running, base)
}

fn rows(folder: &Path) -> i64 {
    store::number(&folder.join("d"), "SELECT count(*) FROM attempts")
}

fn newest(folder: &Path) -> DateTime<Utc> {
    let micros = store::number(&folder.join("d"), "SELECT CAST(max(started_at) AS BIGINT) FROM attempts");
    DateTime::from_timestamp_micros(micros).expect("a time in range")
}

fn ends_cleanly(running: Running) {
    let ended = running.interrupt();
    assert_eq!(ended.code(), 0, "{}", ended.stderr);
    assert!(!ended.stderr.contains("panicked"), "{}", ended.stderr);
}

#[test]
fn demo_shows_a_year_of_history() {
    let folder = scratch();
    let (running, base) = start(folder.path(), &YEAR);
    let page = http::get(&format!("{base}/"));
    assert_eq!(page.status, 200);
    assert!(newest_minute_of_strip(&page.text()).is_some(), "no strip of the last 60 minutes");
    ends_cleanly(running);
    let days = store::number(&folder.path().join("d"), "SELECT count(DISTINCT event_date) FROM attempts");
    assert!(days >= 365, "{days} days of history");
}

#[test]
fn demo_shows_live_traffic_and_starts_again_without_loss_or_doubles() {
    let folder = scratch();
    let warehouse = folder.path().join("d");
    // As if it had been started half an hour ago, and ended at once.
    let live_from = Utc::now().timestamp() / 60 - 30;
    let made_with = json!({
        "seed": 4, "attempts_per_year": 26_000_000, "first_minute": live_from - 2 * 1_440,
        "live_from_minute": live_from, "complete_to_minute": live_from,
    });
    std::fs::create_dir(folder.path().join("d-local")).expect("make a folder");
    std::fs::write(folder.path().join("d-local/demo.json"), made_with.to_string()).expect("write settings");
    let (running, base) = start(folder.path(), &DENSE);

    // The minute in which the site was ready is in the strip in time.
    let ready = Utc::now();
    wait::until("live traffic in the strip of the last 60 minutes", wait::FRESH, || {
        let newest = newest_minute_of_strip(&http::get(&format!("{base}/")).text())?;
        (newest + chrono::Duration::seconds(60) > ready).then_some(())
    });
    ends_cleanly(running);
    let before = rows(folder.path());
    let stopped_at = newest(folder.path());

    // Again, and killed without warning; then a third time.
    let (running, _) = start(folder.path(), &DENSE);
    wait::until("new traffic after the restart", wait::FRESH, || {
        (newest(folder.path()) > stopped_at).then_some(())
    });
    running.kill();
    let (running, base) = start(folder.path(), &DENSE);
    let restarted = newest(folder.path());
    wait::until("new traffic after the crash", wait::FRESH, || {
        (newest(folder.path()) > restarted).then_some(())
    });
    assert_eq!(http::get(&format!("{base}/")).status, 200);
    let sent_to = Utc::now() - chrono::Duration::seconds(10);
    ends_cleanly(running);

    assert!(rows(folder.path()) > before);
    assert!(newest(folder.path()) <= Utc::now(), "an attempt that has not begun yet");
    let held = held_since(&warehouse, sent_to.timestamp() / 60 - 90);
    let missing: Vec<_> = simulated(folder.path(), sent_to - chrono::Duration::minutes(90), sent_to)
        .difference(&held)
        .cloned()
        .collect();
    assert_eq!(missing, Vec::<String>::new(), "requests that ended by {sent_to} are missing");
    let doubles = "SELECT count(*) - count(DISTINCT event_id) FROM attempts";
    assert_eq!(store::number(&warehouse, doubles), 0, "events are doubled");
}

/// The strip names its first and its last minute.
fn newest_minute_of_strip(html: &str) -> Option<DateTime<Utc>> {
    let heading = html.split("id=\"hour-h\"").nth(1)?.split("</h2>").next()?;
    let instant = heading.rsplit("datetime=\"").next()?.split('"').next()?;
    let with_seconds =
        instant.strip_suffix('Z').filter(|t| t.len() == "2026-01-01T00:00".len()).map(|t| format!("{t}:00Z"));
    with_seconds.as_deref().unwrap_or(instant).parse().ok()
}

/// Requests that started in this minute or later and are in the table.
fn held_since(warehouse: &Path, minute: i64) -> HashSet<String> {
    let sql = format!(
        "SELECT DISTINCT request_id FROM attempts WHERE CAST(split_part(request_id, '-', 3) AS BIGINT) >= {minute}"
    );
    store::rows(warehouse, &sql)
        .iter()
        .map(|row| row["request_id"].as_str().expect("text").to_owned())
        .collect()
}

/// Requests that the simulator lets start at `from` or later and end by `to`.
fn simulated(folder: &Path, from: DateTime<Utc>, to: DateTime<Utc>) -> HashSet<String> {
    let made_with: Value = serde_json::from_slice(
        &std::fs::read(folder.join("d-local/demo.json")).expect("settings of the demo"),
    )
    .expect("JSON");
    let live_from = made_with["live_from_minute"].as_i64().expect("a minute") * 60;
    let year_end = DateTime::from_timestamp(live_from, 0).expect("in range").date_naive().to_string();
    let from = from.format("%Y-%m-%dT%H:%M:00Z").to_string();
    Bellwether::new(folder, &["simulate", "--to", "file:again.ndjson", "--from", &from, "--minutes", "92"])
        .arg("--year-end")
        .arg(year_end)
        .arg("--texts=0")
        .arg("--seed=4")
        .arg("--attempts-per-year=26000000")
        .run()
        .ok();
    let text = std::fs::read_to_string(folder.join("again.ndjson")).expect("simulated requests");
    let requests = text.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
    requests
        .filter(|request| ended_at(request) <= to)
        .map(|request| request["request_id"].as_str().expect("text").to_owned())
        .collect()
}

fn ended_at(request: &Value) -> DateTime<Utc> {
    let start = |value: &Value| value["started_at"].as_str().and_then(|text| text.parse().ok());
    let attempts = request["attempts"].as_array().into_iter().flatten();
    let ends = attempts.filter_map(|attempt| {
        let ms = attempt["duration_ms"].as_i64().unwrap_or(0);
        Some(start(attempt)? + chrono::Duration::milliseconds(ms))
    });
    ends.max().or_else(|| start(request)).expect("a request has a start")
}

#[test]
fn first_run_of_serve_says_how_to_send_the_first_event() {
    let folder = scratch();
    let config = crate::support::config::Config::new(folder.path());
    let file = config.write();
    let running = Bellwether::new(folder.path(), &["serve", "--config", &file]).start();
    wait::until("the site to listen", wait::START, || http::try_get(&config.url("web", "/livez")));
    let page = http::get(&config.url("web", "/"));
    assert_eq!(page.status, 200);
    assert!(page.text().contains("/intake/native"), "{}", page.text());
    assert_eq!(running.interrupt().code(), 0);
}
