//! The ids of the newest offsets, in memory that follows the limit and not what is read.

use super::{Fingerprint, Window};

/// Ids beyond what is wanted that are held before they are sorted out.
const SLACK: usize = 8192;

/// The ids of as many of the newest offsets as hold more than `limit` of them: all that a window can keep, and one
/// offset to know that there are older ones. What comes in another order gives the same.
#[derive(Debug)]
pub(super) struct Newest {
    limit: usize,
    ids: Vec<(i64, Fingerprint)>,
    /// Older offsets cannot be among them.
    from: i64,
    /// Length at which the ids are sorted out.
    full: usize,
}

impl Newest {
    pub(super) fn new(limit: usize) -> Self {
        Self { limit, ids: Vec::new(), from: 0, full: limit.saturating_mul(2).saturating_add(SLACK) }
    }

    /// The lowest offset that may still count.
    pub(super) fn from(&self) -> i64 {
        self.from
    }

    /// Whether the ids of higher offsets and `more` of them are more than a window keeps. Only right after `cut`.
    pub(super) fn would_do(&self, offset: i64, more: u64) -> bool {
        let above = self.ids.len() - self.ids.partition_point(|(known, _)| *known <= offset);
        more.saturating_add(above as u64) > self.limit as u64
    }

    pub(super) fn push(&mut self, offset: i64, id: Fingerprint) {
        if offset < self.from {
            return;
        }
        self.ids.push((offset, id));
        if self.ids.len() >= self.full {
            self.cut();
        }
    }

    /// Forgets what is too old.
    pub(super) fn cut(&mut self) {
        self.ids.sort_unstable();
        let oldest = self.ids.len().checked_sub(self.limit.saturating_add(1));
        if let Some((from, _)) = oldest.and_then(|oldest| self.ids.get(oldest)) {
            self.from = *from;
            self.ids.drain(..self.ids.partition_point(|(offset, _)| *offset < self.from));
        }
        // The ids of one offset stay together, however many they are.
        self.full = self.ids.len().max(self.limit).saturating_mul(2).saturating_add(SLACK);
    }

    pub(super) fn into_window(mut self) -> Window {
        self.cut();
        let mut window = Window::new(self.limit);
        for (offset, id) in self.ids {
            window.insert(offset, id);
        }
        window
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_follows_the_limit_and_the_order_does_not_matter() {
        let limit = 100;
        let ids = |offset: i64| [2 * offset, 2 * offset + 1].map(|id| Fingerprint(id as u64));
        let mut windows = Vec::new();
        for is_descending in [false, true] {
            let mut newest = Newest::new(limit);
            for step in 0..50_000 {
                let offset = if is_descending { 49_999 - step } else { step };
                ids(offset).into_iter().for_each(|id| newest.push(offset, id));
                assert!(newest.ids.len() <= 2 * (limit + 2) + SLACK);
            }
            newest.cut();
            // 50 offsets of two ids each, and the one before them.
            assert_eq!((newest.from(), newest.ids.len()), (49_949, 102));
            // 80 ids stand above this one.
            assert!(!newest.would_do(49_959, 20) && newest.would_do(49_959, 21));
            windows.push(newest.into_window().order);
        }
        assert_eq!(windows[0].len(), limit);
        assert_eq!(windows[0].front(), Some(&Fingerprint(2 * 49_950)));
        assert_eq!(windows[0], windows[1]);
    }

    #[test]
    fn one_offset_may_exceed_the_limit() {
        let mut newest = Newest::new(2);
        for id in 0..30_000 {
            newest.push(7, Fingerprint(id));
        }
        newest.push(6, Fingerprint(30_000));
        assert_eq!(newest.into_window().len(), 30_000);
    }
}
