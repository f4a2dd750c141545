//! Appends to a Kafka topic: idempotent, acknowledged by all in-sync replicas.

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use bellwether_warehouse::health::State;
use futures::future::{BoxFuture, try_join_all};
use rdkafka::ClientConfig;
use rdkafka::error::KafkaError;
use rdkafka::producer::{FutureProducer, FutureRecord, Producer};
use rdkafka::util::Timeout;

use super::appender::{AppendError, Appender, Outgoing};
use super::reach::{Reach, TOLD_EVERY_MILLIS};
use crate::config::Kafka;
use crate::sources::kafka::{ClientError, common, contact};

/// How long a full producer queue is waited for before the sender is told to come back.
const QUEUE: Duration = Duration::from_secs(5);
/// How long a record may be on its way.
const DELIVERY_MILLIS: &str = "30000";

#[derive(Clone)]
pub struct KafkaAppender {
    client: ClientConfig,
    /// Replaced when it has ended for good: an idempotent producer never recovers from a fatal error.
    producer: Arc<RwLock<FutureProducer<Reach>>>,
    topic: String,
    reach: Reach,
}

impl KafkaAppender {
    /// Contacts the brokers. Blocks for up to the connect time-out.
    ///
    /// # Errors
    /// The brokers do not answer or the topic does not exist.
    pub fn connect(config: &Kafka, topic: &str) -> Result<Self, ClientError> {
        contact(config, &[topic])?;
        let mut client = common(config);
        client.set("compression.type", "zstd");
        client.set("linger.ms", "5");
        client.set("delivery.timeout.ms", DELIVERY_MILLIS);
        for (name, value) in &config.properties {
            client.set(name, value);
        }
        client.set("acks", "all");
        client.set("enable.idempotence", "true");
        client.set("statistics.interval.ms", TOLD_EVERY_MILLIS);
        let reach = Reach::default();
        let producer = client.create_with_context(reach.clone()).map_err(ClientError::create)?;
        Ok(Self { client, producer: Arc::new(RwLock::new(producer)), topic: topic.to_owned(), reach })
    }

    /// For the readiness of the process.
    pub fn state(&self) -> State {
        self.reach.state()
    }

    fn producer(&self) -> FutureProducer<Reach> {
        self.producer.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Puts a new producer in the place of one that a fatal error has ended.
    fn replace_if_ended(&self) {
        let mut producer = self.producer.write().unwrap_or_else(PoisonError::into_inner);
        let Some((_, reason)) = producer.client().fatal_error() else { return };
        match self.client.create_with_context(self.reach.clone()) {
            Ok(fresh) => {
                tracing::warn!(
                    topic = self.topic,
                    reason,
                    "the producer has ended; a new one takes its place"
                );
                let ended = std::mem::replace(&mut *producer, fresh);
                // Its end waits for a thread.
                tokio::task::spawn_blocking(move || drop(ended));
            }
            Err(error) => tracing::error!(
                topic = self.topic,
                reason,
                error = &error as &dyn std::error::Error,
                "the producer has ended, and no new one can be made; trying again with the next records"
            ),
        }
    }

    /// Waits for what is on its way. Blocks.
    ///
    /// # Errors
    /// Something was still on its way when `patience` ended.
    pub fn flush(&self, patience: Duration) -> Result<(), KafkaError> {
        self.producer().flush(Timeout::After(patience))
    }
}

impl fmt::Debug for KafkaAppender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KafkaAppender").field("topic", &self.topic).finish_non_exhaustive()
    }
}

impl Appender for KafkaAppender {
    fn append(&self, records: Vec<Outgoing>) -> BoxFuture<'_, Result<(), AppendError>> {
        Box::pin(async move {
            let producer = self.producer();
            let sent = records.iter().map(|outgoing| {
                let mut record = FutureRecord::to(&self.topic).payload(&outgoing.payload);
                if let Some(key) = &outgoing.key {
                    record = record.key(key);
                }
                producer.send(record, QUEUE)
            });
            match try_join_all(sent).await {
                Ok(_) => {
                    self.reach.appended();
                    Ok(())
                }
                Err((error, _)) => {
                    self.reach.failed(&error);
                    self.replace_if_ended();
                    Err(AppendError::new(error))
                }
            }
        })
    }
}
