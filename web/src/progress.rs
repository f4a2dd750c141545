//! How following the tables goes.

use std::time::Duration;

use chrono::{DateTime, Utc};

/// What the last looks came to, for the operator.
#[derive(Clone, Debug, Default)]
pub struct Progress {
    /// Last look that did not fail.
    pub refreshed_at: Option<DateTime<Utc>>,
    /// Last look after which the pages held all that was published.
    pub current_at: Option<DateTime<Utc>>,
    /// Text of the failure since then.
    pub failing: Option<String>,
    /// Failures in a row.
    pub failures: u32,
    /// Looks in a row that found something, of which nothing is published.
    pub waiting: u32,
}

impl Progress {
    pub(crate) fn failed(&mut self, text: String) {
        self.failing = Some(text);
        self.failures = self.failures.saturating_add(1);
    }

    pub(crate) fn is_behind(&self, now: DateTime<Utc>, limit: Duration) -> bool {
        self.current_at.is_some_and(|at| (now - at).to_std().unwrap_or_default() > limit)
    }

    /// Why the pages do not move.
    pub(crate) fn obstacle(&self) -> String {
        match &self.failing {
            Some(failing) => failing.clone(),
            None if self.waiting > 0 => "nothing is published yet; do the jobs run?".to_owned(),
            None => "new attempts are not folded or not published; do the jobs run?".to_owned(),
        }
    }
}
