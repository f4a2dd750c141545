//! A broker in memory, for one thread: topics, and members that are told what the test wants them to be told.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use futures::FutureExt;
use rdkafka::error::KafkaError;

use super::broker::{Asked, Broker, Event, Firsts, Layout, Member, Place, Record, Told};
use super::stopped::Key;

/// Clones are the same broker.
#[derive(Clone, Default)]
pub(super) struct MemoryBroker(Arc<Mutex<Log>>);

#[derive(Default)]
struct Log {
    partitions: BTreeMap<Key, Vec<Stored>>,
    /// What was written to the group.
    mirrored: BTreeMap<Key, i64>,
}

#[derive(Clone)]
struct Stored {
    millis: i64,
    payload: Option<String>,
}

impl MemoryBroker {
    pub(super) fn with_partitions(topic: &str, count: i32) -> Self {
        let broker = Self::default();
        let partitions = (0..count).map(|partition| ((topic.to_owned(), partition), Vec::new()));
        broker.log().partitions.extend(partitions);
        broker
    }

    pub(super) fn produce(&self, key: &Key, millis: i64, payload: Option<String>) {
        self.log().partitions.get_mut(key).unwrap().push(Stored { millis, payload });
    }

    pub(super) fn mirrored(&self, key: &Key) -> Option<i64> {
        self.log().mirrored.get(key).copied()
    }

    pub(super) fn join(&self) -> Arc<MemoryMember> {
        Arc::new(MemoryMember { broker: self.clone(), seat: Mutex::default() })
    }

    fn log(&self) -> MutexGuard<'_, Log> {
        self.0.lock().unwrap()
    }

    fn end(&self, key: &Key) -> i64 {
        self.log().partitions.get(key).map_or(0, Vec::len) as i64
    }
}

impl Broker for MemoryBroker {
    fn layout(&self, topics: BTreeSet<String>) -> Asked<'_, Layout> {
        let known =
            self.log().partitions.keys().filter(|key| topics.contains(&key.0)).cloned().collect::<Vec<_>>();
        async move { Ok(known.into_iter().map(|key| (key, true)).collect()) }.boxed()
    }

    fn bounds(&self, keys: Vec<Key>) -> Asked<'_, Told<(i64, i64)>> {
        async move { Ok(keys.into_iter().map(|key| (key.clone(), Ok((0, self.end(&key))))).collect()) }
            .boxed()
    }

    fn first_at(&self, keys: Vec<Key>, millis: i64) -> Asked<'_, Firsts> {
        let first = move |key: Key| {
            let log = self.log();
            let at = log.partitions.get(&key)?.iter().position(|stored| stored.millis >= millis)?;
            Some((key, Some(at as i64)))
        };
        async move { Ok(keys.into_iter().filter_map(first).collect()) }.boxed()
    }
}

/// A seat in the group. Nothing is negotiated: the test tells.
pub(super) struct MemoryMember {
    broker: MemoryBroker,
    seat: Mutex<Seat>,
}

#[derive(Default)]
struct Seat {
    told: VecDeque<Event<'static>>,
    fetched: BTreeMap<Key, i64>,
    paused: BTreeSet<Key>,
    /// How often everything was given back.
    given_back: usize,
}

impl MemoryMember {
    pub(super) fn tell(&self, event: Event<'static>) {
        self.seat().told.push_back(event);
    }

    pub(super) fn given_back(&self) -> usize {
        self.seat().given_back
    }

    /// The next offset that is fetched.
    pub(super) fn position(&self, key: &Key) -> Option<i64> {
        self.seat().fetched.get(key).copied()
    }

    fn seat(&self) -> MutexGuard<'_, Seat> {
        self.seat.lock().unwrap()
    }

    /// The next record of the first partition that has one.
    fn next(&self) -> Option<(Key, i64, Stored)> {
        let mut guard = self.seat();
        let Seat { fetched, paused, .. } = &mut *guard;
        let log = self.broker.log();
        fetched.iter_mut().filter(|(key, _)| !paused.contains(key)).find_map(|(key, next)| {
            let stored = log.partitions.get(key)?.get(usize::try_from(*next).ok()?)?.clone();
            *next += 1;
            Some((key.clone(), *next - 1, stored))
        })
    }
}

impl Member for MemoryMember {
    fn poll(&self, _: Duration, take: &mut dyn FnMut(Event<'_>)) -> bool {
        let told = self.seat().told.pop_front();
        if let Some(event) = told {
            take(event);
            return true;
        }
        let Some(((topic, partition), offset, Stored { millis, payload })) = self.next() else {
            return false;
        };
        let payload = payload.as_deref().map(str::as_bytes);
        take(Event::Record(Record { topic: &topic, partition, offset, millis, payload }));
        true
    }

    fn assign(&self, places: &[Place]) -> Result<(), KafkaError> {
        self.seat().fetched = places.iter().cloned().collect();
        Ok(())
    }

    fn unassign(&self) -> Result<(), KafkaError> {
        let mut seat = self.seat();
        seat.fetched.clear();
        seat.given_back += 1;
        Ok(())
    }

    fn pause(&self, places: &[Place]) -> Result<(), KafkaError> {
        self.seat().paused.extend(places.iter().map(|(key, _)| key.clone()));
        Ok(())
    }

    fn resume(&self, places: &[Place]) -> Result<(), KafkaError> {
        let mut seat = self.seat();
        places.iter().for_each(|(key, _)| {
            seat.paused.remove(key);
        });
        Ok(())
    }

    fn positions(&self) -> Vec<Place> {
        self.seat().fetched.iter().map(|(key, next)| (key.clone(), *next)).collect()
    }

    fn mirror(&self, places: &[Place]) {
        self.broker.log().mirrored.extend(places.iter().cloned());
    }
}
