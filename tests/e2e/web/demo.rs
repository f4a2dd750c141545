//! `bellwether demo` as a newcomer uses it: start, look, stop, start again.

use std::path::Path;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};

use crate::support::app::{Bellwether, Running};
use crate::support::{http, scratch, store, wait};

/// The promise to a newcomer, for a full year of 8 million attempts; this one is smaller.
const READY: Duration = Duration::from_secs(60);

/// A full year, of enough traffic that a minute without any is as good as impossible at its end.
const FLAGS: [&str; 9] =
    ["demo", "--warehouse", "d", "--listen", "127.0.0.1:0", "--attempts", "2000000", "--seed", "4"];

fn start(folder: &Path) -> (Running, String) {
    let running = Bellwether::new(folder, &FLAGS).start();
    let line = running.wait_for("Bellwether is at http://", READY);
    let at = line.find("http://").expect("an address");
    let base = line[at..].split_whitespace().next().expect("an address").trim_end_matches('/').to_owned();
    (running, base)
}

fn rows(folder: &Path) -> i64 {
    store::number(&folder.join("d"), "SELECT count(*) FROM attempts")
}

fn newest(folder: &Path) -> DateTime<Utc> {
    let micros = store::number(&folder.join("d"), "SELECT CAST(max(started_at) AS BIGINT) FROM attempts");
    DateTime::from_timestamp_micros(micros).expect("a time in range")
}

#[test]
fn demo_shows_a_year_then_live_traffic_and_starts_again_without_loss_or_doubles() {
    let folder = scratch();
    let (running, base) = start(folder.path());
    let shown = Instant::now();
    let first = http::get(&format!("{base}/"));
    assert_eq!(first.status, 200);

    // A year of history.
    let warehouse = folder.path().join("d");
    let days = store::number(&warehouse, "SELECT count(DISTINCT event_date) FROM attempts");
    assert!(days >= 365, "{days} days of history");

    // The newest minute of live traffic is in the strip in time.
    let started = Utc::now();
    wait::until("live traffic in the strip of the last 60 minutes", wait::FRESH, || {
        let newest = newest_minute_of_strip(&http::get(&format!("{base}/")).text())?;
        (newest + chrono::Duration::seconds(60) >= started).then_some(())
    });
    assert!(shown.elapsed() <= wait::FRESH);

    // Ctrl-C ends cleanly.
    let ended = running.interrupt();
    assert_eq!(ended.code(), 0, "{}", ended.stderr);
    assert!(!ended.stderr.contains("panicked"), "{}", ended.stderr);
    let before = rows(folder.path());
    let stopped_at = newest(folder.path());

    // Again, and killed without warning; then a third time.
    let (running, _) = start(folder.path());
    wait::until("new traffic after the restart", wait::FRESH, || {
        (newest(folder.path()) > stopped_at).then_some(())
    });
    running.kill();
    let (running, base) = start(folder.path());
    let restarted = newest(folder.path());
    wait::until("new traffic after the crash", wait::FRESH, || {
        (newest(folder.path()) > restarted).then_some(())
    });
    assert_eq!(http::get(&format!("{base}/")).status, 200);
    assert_eq!(running.interrupt().code(), 0);

    assert!(rows(folder.path()) > before);
    let doubles = "SELECT count(*) - count(DISTINCT event_id) FROM attempts";
    assert_eq!(store::number(&warehouse, doubles), 0, "events are doubled");
    assert_eq!(minutes_without_rows(&warehouse), Vec::<String>::new(), "the gaps are filled");
}

/// The strip names its first and its last minute.
fn newest_minute_of_strip(html: &str) -> Option<DateTime<Utc>> {
    let heading = html.split("id=\"hour-h\"").nth(1)?.split("</h2>").next()?;
    let instant = heading.rsplit("datetime=\"").next()?.split('"').next()?;
    let with_seconds =
        instant.strip_suffix('Z').filter(|t| t.len() == "2026-01-01T00:00".len()).map(|t| format!("{t}:00Z"));
    with_seconds.as_deref().unwrap_or(instant).parse().ok()
}

/// Minutes between the start of the last 20 minutes and their end in which nothing happened.
fn minutes_without_rows(warehouse: &Path) -> Vec<String> {
    let sql = "WITH seen AS (SELECT date_trunc('minute', started_at) AS minute, count(*) AS n FROM attempts \
               WHERE started_at > (SELECT max(started_at) - INTERVAL '20 minutes' FROM attempts) GROUP BY 1), \
               gaps AS (SELECT minute, lag(minute) OVER (ORDER BY minute) AS before FROM seen) \
               SELECT CAST(before AS VARCHAR) AS before FROM gaps WHERE minute > before + INTERVAL '1 minute'";
    store::rows(warehouse, sql).iter().map(|row| row["before"].as_str().unwrap_or("?").to_owned()).collect()
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
