//! The last 60 minutes, minute by minute, as the table `live_by_minute` tells them: newer than anything that is computed by day.

use bellwether_warehouse::Snapshot;
use chrono::{DateTime, Utc};

use super::load::{self, LoadError};

/// Of the strip; the table holds a few more.
const MINUTES: usize = 60;

/// One minute of traffic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Minute {
    pub at: DateTime<Utc>,
    /// Served requests.
    pub requests: u64,
    pub tokens: u64,
    /// Calls to providers.
    pub attempts: u64,
    /// Those of them that count as success or as fault, and as success.
    pub counted: u64,
    pub success: u64,
}

/// The 60 minutes up to that in which everything has arrived.
#[derive(Clone, Debug, Default)]
pub struct LastHour {
    /// Oldest first, minutes without traffic included; empty when none are published, or there was never an event.
    pub minutes: Vec<Minute>,
}

impl LastHour {
    pub fn requests(&self) -> u64 {
        self.sum(|minute| minute.requests)
    }

    pub fn tokens(&self) -> u64 {
        self.sum(|minute| minute.tokens)
    }

    /// Success share of counted attempts, %, with the counted attempts; no threshold applied.
    pub fn uptime(&self) -> Option<(f64, u64)> {
        let (success, counted) = (self.sum(|minute| minute.success), self.sum(|minute| minute.counted));
        (counted > 0).then(|| (success as f64 * 100.0 / counted as f64, counted))
    }

    fn sum(&self, of: impl Fn(&Minute) -> u64) -> u64 {
        self.minutes.iter().fold(0, |sum, minute| sum.saturating_add(of(minute)))
    }
}

/// Reads `live_by_minute`.
pub(super) async fn read(snapshot: &Snapshot) -> Result<LastHour, LoadError> {
    let mut minutes = Vec::new();
    let counts = ["requests", "input_tokens", "output_tokens", "attempts", "counted", "success"];
    let names = [&["minute_at"][..], &counts].concat();
    load::scan(snapshot, snapshot.files().to_vec(), &names, None, |columns| {
        let (starts, counts) = (columns.instant("minute_at")?, columns.counts(&counts)?);
        let [requests, input, output, attempts, counted, success] = counts.as_slice() else { return Ok(()) };
        for row in 0..columns.rows() {
            let Some(at) = DateTime::from_timestamp_micros(starts.value(row)) else { continue };
            minutes.push(Minute {
                at,
                requests: requests.value(row),
                tokens: input.value(row).saturating_add(output.value(row)),
                attempts: attempts.value(row),
                counted: counted.value(row),
                success: success.value(row),
            });
        }
        Ok(())
    })
    .await?;
    minutes.sort_by_key(|minute| minute.at);
    let minutes = minutes.split_off(minutes.len().saturating_sub(MINUTES));
    Ok(LastHour { minutes })
}
