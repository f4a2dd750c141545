//! The last 60 minutes, minute by minute, straight from `attempts`: newer than any rollup, marked partial.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};

/// One minute of traffic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Minute {
    pub at: DateTime<Utc>,
    /// Served requests.
    pub requests: u64,
    pub tokens: u64,
    pub attempts: u64,
    /// Attempts that count as success and as fault.
    pub success: u64,
    pub fault: u64,
    pub rate_limited: u64,
}

impl Minute {
    pub(crate) fn empty(at: DateTime<Utc>) -> Self {
        Self { at, requests: 0, tokens: 0, attempts: 0, success: 0, fault: 0, rate_limited: 0 }
    }

    pub(crate) fn add(&mut self, other: &Self) {
        self.requests += other.requests;
        self.tokens = self.tokens.saturating_add(other.tokens);
        self.attempts += other.attempts;
        self.success += other.success;
        self.fault += other.fault;
        self.rate_limited += other.rate_limited;
    }
}

/// The 60 minutes that end with the newest event; the last one is still filling.
#[derive(Clone, Debug, Default)]
pub struct LastHour {
    /// Oldest first, minutes without traffic included; empty when there is no event at all.
    pub minutes: Vec<Minute>,
}

impl LastHour {
    pub fn total(&self) -> Minute {
        let mut sum = Minute::empty(self.minutes.first().map_or(DateTime::UNIX_EPOCH, |minute| minute.at));
        for minute in &self.minutes {
            sum.add(minute);
        }
        sum
    }

    /// Success share of counted attempts, %, with the counted attempts; no threshold applied.
    pub fn uptime(&self) -> Option<(f64, u64)> {
        let total = self.total();
        let counted = total.success + total.fault;
        (counted > 0).then(|| (total.success as f64 * 100.0 / counted as f64, counted))
    }
}

/// Minutes of one `attempts` partition, by minute start in µs.
#[derive(Clone, Debug, Default)]
pub(crate) struct MinuteBlock {
    /// The sums and the newest `started_at` of the minute, µs.
    pub minutes: BTreeMap<i64, (Minute, i64)>,
}

impl MinuteBlock {
    pub fn pruned(&self, from: i64) -> Option<Self> {
        let stale = self.minutes.keys().next().is_some_and(|at| *at < from);
        stale.then(|| Self {
            minutes: self.minutes.range(from..).map(|(at, minute)| (*at, *minute)).collect(),
        })
    }

    /// Newest event that is not after `now`, µs.
    pub fn newest(&self, now: i64) -> Option<i64> {
        self.minutes.range(..=now).next_back().map(|(_, (_, newest))| (*newest).min(now))
    }
}

const MINUTE: i64 = 60_000_000;

/// The strip from the minute blocks of the newest partitions.
pub(crate) fn last_hour(blocks: &[Arc<MinuteBlock>], as_of: DateTime<Utc>) -> LastHour {
    let last = as_of.timestamp_micros().div_euclid(MINUTE) * MINUTE;
    let minutes = (0..60).rev().filter_map(|back| {
        let at = last - back * MINUTE;
        let mut sum = Minute::empty(DateTime::from_timestamp_micros(at)?);
        for minute in blocks.iter().filter_map(|block| block.minutes.get(&at).map(|(minute, _)| minute)) {
            sum.add(minute);
        }
        Some(sum)
    });
    LastHour { minutes: minutes.collect() }
}
