//! Who waits for the tables, for how long and why: for whoever tells of the health of the process.
//!
//! A flush is tried again until it goes through, which is right for a log that can wait; but what a missing
//! permission or a folder that is gone has stopped does not come back by itself, so somebody must hear of it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bellwether_warehouse::health::State;
use bellwether_warehouse::{Moment, World};
use chrono::{DateTime, SecondsFormat, Utc};

/// A store may stumble for so long without anybody having to know.
const IMPAIRED: Duration = Duration::from_secs(5);
/// What has waited for so long, while nothing else was committed, does not do its work.
const DOWN: Duration = Duration::from_secs(60);

/// Everybody in this process who waits. Clones are one list.
#[derive(Clone, Debug)]
pub struct Waits {
    list: Arc<Mutex<List>>,
    impaired_after: Duration,
    down_after: Duration,
    world: World,
}

#[derive(Debug, Default)]
struct List {
    /// In the order in which they began to.
    waiting: BTreeMap<u64, Wait>,
    next: u64,
    /// When anything was committed last.
    moved_at: Option<Moment>,
}

#[derive(Debug)]
struct Wait {
    what: String,
    cause: String,
    since: Moment,
    shown_since: DateTime<Utc>,
}

impl Default for Waits {
    fn default() -> Self {
        Self::with_limits(IMPAIRED, DOWN)
    }
}

impl Waits {
    pub(crate) fn with_limits(impaired_after: Duration, down_after: Duration) -> Self {
        Self { list: Arc::default(), impaired_after, down_after, world: World::default() }
    }

    /// For the readiness of the process: of those who wait, the one that has waited longest.
    pub fn state(&self) -> State {
        self.state_at(self.world.now())
    }

    fn state_at(&self, now: Moment) -> State {
        let list = self.lock();
        let Some(wait) = list.waiting.values().next() else { return State::Works };
        let waited = now.since(wait.since);
        if waited < self.impaired_after {
            return State::Works;
        }
        let since = wait.shown_since.to_rfc3339_opts(SecondsFormat::Secs, true);
        let text = format!("{} cannot be used since {since}: {}; it is tried again", wait.what, wait.cause);
        let moves = list.moved_at.is_some_and(|at| now.since(at) < self.down_after);
        if waited < self.down_after || moves { State::Impaired(text) } else { State::Down(text) }
    }

    /// Something waits from now on, until the answer is dropped. `what` is what it waits for.
    pub(crate) fn begin(&self, what: impl Into<String>, cause: &dyn std::error::Error) -> Waiting {
        let mut list = self.lock();
        let key = list.next;
        list.next += 1;
        let wait = Wait {
            what: what.into(),
            cause: bellwether_warehouse::chain(cause),
            since: self.world.now(),
            shown_since: self.world.wall(),
        };
        list.waiting.insert(key, wait);
        drop(list);
        Waiting { waits: self.clone(), key }
    }

    /// Something was committed.
    pub(crate) fn moved(&self) {
        self.lock().moved_at = Some(self.world.now());
    }

    fn lock(&self) -> MutexGuard<'_, List> {
        self.list.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One who waits.
#[derive(Debug)]
pub(crate) struct Waiting {
    waits: Waits,
    key: u64,
}

impl Waiting {
    /// Tried again, and failed with this.
    pub(crate) fn still(&self, cause: &dyn std::error::Error) {
        if let Some(wait) = self.waits.lock().waiting.get_mut(&self.key) {
            wait.cause = bellwether_warehouse::chain(cause);
        }
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.waits.lock().waiting.remove(&self.key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> std::io::Error {
        std::io::Error::other(text.to_owned())
    }

    #[test]
    fn a_wait_is_told_after_some_seconds_and_is_down_after_a_minute_in_which_nothing_moved() {
        let waits = Waits::default();
        let start = waits.world.now();
        let later = |secs: u64| start + Duration::from_secs(secs);
        assert_eq!(waits.state_at(later(100)), State::Works);
        let waiting = waits.begin("table `attempts`", &error("permission denied"));
        assert_eq!(waits.state_at(later(4)), State::Works);
        let State::Impaired(text) = waits.state_at(later(6)) else { panic!("not told") };
        let since = waits.world.wall().format("since %Y-").to_string();
        for part in ["table `attempts` cannot be used", &since, ": permission denied; it is tried again"] {
            assert!(text.contains(part), "{text}");
        }
        waiting.still(&error("no such folder"));
        let State::Down(text) = waits.state_at(later(62)) else { panic!("not down") };
        assert!(text.contains("no such folder") && !text.contains("permission"), "{text}");
        // Another one commits, so the process is of some use.
        waits.moved();
        assert!(matches!(waits.state_at(waits.world.now() + Duration::from_secs(59)), State::Impaired(_)));
        drop(waiting);
        assert_eq!(waits.state_at(later(100)), State::Works);
    }

    #[test]
    fn of_several_the_one_that_has_waited_longest_is_told() {
        let waits = Waits::with_limits(Duration::ZERO, Duration::from_secs(60));
        let first = waits.begin("one", &error("x"));
        let _second = waits.begin("two", &error("x"));
        assert!(matches!(waits.state(), State::Impaired(text) if text.starts_with("one ")));
        drop(first);
        assert!(matches!(waits.state(), State::Impaired(text) if text.starts_with("two ")));
    }
}
