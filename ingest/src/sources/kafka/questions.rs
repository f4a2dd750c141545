//! librdkafka's answers.
//!
//! A client of its own asks the brokers, so that no answer is waited for where messages are polled.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use rdkafka::TopicPartitionList;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::error::KafkaError;
use rdkafka::topic_partition_list::Offset;

use super::broker::{Asked, Broker, Firsts, Layout, Told};
use super::client::{self, Quiet};
use super::stopped::Cause;
use super::stopped::Key;
use crate::config::Kafka;

/// One question.
const ASK: Duration = Duration::from_secs(20);

#[derive(Clone)]
pub(super) struct Brokers {
    client: Arc<BaseConsumer<Quiet>>,
}

impl Brokers {
    pub(super) fn connect(config: &Kafka) -> Result<Self, client::Error> {
        let mut settings = client::common(config);
        for (name, value) in &config.properties {
            settings.set(name, value);
        }
        // The end of a partition is where a consumer of committed records ends.
        settings.set("isolation.level", "read_committed");
        let client = settings.create_with_context(Quiet::default()).map_err(client::Error::create)?;
        Ok(Self { client: Arc::new(client) })
    }

    /// Asks on a thread that may block.
    fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&Self) -> Result<T, KafkaError> + Send + 'static,
    ) -> Asked<'_, T> {
        let brokers = self.clone();
        Box::pin(async move {
            let asked = tokio::task::spawn_blocking(move || question(&brokers)).await;
            // The runtime ends.
            asked.unwrap_or(Err(KafkaError::Canceled))
        })
    }

    fn layout_of(&self, topics: &BTreeSet<String>) -> Result<Layout, KafkaError> {
        // Nobody else takes what the client says of itself; its context has logged it.
        while self.client.poll(Duration::ZERO).is_some() {}
        let mut layout = Vec::new();
        for name in topics {
            let metadata = self.client.fetch_metadata(Some(name), ASK)?;
            for topic in metadata.topics().iter().filter(|topic| topic.name() == name) {
                for partition in topic.partitions() {
                    let has_leader = partition.leader() >= 0 && partition.error().is_none();
                    layout.push(((name.to_owned(), partition.id()), has_leader));
                }
            }
        }
        Ok(layout.into_iter().collect())
    }

    fn bounds_of(&self, keys: &[Key]) -> Result<Told<(i64, i64)>, KafkaError> {
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

impl Broker for Brokers {
    fn layout(&self, topics: BTreeSet<String>) -> Asked<'_, Layout> {
        self.ask(move |brokers| brokers.layout_of(&topics))
    }

    fn bounds(&self, keys: Vec<Key>) -> Asked<'_, Told<(i64, i64)>> {
        self.ask(move |brokers| brokers.bounds_of(&keys))
    }

    fn first_at(&self, keys: Vec<Key>, millis: i64) -> Asked<'_, Firsts> {
        self.ask(move |brokers| {
            let found = brokers.offsets(&keys, Offset::Offset(millis))?;
            let place = |offset: Result<i64, Cause>| offset.ok().filter(|offset| *offset >= 0);
            Ok(found.into_iter().map(|(key, offset)| (key, place(offset))).collect())
        })
    }
}
