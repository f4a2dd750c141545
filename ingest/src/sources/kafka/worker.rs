//! The worker, as a function from one step to the next.
//!
//! It is given the time and what its membership of the group gives, and says whether it wants more. It never waits:
//! what has to end first (a flush before partitions are given back) is looked at in each step.

use std::sync::Arc;
use std::time::Duration;

use bellwether_warehouse::{Moment, World};
use tokio_util::sync::CancellationToken;

use super::broker::{Event, Record};
use super::flight::Lost;
use super::partitions::{Phase, State};
use super::stopped::Cause;
use crate::batch::Message;
use crate::config::Ingest;
use crate::metric;
use crate::sink::{FlushError, FlushReason};
use crate::sources::Error;
use crate::sources::pace::Pace;

/// Longest wait for messages: how late a flush for age or a shutdown may be noticed.
const POLL: Duration = Duration::from_millis(50);
/// Messages between two steps.
const STRIDE: usize = 64;
/// How long a revoke waits for the last flush; well below the time after which the group goes on without us.
const REVOKE: Duration = Duration::from_secs(10);
/// How long the last flush may take on shutdown.
const LAST_FLUSH: Duration = Duration::from_secs(20);

pub(super) struct Worker {
    state: State,
    ingest: Ingest,
    shutdown: CancellationToken,
    pace: Pace,
    /// Bytes of batches above which no more is fetched; half of it lets it go on.
    high_water: usize,
    /// When partitions are next moved over what no record came of.
    ends_at: Moment,
    /// Until when nothing is read because the batch is full and the one before it is still being flushed.
    full_until: Option<Moment>,
    ending: Option<Ending>,
}

/// What is wanted from whoever calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// To be read, waiting for at most this long.
    Read(Duration),
    /// Not to be read yet: something has to land first. Another step soon.
    Wait,
    /// No further step.
    Ended,
}

/// What was read is being brought to its end; nothing more is read meanwhile.
struct Ending {
    /// When the flush under way is no longer waited for.
    until: Moment,
    /// Why what is not being flushed yet is to be flushed. None: it is dropped.
    reason: Option<FlushReason>,
    then: Then,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Then {
    TakeAgain,
    Stop,
    GiveUp,
}

impl Worker {
    pub(super) fn new(state: State, ingest: Ingest, shutdown: CancellationToken, now: Moment) -> Self {
        Self {
            state,
            pace: Pace::new(&ingest),
            // Writers and the slack of growing columns take about as much again as the batches.
            high_water: ingest.memory_budget.len() / 3,
            ends_at: now + ingest.flush_age.0,
            full_until: None,
            ending: None,
            ingest,
            shutdown,
        }
    }

    /// Does what is due.
    ///
    /// # Errors
    /// The client fails for good.
    pub(super) fn step(&mut self, now: Moment) -> Result<Step, Error> {
        if self.ending.is_none() && self.shutdown.is_cancelled() {
            self.end(now, LAST_FLUSH, Some(FlushReason::Shutdown), Then::Stop);
        }
        match self.ending.take() {
            Some(ending) if !self.has_ended(now, &ending) => {
                self.ending = Some(ending);
                return Ok(Step::Wait);
            }
            None => {}
            Some(Ending { then, .. }) => match then {
                Then::TakeAgain => self.state.take_again(now, None),
                Then::GiveUp => self.state.give_up(),
                Then::Stop => {
                    self.state.forget();
                    return Ok(Step::Ended);
                }
            },
        }
        if self.ends_at <= now {
            self.state.follow_ends();
            self.ends_at = now + self.ingest.flush_age.0;
        }
        let may_read = self.flush(now);
        self.balance();
        self.state.survey(now);
        if let Some(error) = self.state.fatal.take() {
            // What is pending may be half a record.
            self.state.batch.clear();
            self.state.forget();
            return Err(error);
        }
        Ok(if may_read { Step::Read(POLL) } else { Step::Wait })
    }

    /// Takes what comes until nothing more does, or until a step is due.
    pub(super) fn read(&mut self, world: &World, wait: Duration) {
        let member = Arc::clone(&self.state.member);
        let until = world.now() + wait;
        for _ in 0..STRIDE {
            let has_come = member.poll(until.since(world.now()), &mut |event| self.take(world.now(), event));
            if !has_come || self.ending.is_some() {
                break;
            }
        }
    }

