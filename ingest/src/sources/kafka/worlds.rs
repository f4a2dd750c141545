//! The worker on one thread, with a broker in memory, a clock that is set and dice that are seeded.

use std::sync::Arc;
use std::time::Duration;

use bellwether_warehouse::World;
use bellwether_warehouse::testing::{DAY_US, SeededDice, SetClock};
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;

use super::broker::Event;
use super::flight::Flight;
use super::memory::{MemoryBroker, MemoryMember};
use super::partitions::State;
use super::stopped::Key;
use super::stopped::Stopped;
use super::survey::Surveyor;
use super::worker::{Step, Worker};
use crate::batch::{Batch, Stream};
use crate::config::{Ingest, OnGap, Span, Start, Topic, TopicFormat};
use crate::sink::Sink;
use crate::testing::{House, NOON_US, native};

const TOPIC: &str = "requests";
const CLUSTER: &str = "memory";
const AGE: Duration = Duration::from_secs(60);
/// More than any test takes, should what it waits for never come.
const STEPS: usize = 1_000_000;

fn key(partition: i32) -> Key {
    (TOPIC.to_owned(), partition)
}

/// A warehouse, a broker, and the world that both are in.
struct Place {
    house: House,
    clock: SetClock,
    world: World,
    broker: MemoryBroker,
    positions: Sink,
}

impl Place {
    async fn new(partitions: i32) -> Self {
        let clock = SetClock::at(NOON_US);
        let world = World::new(Arc::new(clock.clone()), Arc::new(SeededDice::new(1)));
        let house = House::in_world(world.clone()).await;
        let positions = Sink::open(&house.warehouse).await.unwrap();
        Self { house, clock, world, broker: MemoryBroker::with_partitions(TOPIC, partitions), positions }
    }

    fn produce(&self, partition: i32, ids: std::ops::Range<usize>) {
        for id in ids {
            self.broker.produce(&key(partition), NOON_US / 1000, Some(native(&format!("r{id}"))));
        }
    }

    /// T of a partition.
    async fn position(&mut self, partition: i32) -> Option<i64> {
        self.positions.position(&Stream::kafka(CLUSTER, TOPIC, 0, partition)).await.unwrap().attempts
    }

    /// A worker that was given these partitions.
    async fn worker(&self, partitions: &[i32], ingest: &Ingest) -> Running {
        let member = self.broker.join();
        member.tell(Event::Assigned(partitions.iter().map(|partition| key(*partition)).collect()));
        let warehouse = self.house.warehouse.clone();
        let surveyor = Surveyor {
            broker: Arc::new(self.broker.clone()),
            warehouse: warehouse.clone(),
            ingest: ingest.clone(),
            window: 1000,
            sink: tokio::sync::Mutex::default(),
        };
        let flight = Flight::new(Handle::current(), warehouse.clone(), Sink::open(&warehouse).await.unwrap());
        let (batch, stopped) = (Batch::new(self.house.tools.clone()), Stopped::default());
        let (name, format) = (TOPIC.to_owned(), TopicFormat::Native);
        let topic = Topic { name, format, incarnation: 0, start: Start::Earliest, on_gap: OnGap::Stop };
        let state =
            State::new(&[topic], CLUSTER.to_owned(), surveyor, flight, batch, member.clone(), stopped);
        let shutdown = CancellationToken::new();
        let worker = Worker::new(state, ingest.clone(), shutdown.clone(), self.world.now());
        Running { worker, member, shutdown, world: self.world.clone() }
    }
}

struct Running {
    worker: Worker,
    member: Arc<MemoryMember>,
    shutdown: CancellationToken,
    world: World,
}

impl Running {
    /// One step and what it asks for, without letting anything else run. False: it has ended.
    fn step(&mut self) -> bool {
        match self.worker.step(self.world.now()).unwrap() {
            Step::Read(wait) => self.worker.read(&self.world, wait),
            Step::Wait => {}
            Step::Ended => return false,
        }
        true
    }

    /// Steps, with everything else that runs, until it is so.
    async fn until(&mut self, mut is_so: impl FnMut(&Self) -> bool) {
        for _ in 0..STEPS {
            if is_so(self) {
                return;
            }
            assert!(self.step());
            tokio::task::yield_now().await;
        }
        panic!("it never came");
    }

    async fn until_position(&mut self, place: &mut Place, partition: i32, position: i64) {
        for _ in 0..STEPS {
            if place.position(partition).await == Some(position) {
                return;
            }
            assert!(self.step());
            tokio::task::yield_now().await;
        }
        panic!("it never came");
    }

    async fn end(mut self) {
        self.shutdown.cancel();
        for _ in 0..STEPS {
            if !self.step() {
                return;
            }
            tokio::task::yield_now().await;
        }
        panic!("it never ended");
    }
}

fn ingest(flush_rows: usize) -> Ingest {
    Ingest { flush_rows, flush_age: Span(AGE), ..Ingest::default() }
}

