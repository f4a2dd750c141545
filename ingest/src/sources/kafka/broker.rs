//! What the worker asks of Kafka: a membership in a group, which it polls, and answers of the brokers.
//!
//! librdkafka gives both (`member`, `questions`), and so does a broker in memory (`memory`) for tests.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures::future::BoxFuture;
use rdkafka::error::KafkaError;

use super::stopped::{Cause, Key};

/// An answer about each partition.
pub(super) type Told<T> = BTreeMap<Key, Result<T, Cause>>;

/// An answer that may take as long as the network does.
pub(super) type Asked<'a, T> = BoxFuture<'a, Result<T, KafkaError>>;

/// First offsets from some time on, where there are any.
pub(super) type Firsts = BTreeMap<Key, Option<i64>>;

/// A partition, and the next offset of it.
pub(super) type Place = (Key, i64);

/// What polling may give.
#[derive(Debug)]
pub(super) enum Event<'a> {
    Record(Record<'a>),
    /// These partitions are ours and no others. The group waits until `assign` is called.
    Assigned(Vec<Key>),
    /// All partitions are to be given back. The group waits until `unassign` is called, but not for ever.
    Revoked,
    /// The group has given all partitions to others already. `unassign` is to be called all the same.
    Lost,
    /// The offsets behind the newest records of some partitions.
    Ends(Vec<Place>),
    /// Some partition was to be read from where its broker has nothing.
    OutOfRange,
    /// Something that passes by itself.
    Trouble(KafkaError),
    /// Nothing will come any more.
    Fatal(KafkaError),
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Record<'a> {
    pub(super) topic: &'a str,
    pub(super) partition: i32,
    pub(super) offset: i64,
    /// The broker's or the producer's time, as the topic is set up: the same on every reading.
    pub(super) millis: i64,
    pub(super) payload: Option<&'a [u8]>,
}

/// One worker's place in its group.
pub(super) trait Member: Send + Sync {
    /// Hands what came to `take`, in its order. Waits for something at most so long. False: nothing came.
    fn poll(&self, wait: Duration, take: &mut dyn FnMut(Event<'_>)) -> bool;

    /// Fetches exactly these partitions, from these offsets on. What was fetched before is dropped; what was paused
    /// stays paused.
    fn assign(&self, places: &[Place]) -> Result<(), KafkaError>;

    /// Fetches nothing any more, and tells the group so.
    fn unassign(&self) -> Result<(), KafkaError>;

    fn pause(&self, places: &[Place]) -> Result<(), KafkaError>;

    fn resume(&self, places: &[Place]) -> Result<(), KafkaError>;

    /// How far the present assignment was read, also over what is no record (transaction markers, aborted records);
    /// partitions of which that is not known are left out.
    fn positions(&self) -> Vec<Place>;

    /// Writes committed positions to the group, for tools that look there. Nobody waits for it.
    fn mirror(&self, places: &[Place]);
}

/// Questions, each asked once for all partitions.
pub(super) trait Broker: Send + Sync {
    fn layout(&self, topics: BTreeSet<String>) -> Asked<'_, Layout>;

    /// Oldest offset of each partition, and the offset behind its newest.
    fn bounds(&self, keys: Vec<Key>) -> Asked<'_, Told<(i64, i64)>>;

    /// Offset of the first record with this time (ms) or later, where there is one.
    fn first_at(&self, keys: Vec<Key>, millis: i64) -> Asked<'_, Firsts>;
}

/// The partitions of some topics, and whether each has a leader to ask.
#[derive(Debug, Default)]
pub(super) struct Layout(BTreeMap<Key, bool>);

impl FromIterator<(Key, bool)> for Layout {
    fn from_iter<I: IntoIterator<Item = (Key, bool)>>(partitions: I) -> Self {
        Self(partitions.into_iter().collect())
    }
}

impl Layout {
    pub(super) fn partitions(&self, topic: &str) -> Vec<Key> {
        self.0.keys().filter(|(name, _)| name == topic).cloned().collect()
    }

    pub(super) fn has_leader(&self, key: &Key) -> bool {
        self.0.get(key).copied().unwrap_or_default()
    }
}
