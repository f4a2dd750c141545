//! The polling thread.

use std::time::Duration;

use bellwether_warehouse::Warehouse;
use rdkafka::Message as _;
use rdkafka::TopicPartitionList;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::message::BorrowedMessage;
use rdkafka::types::RDKafkaErrorCode;
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;

use super::assign::{State, mirror};
use super::client;
use super::context::Context;
use super::flight::Flight;
use crate::batch::{Batch, Message, Tools};
use crate::config::{Ingest, Kafka};
use crate::metric;
use crate::sink::{FlushError, FlushReason, Sink};
use crate::sources::Error;
use crate::sources::pace::Pace;

/// Longest wait for a message: how late a flush for age or a shutdown may be noticed.
const POLL: Duration = Duration::from_millis(50);
/// Messages between two looks at the flush limits.
const STRIDE: usize = 64;
/// How long the last flush may take on shutdown.
const LAST_FLUSH: Duration = Duration::from_secs(20);
/// Bytes of one fingerprint in a window, with its places in set and queue.
const FINGERPRINT_BYTES: usize = 27;

pub(super) struct Setup {
    pub(super) config: Kafka,
    pub(super) ingest: Ingest,
    pub(super) warehouse: Warehouse,
    pub(super) tools: Tools,
    pub(super) runtime: Handle,
    pub(super) shutdown: CancellationToken,
}

pub(super) fn run(setup: Setup) -> Result<(), Error> {
    let Setup { config, ingest, warehouse, tools, runtime, shutdown } = setup;
    let topics: Vec<&str> = config.topics.iter().map(|topic| topic.name.as_str()).collect();
    let cluster = client::contact(&config, &topics).map_err(Error::Client)?;
    let sink = runtime.block_on(Sink::open(&warehouse)).map_err(Error::Tables)?;
    // Windows take a third of the budget at most. The share of one partition counts all partitions of the
    // topics, not the ones assigned here, so that every owner of a partition decides alike.
    let fitting = ingest.memory_budget.len() / 3 / FINGERPRINT_BYTES / cluster.partitions.max(1);
    let context = Context::new(State {
        topics: config.topics.clone(),
        cluster: cluster.id,
        window: ingest.dedup_window.min(fitting),
        runtime: runtime.clone(),
        shutdown: shutdown.clone(),
        flight: Flight::new(runtime, warehouse, sink),
        batch: Batch::new(tools),
        assigned: std::collections::BTreeMap::new(),
        stopped: 0,
        fatal: None,
    });
    let consumer: BaseConsumer<Context> = client::consumer(&config, ingest.memory_budget.len() / 16)
        .create_with_context(context)
        .map_err(|error| Error::Client(client::Error::create(error)))?;
    consumer.subscribe(&topics).map_err(Error::Kafka)?;
    tracing::info!(brokers = config.brokers.join(","), topics = topics.join(","), "ingest from kafka starts");
    let mut worker = Worker {
        pace: Pace::new(&ingest),
        // Writers and the slack of growing columns take about as much again as the batches.
        high_water: ingest.memory_budget.len() / 3,
        is_paused: false,
        ingest,
        shutdown,
    };
    let result = worker.poll(&consumer);
    {
        let mut state = consumer.context().state();
        if result.is_ok() {
            state.flush_within(&consumer, FlushReason::Shutdown, LAST_FLUSH);
        } else {
            // Leaving the group would flush what is pending, and that may be half a record.
            state.batch.clear();
        }
    }
    tracing::info!("ingest from kafka ended");
    result
}

struct Worker {
    ingest: Ingest,
    shutdown: CancellationToken,
    pace: Pace,
    /// Bytes of batches above which no more is fetched; half of it lets it go on.
    high_water: usize,
    is_paused: bool,
}

impl Worker {
    fn poll(&mut self, consumer: &BaseConsumer<Context>) -> Result<(), Error> {
        while !self.shutdown.is_cancelled() {
            for _ in 0..STRIDE {
                match consumer.poll(POLL) {
                    None => break,
                    Some(Ok(message)) => self.push(consumer, &message)?,
                    Some(Err(error)) => self.failed(consumer, error)?,
                }
            }
            self.flush(consumer)?;
            self.balance(consumer);
            let mut state = consumer.context().state();
            if let Some(error) = state.fatal.take() {
                return Err(error);
            }
            if state.stopped > 0 && state.assigned.is_empty() {
                return Err(Error::AllStopped { partitions: state.stopped });
            }
        }
        Ok(())
    }

