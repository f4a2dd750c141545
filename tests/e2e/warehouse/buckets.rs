//! A warehouse in a bucket: every command works on it, other engines read it, and trouble of the store loses nothing.

use std::path::Path;

use serde_json::json;

use crate::support::app::{Bellwether, Finished};
use crate::support::config::Config;
use crate::support::gateway::{Gateway, KEY, SECRET};
use crate::support::place::Place;
use crate::support::standin::{Manner, StandIn};
use crate::support::traffic::{self, Dice, Record};
use crate::support::{http, python, scratch, store, wait};

const EVENTS: u64 = 600;
/// One that has a page, for the catalogue knows it.
const MODEL: &str = "deepseek/deepseek-v3.2";

/// Events of the last hours as a file, and the rows that they must give.
fn events(folder: &Path) -> (String, i64) {
    let mut dice = Dice::new(41);
    let records: Vec<Record> = (0..EVENTS).map(|index| traffic::good(index, &mut dice)).collect();
    let mut text = String::new();
    let first = chrono::Utc::now() - chrono::TimeDelta::hours(3);
    for (index, record) in (0..).zip(&records) {
        let value = String::from_utf8(record.value.clone()).expect("events are text");
        let at = first + chrono::TimeDelta::milliseconds(500 * i64::try_from(index).expect("few events"));
        let value = value.replace(&traffic::instant(index), &at.to_rfc3339());
        text.push_str(&value.replace("acme/large-1", MODEL));
        text.push('\n');
    }
    let path = folder.join("events.ndjson");
    std::fs::write(&path, text).expect("write the events");
    let rows: usize = records.iter().map(|record| record.outcomes.len()).sum();
    (path.to_str().expect("folders are text").to_owned(), i64::try_from(rows).expect("few rows"))
}

fn run(folder: &Path, args: &[&str]) -> Finished {
    let finished = Bellwether::new(folder, args).run();
    assert!(!finished.stdout.contains(SECRET) && !finished.stderr.contains(SECRET), "the secret is shown");
    finished
}

fn asked(folder: &Path, file: &str, sql: &str) -> serde_json::Value {
    let answer = run(folder, &["sql", sql, "--format", "json", "--config", file]).ok();
    answer.json()[0]["n"].clone()
}

#[test]
fn import_jobs_site_sql_and_other_engines_work_on_a_bucket() {
    let folder = scratch();
    let config = Place::Bucket.of(Config::new(folder.path()), "whole");
    let (file, (events, rows)) = (config.write(), events(folder.path()));
    let checked = run(folder.path(), &["check", "--config", &file]).ok();
    assert!(checked.stdout.contains("`s3://whole/w` will be made by the first start"), "{}", checked.stdout);
    assert_eq!(store::files(&Gateway::shared().bucket("whole")), Vec::<std::path::PathBuf>::new());

    let imported = run(folder.path(), &["import", &events, "--json", "--config", &file]).ok().json();
    assert_eq!((&imported["records"], &imported["rows"]), (&json!(EVENTS), &json!(rows)));
    let again = run(folder.path(), &["import", &events, "--json", "--config", &file]).ok().json();
    assert_eq!(again["rows"], 0);
    run(folder.path(), &["jobs", "run", "--config", &file]).ok();
    assert_eq!(asked(folder.path(), &file, "SELECT count(*) AS n FROM attempts"), rows);
    let served = format!("SELECT count(*) AS n FROM attempts WHERE outcome = 'ok' AND model_id = '{MODEL}'");
    let folded = format!("SELECT sum(requests) AS n FROM usage_daily WHERE model_id = '{MODEL}'");
    let [served, folded] = [served, folded].map(|sql| asked(folder.path(), &file, &sql).as_i64());
    assert!(served > Some(0) && folded >= served, "{served:?} {folded:?}");
    // What is a file of this host is no table.
    run(folder.path(), &["sql", &format!("SELECT * FROM '{events}'"), "--config", &file])
        .refused(2, &["events"]);

    let service =
        Bellwether::new(folder.path(), &["serve", "--roles", "web,maintain", "--config", &file]).start();
    service.wait_for("web is at", wait::START);
    wait::until("a page with the model", wait::FRESH, || {
        http::try_get(&config.url("web", &format!("/models/{MODEL}"))).filter(|answer| answer.status == 200)
    });
    assert_eq!(service.interrupt().code(), 0);
    let checked = run(folder.path(), &["check", "--config", &file]).ok();
    assert!(checked.stdout.contains(&format!("`s3://whole/w` holds {rows} attempts")), "{}", checked.stdout);
    assert!(!folder.path().join("warehouse").exists());

    let found = python::run("bucket.py", &[&Gateway::shared().url(), "whole/w", KEY, SECRET]);
    assert_eq!(found, json!({"deltalake": rows, "polars": rows, "duckdb": rows}));
}

