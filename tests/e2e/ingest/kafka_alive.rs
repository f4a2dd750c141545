//! Ingest of Kafka lives through what brokers and senders do: it starts where it said it would, goes over what
//! transactions leave behind, and a topic of rubbish stops alone.

use std::path::Path;

use bellwether_warehouse::{AppId, TableId};
use toml::{Table, Value};

use crate::support::app::{Bellwether, Running};
use crate::support::broker::Broker;
use crate::support::config::Config;
use crate::support::place::Place;
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

/// The first topic's name is the bucket's, too.
fn config(place: Place, folder: &Path, broker: &Broker, topics: &[(&str, &str)]) -> Config {
    let named: Vec<(&str, &str)> = topics.iter().map(|(name, _)| (*name, "native")).collect();
    let topics = topics.iter().map(|(name, start)| topic(name, start)).collect();
    place
        .of(Config::new(folder), named[0].0)
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
    latest(Place::Folder);
}

#[test]
fn over_a_bucket_latest_means_the_first_start_though_the_process_dies_and_a_partition_is_added() {
    latest(Place::Bucket);
}

fn latest(place: Place) {
    let name = place.named("alive-latest");
    let topic = name.as_str();
    let broker = Broker::shared();
    broker.create_topic(topic, 1);
    let records = good(0..40, 11);
    let (old, new, elsewhere) = (&records[..10], &records[10..20], &records[20..]);
    broker.produce_to(topic, 0, old);
    let folder = scratch();
    let config = config(place, folder.path(), broker, &[(topic, "latest")]);
    let warehouse = config.warehouse();

    let mut running = serve(folder.path(), &config.clone().set("ingest.flush_age", NEVER));
    reach(&warehouse, topic, 0, 10, &mut running);
    running.wait_for("reading partition", wait::START);
    broker.produce_to(topic, 0, new);
    running.kill();
    broker.add_partitions(topic, 2);
    broker.produce_to(topic, 1, elsewhere);

    let mut running = serve(folder.path(), &config.set("ingest.flush_age", SOON));
    reach(&warehouse, topic, 0, 20, &mut running);
    reach(&warehouse, topic, 1, 20, &mut running);
    assert_eq!(running.interrupt().code(), 0);
    assert_eq!(store::number(&warehouse, "SELECT count(*) FROM attempts"), rows_of(&records[10..]));
    assert_eq!(store::number(&warehouse, "SELECT min(src_offset) FROM attempts WHERE src_partition = 0"), 10);
}

#[test]
fn what_transactions_leave_at_the_end_is_passed_and_never_taken_for_a_gap() {
    transactions(Place::Folder);
}

#[test]
fn over_a_bucket_what_transactions_leave_at_the_end_is_passed_and_never_taken_for_a_gap() {
    transactions(Place::Bucket);
}

fn transactions(place: Place) {
    let name = place.named("alive-transactions");
    let topic = name.as_str();
    let broker = Broker::shared();
    broker.create_topic(topic, 1);
    let records = good(0..11, 12);
    let (committed, aborted, later) = (&records[..5], &records[5..8], &records[8..]);
    broker.transact(topic, committed, aborted);
    // Each transaction ends with a marker that takes an offset.
    let end = 5 + 1 + 3 + 1;
    assert_eq!(broker.ends(topic, 1), [end]);
    let folder = scratch();
    let config = config(place, folder.path(), broker, &[(topic, "earliest")]).set("ingest.flush_age", SOON);
    let warehouse = config.warehouse();

    let mut running = serve(folder.path(), &config);
    reach(&warehouse, topic, 0, end, &mut running);
    assert_eq!(running.interrupt().code(), 0);
    assert_eq!(store::number(&warehouse, "SELECT count(*) FROM attempts"), rows_of(committed));

    // As retention leaves an idle partition.
    broker.delete_records(topic, 0, end);
    let mut running = serve(folder.path(), &config);
    running.wait_for("reading partition", wait::START);
    broker.produce_to(topic, 0, later);
    reach(&warehouse, topic, 0, end + 3, &mut running);
    assert_eq!(running.interrupt().code(), 0);
    assert_eq!(
        store::number(&warehouse, "SELECT count(*) FROM attempts"),
        rows_of(committed) + rows_of(later)
    );
    assert_eq!(store::number(&warehouse, "SELECT count(*) FROM rejects"), 0);
}