    fn push(&mut self, consumer: &BaseConsumer<Context>, message: &BorrowedMessage<'_>) -> Result<(), Error> {
        let mut state = consumer.context().state();
        let State { assigned, batch, .. } = &mut *state;
        let key = (message.topic().to_owned(), message.partition());
        let Some(partition) = assigned.get_mut(&key) else { return Ok(()) };
        // The broker's or the producer's time, as the topic is set up: the same on every reading.
        let appended_at_us = message.timestamp().to_millis().unwrap_or_default().saturating_mul(1000);
        let payload = message.payload().unwrap_or_default();
        let record = Message { offset: message.offset(), appended_at_us, payload };
        let outcome = batch.push(partition.slot, &record, partition.encoding).map_err(Error::Identity)?;
        let (window, share) = (self.ingest.reject_window, self.ingest.max_reject_share);
        if partition.poison.count(outcome.rejected.is_some(), window, share) {
            let (topic, partition) = key;
            return Err(Error::Poison { topic, partition, offset: message.offset(), share, window });
        }
        Ok(())
    }

    /// Reaps the flush under way and begins the next one when it is due.
    fn flush(&mut self, consumer: &BaseConsumer<Context>) -> Result<(), Error> {
        let mut state = consumer.context().state();
        // Limits hold for the batch behind a slow flush too: it hardly grows until that has landed.
        let is_full = matches!(self.pace.due(&state.batch), Some(FlushReason::Rows | FlushReason::Bytes));
        let landed = if is_full { state.flight.landed_within(POLL) } else { state.flight.landed() };
        match landed {
            None => {}
            Some(Ok(flushed)) => mirror(consumer, &flushed.ranges),
            Some(Err(error @ (FlushError::Table { .. } | FlushError::Interrupted(_)))) => {
                return Err(Error::Flush(error));
            }
            Some(Err(error)) => {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "flush lost, reading again from the table's position"
                );
                Self::take_again(&mut state, consumer);
            }
        }
        let due = self.pace.due(&state.batch);
        if let Some(reason) = due
            && !state.flight.is_busy()
            && let Some(frozen) = state.batch.freeze()
        {
            state.flight.begin(frozen, reason).map_err(Error::Tables)?;
            self.pace.due(&state.batch);
        }
        Ok(())
    }

    /// Assigns everything that is ours anew.
    fn take_again(state: &mut State, consumer: &BaseConsumer<Context>) {
        let partitions: Vec<(String, i32)> = state.assigned.keys().cloned().collect();
        let stopped = state.stopped;
        state.take(consumer, partitions);
        state.stopped += stopped;
    }

    /// Stops fetching above the budget and goes on at half of it; polling goes on all the time.
    fn balance(&mut self, consumer: &BaseConsumer<Context>) {
        let state = consumer.context().state();
        let batches = state.batch.pending_bytes() + state.flight.held_bytes();
        let held = batches + state.batch.seen_bytes();
        metrics::gauge!(metric::MEMORY_BYTES, "worker" => "kafka").set(held as f64);
        let pause = if self.is_paused { batches > self.high_water / 2 } else { batches > self.high_water };
        if pause == self.is_paused {
            return;
        }
        let mut partitions = TopicPartitionList::new();
        for (topic, partition) in state.assigned.keys() {
            partitions.add_partition(topic, *partition);
        }
        drop(state);
        let result = if pause { consumer.pause(&partitions) } else { consumer.resume(&partitions) };
        match result {
            Ok(()) => self.is_paused = pause,
            Err(error) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "failed to pause or resume")
            }
        }
        tracing::debug!(batches, pause, "memory budget");
    }

    fn failed(&mut self, consumer: &BaseConsumer<Context>, error: KafkaError) -> Result<(), Error> {
        match error {
            KafkaError::MessageConsumptionFatal(_) => Err(Error::Kafka(error)),
            KafkaError::MessageConsumption(
                RDKafkaErrorCode::AutoOffsetReset | RDKafkaErrorCode::OffsetOutOfRange,
            ) => {
                // Some partition's position left what the broker holds; taking all again finds out which.
                let mut state = consumer.context().state();
                state.flush_within(consumer, FlushReason::Revoke, LAST_FLUSH);
                Self::take_again(&mut state, consumer);
                Ok(())
            }
            error => {
                tracing::warn!(error = &error as &dyn std::error::Error, "kafka reports trouble and goes on");
                Ok(())
            }
        }
    }
}