#[test]
fn a_bucket_that_disappears_and_returns_loses_and_doubles_nothing() {
    let folder = scratch();
    let config = Place::Bucket
        .of(Config::new(folder.path()).without_catalogue(), "comes-and-goes")
        .set("ingest.flush_age", "200ms");
    let file = config.write();
    let service =
        Bellwether::new(folder.path(), &["serve", "--roles", "intake,ingest", "--config", &file]).start();
    service.wait_for("intake is at", wait::START);
    let mut dice = Dice::new(43);
    let mut sent = 0;
    let mut post = |records: u64| {
        let body: Vec<u8> = (sent..sent + records)
            .flat_map(|index| [traffic::good(index, &mut dice).value, b"\n".to_vec()].concat())
            .collect();
        let answer =
            http::send(http::post(&config.url("intake", "/intake/native")).body(body)).expect("an answer");
        assert_eq!(answer.status, 200);
        sent += records;
    };
    let arrived = || store::position(&config.warehouse());
    post(50);
    wait::until("the first events", wait::FRESH, || (arrived() == 50).then_some(()));

    let (bucket, aside) = (Gateway::shared().bucket("comes-and-goes"), folder.path().join("aside"));
    // Across disks a folder cannot be renamed, so it goes to its neighbour.
    let aside = bucket.with_file_name(format!(".{}", aside.file_name().unwrap().to_str().unwrap()));
    std::fs::rename(&bucket, &aside).expect("take the bucket away");
    post(50);
    let told = service.wait_for("the warehouse cannot be used", wait::FRESH);
    assert!(told.contains("s3://comes-and-goes/w") && told.contains("make the bucket"), "{told}");
    let ready = http::get(&config.url("admin", "/readyz"));
    assert!(ready.text().contains("warehouse: ready, but s3://comes-and-goes/w"), "{}", ready.text());

    std::fs::rename(&aside, &bucket).expect("give the bucket back");
    service.wait_for("the warehouse can be used again", wait::WORK);
    post(50);
    wait::until("all events", wait::WORK, || (arrived() == 150).then_some(()));
    assert_eq!(service.interrupt().code(), 0);
    let ids = "SELECT count(DISTINCT request_id) - 150 AS n FROM attempts";
    assert_eq!(asked(folder.path(), &file, ids), 0);
    let doubled = "SELECT count(*) - count(DISTINCT event_id) AS n FROM attempts";
    assert_eq!(asked(folder.path(), &file, doubled), 0);
}

#[test]
fn credentials_that_expire_while_rows_come_in_lose_and_double_nothing() {
    let folder = scratch();
    let store = StandIn::start(Manner::Behaves);
    let config = store.of(Config::new(folder.path()).without_catalogue()).set("ingest.flush_age", "200ms");
    let file = config.write();
    let service =
        Bellwether::new(folder.path(), &["serve", "--roles", "intake,ingest", "--config", &file]).start();
    service.wait_for("intake is at", wait::START);
    let mut dice = Dice::new(47);
    let mut post = |indexes: std::ops::Range<u64>| {
        let records =
            indexes.flat_map(|index| [traffic::good(index, &mut dice).value, b"\n".to_vec()].concat());
        let body: Vec<u8> = records.collect();
        let answer =
            http::send(http::post(&config.url("intake", "/intake/native")).body(body)).expect("an answer");
        assert_eq!(answer.status, 200);
    };
    let arrived = |requests: u64| {
        wait::until(&format!("{requests} requests"), wait::WORK, || {
            let sql = "SELECT count(DISTINCT request_id) AS n FROM attempts";
            (asked(folder.path(), &file, sql) == requests).then_some(())
        });
    };
    post(0..50);
    arrived(50);
    store.turn(Manner::Expired);
    post(50..100);
    let told = service.wait_for("the warehouse cannot be used", wait::FRESH);
    assert!(told.contains("s3://lake/w") && told.contains("ExpiredToken"), "{told}");
    assert!(told.contains("give valid credentials"), "{told}");
    let ready = http::get(&config.url("admin", "/readyz"));
    assert!(ready.text().contains("warehouse: ready, but s3://lake/w"), "{}", ready.text());

    store.turn(Manner::Behaves);
    service.wait_for("the warehouse can be used again", wait::WORK);
    post(100..150);
    arrived(150);
    assert_eq!(service.interrupt().code(), 0);
    let doubled = "SELECT count(*) - count(DISTINCT event_id) AS n FROM attempts";
    assert_eq!(asked(folder.path(), &file, doubled), 0);
}

#[test]
fn slow_downs_conflicts_with_nobody_and_lost_answers_lose_and_double_nothing() {
    for manner in [Manner::SlowsDown, Manner::Conflicts, Manner::LosesAnswers] {
        let folder = scratch();
        let store = StandIn::start(manner);
        let config = store
            .of(Config::new(folder.path()).without_catalogue())
            // Several commits, several files.
            .set("ingest.flush_rows", 100_i64);
        let (file, (events, rows)) = (config.write(), events(folder.path()));
        let imported = run(folder.path(), &["import", &events, "--json", "--config", &file]).ok().json();
        assert_eq!((&imported["records"], &imported["rows"]), (&json!(EVENTS), &json!(rows)), "{manner:?}");
        run(folder.path(), &["jobs", "run", "--config", &file]).ok();
        for (sql, expected) in [
            ("SELECT count(*) AS n FROM attempts", rows),
            ("SELECT count(DISTINCT event_id) AS n FROM attempts", rows),
            ("SELECT CAST(sum(attempts) AS BIGINT) AS n FROM health_daily", rows),
        ] {
            assert_eq!(asked(folder.path(), &file, sql), expected, "{manner:?}: {sql}");
        }
        assert!(store.bites() > 10, "{manner:?} showed {} times", store.bites());
    }
}
