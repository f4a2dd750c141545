//! librdkafka's consumer as the worker's place in its group.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bellwether_warehouse::World;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer as _};
use rdkafka::error::KafkaError;
use rdkafka::topic_partition_list::Offset;
use rdkafka::types::RDKafkaErrorCode;
use rdkafka::{Message as _, TopicPartitionList};
use tokio::runtime::Handle;

use super::broker::{Event, Member, Place, Record};
use super::client;
use super::context::Context;
use crate::config::Kafka;
use crate::sources::Error;

/// How long librdkafka may take to forget the positions of an earlier assignment.
const RESET: Duration = Duration::from_secs(1);
/// Between two looks whether it has.
const LOOK: Duration = Duration::from_millis(1);

pub(super) struct GroupMember {
    consumer: BaseConsumer<Context>,
    runtime: Handle,
    world: World,
    /// Positions that librdkafka tells are those of the present assignment.
    follows_ends: AtomicBool,
}

impl GroupMember {
    /// Asks the group for partitions of the configured topics.
    pub(super) fn join(
        config: &Kafka,
        queue_bytes: usize,
        brokers: usize,
        runtime: Handle,
        world: World,
    ) -> Result<Self, Error> {
        let consumer: BaseConsumer<Context> = client::consumer(config, queue_bytes, brokers)
            .create_with_context(Context::default())
            .map_err(|error| Error::Client(client::Error::create(error)))?;
        let topics: Vec<&str> = config.topics.iter().map(|topic| topic.name.as_str()).collect();
        consumer.subscribe(&topics).map_err(Error::Kafka)?;
        Ok(Self { consumer, runtime, world, follows_ends: AtomicBool::new(false) })
    }

    /// Whether librdkafka has forgotten how far earlier assignments were read. It does so on a thread of its own;
    /// until then a position says nothing of this assignment. Nothing can be read meanwhile, as only polling moves
    /// positions.
    fn are_positions_reset(&self) -> bool {
        let until = self.world.now() + RESET;
        loop {
            let Ok(positions) = self.consumer.position() else { return false };
            if positions.elements().iter().all(|element| !matches!(element.offset(), Offset::Offset(_))) {
                return true;
            }
            if self.world.now() > until {
                return false;
            }
            self.runtime.block_on(self.world.sleep(LOOK));
        }
    }
}

impl Drop for GroupMember {
    /// Closing the consumer gives its partitions back, when nobody takes events any more.
    fn drop(&mut self) {
        self.consumer.context().leave();
    }
}

impl Member for GroupMember {
    fn poll(&self, wait: Duration, take: &mut dyn FnMut(Event<'_>)) -> bool {
        let polled = self.consumer.poll(wait);
        let told = self.consumer.context().told();
        let has_come = polled.is_some() || !told.is_empty();
        // The callbacks ran before the message was handed out.
        told.into_iter().for_each(&mut *take);
        match polled {
            None => {}
            Some(Ok(message)) => take(Event::Record(Record {
                topic: message.topic(),
                partition: message.partition(),
                offset: message.offset(),
                millis: message.timestamp().to_millis().unwrap_or_default(),
                payload: message.payload(),
            })),
            Some(Err(error)) => take(failure(error)),
        }
        has_come
    }

    fn assign(&self, places: &[Place]) -> Result<(), KafkaError> {
        self.consumer.assign(&list(places)?)?;
        self.follows_ends.store(self.are_positions_reset(), Ordering::Relaxed);
        Ok(())
    }

    fn unassign(&self) -> Result<(), KafkaError> {
        self.consumer.unassign()
    }

    fn pause(&self, places: &[Place]) -> Result<(), KafkaError> {
        self.consumer.pause(&list(places)?)
    }

    fn resume(&self, places: &[Place]) -> Result<(), KafkaError> {
        self.consumer.resume(&list(places)?)
    }

    fn positions(&self) -> Vec<Place> {
        if !self.follows_ends.load(Ordering::Relaxed) {
            return Vec::new();
        }
        let Ok(positions) = self.consumer.position() else { return Vec::new() };
        let known = positions.elements().into_iter().filter_map(|element| match element.offset() {
            Offset::Offset(at) => Some(((element.topic().to_owned(), element.partition()), at)),
            _ => None,
        });
        known.collect()
    }

    fn mirror(&self, places: &[Place]) {
        let mirrored = list(places).and_then(|offsets| self.consumer.commit(&offsets, CommitMode::Async));
        if let Err(error) = mirrored {
            tracing::debug!(
                error = &error as &dyn std::error::Error,
                "failed to mirror positions to the group"
            );
        }
    }
}

fn list(places: &[Place]) -> Result<TopicPartitionList, KafkaError> {
    let mut list = TopicPartitionList::with_capacity(places.len());
    for ((topic, partition), offset) in places {
        list.add_partition_offset(topic, *partition, Offset::Offset(*offset))?;
    }
    Ok(list)
}

fn failure(error: KafkaError) -> Event<'static> {
    match error {
        KafkaError::MessageConsumptionFatal(_) => Event::Fatal(error),
        KafkaError::MessageConsumption(
            RDKafkaErrorCode::AutoOffsetReset | RDKafkaErrorCode::OffsetOutOfRange,
        ) => Event::OutOfRange,
        error => Event::Trouble(error),
    }
}
