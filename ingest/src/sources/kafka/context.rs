//! librdkafka's callbacks: they hand rebalances to the worker's state and logs to ours.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::KafkaError;
use rdkafka::statistics::Statistics;
use rdkafka::topic_partition_list::TopicPartitionList;
use rdkafka::types::RDKafkaRespErr;

use super::partitions::State;
use crate::metric;

/// Called on the polling thread only; the lock is there because librdkafka cannot know that.
#[derive(Clone)]
pub(super) struct Context {
    state: Arc<Mutex<State>>,
}

impl Context {
    pub(super) fn new(state: State) -> Self {
        Self { state: Arc::new(Mutex::new(state)) }
    }

    /// The worker's state. Must not be held while polling.
    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ClientContext for Context {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        match level {
            RDKafkaLogLevel::Debug | RDKafkaLogLevel::Info => {
                tracing::debug!(target: "librdkafka", facility, "{message}");
            }
            _ => tracing::warn!(target: "librdkafka", facility, "{message}"),
        }
    }

    fn error(&self, error: KafkaError, reason: &str) {
        // librdkafka goes on by itself.
        tracing::warn!(target: "librdkafka", %error, "{reason}");
    }

    fn stats(&self, statistics: Statistics) {
        let mut state = self.state();
        for (key, owned) in &mut state.owned {
            let partition = statistics.topics.get(&key.0).and_then(|topic| topic.partitions.get(&key.1));
            if let Some(high) = partition.map(|partition| partition.hi_offset).filter(|high| *high >= 0) {
                owned.stands(key, None, Some(high));
            }
        }
    }
}

impl ConsumerContext for Context {
    fn rebalance(
        &self,
        consumer: &BaseConsumer<Self>,
        event: RDKafkaRespErr,
        partitions: &mut TopicPartitionList,
    ) {
        let partitions: Vec<(String, i32)> = partitions
            .elements()
            .iter()
            .map(|partition| (partition.topic().to_owned(), partition.partition()))
            .collect();
        let mut state = self.state();
        let event = match event {
            RDKafkaRespErr::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS => "assign",
            RDKafkaRespErr::RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS if !consumer.assignment_lost() => "revoke",
            _ => "lost",
        };
        metrics::counter!(metric::REBALANCES, "event" => event).increment(1);
        tracing::info!(event, partitions = partitions.len(), "the group changes what this worker reads");
        match event {
            "assign" => state.take(consumer, partitions),
            "revoke" => {
                state.flush_before_revoke(consumer);
                state.give_up(consumer);
            }
            _ => state.give_up(consumer),
        }
    }
}
