//! Roles of one process fall apart from each other: what ails the site or the jobs never stops what comes in.

use std::fmt::Write;
use std::path::Path;

use serde_json::{Value, json};

use crate::support::app::{Bellwether, Running};
use crate::support::config::Config;
use crate::support::http;
use crate::support::{scratch, store, wait};

const MODEL: &str = "openai/gpt-4o-mini";

fn config(folder: &Path) -> Config {
    // These tests look more often than a visitor may.
    let mut rate_limit = toml::Table::new();
    rate_limit.insert("enabled".into(), false.into());
    Config::new(folder)
        .set("web.rate_limit", toml::Value::Table(rate_limit))
        .set("ingest.flush_age", "200ms")
        .set("jobs.every", "1s")
        .set("web.refresh", "200ms")
}

fn serve(folder: &Path, config: &Config) -> Running {
    let running = Bellwether::new(folder, &["serve", "--config", &config.write()]).start();
    wait::until("the intake to live", wait::START, || http::try_get(&config.url("intake", "/livez")));
    running
}

/// Served requests that end now, of forty users, each for 999,999 USD.
fn post(config: &Config, ids: std::ops::Range<u32>) {
    let now = chrono::Utc::now().to_rfc3339();
    let mut body = String::new();
    for id in ids.clone() {
        let event = json!({
            "request_id": format!("r-{id}"), "started_at": now, "operation": "chat", "user_id": format!("u-{}", id % 40),
            "attempts": [{
                "model": MODEL, "provider": "openai", "http_status": 200, "duration_ms": 900, "finish_reason": "stop",
                "input_tokens": 100, "output_tokens": 10, "cost_usd": "999999",
            }],
        });
        writeln!(body, "{event}").expect("write to a string");
    }
    let answer = http::send(http::post(&config.url("intake", "/intake/native")).body(body)).expect("post");
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.json()["accepted"].as_u64(), Some(u64::from(ids.end - ids.start)), "{}", answer.text());
}

/// Waits until the site shows so many requests of the model, and gives the row that says so.
fn ranked(config: &Config, running: &mut Running, requests: &str) -> Value {
    let url = config.url("web", "/rankings/models.json?metric=spend");
    wait::until(&format!("{requests} requests on the site"), wait::WORK, || {
        assert_eq!(running.exited(), None, "{}", running.printed());
        let answer = http::try_get(&url).filter(|answer| answer.status == 200)?;
        let row = answer.json()["data"].get(0)?.clone();
        (row["id"] == MODEL && row["requests"] == requests).then_some(row)
    })
}

#[test]
fn more_money_than_64_bits_hold_is_shown_with_its_sum_and_the_intake_goes_on() {
    let folder = scratch();
    let config = config(folder.path());
    let mut running = serve(folder.path(), &config);
    post(&config, 0..10_000);
    assert_eq!(ranked(&config, &mut running, "10000")["spend_usd"], "9999990000");
    // Both folds together are more nano-dollars than 2⁶⁴.
    post(&config, 10_000..20_000);
    assert_eq!(ranked(&config, &mut running, "20000")["spend_usd"], "19999980000");
    for page in [
        "/",
        "/rankings/models?metric=spend",
        "/models/openai/gpt-4o-mini",
        "/providers/openai",
        "/rankings/growth",
    ] {
        assert_eq!(http::get(&config.url("web", page)).status, 200, "{page}");
    }
    post(&config, 20_000..20_001);
    assert_eq!(ranked(&config, &mut running, "20001")["spend_usd"], "20000979999");

    let ready = http::get(&config.url("admin", "/readyz"));
    assert_eq!(ready.status, 200, "{}", ready.text());
    for part in ["site", "intake", "ingest of the spool", "jobs", "rollups", "maintenance", "web", "admin"] {
        assert!(
            ready.text().contains(&format!("\n{part}: ready\n")),
            "{part} is missing in {}",
            ready.text()
        );
    }
    assert_eq!(running.interrupt().code(), 0);
}

#[test]
fn a_damaged_rollup_stops_only_what_needs_it_and_that_comes_back_by_itself() {
    let folder = scratch();
    let config = config(folder.path());
    let first = config.warehouse().join("health_5m/_delta_log/00000000000000000000.json");
    let before = serve(folder.path(), &config);
    wait::until("the tables", wait::START, || first.is_file().then_some(()));
    assert_eq!(before.interrupt().code(), 0);
    let whole = std::fs::read(&first).expect("the log of a new table");
    std::fs::write(&first, b"no log").expect("damage the log");

    let mut running = serve(folder.path(), &config);
    let told = wait::until("the process to say what is down", wait::START, || {
        let answer = http::try_get(&config.url("admin", "/readyz"))?;
        // The site reads no rollup.
        let is_all = ["\nsite: ready\n", "jobs: down: "].iter().all(|part| answer.text().contains(part));
        (answer.status == 503 && is_all).then(|| answer.text())
    });
    assert!(told.contains("health_5m") && told.contains("\nintake: ready\n"), "{told}");
    assert_eq!(http::get(&config.url("web", "/")).status, 200);
    assert_eq!(http::get(&config.url("web", "/livez")).status, 200);
    post(&config, 0..50);
    wait::until("the rows", wait::START, || (store::position(&config.warehouse()) == 50).then_some(()));

    std::fs::write(&first, whole).expect("mend the log");
    assert_eq!(ranked(&config, &mut running, "50")["spend_usd"], "49999950");
    assert_eq!(running.interrupt().code(), 0);
}
