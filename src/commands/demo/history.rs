//! Simulated history: the traffic of past minutes through the same path as a log (strip, normalise, batch,
//! commit), only without a log in front.
//!
//! A minute's requests depend on the seed alone, and the offset of a request is made of its minute and its
//! place in it. So T of a lane tells the first minute that is still missing, after any kind of end.

use std::collections::HashSet;
use std::sync::Arc;

use anyhow::Context;
use bellwether_ingest::batch::{Batch, Message, Slot, Stream, Tools};
use bellwether_ingest::dedup::Window;
use bellwether_ingest::event::Event;
use bellwether_ingest::sink::{FlushReason, Sink};
use bellwether_simulate::{Simulator, TextMode};
use bellwether_warehouse::Warehouse;
use tokio_util::sync::CancellationToken;

const MINUTES_PER_DAY: i64 = 1_440;
/// Offsets per minute: more requests than this in one minute cannot be told apart.
const OFFSETS_PER_MINUTE: i64 = 100_000;
/// Rows of one commit: large enough for few files a day, small enough for memory.
const FLUSH_ROWS: usize = 250_000;

/// Which minutes a lane writes. Lanes run side by side, each with a transaction of its own.
#[derive(Clone, Debug)]
pub struct Lane {
    pub name: String,
    /// Unix minutes `[from, to)`.
    pub from: i64,
    pub to: i64,
    /// Only days whose number leaves this remainder: (modulus, remainder).
    pub days: (i64, i64),
    /// Requests that are in the tables already.
    pub known: Arc<HashSet<String>>,
}

impl Lane {
    fn has(&self, minute: i64) -> bool {
        minute.div_euclid(MINUTES_PER_DAY).rem_euclid(self.days.0) == self.days.1
    }
}

/// What the events of a lane are made with.
#[derive(Clone)]
pub struct Maker {
    pub simulator: Arc<Simulator>,
    pub texts: TextMode,
    pub tools: Tools,
}

/// First minute that the lane of this name has not written, or None before its first commit.
pub async fn position(warehouse: &Warehouse, name: &str) -> anyhow::Result<Option<i64>> {
    let mut sink = Sink::open(warehouse).await?;
    let position = sink.position(&Stream::history(name)).await?;
    Ok(position.attempts.map(|offset| offset.div_euclid(OFFSETS_PER_MINUTE)))
}

/// Writes the lane from where it stands. Returns early, consistently, at the signal. `done` is told the minutes written.
pub async fn write(
    warehouse: &Warehouse,
    lane: Lane,
    maker: Maker,
    shutdown: CancellationToken,
    done: impl Fn(u64) + Send + 'static,
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
            if lane.known.contains(event.request_id.as_ref()) {
                return;
            }
            let mut event = event.clone();
            event.strip(&maker.tools.identities, &maker.tools.labeller);
            let message = Message { offset, appended_at_us: ended_at_us(&event), payload: &[] };
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
