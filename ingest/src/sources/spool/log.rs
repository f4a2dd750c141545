//! Follows one log: reads it, fills a batch, flushes it, frees what the tables hold.

use std::path::Path;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::backlog::Backlog;
use crate::batch::{Batch, Encoding, Message, Position, Slot, Stream, Tools};
use crate::config::Ingest;
use crate::dedup::{RebuildError, Window};
use crate::metric;
use crate::sink::{FlushError, FlushReason, Sink, Waiting};
use crate::sources::Error;
use crate::sources::pace::Pace;
use crate::spool::{self, Ballast, Log, Reader};

/// Read at a time. Small against a batch, so that the flush limits are kept closely.
const READ_BYTES: usize = 4 << 20;
/// Between looks whether another log has ended this one.
const ENDED: Duration = Duration::from_secs(1);

/// Why the following ended.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum End {
    Shutdown,
    /// Another log has ended this one, and the tables hold all of it.
    Drained,
    /// The log is to be taken again.
    Again,
}

#[derive(Debug)]
pub(super) enum Trouble {
    /// Take the log again from the table's position.
    Passing(Box<dyn std::error::Error + Send + Sync>),
    /// Of this log alone.
    Log(Error),
    /// Of this process.
    Lasting(Error),
}

pub(super) struct Follower<'a> {
    sink: &'a mut Sink,
    spool: &'a Path,
    log: Log,
    stream: Stream,
    config: &'a Ingest,
    ballast: &'a Ballast,
    backlog: &'a Backlog,
    /// None while a blocking task has it.
    state: Option<State>,
    pace: Pace,
}

struct State {
    reader: Reader,
    batch: Batch,
    slot: Option<Slot>,
}

impl<'a> Follower<'a> {
    pub(super) fn new(
        sink: &'a mut Sink,
        spool: &'a Path,
        log: Log,
        config: &'a Ingest,
        ballast: &'a Ballast,
        backlog: &'a Backlog,
        tools: Tools,
    ) -> Self {
        let reader = Reader::new(&log);
        let stream = Stream::spool(log.uuid());
        let state = Some(State { reader, batch: Batch::new(tools), slot: None });
        Self { sink, spool, log, stream, config, ballast, backlog, state, pace: Pace::new(config) }
    }

    /// Takes the log and follows it to its end or until shutdown. Who waited for the tables waits no more once they
    /// have told where to begin.
    pub(super) async fn follow(
        &mut self,
        waiting: &mut Option<Waiting>,
        shutdown: &CancellationToken,
    ) -> Result<End, Trouble> {
        let position = self.sink.position(&self.stream).await.map_err(passing)?;
        *waiting = None;
        if let Some(end) = self.assign(position, shutdown).await? {
            return Ok(end);
        }
        loop {
            let batch = &self.state()?.batch;
            let is_pending = !batch.is_empty();
            let reason = if shutdown.is_cancelled() && is_pending {
                Some(FlushReason::Shutdown)
            } else if let Some(state) = &self.state {
                self.pace.due(&state.batch, self.sink.world().now())
            } else {
                None
            };
            if let Some(reason) = reason {
                self.flush(reason).await?;
                continue;
            }
            if shutdown.is_cancelled() {
                return Ok(End::Shutdown);
            }
            // In this order: the head of a log that has ended does not move any more.
            let is_ended = self.is_ended()?;
            if is_ended && self.state()?.reader.offset() >= self.log.head() {
                if is_pending {
                    self.flush(FlushReason::End).await?;
                }
                return self.drained().await;
            }
            let deadline = self.pace.deadline();
            let world = self.sink.world().clone();
            let wake = async {
                match deadline {
                    Some(deadline) => world.sleep_until(deadline).await,
                    None => std::future::pending().await,
                }
            };
            let state = self.state()?;
            tokio::select! {
                () = state.reader.ready(&world) => self.take().await?,
                () = wake => {}
                () = world.sleep(ENDED) => {}
                () = shutdown.cancelled() => {}
            }
        }
    }

    fn state(&mut self) -> Result<&mut State, Trouble> {
        self.state.as_mut().ok_or(Trouble::Lasting(Error::Thread))
    }

    fn is_ended(&self) -> Result<bool, Trouble> {
        self.log.is_ended(self.spool).map_err(|error| Trouble::Passing(error.into()))
    }

    /// Takes the log from the table's position on, unless there is nothing to take from it.
    async fn assign(
        &mut self,
        position: Position,
        shutdown: &CancellationToken,
    ) -> Result<Option<End>, Trouble> {
        let lasting = |error| Trouble::Log(Error::Spool(error));
        let is_ended = self.is_ended()?;
        let (low, head) = (self.state()?.reader.low().map_err(lasting)?, self.log.head());
        // Without any segment, what the tables do not know of is missing.
        let start = position.attempts.unwrap_or(if low < head { low } else { 0 });
        if start > head {
            // The folder was put back from a copy, or a power cut took the end of the log: the tables have it.
            tracing::warn!(
                log = %self.log.dir().display(), position = start, head,
                "the tables are ahead of a log of the spool; nothing of it is missing in them"
            );
            if is_ended {
                return self.drained().await.map(Some);
            }
            return self.wait_for_change(start, shutdown).await.map(Some);
        }
        if start < low {
            let spool = self.log.dir().display().to_string();
            return Err(Trouble::Log(Error::SpoolGap { spool, position: start, low, head }));
        }
        let window = self.window(start).await.map_err(passing)?;
        self.take_over(position, start, window).map_err(lasting)?;
        self.backlog.stands(self.log.uuid(), &Position { attempts: Some(start), ..position });
        tracing::info!(app = %self.stream, offset = start, head, "reading a log of the spool");
        Ok(None)
    }

