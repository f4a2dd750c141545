//! Partitions that stand still, and why.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rdkafka::error::KafkaError;

use crate::metric;
use crate::sink::Waits;

/// Topic and partition.
pub(super) type Key = (String, i32);

/// Why a partition is not read.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Cause {
    #[error(
        "the table stands at offset {position}, but the broker's oldest record is {low}: what lay between was deleted \
         before it was ingested, or held only transaction markers or compacted records; set `on_gap = \"skip\"` to go \
         on behind it"
    )]
    Gap { position: i64, low: i64 },
    #[error(
        "the table stands at offset {position}, but the broker ends at {high}: the topic was recreated; raise its \
         `incarnation`"
    )]
    Recreated { position: i64, high: i64 },
    #[error(
        "the tables hold a topic of this name from the cluster `{cluster}`, and could not tell the records of both apart: \
         raise the topic's `incarnation`"
    )]
    OtherCluster { cluster: String },
    #[error("it has no leader; bring its brokers back")]
    NoLeader,
    #[error("the brokers do not say where it begins and ends")]
    Broker(#[source] KafkaError),
    #[error("the tables cannot be read or written")]
    Table(#[source] Arc<dyn std::error::Error + Send + Sync>),
    #[error("the label secrets cannot be read")]
    Secrets(#[source] Arc<dyn std::error::Error + Send + Sync>),
    #[error(
        "too many of the records before offset {position} were rejected; see the table `rejects`, correct the topic's \
         `format` or raise `ingest.max_reject_share`, or run `bellwether ingest resume` to go on as it is"
    )]
    Poison { position: i64 },
}

impl Cause {
    /// Whether trying again may help; the other kind waits for an operator.
    pub fn passes(&self) -> bool {
        !matches!(self, Self::Poison { .. })
    }
}

/// The stopped partitions of this process, for whoever tells of its health. Clones show the same.
#[derive(Clone, Default)]
pub struct Stopped {
    standings: Arc<Mutex<Standings>>,
    tell: Option<Arc<Tell>>,
    waits: Waits,
}

type Tell = dyn Fn(&Stopped) + Send + Sync;

#[derive(Debug, Default)]
struct Standings {
    stopped: BTreeMap<Key, String>,
    reading: usize,
}

impl fmt::Debug for Stopped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.standings.fmt(f)
    }
}

impl Stopped {
    /// Calls `tell` after each change.
    pub fn telling(tell: impl Fn(&Self) + Send + Sync + 'static) -> Self {
        Self { tell: Some(Arc::new(tell)), ..Self::default() }
    }

    /// Tells here, too, that the worker waits for storage.
    pub fn with_waits(mut self, waits: Waits) -> Self {
        self.waits = waits;
        self
    }

    pub(super) fn waits(&self) -> Waits {
        self.waits.clone()
    }

    /// Topic, partition and cause of each.
    pub fn list(&self) -> Vec<(String, i32, String)> {
        let standings = self.lock();
        standings
            .stopped
            .iter()
            .map(|((topic, partition), why)| (topic.clone(), *partition, why.clone()))
            .collect()
    }

    /// Whether nothing moves: partitions are stopped and none is read.
    pub fn is_all(&self) -> bool {
        let standings = self.lock();
        standings.reading == 0 && !standings.stopped.is_empty()
    }

    /// False: it is stopped for the same cause already.
    pub(super) fn stop(&self, key: &Key, cause: &Cause) -> bool {
        let why = bellwether_warehouse::chain(cause);
        gauge(key).set(1.0);
        let before = self.lock().stopped.insert(key.clone(), why.clone());
        let is_new = before.is_none_or(|before| before != why);
        if is_new {
            self.changed();
        }
        is_new
    }

    /// The partition is read, or is no longer ours.
    pub(super) fn clear(&self, key: &Key) {
        let was_stopped = self.lock().stopped.remove(key).is_some();
        if was_stopped {
            gauge(key).set(0.0);
            self.changed();
        }
    }

    pub(super) fn reading(&self, partitions: usize) {
        let before = std::mem::replace(&mut self.lock().reading, partitions);
        if (before == 0) != (partitions == 0) {
            self.changed();
        }
    }

    fn changed(&self) {
        if let Some(tell) = &self.tell {
            tell(self);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Standings> {
        self.standings.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn gauge((topic, partition): &Key) -> metrics::Gauge {
    metrics::gauge!(metric::STOPPED, "topic" => topic.clone(), "partition" => partition.to_string())
}

#[cfg(test)]
mod tests {
    use super::{Arc, Cause, Mutex, Stopped};

    #[test]
    fn each_change_is_told_once_and_all_means_that_nothing_moves() {
        let told = Arc::new(Mutex::new(Vec::new()));
        let stopped = {
            let told = Arc::clone(&told);
            Stopped::telling(move |stopped| {
                let partitions: Vec<i32> = stopped.list().into_iter().map(|(_, number, _)| number).collect();
                told.lock().unwrap().push((partitions, stopped.is_all()));
            })
        };
        let key = |partition| ("t".to_owned(), partition);
        let gap = Cause::Gap { position: 4, low: 6 };
        stopped.reading(2);
        assert!(stopped.stop(&key(1), &gap));
        assert!(!stopped.stop(&key(1), &gap));
        stopped.reading(1);
        stopped.reading(0);
        assert!(stopped.stop(&key(1), &Cause::NoLeader));
        stopped.clear(&key(1));
        stopped.clear(&key(1));
        assert_eq!(
            *told.lock().unwrap(),
            [(vec![], false), (vec![1], false), (vec![1], true), (vec![1], true), (vec![], false)]
        );
    }

    #[test]
    fn a_cause_tells_its_own_causes() {
        let stopped = Stopped::default();
        let source = std::io::Error::other("no space left");
        stopped.stop(&("t".to_owned(), 0), &Cause::Table(Arc::new(source)));
        let (topic, partition, why) = stopped.list().remove(0);
        assert_eq!((topic.as_str(), partition), ("t", 0));
        assert_eq!(why, "the tables cannot be read or written: no space left");
    }
}
