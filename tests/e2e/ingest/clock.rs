//! The host's clock jumps by a day, ahead and back: each record is a row once, on its own date, and jobs touch no day
//! that is not theirs.

use std::path::Path;

use chrono::{DateTime, Days, SecondsFormat, Utc};
use serde_json::json;

use crate::support::app::Bellwether;
use crate::support::broker::Broker;
use crate::support::clock::HostClock;
use crate::support::config::Config;
use crate::support::traffic::Record;
use crate::support::{http, scratch, store, wait};

const TOPIC: &str = "clock";
/// Of each source and clock.
const RECORDS: u64 = 20;
const DAYS_AHEAD: [i64; 3] = [1, -1, 0];
/// `health_5m` keeps so many days before today.
const KEPT_DAYS: u64 = 8;

/// A served request whose id ends with the date that its row must have.
fn event(id: &str, started_at: DateTime<Utc>) -> Record {
    let key = format!("{id}@{}", started_at.date_naive());
    let value = json!({
        "request_id": key, "started_at": started_at.to_rfc3339_opts(SecondsFormat::Micros, true),
        "attempts": [{ "model": "m", "provider": "p", "http_status": 200, "duration_ms": 5, "output_tokens": 3 }],
    });
    Record { key, value: value.to_string().into_bytes(), outcomes: vec!["ok"], reject: None }
}

fn post(config: &Config, records: &[Record]) {
    wait::until("the intake to listen", wait::START, || http::try_get(&config.url("intake", "/livez")));
    let body: Vec<u8> = records.iter().flat_map(|record| [&record.value[..], b"\n"].concat()).collect();
    let answer = http::send(http::post(&config.url("intake", "/intake/native")).body(body)).expect("post");
    assert_eq!(answer.json()["accepted"], records.len(), "{}", answer.text());
}

/// The only row's values, in the order of their columns' names.
fn numbers(warehouse: &Path, sql: &str) -> Vec<i64> {
    let rows = store::rows(warehouse, sql);
    let row = rows.first().and_then(serde_json::Value::as_object).expect("a row");
    row.values().map(|value| value.as_i64().expect("a number")).collect()
}

#[test]
fn clock_a_day_ahead_and_a_day_behind_costs_and_moves_no_record() {
    let broker = Broker::shared();
    broker.create_topic(TOPIC, 1);
    let folder = scratch();
    let config = Config::new(folder.path())
        .without_catalogue()
        .kafka(&broker.address(), &[(TOPIC, "native")])
        .set("kafka.properties", super::kafka_killed::short_session())
        .set("ingest.flush_age", "200ms")
        .set("jobs.every", "1s");
    let warehouse = config.warehouse();
    let file = config.write();
    let jobs = |args: &[&str]| Bellwether::new(folder.path(), args).arg("--config").arg(&file);

    // Every day that the finest table keeps has a row there, by the right clock.
    let now = Utc::now();
    let history = folder.path().join("history.ndjson");
    let days: Vec<u8> = (0..=KEPT_DAYS)
        .map(|days| event(&format!("history-{days}"), now.checked_sub_days(Days::new(days)).expect("a date")))
        .flat_map(|record| [&record.value[..], b"\n"].concat())
        .collect();
    std::fs::write(&history, days).expect("write a file");
    jobs(&["import"]).arg(&history).run().ok();
    jobs(&["jobs", "run"]).run().ok();
    let finest = "SELECT count(DISTINCT date) AS a, CAST(min(date) AS INT) AS b FROM health_5m";
    let kept = numbers(&warehouse, finest);
    assert_eq!(kept[0], KEPT_DAYS as i64 + 1);

    let clock = HostClock::new();
    let serve = || jobs(&["serve", "--roles", "intake,ingest,jobs"]).with_clock(&clock).start();
    let round = |number: i64, days: i64| {
        let started_at = Utc::now();
        let named = |source: &str| -> Vec<Record> {
            (0..RECORDS).map(|n| event(&format!("{source}-{number}-{n}"), started_at)).collect()
        };
        post(&config, &named("spool"));
        broker.produce_to(TOPIC, 0, &named("kafka"));
        let rows = (number + 1) * 2 * RECORDS as i64 + kept[0];
        wait::until(&format!("{rows} rows with the clock {days} days ahead, folded"), wait::WORK, || {
            (store::number(&warehouse, "SELECT sum(requests) FROM usage_daily") == rows).then_some(())
        });
        // With all of them there: expiry, and the rebuild of what is closed by this clock.
        jobs(&["jobs", "run"]).with_clock(&clock).run().ok();
        assert_eq!(
            numbers(&warehouse, finest),
            kept,
            "days of the finest table, the clock {days} days ahead"
        );
    };
    let mut running = serve();
    for (number, days) in (0..).zip(DAYS_AHEAD) {
        wait::until("the intake to listen", wait::START, || http::try_get(&config.url("intake", "/livez")));
        running.wait_for("reading partition", wait::START);
        // First while the process runs, then found at its start.
        clock.set_days_ahead(days);
        round(2 * number, days);
        assert_eq!(running.terminate().code(), 0);
        running = serve();
        round(2 * number + 1, days);
    }
    assert_eq!(running.terminate().code(), 0);

    let all = 2 * DAYS_AHEAD.len() as i64 * RECORDS as i64;
    assert_eq!(store::position(&warehouse), 2 * all, "T of the topic and of the logs");
    let counts = "SELECT count(*) AS a, count(DISTINCT request_id) AS b, count(*) FILTER (WHERE src_topic = 'clock') AS c,
                         count(*) FILTER (WHERE request_id NOT LIKE concat('%@', CAST(event_date AS VARCHAR))) AS d
                  FROM attempts";
    assert_eq!(numbers(&warehouse, counts), [2 * all + kept[0], 2 * all + kept[0], all, 0]);
    assert_eq!(store::number(&warehouse, "SELECT count(*) FROM rejects"), 0);
    let by_day = "SELECT count(*) FROM (
                      SELECT event_date AS date, count(*) AS requests FROM attempts GROUP BY 1
                      EXCEPT SELECT date, sum(requests) FROM usage_daily GROUP BY 1)";
    assert_eq!(store::number(&warehouse, by_day), 0, "days of which the rollup has another number");
}
