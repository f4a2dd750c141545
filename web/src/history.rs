//! How much of a history is there while it is written newest first, as the demo does.
//!
//! Whoever writes it tells each time which days are whole, and as of which version of `attempts`. A dataset counts on
//! the days that were whole at the version it is folded to, so that no page takes a week that is not written yet for
//! one without traffic, and a model in it for new.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::NaiveDate;

use crate::format;

/// Told by the writer, asked by each dataset. All clones are one.
#[derive(Clone, Debug, Default)]
pub struct History {
    told: Arc<Mutex<Vec<(i64, Written)>>>,
}

/// What is there of a history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Written {
    /// This day and all after it are whole.
    pub from: NaiveDate,
    pub weeks: u32,
    pub of: u32,
    /// About how long the rest takes, where that is known.
    pub left: Option<Duration>,
}

impl Written {
    pub fn is_whole(&self) -> bool {
        self.weeks >= self.of
    }

    /// What pages say of it.
    pub fn sentence(&self) -> String {
        let left = self.left.map(|left| format!("; about {} left", about(left))).unwrap_or_default();
        format!(
            "{} of {} weeks written, newest first{left}. Comparisons with weeks that are not written yet fill in.",
            format::count(self.weeks.into()),
            format::count(self.of.into())
        )
    }
}

impl History {
    /// As of `version` of `attempts` so much is there. Versions and days come in order.
    pub fn tell(&self, version: i64, written: Written) {
        self.lock().push((version, written));
    }

    /// What is there for whoever has folded up to this version; `None`: all of it.
    pub fn at(&self, folded: i64) -> Option<Written> {
        let told = self.lock();
        let known = told.iter().rev().find(|(version, _)| *version <= folded).or(told.first());
        known.map(|(_, written)| *written).filter(|written| !written.is_whole())
    }

    fn lock(&self) -> MutexGuard<'_, Vec<(i64, Written)>> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Settings with the same history are the same settings.
impl PartialEq for History {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.told, &other.told)
    }
}

impl Eq for History {}

/// `40 s`, `3 min`: rounded up, as nobody can tell it better.
fn about(left: Duration) -> String {
    match left.as_secs() {
        secs if secs < 100 => format!("{}\u{a0}s", (secs / 10 + 1) * 10),
        secs => format!("{}\u{a0}min", secs.div_ceil(60)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(from: &str, weeks: u32, left: Option<u64>) -> Written {
        let from = from.parse().unwrap();
        Written { from, weeks, of: 52, left: left.map(Duration::from_secs) }
    }

    #[test]
    fn a_dataset_counts_on_what_was_whole_at_the_version_it_is_folded_to() {
        let history = History::default();
        assert_eq!(history.at(7), None, "nobody writes one");
        let first = written("2026-11-02", 4, None);
        let second = written("2026-10-05", 8, Some(31));
        history.tell(3, first);
        history.tell(9, second);
        // Before the first one there is nothing safer to say.
        assert_eq!([2, 3, 8].map(|folded| history.at(folded)), [Some(first); 3]);
        assert_eq!([9, 10].map(|folded| history.at(folded)), [Some(second); 2]);
        history.tell(12, written("2025-11-29", 52, None));
        assert_eq!((history.at(11), history.at(12)), (Some(second), None));
    }

    #[test]
    fn the_sentence_says_how_far_it_is_and_how_long_about() {
        let said = |weeks, left| written("2026-11-02", weeks, left).sentence().replace('\u{a0}', " ");
        let rest = "Comparisons with weeks that are not written yet fill in.";
        assert_eq!(said(11, None), format!("11 of 52 weeks written, newest first. {rest}"));
        assert_eq!(
            said(11, Some(31)),
            format!("11 of 52 weeks written, newest first; about 40 s left. {rest}")
        );
        for (secs, text) in [(0, "10 s"), (9, "10 s"), (95, "100 s"), (100, "2 min"), (121, "3 min")] {
            assert!(
                said(4, Some(secs)).contains(&format!("about {text} left")),
                "{secs}: {}",
                said(4, Some(secs))
            );
        }
    }

    #[test]
    fn clones_of_a_history_are_equal_and_others_are_not() {
        let history = History::default();
        assert_eq!(history.clone(), history);
        assert_ne!(history, History::default());
    }
}
