//! Ingest of Kafka lives through what brokers and senders do: it starts where it said it would, goes over what
//! transactions leave behind, and a topic of rubbish stops alone.

use std::path::Path;

use bellwether_warehouse::{AppId, TableId};
use toml::{Table, Value};

use crate::support::app::{Bellwether, Running};
use crate::support::broker::Broker;
use crate::support::config::Config;
use crate::support::traffic::{self, Dice, Record};
use crate::support::{metrics, scratch, store, wait};

/// Long after the test, so that nothing is committed but by another reason.
const NEVER: &str = "1h";
const SOON: &str = "200ms";

fn topic(name: &str, start: &str) -> Value {
    topic_with(name, [("start", start.into())])
}

fn topic_with<const N: usize>(name: &str, settings: [(&str, Value); N]) -> Value {
    let mut topic = Table::new();
    topic.insert("name".into(), name.into());
    topic.insert("format".into(), "native".into());
    topic.extend(settings.map(|(key, value)| (key.to_owned(), value)));
    Value::Table(topic)
}

fn config(folder: &Path, broker: &Broker, topics: &[(&str, &str)]) -> Config {
    let named: Vec<(&str, &str)> = topics.iter().map(|(name, _)| (*name, "native")).collect();
    let topics = topics.iter().map(|(name, start)| topic(name, start)).collect();
    Config::new(folder)
        .without_catalogue()
        .kafka(&broker.address(), &named)
        .set("kafka.topics", Value::Array(topics))
        .set("kafka.properties", super::kafka_killed::short_session())
}

fn serve(folder: &Path, config: &Config) -> Running {
    let file = config.write();
    Bellwether::new(folder, &["serve", "--roles", "ingest", "--config", &file]).start()
}

fn good(indexes: std::ops::Range<u64>, seed: u64) -> Vec<Record> {
    let mut dice = Dice::new(seed);
    indexes.map(|index| traffic::good(index, &mut dice)).collect()
}

fn rows_of(records: &[Record]) -> i64 {
    records.iter().map(|record| record.outcomes.len() as i64).sum()
}

/// T of one partition of a topic that only this test knows.
fn position(warehouse: &Path, topic: &str, partition: i32) -> Option<i64> {
    let end = format!("/{topic}/0/{partition}");
    let txns = store::snapshot(warehouse, TableId::Attempts)?.txns("ingest/");
    txns.into_iter().find(|(AppId(app), _)| app.ends_with(&end)).map(|(_, next)| next)
}

#[track_caller]
fn reach(warehouse: &Path, topic: &str, partition: i32, target: i64, running: &mut Running) {
    wait::until(&format!("offset {target} of {topic}/{partition}"), wait::WORK, || {
        if let Some(status) = running.exited() {
            panic!("ingest ended with {status}: {}", running.printed());
        }
        (position(warehouse, topic, partition) == Some(target)).then_some(())
    });
}

#[test]
fn latest_means_the_first_start_though_the_process_dies_and_a_partition_is_added() {
    const TOPIC: &str = "alive-latest";
    let broker = Broker::shared();
    broker.create_topic(TOPIC, 1);
    let records = good(0..40, 11);
    let (old, new, elsewhere) = (&records[..10], &records[10..20], &records[20..]);
    broker.produce_to(TOPIC, 0, old);
    let folder = scratch();
    let config = config(folder.path(), broker, &[(TOPIC, "latest")]);
    let warehouse = config.warehouse();

    let mut running = serve(folder.path(), &config.clone().set("ingest.flush_age", NEVER));
    reach(&warehouse, TOPIC, 0, 10, &mut running);
    running.wait_for("reading partition", wait::START);
    broker.produce_to(TOPIC, 0, new);
    running.kill();
    broker.add_partitions(TOPIC, 2);
    broker.produce_to(TOPIC, 1, elsewhere);

    let mut running = serve(folder.path(), &config.set("ingest.flush_age", SOON));
    reach(&warehouse, TOPIC, 0, 20, &mut running);
    reach(&warehouse, TOPIC, 1, 20, &mut running);
    assert_eq!(running.interrupt().code(), 0);
    assert_eq!(store::number(&warehouse, "SELECT count(*) FROM attempts"), rows_of(&records[10..]));
    assert_eq!(store::number(&warehouse, "SELECT min(src_offset) FROM attempts WHERE src_partition = 0"), 10);
}

