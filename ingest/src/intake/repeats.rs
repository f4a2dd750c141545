//! Recognises refused records of a body that a sender sends again.
//!
//! A sender that got no answer, or none that it liked, repeats its whole batch. Events are told apart by their ids;
//! what was refused has none, and each repeat would make it one more reject. So for a while the intake remembers what
//! it refused and where in its body it stood, as hashes with a key of this process: nothing of them reaches a disk,
//! and what comes after a restart counts again. It is decided before the append, so that a log read twice gives the
//! same rejects.

use std::collections::{HashSet, VecDeque};
use std::hash::{BuildHasher, RandomState};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use bellwether_warehouse::{Moment, World};

/// How many are remembered, at some 30 bytes each.
const MOST: usize = 65_536;
/// For how long. Repeats come within minutes; a sender that is wrong all day is to be seen all day.
const KEPT: Duration = Duration::from_secs(600);

/// Stands for one refused record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Mark(u64);

#[derive(Debug, Default)]
pub(super) struct Repeats {
    /// Random keys, made once.
    hashes: RandomState,
    world: World,
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    marks: HashSet<Mark>,
    /// Oldest first.
    order: VecDeque<(Moment, Mark)>,
}

impl Repeats {
    /// `at` tells equal records of one body apart.
    pub(super) fn mark(&self, at: u64, bytes: &[u8]) -> Mark {
        Mark(self.hashes.hash_one((at, bytes)))
    }

    pub(super) fn knows(&self, mark: Mark) -> bool {
        self.knows_at(mark, self.world.now())
    }

    fn knows_at(&self, mark: Mark, now: Moment) -> bool {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.forget(MOST, now);
        known.marks.contains(&mark)
    }

    /// Only for records that were appended: what is known is not appended again.
    pub(super) fn remember(&self, marks: impl IntoIterator<Item = Mark>) {
        self.remember_at(marks, self.world.now());
    }

    fn remember_at(&self, marks: impl IntoIterator<Item = Mark>, now: Moment) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        for mark in marks {
            known.forget(MOST - 1, now);
            if known.marks.insert(mark) {
                known.order.push_back((now, mark));
            }
        }
    }
}

impl Known {
    /// Leaves at most `most`, none of them too old.
    fn forget(&mut self, most: usize, now: Moment) {
        while let Some((since, mark)) = self.order.front()
            && (self.order.len() > most || now.since(*since) > KEPT)
        {
            self.marks.remove(mark);
            self.order.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_refused_is_known_for_a_while_by_its_bytes_and_place() {
        let (repeats, then) = (Repeats::default(), World::default().now());
        let mark = repeats.mark(7, b"{broken");
        assert!(!repeats.knows_at(mark, then));
        repeats.remember_at([mark], then);
        assert!(repeats.knows_at(repeats.mark(7, b"{broken"), then));
        assert!(!repeats.knows_at(repeats.mark(8, b"{broken"), then));
        assert!(!repeats.knows_at(repeats.mark(7, b"{broke"), then));
        // The key is that of one process.
        assert_ne!(Repeats::default().mark(7, b"{broken"), mark);
        assert!(repeats.knows_at(mark, then + KEPT));
        assert!(!repeats.knows_at(mark, then + KEPT + Duration::from_secs(1)));
    }

    #[test]
    fn the_oldest_are_forgotten_when_there_are_too_many() {
        let (repeats, now) = (Repeats::default(), World::default().now());
        let marks: Vec<Mark> = (0..=MOST as u64).map(|at| repeats.mark(at, b"{")).collect();
        repeats.remember_at(marks.clone(), now);
        assert!(!repeats.knows_at(marks[0], now));
        assert!(repeats.knows_at(marks[1], now) && repeats.knows_at(marks[MOST], now));
        assert_eq!(repeats.known.lock().unwrap().order.len(), MOST);
    }
}