#[tokio::test]
async fn records_become_rows_when_the_clock_says_so_and_not_before() {
    let mut place = Place::new(2).await;
    place.produce(0, 0..5);
    place.produce(1, 5..8);
    let mut running = place.worker(&[0, 1], &ingest(1000)).await;
    // The topic is begun at once; all is read, and waits for more.
    running.until_position(&mut place, 0, 0).await;
    let read = |running: &Running| (running.member.position(&key(0)), running.member.position(&key(1)));
    running.until(|running| read(running) == (Some(5), Some(3))).await;
    for _ in 0..1000 {
        assert!(running.step());
        tokio::task::yield_now().await;
    }
    assert_eq!((place.position(0).await, place.position(1).await), (Some(0), Some(0)));
    place.clock.advance(AGE);
    running.until_position(&mut place, 1, 3).await;
    assert_eq!(place.position(0).await, Some(5));
    running.until(|_| place.broker.mirrored(&key(0)) == Some(5)).await;
    assert_eq!(place.broker.mirrored(&key(1)), Some(3));
    // A full batch waits for no clock.
    place.produce(0, 8..1008);
    running.until_position(&mut place, 0, 1005).await;
    running.end().await;
    assert_eq!(place.house.count("SELECT count(*) FROM attempts").await, 1008);
    assert_eq!(place.house.count("SELECT count(DISTINCT event_id) FROM attempts").await, 1008);
}

#[tokio::test]
async fn a_revoke_within_a_batch_commits_what_was_read_before_anything_is_given_back() {
    let mut place = Place::new(1).await;
    place.produce(0, 0..6);
    let mut first = place.worker(&[0], &ingest(1000)).await;
    first.until_position(&mut place, 0, 0).await;
    // Six records were read when the revoke comes; the four behind it are not read any more.
    first.until(|running| running.member.position(&key(0)) == Some(6)).await;
    first.member.tell(Event::Revoked);
    place.produce(0, 6..10);
    first.until(|running| running.member.given_back() == 1).await;
    assert_eq!(place.position(0).await, Some(6));
    let mut second = place.worker(&[0], &ingest(4)).await;
    second.until_position(&mut place, 0, 10).await;
    first.end().await;
    second.end().await;
    assert_eq!(place.house.count("SELECT count(*) FROM attempts").await, 10);
    assert_eq!(place.house.count("SELECT count(DISTINCT event_id) FROM attempts").await, 10);
    assert_eq!(place.house.count("SELECT count(DISTINCT src_offset) FROM attempts").await, 10);
}

#[tokio::test]
async fn a_flush_that_outlasts_a_revoke_is_read_again_by_the_next() {
    let mut place = Place::new(1).await;
    place.produce(0, 0..6);
    let mut first = place.worker(&[0], &ingest(1000)).await;
    first.until(|running| running.member.position(&key(0)) == Some(6)).await;
    first.member.tell(Event::Revoked);
    // The last flush is begun, but nothing else gets to run before patience ends.
    assert!(first.step() && first.step());
    assert_eq!(first.member.given_back(), 0);
    place.clock.advance(Duration::from_secs(10));
    assert!(first.step());
    assert_eq!(first.member.given_back(), 1);
    let mut second = place.worker(&[0], &ingest(6)).await;
    second.until_position(&mut place, 0, 6).await;
    // Partitions that are lost take what was read with them.
    place.produce(0, 6..9);
    second.until(|running| running.member.position(&key(0)) == Some(9)).await;
    second.member.tell(Event::Lost);
    second.until(|running| running.member.given_back() == 1).await;
    assert_eq!(place.position(0).await, Some(6));
    second.member.tell(Event::Assigned(vec![key(0)]));
    second.until(|running| running.member.position(&key(0)) == Some(9)).await;
    second.end().await;
    assert_eq!(place.position(0).await, Some(9));
    assert_eq!(place.house.count("SELECT count(*) FROM attempts").await, 9);
    assert_eq!(place.house.count("SELECT count(DISTINCT src_offset) FROM attempts").await, 9);
}

/// Rows, rejects and T of ten records of which two have times that cannot be. Before each of them is read, `wall` sets
/// the clock on the wall.
async fn read_by(wall: impl Fn(usize) -> i64) -> (Vec<String>, Vec<String>, Option<i64>) {
    let mut place = Place::new(1).await;
    let mut running = place.worker(&[0], &ingest(3)).await;
    for id in 0..10 {
        place.clock.set_wall(wall(id));
        let offset = id as i64;
        let millis = if id == 4 { 0 } else { NOON_US / 1000 + offset };
        let record = native(&format!("r{id}"));
        // One began two days after it was appended.
        let record = if id == 7 { record.replace("2026-11-25T11", "2026-11-27T13") } else { record };
        place.broker.produce(&key(0), millis, Some(record));
        running.until(|running| running.member.position(&key(0)) == Some(offset + 1)).await;
    }
    running.end().await;
    let rows = "SELECT event_id, started_at, ingested_at, src_offset FROM attempts ORDER BY src_offset";
    let rejects = "SELECT src_offset, reason, detail, received_at FROM rejects ORDER BY src_offset";
    (place.house.ask(rows).await, place.house.ask(rejects).await, place.position(0).await)
}

#[tokio::test]
async fn a_wall_clock_that_jumps_a_day_to_and_fro_changes_no_row_and_refuses_nothing() {
    let steady = read_by(|_| NOON_US).await;
    let jumping = read_by(|id| NOON_US + [-DAY_US, DAY_US, 0][id % 3]).await;
    assert_eq!(jumping, steady);
    let (rows, rejects, position) = steady;
    assert_eq!((rows.len(), position), (9, Some(10)));
    assert_eq!(rejects.len(), 1, "{rejects:?}");
    assert!(rejects[0].starts_with("7|"), "{rejects:?}");
}