#[test]
fn what_transactions_leave_at_the_end_is_passed_and_never_taken_for_a_gap() {
    const TOPIC: &str = "alive-transactions";
    let broker = Broker::shared();
    broker.create_topic(TOPIC, 1);
    let records = good(0..11, 12);
    let (committed, aborted, later) = (&records[..5], &records[5..8], &records[8..]);
    broker.transact(TOPIC, committed, aborted);
    // Each transaction ends with a marker that takes an offset.
    let end = 5 + 1 + 3 + 1;
    assert_eq!(broker.ends(TOPIC, 1), [end]);
    let folder = scratch();
    let config = config(folder.path(), broker, &[(TOPIC, "earliest")]).set("ingest.flush_age", SOON);
    let warehouse = config.warehouse();

    let mut running = serve(folder.path(), &config);
    reach(&warehouse, TOPIC, 0, end, &mut running);
    assert_eq!(running.interrupt().code(), 0);
    assert_eq!(store::number(&warehouse, "SELECT count(*) FROM attempts"), rows_of(committed));

    // As retention leaves an idle partition.
    broker.delete_records(TOPIC, 0, end);
    let mut running = serve(folder.path(), &config);
    running.wait_for("reading partition", wait::START);
    broker.produce_to(TOPIC, 0, later);
    reach(&warehouse, TOPIC, 0, end + 3, &mut running);
    assert_eq!(running.interrupt().code(), 0);
    assert_eq!(
        store::number(&warehouse, "SELECT count(*) FROM attempts"),
        rows_of(committed) + rows_of(later)
    );
    assert_eq!(store::number(&warehouse, "SELECT count(*) FROM rejects"), 0);
}

#[test]
fn a_topic_of_rubbish_is_held_while_the_other_goes_on_and_an_operator_resumes_it() {
    const GOOD: &str = "alive-good";
    const BAD: &str = "alive-bad";
    let broker = Broker::shared();
    broker.create_topic(GOOD, 1);
    broker.create_topic(BAD, 1);
    let records = good(0..200, 13);
    broker.produce(BAD, (0..700).map(|n| (n.to_string(), b"rubbish".to_vec())));
    broker.produce_to(GOOD, 0, &records[..100]);
    let folder = scratch();
    let config = config(folder.path(), broker, &[(GOOD, "earliest"), (BAD, "earliest")])
        .set("ingest.flush_age", SOON)
        .set("ingest.reject_window", 500_i64);
    let warehouse = config.warehouse();
    let file = config.write();
    let command = |args: &[&str]| Bellwether::new(folder.path(), args).arg("--config").arg(&file).run();

    let mut running = serve(folder.path(), &config);
    reach(&warehouse, BAD, 0, 500, &mut running);
    broker.produce_to(GOOD, 0, &records[100..]);
    reach(&warehouse, GOOD, 0, 200, &mut running);
    // What a process tells of itself follows the tables a moment later.
    let expected = [(BAD, "held", 500, 200), (GOOD, "read here", 200, 0)];
    wait::until(&format!("the status {expected:?}"), wait::START, || {
        let status = command(&["ingest", "status", "--json"]).ok().json();
        let lines = status.as_array().expect("a list").iter();
        let told = lines.map(|line| {
            let text = |key: &str| line[key].as_str().unwrap_or("?");
            let number = |key: &str| line[key].as_i64().unwrap_or(-1);
            (text("topic"), text("state"), number("attempts"), number("lag"))
        });
        told.eq(expected).then_some(())
    });
    assert!(command(&["ingest", "status"]).ok().stdout.contains("held"));
    let stopped = r#"bellwether_ingest_stopped_partitions{topic="alive-bad",partition="0"}"#;
    let lag = r#"bellwether_ingest_lag_records{topic="alive-bad",partition="0"}"#;
    let lag_of_good = r#"bellwether_ingest_lag_records{topic="alive-good",partition="0"}"#;
    let malformed = r#"bellwether_ingest_rejects_by_reason_total{reason="malformed_json"}"#;
    let freshness = r#"bellwether_ingest_newest_record_timestamp_seconds{topic="alive-good",partition="0"}"#;
    let told = [(stopped, 1.0), (lag, 200.0), (lag_of_good, 0.0), (malformed, 500.0)];
    metrics::reach(&config, &mut running, &told);
    metrics::reach(&config, &mut running, &[(freshness, store::newest_record(&warehouse))]);
    command(&["ingest", "resume", GOOD]).refused(1, &["nothing of `alive-good` is held"]);

    let resumed = command(&["ingest", "resume", "alive-bad/0"]).ok();
    assert_eq!(resumed.stdout, "alive-bad/0 goes on at offset 500\n");
    reach(&warehouse, BAD, 0, 700, &mut running);
    metrics::reach(&config, &mut running, &[(stopped, 0.0), (lag, 0.0), (malformed, 700.0)]);
    assert_eq!(running.interrupt().code(), 0);
    assert_eq!(store::number(&warehouse, "SELECT count(*) FROM rejects"), 700);
    assert_eq!(store::number(&warehouse, "SELECT count(*) FROM attempts"), rows_of(&records));
}

