//! Workers of one group come, go and die while the others read on; the tables must not show it.

use std::path::Path;

use super::kafka_killed::{reach, short_session, with_repeats};
use super::once::every_event_is_there_once;
use crate::support::app::{Bellwether, Running};
use crate::support::broker::Broker;
use crate::support::config::Config;
use crate::support::place::Place;
use crate::support::traffic;
use crate::support::{metrics, scratch, wait};

const PARTITIONS: i32 = 6;
const EVENTS: u64 = 60_000;

fn serve(folder: &Path, config: &Config) -> Running {
    Bellwether::new(folder, &["serve", "--roles", "ingest", "--config", &config.write()]).start()
}

#[test]
fn two_live_workers_and_the_rebalances_between_them_keep_every_event_once() {
    members(Place::Folder, "members");
}

#[test]
fn two_live_workers_over_a_bucket_keep_every_event_once() {
    members(Place::Bucket, "members-of-a-bucket");
}

fn members(place: Place, topic: &str) {
    let broker = Broker::shared();
    broker.create_topic(topic, PARTITIONS);
    let sent = with_repeats(traffic::mixed(EVENTS, 23));
    let mut portions = sent.chunks(sent.len().div_ceil(6));
    let mut produced = 0;
    let mut produce = || {
        let portion = portions.next().expect("six portions");
        broker.produce(topic, portion.iter().map(|record| (record.key.clone(), record.value.clone())));
        produced += portion.len() as i64;
        produced
    };

    let (one, other) = (scratch(), scratch());
    let of = |folder: &Path| {
        Config::new(folder)
            .without_catalogue()
            .kafka(&broker.address(), &[(topic, "native")])
            .set("kafka.properties", short_session())
            .set("ingest.flush_rows", 1000_i64)
            .set("ingest.flush_age", "200ms")
    };
    let config = place.of(of(one.path()), topic);
    let warehouse = config.warehouse();
    let second = of(other.path()).beside(&config);

    let mut first = serve(one.path(), &config);
    reach(&warehouse, produce(), &mut first);

    // A second one comes while the first reads.
    let all = produce();
    let mut late = serve(other.path(), &second);
    late.wait_for("reading partition", wait::START);
    reach(&warehouse, all, &mut first);
    let changes = |event: &str| {
        metrics::value(&config, &format!("bellwether_ingest_rebalances_total{{event=\"{event}\"}}"))
    };
    // All partitions came, went, and half of them came back.
    assert!(changes("assign").is_some_and(|times| times >= 2.0), "{:?}", changes("assign"));
    assert!(changes("revoke").is_some_and(|times| times >= 1.0), "{:?}", changes("revoke"));

    // The first one goes while the second reads.
    let all = produce();
    assert_eq!(first.interrupt().code(), 0);
    reach(&warehouse, all, &mut late);

    // And comes back.
    let all = produce();
    let mut first = serve(one.path(), &config);
    first.wait_for("reading partition", wait::START);
    reach(&warehouse, all, &mut late);

    // The second one dies, and what it held is read again.
    let all = produce();
    late.kill();
    reach(&warehouse, all, &mut first);

    // Both to the end.
    let mut late = serve(other.path(), &second);
    late.wait_for("reading partition", wait::START);
    let all = produce();
    reach(&warehouse, all, &mut late);
    assert_eq!(first.interrupt().code(), 0);
    assert_eq!(late.interrupt().code(), 0);
    every_event_is_there_once(broker, topic, &sent, &warehouse);
}
