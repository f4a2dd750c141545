//! Three workers of one group, of which one at a time is frozen or killed in its work, while maintenance goes on beside
//! them; the tables must not show it.

use super::kafka_killed::{reach, short_session, with_repeats};
use super::once::every_event_is_there_once;
use super::upkeep::Upkeep;
use crate::support::app::{Bellwether, Running};
use crate::support::broker::Broker;
use crate::support::config::Config;
use crate::support::place::Place;
use crate::support::{scratch, store, traffic, wait};

const PARTITIONS: i32 = 6;
const EVENTS: u64 = 48_000;
const WORKERS: usize = 3;
/// Each worker is frozen twice and killed twice.
const ROUNDS: usize = WORKERS * 4;

#[test]
fn three_workers_frozen_and_killed_in_turn_keep_every_event_once() {
    frozen(Place::Folder, "frozen");
}

#[test]
fn three_workers_over_a_bucket_frozen_and_killed_in_turn_keep_every_event_once() {
    frozen(Place::Bucket, "frozen-over-a-bucket");
}

fn frozen(place: Place, topic: &str) {
    let broker = Broker::shared();
    broker.create_topic(topic, PARTITIONS);
    let sent = with_repeats(traffic::mixed(EVENTS, 31));
    let folders: Vec<_> = (0..WORKERS).map(|_| scratch()).collect();
    let configs: Vec<Config> = folders
        .iter()
        .map(|folder| {
            Config::new(folder.path())
                .without_catalogue()
                .kafka(&broker.address(), &[(topic, "native")])
                .set("kafka.properties", short_session())
                .set("ingest.flush_rows", 500_i64)
                .set("ingest.flush_age", "200ms")
        })
        .collect();
    let first = place.of(configs[0].clone(), topic);
    let configs: Vec<Config> = configs.iter().map(|config| config.clone().beside(&first)).collect();
    let start = |worker: usize| -> Running {
        let args = ["serve", "--roles", "ingest", "--config", &configs[worker].write()];
        Bellwether::new(folders[worker].path(), &args).start()
    };
    let warehouse = first.warehouse();

    let mut workers: Vec<Running> = (0..WORKERS).map(start).collect();
    workers.iter().for_each(|worker| drop(worker.wait_for("reading partition", wait::START)));
    // Nobody writes while others count, so that all versions of that time have the same rows.
    let others_count_the_same = || {
        let rows = store::number(&warehouse, "SELECT count(*) FROM attempts");
        assert_eq!(place.rows_by_others(&first), [rows; 3], "by deltalake, Polars and DuckDB");
        rows
    };
    let mut upkeep: Option<Upkeep> = None;
    let mut produced = 0;
    for (round, portion) in sent.chunks(sent.len().div_ceil(ROUNDS)).enumerate() {
        let (victim, other) = (round % WORKERS, (round + 1) % WORKERS);
        // In the middle of the portion, so that the victim has work in its hands.
        let half = portion.len() / 2;
        let mut aged = None;
        for (part, records) in [&portion[..half], &portion[half..]].into_iter().enumerate() {
            broker.produce(topic, records.iter().map(|r| (r.key.clone(), r.value.clone())));
            produced += i64::try_from(records.len()).expect("few records");
            if part == 0 {
                reach(&warehouse, produced - i64::try_from(half / 2).expect("few"), &mut workers[other]);
                aged = upkeep.as_mut().map(Upkeep::age);
            }
        }
        if (round / WORKERS).is_multiple_of(2) {
            workers[victim].freeze();
            // The group gives the frozen one up, and the others take what it held.
            reach(&warehouse, produced, &mut workers[other]);
            // What it finds in its hands when it wakes is another's by now, and what it built on is gone.
            if let (Some(upkeep), Some(aged)) = (&mut upkeep, &aged) {
                upkeep.takes(aged);
            }
            workers[victim].thaw();
        } else {
            // Its successor wants its ports.
            workers.remove(victim).kill();
            workers.insert(victim, start(victim));
            if let Some(upkeep) = &mut upkeep {
                upkeep.kill();
            }
            reach(&warehouse, produced, &mut workers[other]);
            if let (Some(upkeep), Some(aged)) = (&mut upkeep, &aged) {
                upkeep.takes(aged);
            }
        }
        match &mut upkeep {
            None => {
                others_count_the_same();
                upkeep = Some(Upkeep::start(&first));
            }
            Some(upkeep) if round == WORKERS => {
                assert!(upkeep.compacts() > 0);
                others_count_the_same();
            }
            Some(_) => {}
        }
    }
    for worker in workers {
        assert_eq!(worker.interrupt().code(), 0);
    }
    every_event_is_there_once(broker, topic, &sent, &warehouse);
    let mut upkeep = upkeep.expect("it was started");
    upkeep.folds(others_count_the_same());
    upkeep.end();
}
