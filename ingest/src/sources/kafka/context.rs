//! librdkafka's callbacks. They run while the consumer is polled and only note what happened: the worker takes it from
//! there as soon as the poll has returned, before it polls again.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::KafkaError;
use rdkafka::statistics::Statistics;
use rdkafka::topic_partition_list::TopicPartitionList;
use rdkafka::types::RDKafkaRespErr;

use super::broker::Event;
use crate::metric;

/// Called on the polling thread only; the lock is there because librdkafka cannot know that.
#[derive(Clone, Default)]
pub(super) struct Context {
    told: Arc<Mutex<Vec<Event<'static>>>>,
    is_leaving: Arc<AtomicBool>,
}

impl Context {
    /// What happened since the last call.
    pub(super) fn told(&self) -> Vec<Event<'static>> {
        std::mem::take(&mut *self.lock())
    }

    /// From now on nobody takes what is told.
    pub(super) fn leave(&self) {
        self.is_leaving.store(true, Ordering::Relaxed);
    }

    fn tell(&self, event: Event<'static>) {
        self.lock().push(event);
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Event<'static>>> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
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
        let mut ends = Vec::new();
        for (topic, told) in &statistics.topics {
            for (number, partition) in &told.partitions {
                if partition.hi_offset >= 0 {
                    ends.push(((topic.clone(), *number), partition.hi_offset));
                }
            }
        }
        self.tell(Event::Ends(ends));
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
        let event = match event {
            RDKafkaRespErr::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS => "assign",
            RDKafkaRespErr::RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS if !consumer.assignment_lost() => "revoke",
            _ => "lost",
        };
        metrics::counter!(metric::REBALANCES, "event" => event).increment(1);
        tracing::info!(event, partitions = partitions.len(), "the group changes what this worker reads");
        if self.is_leaving.load(Ordering::Relaxed) {
            if let Err(error) = consumer.unassign() {
                tracing::warn!(error = &error as &dyn std::error::Error, "failed to give partitions back");
            }
            return;
        }
        self.tell(match event {
            "assign" => Event::Assigned(partitions),
            "revoke" => Event::Revoked,
            _ => Event::Lost,
        });
    }
}
