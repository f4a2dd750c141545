//! A lane of simulated history: the traffic of past minutes through the same path as a log (strip, normalise, batch,
//! commit), only without a log in front.
//!
//! A minute's requests depend on the seed alone, and the offset of a request is made of its minute and its
//! place in it. So T of a lane tells the first minute that is still missing, after any kind of end.

use std::sync::Arc;

use anyhow::Context;
use bellwether_ingest::batch::{Batch, Message, Slot, Stream, Tools};
use bellwether_ingest::dedup::Window;
use bellwether_ingest::event::Event;
use bellwether_ingest::sink::{FlushError, FlushReason, Sink};
use bellwether_simulate::{Simulator, TextMode};
use bellwether_warehouse::Warehouse;
use tokio_util::sync::CancellationToken;

use super::segments::MINUTES_PER_DAY;

pub const MINUTE_US: i64 = 60_000_000;
/// Offsets per minute: more requests than this in one minute cannot be told apart.
const OFFSETS_PER_MINUTE: i64 = 100_000;
/// Rows of one commit: large enough for few files a day, small enough for memory.
const FLUSH_ROWS: usize = 125_000;
/// An epoch of labels may be destroyed beside a lane, one in four weeks: what is at hand is then made again.
const TRIES: u32 = 5;

/// Which minutes a lane writes. Lanes run side by side, each with a transaction of its own.
#[derive(Clone, Debug)]
pub struct Lane {
    pub name: String,
    /// Unix minutes `[from, to)`.
    pub from: i64,
    pub to: i64,
    /// Only days whose number leaves this remainder: (modulus, remainder).
    pub days: (i64, i64),
    /// Requests that end at this instant or later are left to whoever goes on from there.
    pub ended_before_us: i64,
}

impl Lane {
    fn has(&self, minute: i64) -> bool {
        minute.div_euclid(MINUTES_PER_DAY).rem_euclid(self.days.0) == self.days.1
    }

    /// T once the lane is whole.
    pub fn end(&self) -> i64 {
        self.to * OFFSETS_PER_MINUTE
    }
}

/// What the events of a lane are made with.
#[derive(Clone)]
pub struct Maker {
    pub simulator: Arc<Simulator>,
    pub texts: TextMode,
    pub tools: Tools,
}

/// Writes the lane from where it stands. Returns early, consistently, at the signal. `done` is told the minutes written.
pub async fn write(
    warehouse: &Warehouse,
    lane: Lane,
    maker: Maker,
    shutdown: CancellationToken,
    done: impl Fn(u64) + Send + Sync + 'static,
) -> anyhow::Result<()> {
    for _ in 1..TRIES {
        match go_on(warehouse, &lane, &maker, &shutdown, &done).await {
            Err(error) if matches!(error.downcast_ref(), Some(FlushError::Fenced { .. })) => {
                tracing::info!(
                    lane = lane.name,
                    error = error.to_string(),
                    "going on from where the table stands"
                );
            }
            ended => return ended,
        }
    }
    go_on(warehouse, &lane, &maker, &shutdown, &done).await
}

async fn go_on(
    warehouse: &Warehouse,
    lane: &Lane,
    maker: &Maker,
    shutdown: &CancellationToken,
    done: &(impl Fn(u64) + Sync),
) -> anyhow::Result<()> {
    let mut sink = Sink::open(warehouse).await?;
    let stream = Stream::history(&lane.name);
    let position = sink.position(&stream).await?;
    let start = position.attempts.unwrap_or(lane.from * OFFSETS_PER_MINUTE);
    let mut batch = Batch::new(maker.tools.clone());
    // Simulated requests are never sent twice: the window needs no memory beyond the batch.
    let slot = batch.assign(stream, position, start, Window::new(1));
    let mut minute = lane.from.max(start.div_euclid(OFFSETS_PER_MINUTE));
    while minute < lane.to && !shutdown.is_cancelled() {
        // Generating is pure computation: off the async threads, an hour at a time.
        let until = (minute + 60).min(lane.to);
        let (maker, lane_ref) = (maker.clone(), lane.clone_range(minute, until));
        batch = tokio::task::spawn_blocking(move || generate(batch, slot, &maker, &lane_ref)).await??;
        done(u64::try_from(until - minute).unwrap_or(0));
        minute = until;
        if batch.len() >= FLUSH_ROWS || minute >= lane.to {
            batch.skip_to(slot, minute * OFFSETS_PER_MINUTE);
            sink.flush(&mut batch, FlushReason::Rows).await.context("write simulated history")?;
        }
    }
    Ok(())
}

impl Lane {
    fn clone_range(&self, from: i64, to: i64) -> Self {
        Self { from, to, ..self.clone() }
    }
}

fn generate(mut batch: Batch, slot: Slot, maker: &Maker, lane: &Lane) -> anyhow::Result<Batch> {
    let mut failed = None;
    for minute in (lane.from..lane.to).filter(|minute| lane.has(*minute)) {
        let mut index = 0;
        maker.simulator.minute(minute, maker.texts, &mut |event| {
            let offset = minute * OFFSETS_PER_MINUTE + index;
            index += 1;
            let ended_at_us = ended_at_us(event);
            if ended_at_us >= lane.ended_before_us {
                return;
            }
            let mut event = event.clone();
            event.strip(&maker.tools.identities, &maker.tools.labeller);
            let message = Message { offset, appended_at_us: ended_at_us, payload: &[] };
            if let Err(error) = batch.push_event(slot, &message, &event) {
                failed = Some(error);
            }
        });
        anyhow::ensure!(
            index < OFFSETS_PER_MINUTE,
            "minute {minute} holds {index} requests; lower --attempts"
        );
    }
    match failed {
        Some(error) => Err(error.into()),
        None => Ok(batch),
    }
}

/// When the last attempt of a request ended: a router logs it then.
pub fn ended_at_us(event: &Event<'_>) -> i64 {
    event
        .attempts
        .iter()
        .map(|attempt| {
            attempt.started_at_us.unwrap_or(event.started_at_us)
                + i64::from(attempt.duration_ms.unwrap_or(0)) * 1_000
        })
        .max()
        .unwrap_or(event.started_at_us)
}
