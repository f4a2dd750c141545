//! The polling thread.

use std::sync::Arc;
use std::time::Duration;

use bellwether_warehouse::{Moment, Warehouse, World};
use rdkafka::Message as _;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::message::BorrowedMessage;
use rdkafka::types::RDKafkaErrorCode;
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;

use super::broker::Broker;
use super::client;
use super::context::Context;
use super::flight::{Flight, Lost};
use super::partitions::{Phase, State};
use super::stopped::{Cause, Stopped};
use super::survey::Surveyor;
use crate::batch::{Batch, Message, Tools};
use crate::config::{Ingest, Kafka};
use crate::metric;
use crate::sink::{FlushError, FlushReason, Sink};
use crate::sources::Error;
use crate::sources::pace::Pace;

/// Longest wait for messages: how late a flush for age or a shutdown may be noticed.
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
    pub(super) stopped: Stopped,
    pub(super) shutdown: CancellationToken,
}

pub(super) fn run(setup: Setup) -> Result<(), Error> {
    let Setup { config, ingest, warehouse, tools, runtime, stopped, shutdown } = setup;
    let topics: Vec<&str> = config.topics.iter().map(|topic| topic.name.as_str()).collect();
    let cluster = client::contact(&config, &topics).map_err(Error::Client)?;
    let sink = runtime.block_on(Sink::open(&warehouse)).map_err(Error::Tables)?.telling(stopped.waits());
    // Windows take a third of the budget at most. The share of one partition counts all partitions of the
    // topics, not the ones assigned here, so that every owner of a partition decides alike.
    let fitting = ingest.memory_budget.len() / 3 / FINGERPRINT_BYTES / cluster.partitions.max(1);
    let surveyor = Surveyor {
        broker: Broker::connect(&config).map_err(Error::Client)?,
        warehouse: warehouse.clone(),
        ingest: ingest.clone(),
        window: ingest.dedup_window.min(fitting),
        sink: tokio::sync::Mutex::default(),
    };
    let world = warehouse.world().clone();
    let flight = Flight::new(runtime.clone(), warehouse, sink);
    let batch = Batch::new(tools);
    let state = State::new(&config.topics, cluster.id, surveyor, flight, batch, runtime, stopped);
    let consumer: BaseConsumer<Context> =
        client::consumer(&config, ingest.memory_budget.len() / 16, cluster.brokers)
            .create_with_context(Context::new(state))
            .map_err(|error| Error::Client(client::Error::create(error)))?;
    consumer.subscribe(&topics).map_err(Error::Kafka)?;
    tracing::info!(brokers = config.brokers.join(","), topics = topics.join(","), "ingest from kafka starts");
    let mut worker = Worker {
        pace: Pace::new(&ingest),
        // Writers and the slack of growing columns take about as much again as the batches.
        high_water: ingest.memory_budget.len() / 3,
        ends_at: world.now() + ingest.flush_age.0,
        ingest,
        world,
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
    /// When partitions are next moved over what no record came of.
    ends_at: Moment,
    world: World,
}

impl Worker {
    fn poll(&mut self, consumer: &BaseConsumer<Context>) -> Result<(), Error> {
        while !self.shutdown.is_cancelled() {
            let until = self.world.now() + POLL;
            for _ in 0..STRIDE {
                match consumer.poll(until.since(self.world.now())) {
                    None => break,
                    Some(Ok(message)) => self.push(consumer, &message),
                    Some(Err(error)) => self.failed(consumer, error)?,
                }
            }
            if self.ends_at <= self.world.now() {
                consumer.context().state().follow_ends(consumer);
                self.ends_at = self.world.now() + self.ingest.flush_age.0;
            }
            self.flush(consumer);
            self.balance(consumer);
            let mut state = consumer.context().state();
            state.survey(consumer);
            if let Some(error) = state.fatal.take() {
                return Err(error);
            }
        }
        Ok(())
    }

    fn push(&mut self, consumer: &BaseConsumer<Context>, message: &BorrowedMessage<'_>) {
        let mut guard = consumer.context().state();
        let state = &mut *guard;
        let key = (message.topic().to_owned(), message.partition());
        let Some(owned) = state.owned.get_mut(&key) else { return };
        let encoding = owned.encoding;
        let Phase::Reading { slot, poison } = &mut owned.phase else { return };
        // Tombstones of a compacted topic say nothing of a request.
        let Some(payload) = message.payload().filter(|payload| !payload.is_empty()) else {
            state.batch.skip_to(*slot, message.offset() + 1);
            return;
        };
        // The broker's or the producer's time, as the topic is set up: the same on every reading.
        let appended_at_us = message.timestamp().to_millis().unwrap_or_default().saturating_mul(1000);
        let record = Message { offset: message.offset(), appended_at_us, payload };
        match state.batch.push(*slot, &record, encoding) {
            Ok(outcome) => {
                let (window, share) = (self.ingest.reject_window, self.ingest.max_reject_share);
                if poison.count(outcome.rejected.is_some(), window, share) {
                    state.settle(consumer, &key);
                }
            }
            Err(error) => {
                // Half of the record is in the batch. The others are read again at once.
                let (cause, stream) = (Cause::Secrets(Arc::new(error)), owned.stream.clone());
                state.take_again_but(consumer, &cause, |other| *other == stream);
            }
        }
    }

    /// Reaps the flush under way and begins the next one when it is due.
    fn flush(&mut self, consumer: &BaseConsumer<Context>) {
        let mut state = consumer.context().state();
        // Limits hold for the batch behind a slow flush too: it hardly grows until that has landed.
        let is_full = matches!(
            self.pace.due(&state.batch, self.world.now()),
            Some(FlushReason::Rows | FlushReason::Bytes)
        );
        let landed = if is_full { state.flight.landed_within(POLL) } else { state.flight.landed() };
        match landed {
            None => {}
            Some(Ok(flushed)) => state.landed(consumer, &flushed),
            Some(Err(error)) => {
                let shown = &error as &dyn std::error::Error;
                tracing::warn!(error = shown, "flush lost, reading again from the table's position");
                let is_lasting =
                    matches!(error, Lost::Failed(FlushError::Table { .. } | FlushError::Interrupted(_)));
                if let Lost::Failed(FlushError::Rows { apps, .. }) = &error {
                    let apps = apps.clone();
                    let cause = Cause::Table(Arc::new(error));
                    state.take_again_but(consumer, &cause, |stream| apps.contains(&stream.app()));
                } else {
                    let cause = is_lasting.then(|| Cause::Table(Arc::new(error)));
                    state.take_again(consumer, cause.as_ref());
                }
            }
        }
        let due = self.pace.due(&state.batch, self.world.now());
        if let Some(reason) = due
            && !state.flight.is_busy()
            && let Some(frozen) = state.batch.freeze()
        {
            if let Err(error) = state.flight.begin(frozen, reason) {
                state.take_again(consumer, Some(&Cause::Table(Arc::new(error))));
            }
            self.pace.due(&state.batch, self.world.now());
        }
    }

    /// Stops fetching above the budget and goes on at half of it; polling goes on all the time.
    fn balance(&mut self, consumer: &BaseConsumer<Context>) {
        let mut state = consumer.context().state();
        let batches = state.batch.pending_bytes() + state.flight.held_bytes();
        let held = batches + state.batch.seen_bytes();
        metrics::gauge!(metric::MEMORY_BYTES, "worker" => "kafka").set(held as f64);
        let pause = if state.is_paused { batches > self.high_water / 2 } else { batches > self.high_water };
        if pause == state.is_paused {
            return;
        }
        let result = state
            .reading()
            .and_then(|reading| if pause { consumer.pause(&reading) } else { consumer.resume(&reading) });
        match result {
            Ok(()) => state.is_paused = pause,
            Err(error) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "failed to pause or resume")
            }
        }
        metrics::gauge!(metric::PAUSED, "worker" => "kafka").set(f64::from(u8::from(state.is_paused)));
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
                state.take_again(consumer, None);
                Ok(())
            }
            error => {
                tracing::warn!(error = &error as &dyn std::error::Error, "kafka reports trouble and goes on");
                Ok(())
            }
        }
    }
}
