//! The ingest process dies at many places while it reads a topic; the tables must not show it.

use std::path::Path;

use toml::{Table, Value};

use super::once::every_event_is_there_once;
use crate::support::app::{Bellwether, Running};
use crate::support::broker::Broker;
use crate::support::config::Config;
use crate::support::place::Place;
use crate::support::traffic::{self, Record};
use crate::support::{scratch, store, wait};

const PARTITIONS: i32 = 4;
const EVENTS: u64 = 200_000;
const FLUSH_ROWS: i64 = 2000;
/// After each stop the next process waits until the group gives up the one that died: 45 s by default. As librdkafka
/// looks about once a second whether a heartbeat is due, a living process that gives way on a busy machine may be a
/// second and a half late. One that is given up all the same only reads again from the table's position.
const SESSION_MILLIS: &str = "3000";
/// Half the time between two looks: the whole of it would miss every other one by a hair.
const HEARTBEAT_MILLIS: &str = "500";
/// A sender repeats what it sent a while before.
const RESENT_AFTER: usize = 7_000;

enum Stop {
    /// SIGKILL once this share of the records is in `attempts`, in percent.
    Killed(i64),
    /// The process kills itself at this place of its fourth flush.
    FailPoint(&'static str),
}

/// Between each pair of commits: rejects → label cells → attempts → rejects of the next flush.
const STOPS: [Stop; 9] = [
    Stop::Killed(10),
    Stop::Killed(30),
    Stop::FailPoint("sink-after-rejects"),
    Stop::Killed(50),
    Stop::FailPoint("sink-after-label-cells"),
    Stop::Killed(70),
    Stop::FailPoint("sink-after-attempts"),
    Stop::FailPoint("sink-before-rejects"),
    Stop::Killed(90),
];

#[test]
fn kafka_ingest_killed_at_many_places_holds_every_event_once() {
    killed(Place::Folder, "killed");
}

#[test]
fn kafka_ingest_into_a_bucket_killed_at_many_places_holds_every_event_once() {
    killed(Place::Bucket, "killed-over-a-bucket");
}

fn killed(place: Place, topic: &str) {
    let broker = Broker::shared();
    broker.create_topic(topic, PARTITIONS);
    let sent = with_repeats(traffic::mixed(EVENTS, 7));
    assert!(sent.iter().filter(|r| r.reject.is_some()).count() * 100 >= sent.len(), "at least 1 % are bad");
    broker.produce(topic, sent.iter().map(|r| (r.key.clone(), r.value.clone())));
    let total: i64 = broker.ends(topic, PARTITIONS).iter().sum();
    assert_eq!(usize::try_from(total), Ok(sent.len()));

    let folder = scratch();
    let config = place
        .of(Config::new(folder.path()), topic)
        .without_catalogue()
        .kafka(&broker.address(), &[(topic, "native")])
        .set("kafka.properties", short_session())
        .set("ingest.flush_rows", FLUSH_ROWS)
        // Only the last batch of all is not full.
        .set("ingest.flush_age", "1s");
    let file = config.write();
    let warehouse = config.warehouse();
    let serve = || Bellwether::new(folder.path(), &["serve", "--roles", "ingest", "--config", &file]);

    let mut before = 0;
    for stop in &STOPS {
        match stop {
            Stop::Killed(percent) => {
                let mut running = serve().giving_way().start();
                reach(&warehouse, total * percent / 100, &mut running);
                running.kill();
                let now = store::position(&warehouse);
                assert!(
                    now < total * (percent + 10) / 100,
                    "killed too late: {now} of {total} at {percent} %"
                );
            }
            Stop::FailPoint(name) => {
                let ended =
                    serve().env("FAILPOINTS", &format!("{name}=3*off->return")).start().ended(wait::WORK);
                assert_eq!(ended.status.code(), None, "{name} was not reached: {}", ended.stderr);
            }
        }
        let now = store::position(&warehouse);
        assert!(now > before && now < total, "{now} of {total} records after {before}");
        before = now;
    }
    let mut running = serve().start();
    reach(&warehouse, total, &mut running);
    assert_eq!(running.interrupt().code(), 0);

    every_event_is_there_once(broker, topic, &sent, &warehouse);
    if place == Place::Folder {
        // A bucket takes longer for a commit, and the next flush grows meanwhile.
        no_commit_is_much_larger_than_a_flush(&warehouse);
    }
}

pub(super) fn short_session() -> Value {
    let mut properties = Table::new();
    properties.insert("session.timeout.ms".into(), SESSION_MILLIS.into());
    properties.insert("heartbeat.interval.ms".into(), HEARTBEAT_MILLIS.into());
    Value::Table(properties)
}

fn no_commit_is_much_larger_than_a_flush(warehouse: &Path) {
    for entry in std::fs::read_dir(warehouse.join("attempts/_delta_log")).expect("list the log") {
        let path = entry.expect("an entry").path();
        if path.extension().is_none_or(|extension| extension != "json") {
            continue;
        }
        let text = std::fs::read_to_string(&path).expect("read a commit");
        let info: serde_json::Value =
            serde_json::from_str(text.lines().next().expect("a line")).expect("an action");
        let ranges = info["commitInfo"]["ranges"].as_array().into_iter().flatten();
        let rows: i64 = ranges.map(|range| range["rows"].as_i64().expect("rows")).sum();
        // Behind a flush that a busy machine makes slow the next batch grows a little; unbounded it held twenty times as much.
        assert!(rows <= FLUSH_ROWS * 4, "{rows} rows in {}", path.display());
    }
}

/// Repeats every hundredth record some time after its first copy.
pub(super) fn with_repeats(records: Vec<Record>) -> Vec<Record> {
    let mut sent = Vec::with_capacity(records.len() + records.len() / 100);
    for (index, record) in records.iter().enumerate() {
        sent.push(record.clone());
        if index >= RESENT_AFTER && index % 100 == 0 {
            sent.push(records[index - RESENT_AFTER].clone());
        }
    }
    sent
}

pub(super) fn reach(warehouse: &Path, target: i64, running: &mut Running) {
    let mut follower = None;
    wait::until(&format!("{target} records in attempts"), wait::WORK, || {
        if follower.is_none() {
            follower = store::Position::follow(warehouse);
        }
        let position = follower.as_mut().map_or(0, store::Position::now);
        if position < target
            && let Some(status) = running.exited()
        {
            panic!("ingest ended with {status} at {position}: {}", running.printed());
        }
        (position >= target).then_some(())
    });
}
