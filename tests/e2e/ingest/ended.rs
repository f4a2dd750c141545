//! SIGTERM while every role works: the process ends in time, and what was accepted is a row once.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::support::app::Bellwether;
use crate::support::broker::Broker;
use crate::support::config::Config;
use crate::support::place::Place;
use crate::support::traffic::{self, Dice, Record};
use crate::support::{http, scratch, store, wait};

const BODIES: usize = 400;
const PER_BODY: usize = 50;
/// After so many more records of both sources, which have 40,000.
const BETWEEN_ENDS: i64 = 4_000;
const ENDS: usize = 3;

fn bodies(seed: u64) -> Vec<Vec<Record>> {
    let mut dice = Dice::new(seed);
    let mut index = 0;
    let mut next = || {
        index += 1;
        traffic::good(index, &mut dice)
    };
    (0..BODIES).map(|_| (0..PER_BODY).map(|_| next()).collect()).collect()
}

/// A sender that repeats a body until it is accepted.
fn send(config: &Config, bodies: &[Vec<Record>], accepted: &Mutex<usize>, is_over: &AtomicBool) {
    loop {
        let next = *accepted.lock().expect("the count");
        let Some(records) = bodies.get(next) else { return };
        if is_over.load(Ordering::Relaxed) {
            return;
        }
        let body: Vec<u8> = records.iter().flat_map(|record| [&record.value[..], b"\n"].concat()).collect();
        let answer = http::send(http::post(&config.url("intake", "/intake/native")).body(body));
        if answer.is_ok_and(|answer| answer.status == 200 && answer.json()["accepted"] == PER_BODY) {
            *accepted.lock().expect("the count") += 1;
        } else {
            std::thread::park_timeout(std::time::Duration::from_millis(5));
        }
    }
}

#[test]
fn sigterm_under_traffic_of_all_roles_loses_and_doubles_nothing() {
    ended(Place::Folder, "ended");
}

#[test]
fn sigterm_under_traffic_of_all_roles_over_a_bucket_loses_and_doubles_nothing() {
    ended(Place::Bucket, "ended-over-a-bucket");
}

fn ended(place: Place, topic: &str) {
    let broker = Broker::shared();
    broker.create_topic(topic, 2);
    // Ids of their own, so that each source must bring its events.
    let by_kafka: Vec<Record> = bodies(41).concat();
    let by_http: Vec<Vec<Record>> = bodies(42)
        .into_iter()
        .map(|body| {
            body.into_iter()
                .map(|mut record| {
                    let text = String::from_utf8(record.value).expect("text").replace("req-", "http-");
                    record.value = text.into_bytes();
                    record
                })
                .collect()
        })
        .collect();
    let folder = scratch();
    let config = place
        .of(Config::new(folder.path()), topic)
        .without_catalogue()
        .kafka(&broker.address(), &[(topic, "native")])
        .set("kafka.properties", super::kafka_killed::short_session())
        .set("ingest.flush_rows", 500_i64)
        .set("ingest.flush_age", "200ms")
        .set("jobs.every", "1s")
        .set("maintain.checkpoint_after_commits", 10_i64)
        .set("web.refresh", "200ms");
    let file = config.write();
    let serve = || Bellwether::new(folder.path(), &["serve", "--config", &file]).start();
    broker.produce(topic, by_kafka.iter().map(|record| (record.key.clone(), record.value.clone())));
    let rows: usize =
        by_kafka.iter().chain(by_http.iter().flatten()).map(|record| record.outcomes.len()).sum();
    let rows = rows as i64;

    let (accepted, is_over) = (Mutex::new(0), AtomicBool::new(false));
    std::thread::scope(|scope| {
        scope.spawn(|| send(&config, &by_http, &accepted, &is_over));
        // A test that fails must not leave the sender waiting.
        let _over = Over(&is_over);
        for _ in 0..ENDS {
            let at = store::position(&config.warehouse()) + BETWEEN_ENDS;
            let mut running = serve();
            super::kafka_killed::reach(&config.warehouse(), at, &mut running);
            let ended = running.terminate();
            assert_eq!(ended.code(), 0, "{}", ended.stderr);
            for noise in ["panicked", " ERROR "] {
                assert!(!ended.stderr.contains(noise), "`{noise}` in: {}", ended.stderr);
            }
        }
        let running = serve();
        wait::until("the sender to be done", wait::WORK, || {
            (*accepted.lock().expect("the count") == BODIES).then_some(())
        });
        wait::until(&format!("{rows} rows"), wait::WORK, || {
            (store::rows_of_attempts(&config.warehouse()) >= rows).then_some(())
        });
        assert_eq!(running.terminate().code(), 0);
    });

    let rows = store::rows(
        &config.warehouse(),
        "SELECT request_id AS id, count(*) AS rows, count(DISTINCT event_id) AS events FROM attempts GROUP BY 1",
    );
    let found: BTreeSet<(String, i64, i64)> = rows
        .iter()
        .map(|row| {
            let number = |name: &str| row[name].as_i64().expect("a number");
            (row["id"].as_str().expect("an id").to_owned(), number("rows"), number("events"))
        })
        .collect();
    let sent = by_kafka.iter().map(|record| (record.key.clone(), record));
    let sent =
        sent.chain(by_http.iter().flatten().map(|record| (record.key.replace("req-", "http-"), record)));
    let expected: BTreeSet<(String, i64, i64)> =
        sent.map(|(id, record)| (id, record.outcomes.len() as i64, record.outcomes.len() as i64)).collect();
    assert_eq!(found.len(), expected.len());
    assert_eq!(found, expected);
    assert_eq!(store::number(&config.warehouse(), "SELECT count(*) FROM rejects"), 0);
}

struct Over<'a>(&'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
