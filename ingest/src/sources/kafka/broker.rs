//! Questions to the brokers, each asked once for all partitions.
//!
//! A client of its own asks them, so that no answer is waited for where messages are polled.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use rdkafka::TopicPartitionList;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::topic_partition_list::Offset;

use super::client::{self, Quiet};
use super::stopped::Cause;
use crate::config::Kafka;

/// One question.
const ASK: Duration = Duration::from_secs(20);

/// Topic and partition.
pub(super) type Key = (String, i32);

/// An answer about each partition.
pub(super) type Told<T> = BTreeMap<Key, Result<T, Cause>>;

pub(super) struct Broker {
    client: BaseConsumer<Quiet>,
}

/// The partitions of some topics, and whether each has a leader to ask.
#[derive(Debug, Default)]
pub(super) struct Layout(BTreeMap<Key, bool>);

impl Layout {
    pub(super) fn partitions(&self, topic: &str) -> Vec<Key> {
        self.0.keys().filter(|(name, _)| name == topic).cloned().collect()
    }

    pub(super) fn has_leader(&self, key: &Key) -> bool {
        self.0.get(key).copied().unwrap_or_default()
    }
}

impl Broker {
    pub(super) fn connect(config: &Kafka) -> Result<Self, client::Error> {
        let mut settings = client::common(config);
        for (name, value) in &config.properties {
            settings.set(name, value);
        }
        // The end of a partition is where a consumer of committed records ends.
        settings.set("isolation.level", "read_committed");
        let client = settings.create_with_context(Quiet).map_err(client::Error::create)?;
        Ok(Self { client })
    }

    pub(super) fn layout(&self, topics: &BTreeSet<&str>) -> Result<Layout, KafkaError> {
        // Nobody else takes what the client says of itself; its context has logged it.
        while self.client.poll(Duration::ZERO).is_some() {}
        let mut layout = Layout::default();
        for &name in topics {
            let metadata = self.client.fetch_metadata(Some(name), ASK)?;
            for topic in metadata.topics().iter().filter(|topic| topic.name() == name) {
                for partition in topic.partitions() {
                    let has_leader = partition.leader() >= 0 && partition.error().is_none();
                    layout.0.insert((name.to_owned(), partition.id()), has_leader);
                }
            }
        }
        Ok(layout)
    }

    /// Oldest offset of each partition, and the offset behind its newest.
    pub(super) fn bounds(&self, keys: &[Key]) -> Result<Told<(i64, i64)>, KafkaError> {
        let low = self.offsets(keys, Offset::Beginning)?;
        let mut high = self.offsets(keys, Offset::End)?;
        Ok(low
            .into_iter()
            .map(|(key, low)| {
                let high = high.remove(&key).unwrap_or(Err(Cause::NoLeader));
                let bounds = low.and_then(|low| Ok((low, high?)));
                (key, bounds)
            })
            .collect())
    }

    /// Offset of the first record with this time (ms) or later, where there is one.
    pub(super) fn first_at(
        &self,
        keys: &[Key],
        millis: i64,
    ) -> Result<BTreeMap<Key, Option<i64>>, KafkaError> {
        let found = self.offsets(keys, Offset::Offset(millis))?;
        Ok(found.into_iter().map(|(key, offset)| (key, offset.ok().filter(|offset| *offset >= 0))).collect())
    }

    fn offsets(&self, keys: &[Key], what: Offset) -> Result<Told<i64>, KafkaError> {
        if keys.is_empty() {
            return Ok(BTreeMap::new());
        }
        let mut asked = TopicPartitionList::with_capacity(keys.len());
        for (topic, partition) in keys {
            asked.add_partition_offset(topic, *partition, what)?;
        }
        let answered = self.client.offsets_for_times(asked, ASK)?;
        Ok(answered
            .elements()
            .iter()
            .map(|element| {
                let key = (element.topic().to_owned(), element.partition());
                let offset = match (element.error(), element.offset()) {
                    (Err(error), _) => Err(Cause::Broker(error)),
                    (Ok(()), Offset::Offset(offset)) => Ok(offset),
                    // Behind all records of a time that was asked for.
                    (Ok(()), _) => Ok(-1),
                };
                (key, offset)
            })
            .collect())
    }
}