#[test]
fn a_topic_of_rubbish_is_held_while_the_other_goes_on_and_an_operator_resumes_it() {
    held(Place::Folder);
}

#[test]
fn over_a_bucket_a_topic_of_rubbish_is_held_while_the_other_goes_on_and_an_operator_resumes_it() {
    held(Place::Bucket);
}

fn held(place: Place) {
    let names = ["alive-good", "alive-bad"].map(|name| place.named(name));
    let [good_one, bad_one] = names.each_ref().map(String::as_str);
    let broker = Broker::shared();
    broker.create_topic(good_one, 1);
    broker.create_topic(bad_one, 1);
    let records = good(0..200, 13);
    broker.produce(bad_one, (0..700).map(|n| (n.to_string(), b"rubbish".to_vec())));
    broker.produce_to(good_one, 0, &records[..100]);
    let folder = scratch();
    let config = config(place, folder.path(), broker, &[(good_one, "earliest"), (bad_one, "earliest")])
        .set("ingest.flush_age", SOON)
        .set("ingest.reject_window", 500_i64);
    let warehouse = config.warehouse();
    let file = config.write();
    let command = |args: &[&str]| Bellwether::new(folder.path(), args).arg("--config").arg(&file).run();

    let mut running = serve(folder.path(), &config);
    reach(&warehouse, bad_one, 0, 500, &mut running);
    broker.produce_to(good_one, 0, &records[100..]);
    reach(&warehouse, good_one, 0, 200, &mut running);
    // What a process tells of itself follows the tables a moment later.
    let expected = [(bad_one, "held", 500, 200), (good_one, "read here", 200, 0)];
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
    let series =
        |name: &str, topic: &str| format!(r#"bellwether_ingest_{name}{{topic="{topic}",partition="0"}}"#);
    let (stopped, lag) = (&series("stopped_partitions", bad_one), &series("lag_records", bad_one));
    let lag_of_good = &series("lag_records", good_one);
    let malformed = r#"bellwether_ingest_rejects_by_reason_total{reason="malformed_json"}"#;
    let freshness = &series("newest_record_timestamp_seconds", good_one);
    let told: [(&str, f64); 4] = [(stopped, 1.0), (lag, 200.0), (lag_of_good, 0.0), (malformed, 500.0)];
    metrics::reach(&config, &mut running, &told);
    metrics::reach(&config, &mut running, &[(freshness.as_str(), store::newest_record(&warehouse))]);
    command(&["ingest", "resume", good_one]).refused(1, &[&format!("nothing of `{good_one}` is held")]);

    let resumed = command(&["ingest", "resume", &format!("{bad_one}/0")]).ok();
    assert_eq!(resumed.stdout, format!("{bad_one}/0 goes on at offset 500\n"));
    reach(&warehouse, bad_one, 0, 700, &mut running);
    metrics::reach(&config, &mut running, &[(stopped, 0.0), (lag, 0.0), (malformed, 700.0)]);
    assert_eq!(running.interrupt().code(), 0);
    assert_eq!(store::number(&warehouse, "SELECT count(*) FROM rejects"), 700);
    assert_eq!(store::number(&warehouse, "SELECT count(*) FROM attempts"), rows_of(&records));
}

#[test]
fn start_at_a_time_begins_with_its_first_record_and_where_there_is_none_yet_at_the_end() {
    at(Place::Folder);
}

#[test]
fn over_a_bucket_start_at_a_time_begins_with_its_first_record_and_where_there_is_none_yet_at_the_end() {
    at(Place::Bucket);
}

fn at(place: Place) {
    let name = place.named("alive-at");
    let topic = name.as_str();
    let broker = Broker::shared();
    broker.create_topic(topic, 2);
    let records = good(0..28, 14);
    let ago = |minutes: i64| chrono::Utc::now() - chrono::Duration::minutes(minutes);
    broker.produce_at(topic, 0, ago(60), &records[..10]);
    broker.produce_at(topic, 0, ago(10), &records[10..15]);
    broker.produce_at(topic, 1, ago(60), &records[15..25]);
    let folder = scratch();
    let start = Table::from_iter([("at".to_owned(), Value::from(ago(30).to_rfc3339()))]);
    let topics = vec![topic_with(topic, [("start", Value::Table(start))])];
    let config = config(place, folder.path(), broker, &[(topic, "earliest")])
        .set("kafka.topics", Value::Array(topics));
    let warehouse = config.warehouse();

    let mut running = serve(folder.path(), &config.clone().set("ingest.flush_age", NEVER));
    reach(&warehouse, topic, 0, 10, &mut running);
    reach(&warehouse, topic, 1, 10, &mut running);
    running.kill();
    // Older than the start, but behind the place that was found.
    broker.produce_at(topic, 1, ago(50), &records[25..]);
    let mut running = serve(folder.path(), &config.set("ingest.flush_age", SOON));
    reach(&warehouse, topic, 0, 15, &mut running);
    reach(&warehouse, topic, 1, 13, &mut running);
    assert_eq!(running.interrupt().code(), 0);
    let read = rows_of(&records[10..15]) + rows_of(&records[25..]);
    assert_eq!(store::number(&warehouse, "SELECT count(*) FROM attempts"), read);
}

#[test]
fn records_that_were_deleted_before_they_were_read_stop_the_partition_or_become_one_reject() {
    gap(Place::Folder);
}

#[test]
fn over_a_bucket_records_that_were_deleted_before_they_were_read_stop_the_partition_or_become_one_reject() {
    gap(Place::Bucket);
}

fn gap(place: Place) {
    let name = place.named("alive-gap");
    let topic = name.as_str();
    let broker = Broker::shared();
    broker.create_topic(topic, 1);
    let records = good(0..15, 15);
    let noon = |day: u32| {
        chrono::NaiveDate::from_ymd_opt(2026, 3, day).unwrap().and_hms_opt(12, 0, 0).unwrap().and_utc()
    };
    broker.produce_at(topic, 0, noon(5), &records[..10]);
    let folder = scratch();
    let config = config(place, folder.path(), broker, &[(topic, "earliest")]).set("ingest.flush_age", SOON);
    let warehouse = config.warehouse();
    let mut running = serve(folder.path(), &config);
    reach(&warehouse, topic, 0, 10, &mut running);
    assert_eq!(running.interrupt().code(), 0);
    broker.produce_at(topic, 0, noon(6), &records[10..]);
    broker.delete_records(topic, 0, 13);

    let running = serve(folder.path(), &config);
    running.wait_for("stands at offset 10, but the broker's oldest record is 13", wait::START);
    assert_eq!(position(&warehouse, topic, 0), Some(10));
    assert_eq!(running.interrupt().code(), 0);

    let topics = vec![topic_with(topic, [("start", "earliest".into()), ("on_gap", "skip".into())])];
    let mut running = serve(folder.path(), &config.set("kafka.topics", Value::Array(topics)));
    reach(&warehouse, topic, 0, 15, &mut running);
    assert_eq!(running.interrupt().code(), 0);
    let read = rows_of(&records[..10]) + rows_of(&records[13..]);
    assert_eq!(store::number(&warehouse, "SELECT count(*) FROM attempts"), read);
    assert_eq!(store::number(&warehouse, "SELECT count(*) FROM rejects"), 1);
    // Dated by what was known below it, not by the day on which it was found.
    let told =
        "SELECT count(*) FROM rejects WHERE reason = 'gap' AND src_offset = 10 AND date = DATE '2026-03-05'";
    assert_eq!(store::number(&warehouse, told), 1);
}
