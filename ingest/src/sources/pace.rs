//! When a batch is to be flushed.

use std::time::Duration;

use bellwether_warehouse::Moment;

use crate::batch::Batch;
use crate::config::Ingest;
use crate::sink::FlushReason;

/// Watches one batch. The age counts from its first record.
#[derive(Debug)]
pub(super) struct Pace {
    rows: usize,
    bytes: usize,
    age: Duration,
    since: Option<Moment>,
}

impl Pace {
    pub(super) fn new(config: &Ingest) -> Self {
        Self {
            rows: config.flush_rows,
            bytes: config.flush_bytes.len(),
            age: config.flush_age.0,
            since: None,
        }
    }

    /// Call after every change of the batch.
    pub(super) fn due(&mut self, batch: &Batch, now: Moment) -> Option<FlushReason> {
        if batch.is_empty() {
            self.since = None;
            return None;
        }
        let since = *self.since.get_or_insert(now);
        if batch.len() >= self.rows {
            Some(FlushReason::Rows)
        } else if batch.pending_bytes() >= self.bytes {
            Some(FlushReason::Bytes)
        } else if now.since(since) >= self.age {
            Some(FlushReason::Age)
        } else {
            None
        }
    }

    /// When the batch is old enough, if it holds anything.
    pub(super) fn deadline(&self) -> Option<Moment> {
        self.since.map(|since| since + self.age)
    }
}
