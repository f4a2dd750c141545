//! `bellwether demo` as a newcomer uses it: start, look, stop, start again.

use std::collections::HashSet;
use std::path::Path;
use std::time::Duration;

use bellwether_simulate::{Config as Traffic, LONGEST_REQUEST_MINUTES, Simulator, TextMode};
use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use crate::support::app::{Bellwether, Running};
use crate::support::{http, scratch, store, wait};

/// Much longer than a demo takes on a quiet machine.
const READY: Duration = Duration::from_secs(120);
/// A full year, thin.
const YEAR: [&str; 4] = ["--attempts", "500000", "--seed", "4"];
const YEAR_ATTEMPTS: u64 = 500_000;
const LINE: &str = "<b>Simulated history:</b>";
/// A day, so dense that each second has an attempt or two: "nothing came" then says something.
const DENSE: [&str; 6] = ["--attempts", "12000000", "--days", "1", "--seed", "4"];

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
fn demo_opens_on_the_newest_weeks_and_fills_in_the_year_behind_them_wherever_it_is_killed() {
    let folder = scratch();
    let warehouse = folder.path().join("d");
    let (running, base) = start(folder.path(), &YEAR);
    running.wait_for(" — opened on the newest 4 of 52 weeks after ", READY);
    for path in ["/", "/rankings/models", "/rankings/growth", "/status", "/methodology"] {
        let page = http::get(&format!("{base}{path}"));
        assert_eq!(page.status, 200, "{path}");
        let html = page.text();
        assert!(html.contains(LINE) && html.contains(" of 52 weeks written, newest first"), "{path}: {html}");
    }
    // What is of now is published seconds after what pages cannot do without.
    wait::until("the strip of the last 60 minutes", wait::START, || {
        newest_minute_of_strip(&http::get(&format!("{base}/")).text())
    });
    running.kill();
    let days = "SELECT count(DISTINCT event_date) FROM attempts";
    let written = store::number(&warehouse, days);
    assert!((28..350).contains(&written), "{written} days when it was killed: not in the middle of the year");

    let (running, base) = start(folder.path(), &YEAR);
    let line = running.wait_for(" — opened on the newest ", READY);
    assert!(!line.contains("newest 52"), "{line}");
    running.wait_for("All 52 weeks of history are written after ", wait::WORK);
    // Labels of an epoch are destroyed while the year is written: that is no failure.
    assert!(!running.printed().contains("failed; the others go on"), "{}", running.printed());
    // Names of the whole year are decided meanwhile, and on a busy machine that takes its time.
    wait::until("the line on the pages to go", wait::WORK, || {
        let page = http::get(&format!("{base}/"));
        let html = if page.status == 200 { page.text() } else { return None };
        assert!(html.contains("<b>Simulated traffic.</b>"), "{html}");
        (!html.contains(LINE)).then_some(())
    });
    ends_cleanly(running);
    assert!(store::number(&warehouse, days) >= 365);
    assert_eq!(held(folder.path()), truth(folder.path()), "requests, rows of them and distinct rows");

    // Once it is whole, it is whole.
    let (running, base) = start(folder.path(), &YEAR);
    running.wait_for(" — opened after ", READY);
    assert!(!http::get(&format!("{base}/")).text().contains(LINE));
    ends_cleanly(running);
    assert_eq!(held(folder.path()), truth(folder.path()), "after another start");
}

/// Requests of history, rows of them and distinct rows.
type Counts = (u64, u64, u64);

fn made_with(folder: &Path) -> Value {
    let bytes = std::fs::read(folder.join("d-local/demo.json")).expect("settings of the demo");
    serde_json::from_slice(&bytes).expect("JSON")
}

/// First minute of history, and the first one of which requests may have ended after the first start.
fn history(folder: &Path) -> (i64, i64) {
    let made_with = made_with(folder);
    let minute = |name: &str| made_with[name].as_i64().expect("a minute");
    (minute("first_minute"), minute("live_from_minute") - LONGEST_REQUEST_MINUTES)
}

/// What the table has of history.
fn held(folder: &Path) -> Counts {
    let (from, to) = history(folder);
    let minute = "CAST(split_part(request_id, '-', 3) AS BIGINT)";
    let count = |what: &str| {
        let sql = format!("SELECT {what} FROM attempts WHERE {minute} >= {from} AND {minute} < {to}");
        u64::try_from(store::number(&folder.join("d"), &sql)).expect("a count")
    };
    (count("count(DISTINCT request_id)"), count("count(*)"), count("count(DISTINCT event_id)"))
}

/// The same by the simulator's own count. A request that reached no provider is one row.
fn truth(folder: &Path) -> Counts {
    let live_from = made_with(folder)["live_from_minute"].as_i64().expect("a minute") * 60;
    let end = DateTime::from_timestamp(live_from, 0).expect("in range").date_naive();
    let traffic = Traffic { seed: 4, attempts_per_year: YEAR_ATTEMPTS, end, regimes: Vec::new() };
    let simulator = Simulator::new(traffic);
    let (from, to) = history(folder);
    let (mut requests, mut rows) = (0, 0);
    for minute in from..to {
        simulator.minute(minute, TextMode::None, &mut |event| {
            requests += 1;
            rows += event.attempts.len().max(1) as u64;
        });
    }
    (requests, rows, rows)
}

#[test]
fn demo_shows_live_traffic_and_starts_again_without_loss_or_doubles() {
    let folder = scratch();
    let warehouse = folder.path().join("d");
    // As if it had been started half an hour ago, and ended at once.
    let live_from = Utc::now().timestamp() / 60 - 30;
    let made_with = json!({
        "layout": 2, "seed": 4, "attempts_per_year": 12_000_000, "first_minute": live_from - 1_440,
        "live_from_minute": live_from, "complete_to_minute": live_from,
    });
    std::fs::create_dir(folder.path().join("d-local")).expect("make a folder");
    std::fs::write(folder.path().join("d-local/demo.json"), made_with.to_string()).expect("write settings");
    let (running, base) = start(folder.path(), &DENSE);

    // The minute in which the site was ready is in the strip in time: when it is over, and what it holds has arrived.
    let ready = Utc::now();
    let complete = std::time::Duration::from_secs(120);
    wait::until("live traffic in the strip of the last 60 minutes", complete + wait::FRESH, || {
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
    let live_from = made_with(folder)["live_from_minute"].as_i64().expect("a minute") * 60;
    let year_end = DateTime::from_timestamp(live_from, 0).expect("in range").date_naive().to_string();
    let from = from.format("%Y-%m-%dT%H:%M:00Z").to_string();
    Bellwether::new(folder, &["simulate", "--to", "file:again.ndjson", "--from", &from, "--minutes", "92"])
        .arg("--year-end")
        .arg(year_end)
        .arg("--texts=0")
        .arg("--seed=4")
        .arg("--attempts-per-year=12000000")
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
