//! Waiting for a condition in another process, bounded and without guessing a time.

use std::time::{Duration, Instant};

/// A program must start, or a small command end, in this time even when all cores are busy.
pub const START: Duration = Duration::from_secs(60);
/// Work over many records, on a busy two-core machine.
pub const WORK: Duration = Duration::from_secs(240);
/// Live traffic must be on a page in this time.
pub const FRESH: Duration = Duration::from_secs(30);

const BETWEEN_LOOKS: Duration = Duration::from_millis(5);

/// Looks until `look` answers; fails naming `what` once `limit` has passed.
#[track_caller]
pub fn until<T>(what: &str, limit: Duration, mut look: impl FnMut() -> Option<T>) -> T {
    let started = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(started.elapsed() < limit, "waited {limit:?} for {what}");
        std::thread::park_timeout(BETWEEN_LOOKS);
    }
}
