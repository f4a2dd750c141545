//! Writes simulated history, newest segment first, and tells the pages how far it is.

use std::time::{Duration, Instant};

use anyhow::Context;
use bellwether_ingest::batch::Stream;
use bellwether_ingest::sink::Sink;
use bellwether_simulate::Simulator;
use bellwether_warehouse::Warehouse;
use bellwether_web::{History, Written};
use chrono::DateTime;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::history::{self, Lane, MINUTE_US, Maker};
use super::segments::{MINUTES_PER_DAY, Segment};
use super::settings::Settings;

/// Goes on where the tables stand, after any kind of end.
pub struct Filler {
    warehouse: Warehouse,
    maker: Maker,
    seed: u64,
    /// Newest first.
    segments: Vec<Segment>,
    /// How many of them are whole.
    whole: usize,
    live_from_minute: i64,
    history: History,
    pace: Pace,
}

impl Filler {
    pub async fn open(
        warehouse: &Warehouse,
        settings: &Settings,
        maker: Maker,
        history: History,
    ) -> anyhow::Result<Self> {
        let mut filler = Self {
            warehouse: warehouse.clone(),
            maker,
            seed: settings.seed,
            segments: settings.segments(),
            whole: 0,
            live_from_minute: settings.live_from_minute,
            history,
            pace: Pace::default(),
        };
        let mut sink = Sink::open(warehouse).await?;
        for number in 0..filler.segments.len() {
            if !filler.is_whole(&mut sink, number).await? {
                break;
            }
            filler.whole = number + 1;
        }
        filler.tell(&sink);
        Ok(filler)
    }

    /// Weeks that are whole, and of how many.
    pub fn weeks(&self) -> (u32, u32) {
        self.written().map_or((0, 0), |written| (written.weeks, written.of))
    }

    pub fn has_newest(&self) -> bool {
        self.whole > 0
    }

    pub fn is_done(&self) -> bool {
        self.whole >= self.segments.len()
    }

    /// Minutes that all lanes of the next segment go through.
    pub fn minutes_of_next(&self) -> u64 {
        let minutes = self.segments.get(self.whole).map_or(0, |next| (next.to - next.from) * next.lanes);
        u64::try_from(minutes).unwrap_or(0)
    }

    /// Writes what is missing of the next segment. Returns early, consistently, at the signal. `done` is told the
    /// minutes written.
    pub async fn write_next(
        &mut self,
        done: impl Fn(u64) + Clone + Send + Sync + 'static,
        shutdown: &CancellationToken,
    ) -> anyhow::Result<()> {
        let Some(segment) = self.segments.get(self.whole).copied() else { return Ok(()) };
        let started = Instant::now();
        let mut lanes = JoinSet::new();
        for remainder in 0..segment.lanes {
            let lane = self.lane(self.whole, segment, remainder);
            let (warehouse, maker, shutdown) = (self.warehouse.clone(), self.maker.clone(), shutdown.clone());
            let done = done.clone();
            lanes.spawn(async move { history::write(&warehouse, lane, maker, shutdown, done).await });
        }
        while let Some(lane) = lanes.join_next().await {
            lane??;
        }
        let mut sink = Sink::open(&self.warehouse).await?;
        if self.is_whole(&mut sink, self.whole).await? {
            self.whole += 1;
            self.pace.add(expected(&self.maker.simulator, segment), started.elapsed());
            self.tell(&sink);
        }
        Ok(())
    }

    /// Writes the rest, until the signal.
    pub async fn run(&mut self, shutdown: &CancellationToken) -> anyhow::Result<()> {
        while !self.is_done() && !shutdown.is_cancelled() {
            self.write_next(|_| {}, shutdown).await.context("write simulated history")?;
        }
        Ok(())
    }

    fn lane(&self, number: usize, segment: Segment, remainder: i64) -> Lane {
        Lane {
            name: format!("demo-{}-{number}-{remainder}", self.seed),
            from: segment.from,
            to: segment.to,
            days: (segment.lanes, remainder),
            ended_before_us: self.live_from_minute * MINUTE_US,
        }
    }

    async fn is_whole(&self, sink: &mut Sink, number: usize) -> anyhow::Result<bool> {
        let Some(segment) = self.segments.get(number) else { return Ok(false) };
        for remainder in 0..segment.lanes {
            let lane = self.lane(number, *segment, remainder);
            let position = sink.position(&Stream::history(&lane.name)).await?;
            if position.attempts.is_none_or(|next| next < lane.end()) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// `sink` has just seen that what is whole is in the table.
    fn tell(&self, sink: &Sink) {
        if let Some(written) = self.written() {
            self.history.tell(sink.attempts().version(), written);
        }
    }

    /// None while there is nothing to count on.
    fn written(&self) -> Option<Written> {
        let oldest = self.segments.get(self.whole.checked_sub(1)?)?;
        let first = self.segments.last()?;
        let live_day = self.live_from_minute.div_euclid(MINUTES_PER_DAY);
        let days = |segment: &Segment| (live_day - segment.from.div_euclid(MINUTES_PER_DAY)).max(1);
        let of = ((days(first) + 3) / 7).max(1);
        // Full weeks; all of them only once every day is there.
        let weeks = if self.is_done() { of } else { (days(oldest) / 7).min(of - 1) };
        let rest: f64 = self
            .segments
            .get(self.whole..)
            .into_iter()
            .flatten()
            .map(|segment| expected(&self.maker.simulator, *segment))
            .sum();
        Some(Written {
            from: DateTime::from_timestamp(oldest.from * 60, 0)?.date_naive(),
            weeks: u32::try_from(weeks).unwrap_or(0),
            of: u32::try_from(of).unwrap_or(u32::MAX),
            left: self.pace.time_for(rest),
        })
    }
}

/// Requests of a segment, about: traffic grows, so weeks are no measure of work.
fn expected(simulator: &Simulator, segment: Segment) -> f64 {
    let hours = (segment.from..segment.to).step_by(60);
    hours.map(|minute| simulator.expected_requests(minute) * 60.0).sum()
}

/// How fast this process has written so far.
#[derive(Clone, Copy, Debug, Default)]
struct Pace {
    requests: f64,
    took: Duration,
}

impl Pace {
    fn add(&mut self, requests: f64, took: Duration) {
        self.requests += requests;
        self.took += took;
    }

    /// None: nothing was written yet.
    fn time_for(&self, requests: f64) -> Option<Duration> {
        let secs = self.took.as_secs_f64() * requests / self.requests;
        Duration::try_from_secs_f64(secs).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_left_follows_the_pace_so_far() {
        let mut pace = Pace::default();
        assert_eq!(pace.time_for(100.0), None);
        pace.add(300.0, Duration::from_secs(2));
        pace.add(100.0, Duration::from_secs(2));
        assert_eq!(pace.time_for(50.0), Some(Duration::from_millis(500)));
        assert_eq!(pace.time_for(0.0), Some(Duration::ZERO));
    }
}
