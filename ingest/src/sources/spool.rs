//! Ingests the spool of this host.

use std::time::Duration;

use bellwether_warehouse::Warehouse;
use tokio_util::sync::CancellationToken;

use super::Error;
use super::pace::Pace;
use crate::batch::{Batch, Encoding, Message, Slot, Stream, Tools};
use crate::config::Ingest;
use crate::metric;
use crate::sink::{FlushError, FlushReason, Sink};
use crate::spool::{self, Reader};

/// Read at a time. Small against a batch, so that the flush limits are kept closely.
const READ_BYTES: usize = 4 << 20;
/// Between tries to take the stream (again).
const PAUSE: Duration = Duration::from_secs(1);

/// Runs until `shutdown`, then commits what it has read and ends.
///
/// # Errors
/// The spool is damaged or has lost records, or the secrets cannot be read. Storage trouble is waited out.
pub async fn run(
    reader: Reader,
    warehouse: &Warehouse,
    tools: Tools,
    config: &Ingest,
    shutdown: CancellationToken,
) -> Result<(), Error> {
    let sink = Sink::open(warehouse).await.map_err(Error::Tables)?;
    let stream = Stream::spool(reader.uuid());
    let mut worker = Worker {
        sink,
        stream,
        config,
        state: Some(State { reader, batch: Batch::new(tools), slot: None }),
        pace: Pace::new(config),
    };
    tracing::info!(app = %worker.stream, "ingest of the spool starts");
    while !shutdown.is_cancelled() {
        match worker.follow(&shutdown).await {
            Ok(()) => break,
            Err(Trouble::Lasting(error)) => return Err(error),
            Err(Trouble::Passing(error)) => {
                tracing::warn!(
                    app = %worker.stream, error = &*error as &dyn std::error::Error,
                    "lost the spool's position, reading it again"
                );
                tokio::select! {
                    () = tokio::time::sleep(PAUSE) => {}
                    () = shutdown.cancelled() => {}
                }
            }
        }
    }
    tracing::info!(app = %worker.stream, "ingest of the spool ended");
    Ok(())
}

enum Trouble {
    /// Take the stream again from the table's position.
    Passing(Box<dyn std::error::Error + Send + Sync>),
    Lasting(Error),
}

struct Worker<'a> {
    sink: Sink,
    stream: Stream,
    config: &'a Ingest,
    /// None while a blocking task has it.
    state: Option<State>,
    pace: Pace,
}

struct State {
    reader: Reader,
    batch: Batch,
    slot: Option<Slot>,
}

impl Worker<'_> {
    /// Takes the stream and follows it until shutdown.
    async fn follow(&mut self, shutdown: &CancellationToken) -> Result<(), Trouble> {
        self.assign().await?;
        loop {
            let Some(State { batch, .. }) = &self.state else { return Err(Trouble::Lasting(Error::Thread)) };
            let reason = if shutdown.is_cancelled() && !batch.is_empty() {
                Some(FlushReason::Shutdown)
            } else {
                self.pace.due(batch)
            };
            if let Some(reason) = reason {
                self.flush(reason).await?;
                continue;
            }
            if shutdown.is_cancelled() {
                return Ok(());
            }
            let deadline = self.pace.deadline();
            let wake = async {
                match deadline {
                    Some(deadline) => tokio::time::sleep_until(deadline).await,
                    None => std::future::pending().await,
                }
            };
            let state = self.state()?;
            tokio::select! {
                () = state.reader.ready() => self.take().await?,
                () = wake => {}
                () = shutdown.cancelled() => {}
            }
        }
    }

    fn state(&mut self) -> Result<&mut State, Trouble> {
        self.state.as_mut().ok_or(Trouble::Lasting(Error::Thread))
    }

    async fn assign(&mut self) -> Result<(), Trouble> {
        let position = self.sink.position(&self.stream).await.map_err(passing)?;
        let state = self.state.as_mut().ok_or(Trouble::Lasting(Error::Thread))?;
        let lasting = |error| Trouble::Lasting(Error::Spool(error));
        let (low, head) = (state.reader.low().map_err(lasting)?, state.reader.head());
        let start = position.attempts.unwrap_or(low);
        if start < low || start > head {
            let spool = state.reader.dir().display().to_string();
            return Err(Trouble::Lasting(Error::SpoolGap { spool, position: start, low, head }));
        }
        let window =
            self.sink.window(&self.stream, start, self.config.dedup_window).await.map_err(passing)?;
        state.batch.clear();
        state.reader.seek(start).map_err(lasting)?;
        state.slot = Some(state.batch.assign(self.stream.clone(), position, start, window));
        tracing::info!(app = %self.stream, offset = start, head, "reading the spool");
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
        let held = state.batch.pending_bytes() + state.batch.seen_bytes();
        metrics::gauge!(metric::MEMORY_BYTES, "worker" => "spool").set(held as f64);
        self.state = Some(state);
        result.map_err(Trouble::Lasting)
    }

    async fn flush(&mut self, reason: FlushReason) -> Result<(), Trouble> {
        let state = self.state.as_mut().ok_or(Trouble::Lasting(Error::Thread))?;
        let flushed = self.sink.flush(&mut state.batch, reason).await.map_err(|error| match error {
            FlushError::Fenced { .. } | FlushError::Storage { .. } => Trouble::Passing(error.into()),
            FlushError::Table { .. } | FlushError::Interrupted(_) => Trouble::Lasting(Error::Flush(error)),
        })?;
        let Some(end) = flushed.ranges.first().map(|range| range.end) else { return Ok(()) };
        let lag = state.reader.head() - end;
        metrics::gauge!(metric::LAG, "topic" => "spool", "partition" => "0").set(lag as f64);
        let dir = state.reader.dir().to_owned();
        let pruned = tokio::task::spawn_blocking(move || spool::prune(&dir, end)).await;
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
    fn take(&mut self) -> Result<(), Error> {
        let Some(slot) = self.slot else { return Ok(()) };
        for record in self.reader.read(READ_BYTES).map_err(Error::Spool)? {
            let message = Message {
                offset: record.offset,
                appended_at_us: record.appended_at_us,
                payload: &record.payload,
            };
            self.batch.push(slot, &message, Encoding::Appended).map_err(Error::Identity)?;
        }
        Ok(())
    }
}

fn passing<E: std::error::Error + Send + Sync + 'static>(error: E) -> Trouble {
    Trouble::Passing(Box::new(error))
}