#[test]
fn start_at_a_time_begins_with_its_first_record_and_where_there_is_none_yet_at_the_end() {
    const TOPIC: &str = "alive-at";
    let broker = Broker::shared();
    broker.create_topic(TOPIC, 2);
    let records = good(0..28, 14);
    let ago = |minutes: i64| chrono::Utc::now() - chrono::Duration::minutes(minutes);
    broker.produce_at(TOPIC, 0, ago(60), &records[..10]);
    broker.produce_at(TOPIC, 0, ago(10), &records[10..15]);
    broker.produce_at(TOPIC, 1, ago(60), &records[15..25]);
    let folder = scratch();
    let start = Table::from_iter([("at".to_owned(), Value::from(ago(30).to_rfc3339()))]);
    let topics = vec![topic_with(TOPIC, [("start", Value::Table(start))])];
    let config =
        config(folder.path(), broker, &[(TOPIC, "earliest")]).set("kafka.topics", Value::Array(topics));
    let warehouse = config.warehouse();

    let mut running = serve(folder.path(), &config.clone().set("ingest.flush_age", NEVER));
    reach(&warehouse, TOPIC, 0, 10, &mut running);
    reach(&warehouse, TOPIC, 1, 10, &mut running);
    running.kill();
    // Older than the start, but behind the place that was found.
    broker.produce_at(TOPIC, 1, ago(50), &records[25..]);
    let mut running = serve(folder.path(), &config.set("ingest.flush_age", SOON));
    reach(&warehouse, TOPIC, 0, 15, &mut running);
    reach(&warehouse, TOPIC, 1, 13, &mut running);
    assert_eq!(running.interrupt().code(), 0);
    let read = rows_of(&records[10..15]) + rows_of(&records[25..]);
    assert_eq!(store::number(&warehouse, "SELECT count(*) FROM attempts"), read);
}

#[test]
fn records_that_were_deleted_before_they_were_read_stop_the_partition_or_become_one_reject() {
    const TOPIC: &str = "alive-gap";
    let broker = Broker::shared();
    broker.create_topic(TOPIC, 1);
    let records = good(0..15, 15);
    let noon = |day: u32| {
        chrono::NaiveDate::from_ymd_opt(2026, 3, day).unwrap().and_hms_opt(12, 0, 0).unwrap().and_utc()
    };
    broker.produce_at(TOPIC, 0, noon(5), &records[..10]);
    let folder = scratch();
    let config = config(folder.path(), broker, &[(TOPIC, "earliest")]).set("ingest.flush_age", SOON);
    let warehouse = config.warehouse();
    let mut running = serve(folder.path(), &config);
    reach(&warehouse, TOPIC, 0, 10, &mut running);
    assert_eq!(running.interrupt().code(), 0);
    broker.produce_at(TOPIC, 0, noon(6), &records[10..]);
    broker.delete_records(TOPIC, 0, 13);

    let running = serve(folder.path(), &config);
    running.wait_for("stands at offset 10, but the broker's oldest record is 13", wait::START);
    assert_eq!(position(&warehouse, TOPIC, 0), Some(10));
    assert_eq!(running.interrupt().code(), 0);

    let topics = vec![topic_with(TOPIC, [("start", "earliest".into()), ("on_gap", "skip".into())])];
    let mut running = serve(folder.path(), &config.set("kafka.topics", Value::Array(topics)));
    reach(&warehouse, TOPIC, 0, 15, &mut running);
    assert_eq!(running.interrupt().code(), 0);
    let read = rows_of(&records[..10]) + rows_of(&records[13..]);
    assert_eq!(store::number(&warehouse, "SELECT count(*) FROM attempts"), read);
    assert_eq!(store::number(&warehouse, "SELECT count(*) FROM rejects"), 1);
    // Dated by what was known below it, not by the day on which it was found.
    let told =
        "SELECT count(*) FROM rejects WHERE reason = 'gap' AND src_offset = 10 AND date = DATE '2026-03-05'";
    assert_eq!(store::number(&warehouse, told), 1);
}