    fn take(&mut self, now: Moment, event: Event<'_>) {
        match event {
            Event::Record(record) => self.push(now, &record),
            Event::Assigned(keys) => {
                self.ending = None;
                self.state.take(now, keys);
            }
            Event::Revoked => self.end(now, REVOKE, Some(FlushReason::Revoke), Then::GiveUp),
            Event::Lost => self.end(now, REVOKE, None, Then::GiveUp),
            Event::Ends(ends) => self.state.note_ends(ends),
            // Some partition's position left what the broker holds; taking all again finds out which.
            Event::OutOfRange => self.end(now, LAST_FLUSH, Some(FlushReason::Revoke), Then::TakeAgain),
            Event::Trouble(error) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "kafka reports trouble and goes on");
            }
            Event::Fatal(error) => self.state.fatal = Some(Error::Kafka(error)),
        }
    }

    fn push(&mut self, now: Moment, record: &Record<'_>) {
        if self.ending.is_some() {
            // Behind what is flushed last; whoever reads from T gets it again.
            return;
        }
        let state = &mut self.state;
        let key = (record.topic.to_owned(), record.partition);
        let Some(owned) = state.owned.get_mut(&key) else { return };
        let encoding = owned.encoding;
        let Phase::Reading { slot, poison } = &mut owned.phase else { return };
        // Tombstones of a compacted topic say nothing of a request.
        let Some(payload) = record.payload.filter(|payload| !payload.is_empty()) else {
            state.batch.skip_to(*slot, record.offset + 1);
            return;
        };
        let appended_at_us = record.millis.saturating_mul(1000);
        let message = Message { offset: record.offset, appended_at_us, payload };
        match state.batch.push(*slot, &message, encoding) {
            Ok(outcome) => {
                let (window, share) = (self.ingest.reject_window, self.ingest.max_reject_share);
                if poison.count(outcome.rejected.is_some(), window, share) {
                    state.settle(&key);
                }
            }
            Err(error) => {
                // Half of the record is in the batch. The others are read again at once.
                let (cause, stream) = (Cause::Secrets(Arc::new(error)), owned.stream.clone());
                state.take_again_but(now, &cause, |other| *other == stream);
            }
        }
    }

    /// Nothing more is read until this is done. What takes everything from us goes before what only begins again.
    fn end(&mut self, now: Moment, patience: Duration, reason: Option<FlushReason>, then: Then) {
        if self.ending.as_ref().is_some_and(|ending| ending.then > then) {
            return;
        }
        if reason.is_none() {
            self.state.batch.clear();
        }
        self.ending = Some(Ending { until: now + patience, reason, then });
    }

    /// Waits for the flush under way and then for that of the rest, as long as patience lasts.
    fn has_ended(&mut self, now: Moment, ending: &Ending) -> bool {
        let state = &mut self.state;
        match state.flight.landed() {
            None => {}
            Some(Ok(flushed)) if ending.reason.is_some() => state.landed(now, &flushed),
            // Its result decides nothing.
            Some(Ok(_)) => {}
            Some(Err(error)) => {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(error, "the last flush failed; what it held is read again");
                // What was frozen behind it has lost its place.
                state.batch.clear();
            }
        }
        if state.flight.is_busy() {
            if now < ending.until {
                return false;
            }
            tracing::warn!("the last flush took too long and was abandoned; what it held is read again");
            state.flight.abandon();
            state.batch.clear();
            return true;
        }
        let Some((reason, frozen)) = ending.reason.zip(state.batch.freeze()) else { return true };
        state.flight.begin(frozen, reason);
        false
    }

    /// Reaps the flush under way and begins the next one when it is due. False: the batch is full, and nothing is to
    /// be read for a moment.
    fn flush(&mut self, now: Moment) -> bool {
        let state = &mut self.state;
        let landed = state.flight.landed();
        // Limits hold for the batch behind a slow flush too: it hardly grows until that has landed.
        let is_full =
            matches!(self.pace.due(&state.batch, now), Some(FlushReason::Rows | FlushReason::Bytes));
        if is_full && state.flight.is_busy() {
            let until = *self.full_until.get_or_insert(now + POLL);
            if now < until {
                return false;
            }
        }
        self.full_until = None;
        match landed {
            None => {}
            Some(Ok(flushed)) => state.landed(now, &flushed),
            Some(Err(error)) => {
                let shown = &error as &dyn std::error::Error;
                tracing::warn!(error = shown, "flush lost, reading again from the table's position");
                if let Lost::Failed(FlushError::Rows { apps, .. }) = &error {
                    let apps = apps.clone();
                    let cause = Cause::Table(Arc::new(error));
                    state.take_again_but(now, &cause, |stream| apps.contains(&stream.app()));
                } else {
                    let cause = error.is_lasting().then(|| Cause::Table(Arc::new(error)));
                    state.take_again(now, cause.as_ref());
                }
            }
        }
        let due = self.pace.due(&state.batch, now);
        if let Some(reason) = due
            && !state.flight.is_busy()
            && let Some(frozen) = state.batch.freeze()
        {
            state.flight.begin(frozen, reason);
            self.pace.due(&state.batch, now);
        }
        true
    }

    /// Stops fetching above the budget and goes on at half of it; polling goes on all the time.
    fn balance(&mut self) {
        let state = &mut self.state;
        let batches = state.batch.pending_bytes() + state.flight.held_bytes();
        let held = batches + state.batch.seen_bytes();
        metrics::gauge!(metric::MEMORY_BYTES, "worker" => "kafka").set(held as f64);
        metrics::gauge!(metric::WINDOW_BYTES, "worker" => "kafka").set(state.batch.seen_bytes() as f64);
        let pause = if state.is_paused { batches > self.high_water / 2 } else { batches > self.high_water };
        if pause == state.is_paused {
            return;
        }
        let reading = state.reading();
        let result = if pause { state.member.pause(&reading) } else { state.member.resume(&reading) };
        match result {
            Ok(()) => state.is_paused = pause,
            Err(error) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "failed to pause or resume")
            }
        }
        metrics::gauge!(metric::PAUSED, "worker" => "kafka").set(f64::from(u8::from(state.is_paused)));
        tracing::debug!(batches, pause, "memory budget");
    }
}