    /// The log is drained if its own files show that nothing lies behind its published end. What cannot be shown must
    /// not be deleted.
    async fn drained(&self) -> Result<End, Trouble> {
        let log = self.log.clone();
        let shown = tokio::task::spawn_blocking(move || log.show_end()).await;
        let shown = shown.map_err(|_| Trouble::Lasting(Error::Thread))?;
        shown.map(|()| End::Drained).map_err(|error| Trouble::Log(Error::Spool(error)))
    }

    /// Until the intake begins a new log, or this one reaches `start` after all.
    async fn wait_for_change(&self, start: i64, shutdown: &CancellationToken) -> Result<End, Trouble> {
        while !self.is_ended()? && self.log.head() < start {
            tokio::select! {
                () = self.sink.world().sleep(ENDED) => {}
                () = shutdown.cancelled() => return Ok(End::Shutdown),
            }
        }
        Ok(End::Again)
    }

    /// What was ingested before `start`, of this log and as far as the limit reaches of those before it: a sender
    /// whose answer was lost with the intake repeats to the next log what the one before has taken.
    async fn window(&self, start: i64) -> Result<Window, RebuildError> {
        let limit = self.config.dedup_window;
        let mut window = self.sink.window(&self.stream, start, limit).await?;
        for uuid in self.log.earlier() {
            if window.len() >= limit {
                break;
            }
            let earlier = Stream::spool(*uuid);
            let before = self.sink.window(&earlier, i64::MAX, limit - window.len()).await?;
            window = window.behind(before, limit);
        }
        Ok(window)
    }

    fn take_over(&mut self, position: Position, start: i64, window: Window) -> Result<(), spool::Error> {
        let Some(state) = &mut self.state else { return Ok(()) };
        state.batch.clear();
        state.reader.seek(start)?;
        state.slot = Some(state.batch.assign(self.stream.clone(), position, start, window));
        Ok(())
    }

    /// Reads and decodes one portion, away from the runtime's threads.
    async fn take(&mut self) -> Result<(), Trouble> {
        let mut state = self.state.take().ok_or(Trouble::Lasting(Error::Thread))?;
        let (state, result) = tokio::task::spawn_blocking(move || {
            let result = state.take();
            (state, result)
        })
        .await
        .map_err(|_| Trouble::Lasting(Error::Thread))?;
        let seen = state.batch.seen_bytes();
        metrics::gauge!(metric::MEMORY_BYTES, "worker" => "spool")
            .set((state.batch.pending_bytes() + seen) as f64);
        metrics::gauge!(metric::WINDOW_BYTES, "worker" => "spool").set(seen as f64);
        let has_good_records = !state.batch.is_empty();
        self.state = Some(state);
        if matches!(result, Err(Trouble::Log(_))) && has_good_records {
            // What stands before the damage is whole.
            self.flush(FlushReason::End).await?;
        }
        result
    }

    async fn flush(&mut self, reason: FlushReason) -> Result<(), Trouble> {
        let state = self.state.as_mut().ok_or(Trouble::Lasting(Error::Thread))?;
        let flushed = self.sink.flush(&mut state.batch, reason).await.map_err(|error| match error {
            FlushError::Fenced { .. } | FlushError::Storage { .. } | FlushError::Again(_) => {
                Trouble::Passing(error.into())
            }
            FlushError::Rows { .. } => Trouble::Log(Error::Flush(error)),
            FlushError::Table { .. } | FlushError::Interrupted(_) => Trouble::Lasting(Error::Flush(error)),
        })?;
        let Some((end, time)) = flushed.ranges.first().map(|range| (range.end, range.time)) else {
            return Ok(());
        };
        self.backlog.stands(self.log.uuid(), &Position { attempts: Some(end), time, ..Position::default() });
        flushed.tell(Some((self.log.head() - end).max(0)));
        let (log, spool, ballast) = (self.log.dir().to_owned(), self.spool.to_owned(), self.ballast.clone());
        let pruned = tokio::task::spawn_blocking(move || {
            let pruned = spool::prune(&log, end);
            if matches!(pruned, Ok(count) if count > 0) {
                spool::used_bytes(&spool);
            }
            super::settle(&ballast);
            pruned
        })
        .await;
        if let Ok(Err(error)) = pruned {
            // The next flush tries again; only disk space is at stake.
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "failed to free ingested spool segments"
            );
        }
        Ok(())
    }
}

impl State {
    fn take(&mut self) -> Result<(), Trouble> {
        let Some(slot) = self.slot else { return Ok(()) };
        let records = self.reader.read(READ_BYTES).map_err(|error| Trouble::Log(Error::Spool(error)))?;
        for record in records {
            let message = Message {
                offset: record.offset,
                appended_at_us: record.appended_at_us,
                payload: &record.payload,
            };
            self.batch
                .push(slot, &message, Encoding::Appended)
                .map_err(|error| Trouble::Lasting(Error::Identity(error)))?;
        }
        Ok(())
    }
}

fn passing<E: std::error::Error + Send + Sync + 'static>(error: E) -> Trouble {
    Trouble::Passing(Box::new(error))
}
