//! Waiting between tries of a storage operation.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::time::{Duration, Instant};

use super::FlushError;
use crate::metric;

const FIRST: Duration = Duration::from_millis(100);
/// Long enough not to burden a store in trouble, short enough to be back soon after it.
const LONGEST: Duration = Duration::from_secs(20);

/// Doubles the pause from try to try, each between half and the whole of it, so that workers do not come in step.
#[derive(Debug)]
pub(super) struct Backoff {
    table: &'static str,
    patience: Option<Duration>,
    since: Instant,
    pause: Duration,
    jitter: RandomState,
}

impl Backoff {
    pub(super) fn new(table: &'static str, patience: Option<Duration>) -> Self {
        Self { table, patience, since: Instant::now(), pause: FIRST, jitter: RandomState::new() }
    }

    /// Reports the failure and waits, or gives up when patience is at its end.
    pub(super) async fn wait(&mut self, source: bellwether_warehouse::Error) -> Result<(), FlushError> {
        let waited = self.since.elapsed();
        if self.patience.is_some_and(|patience| waited + self.pause > patience) {
            return Err(FlushError::Storage { table: self.table, waited, source: Box::new(source) });
        }
        tracing::warn!(
            table = self.table,
            pause_millis = self.pause.as_millis() as u64,
            error = &source as &dyn std::error::Error,
            "storage failed, trying again"
        );
        metrics::counter!(metric::RETRIES, "table" => self.table).increment(1);
        let share = self.jitter.hash_one(waited.as_nanos()) as f64 / u64::MAX as f64;
        tokio::time::sleep(self.pause.mul_f64(0.5 + share / 2.0)).await;
        self.pause = (self.pause * 2).min(LONGEST);
        Ok(())
    }
}
