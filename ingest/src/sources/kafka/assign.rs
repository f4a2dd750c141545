//! The worker's state, and how it takes and gives up partitions.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use rdkafka::TopicPartitionList;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::topic_partition_list::Offset;
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;

use super::context::Context;
use super::flight::Flight;
use super::poison::Poison;
use crate::batch::{Batch, Encoding, Position, Range, Slot, Stream};
use crate::config::{OnGap, Start, Topic, TopicFormat};
use crate::formats::Format;
use crate::metric;
use crate::reject::{Reason, Reject};
use crate::sink::FlushReason;
use crate::sources::Error;

/// One question to a broker.
const ASK: Duration = Duration::from_secs(20);
/// How long a revoke waits for the last flush; well below the time after which the group goes on without us.
const REVOKE: Duration = Duration::from_secs(10);
/// How long tables and brokers may fail while partitions are taken, below librdkafka's poll interval of five
/// minutes.
const TAKE: Duration = Duration::from_secs(120);
const PAUSE: Duration = Duration::from_secs(1);

/// A partition that is being read.
#[derive(Debug)]
pub(super) struct Assigned {
    pub(super) slot: Slot,
    pub(super) encoding: Encoding,
    pub(super) poison: Poison,
}

pub(super) struct State {
    pub(super) topics: Vec<Topic>,
    pub(super) cluster: String,
    /// Ids remembered per partition.
    pub(super) window: usize,
    pub(super) runtime: Handle,
    pub(super) shutdown: CancellationToken,
    pub(super) flight: Flight,
    pub(super) batch: Batch,
    pub(super) assigned: BTreeMap<(String, i32), Assigned>,
    /// Partitions of ours that stopped.
    pub(super) stopped: usize,
    pub(super) fatal: Option<Error>,
}

enum Place {
    At { start: i64, position: Position, gap: Option<Reject> },
    Stopped(Error),
}

enum Trouble {
    Table(Box<dyn std::error::Error + Send + Sync>),
    Broker(KafkaError),
}

impl State {
    /// Takes these partitions and no others, each at its T. Nothing may be pending.
    pub(super) fn take(&mut self, consumer: &BaseConsumer<Context>, partitions: Vec<(String, i32)>) {
        self.forget();
        let mut places = TopicPartitionList::new();
        for (topic, partition) in partitions {
            match self.place_with_patience(consumer, &topic, partition) {
                Ok(Some(start)) => {
                    if let Err(error) = places.add_partition_offset(&topic, partition, Offset::Offset(start))
                    {
                        self.fatal = Some(Error::Kafka(error));
                        return;
                    }
                }
                Ok(None) => self.stopped += 1,
                Err(error) => {
                    self.fatal = Some(error);
                    return;
                }
            }
        }
        metrics::gauge!(metric::STOPPED).set(self.stopped as f64);
        // A partition that was paused for memory stays paused over an assignment.
        let result = consumer.assign(&places).and_then(|()| consumer.resume(&places));
        if let Err(error) = result {
            self.fatal = Some(Error::Kafka(error));
        }
    }

    /// Gives all partitions back.
    pub(super) fn give_up(&mut self, consumer: &BaseConsumer<Context>) {
        self.forget();
        if let Err(error) = consumer.unassign() {
            tracing::warn!(error = &error as &dyn std::error::Error, "failed to give partitions back");
        }
    }

    /// Commits what is pending, if that takes not too long.
    pub(super) fn flush_before_revoke(&mut self, consumer: &BaseConsumer<Context>) {
        self.flush_within(consumer, FlushReason::Revoke, REVOKE);
    }

    /// Waits for the flush under way and then for that of the rest. False: it did not come to pass.
    pub(super) fn flush_within(
        &mut self,
        consumer: &BaseConsumer<Context>,
        reason: FlushReason,
        patience: Duration,
    ) -> bool {
        let until = Instant::now() + patience;
        for _ in 0..2 {
            if self.flight.is_busy() {
                match self.flight.land(until.saturating_duration_since(Instant::now())) {
                    Some(Ok(flushed)) => mirror(consumer, &flushed.ranges),
                    Some(Err(error)) => {
                        tracing::warn!(error = &error as &dyn std::error::Error, "the last flush failed");
                        return false;
                    }
                    None => return false,
                }
            }
            if let Some(frozen) = self.batch.freeze()
                && let Err(error) = self.flight.begin(frozen, reason)
            {
                tracing::warn!(error = &error as &dyn std::error::Error, "the last flush could not begin");
                return false;
            }
        }
        true
    }

    fn forget(&mut self) {
        // A flush that is still under way here was not waited for by a revoke: its result decides nothing.
        self.flight.land(REVOKE);
        self.batch.clear();
        self.assigned.clear();
        self.stopped = 0;
    }

    /// Where to read a partition from; None: it is stopped.
    fn place_with_patience(
        &mut self,
        consumer: &BaseConsumer<Context>,
        topic: &str,
        partition: i32,
    ) -> Result<Option<i64>, Error> {
        let until = Instant::now() + TAKE;
        loop {
            let error = match self.place(consumer, topic, partition) {
                Ok(start) => return Ok(start),
                Err(error) => error,
            };
            let error: Box<dyn std::error::Error + Send + Sync> = match error {
                Trouble::Table(error) => error,
                Trouble::Broker(error) => Box::new(error),
            };
            if self.shutdown.is_cancelled() || Instant::now() > until {
                return Err(Error::Take { topic: topic.to_owned(), partition, source: error });
            }
            tracing::warn!(
                topic,
                partition,
                error = &*error as &dyn std::error::Error,
                "cannot take yet, trying again"
            );
            std::thread::sleep(PAUSE);
        }
    }

    fn place(
        &mut self,
        consumer: &BaseConsumer<Context>,
        name: &str,
        partition: i32,
    ) -> Result<Option<i64>, Trouble> {
        let Some(topic) = self.topics.iter().find(|topic| topic.name == name).cloned() else {
            return Ok(None);
        };
        let stream = Stream::kafka(&self.cluster, name, topic.incarnation, partition);
        let runtime = self.runtime.clone();
        let sink = self.flight.sink().map_err(table)?;
        let position = runtime.block_on(sink.position(&stream)).map_err(table)?;
        let (start, position, gap) =
            match locate(consumer, &topic, partition, position).map_err(Trouble::Broker)? {
                Place::At { start, position, gap } => (start, position, gap),
                Place::Stopped(error) => {
                    tracing::error!(error = &error as &dyn std::error::Error, "partition stopped");
                    return Ok(None);
                }
            };
        let sink = self.flight.sink().map_err(table)?;
        let window = runtime.block_on(sink.window(&stream, start, self.window)).map_err(table)?;
        // A gap begins at T, and is jumped over only in the batch, so that it is committed like a record.
        let begin = if gap.is_some() { position.attempts.unwrap_or(start) } else { start };
        let slot = self.batch.assign(stream, position, begin, window);
        if let Some(gap) = gap {
            self.batch.push_reject(slot, begin, chrono::Utc::now().timestamp_micros(), gap);
            self.batch.skip_to(slot, start);
        }
        tracing::info!(topic = name, partition, offset = start, "reading partition");
        let encoding = match topic.format {
            TopicFormat::Auto => Encoding::Raw(Format::Auto),
            TopicFormat::Native => Encoding::Raw(Format::Native),
            TopicFormat::LiteLlm => Encoding::Raw(Format::LiteLlm),
            TopicFormat::Appended => Encoding::Appended,
        };
        self.assigned
            .insert((name.to_owned(), partition), Assigned { slot, encoding, poison: Poison::default() });
        Ok(Some(start))
    }
}

/// Compares T with what the broker holds.
fn locate(
    consumer: &BaseConsumer<Context>,
    topic: &Topic,
    partition: i32,
    position: Position,
) -> Result<Place, KafkaError> {
    let name = &topic.name;
    let (low, high) = consumer.fetch_watermarks(name, partition, ASK)?;
    let Some(at) = position.attempts else {
        let start = match &topic.start {
            Start::Earliest => low,
            Start::Latest => high,
            Start::At(time) => first_at(consumer, name, partition, time.timestamp_millis())?.unwrap_or(high),
        };
        return Ok(Place::At { start, position, gap: None });
    };
    if at > high {
        // The topic was recreated: its offsets mean other records now.
        let (topic, position) = (name.clone(), at);
        return Ok(Place::Stopped(Error::Recreated { topic, partition, position, high }));
    }
    if at >= low {
        return Ok(Place::At { start: at, position, gap: None });
    }
    match topic.on_gap {
        OnGap::Stop => {
            let (topic, position) = (name.clone(), at);
            Ok(Place::Stopped(Error::Gap { topic, partition, position, low }))
        }
        OnGap::Skip => {
            tracing::error!(
                topic = name,
                partition,
                position = at,
                low,
                "records are gone, skipping the gap"
            );
            let detail =
                format!("offsets {at} to {low} were deleted at the broker before they were ingested");
            Ok(Place::At { start: low, position, gap: Some(Reject::new(Reason::Gap, detail, "unknown", 0)) })
        }
    }
}

/// Offset of the first record with this time or later; None: there is none.
fn first_at(
    consumer: &BaseConsumer<Context>,
    topic: &str,
    partition: i32,
    millis: i64,
) -> Result<Option<i64>, KafkaError> {
    let mut times = TopicPartitionList::new();
    times.add_partition_offset(topic, partition, Offset::Offset(millis))?;
    let found = consumer.offsets_for_times(times, ASK)?;
    Ok(found.find_partition(topic, partition).and_then(|found| match found.offset() {
        Offset::Offset(offset) => Some(offset),
        _ => None,
    }))
}

/// Writes the committed positions to the group, for tools that look there.
pub(super) fn mirror(consumer: &BaseConsumer<Context>, ranges: &[Range]) {
    let mut offsets = TopicPartitionList::new();
    for range in ranges {
        let (topic, partition) = (range.stream.topic(), range.stream.partition());
        if offsets.add_partition_offset(topic, partition, Offset::Offset(range.end)).is_err() {
            return;
        }
    }
    if let Err(error) = consumer.commit(&offsets, CommitMode::Async) {
        tracing::debug!(error = &error as &dyn std::error::Error, "failed to mirror positions to the group");
    }
}

fn table<E: std::error::Error + Send + Sync + 'static>(error: E) -> Trouble {
    Trouble::Table(Box::new(error))
}
