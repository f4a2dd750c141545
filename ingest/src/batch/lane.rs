//! One stream inside a batch.

use super::frozen::{Counts, Range};
use super::stream::{Position, Stream};
use crate::dedup::Seen;

#[derive(Debug)]
pub(super) struct Lane {
    pub(super) stream: Stream,
    /// T of each table when this batch began.
    position: Position,
    start: i64,
    /// Next offset to take; the batch holds `[start, next)`.
    pub(super) next: i64,
    /// Offsets from which label cells and rejects are still to be written.
    pub(super) labels_from: i64,
    pub(super) rejects_from: i64,
    pub(super) seen: Seen,
    pub(super) counts: Counts,
}

impl Lane {
    pub(super) fn new(stream: Stream, position: Position, start: i64, seen: Seen) -> Self {
        let from = |table: Option<i64>| table.unwrap_or(start).max(start);
        let (labels_from, rejects_from) = (from(position.labels), from(position.rejects));
        let counts = Counts::default();
        Self { stream, position, start, next: start, labels_from, rejects_from, seen, counts }
    }

    /// Takes `offset` as the next record; offsets left out count as skipped. False: it was taken before.
    pub(super) fn advance(&mut self, offset: i64) -> bool {
        if offset < self.next {
            return false;
        }
        self.counts.skipped += offset.abs_diff(self.next);
        self.next = offset + 1;
        true
    }

    pub(super) fn skip_to(&mut self, offset: i64) {
        if offset > self.next {
            self.counts.skipped += offset.abs_diff(self.next);
            self.next = offset;
        }
    }

    pub(super) fn is_pending(&self) -> bool {
        self.next > self.start
    }

    /// The offsets since the last call; the lane begins again behind them.
    pub(super) fn take_range(&mut self) -> Option<Range> {
        if !self.is_pending() {
            return None;
        }
        let range = Range {
            stream: self.stream.clone(),
            from: self.position,
            start: self.start,
            end: self.next,
            counts: std::mem::take(&mut self.counts),
        };
        self.start = self.next;
        self.position = range.after();
        Some(range)
    }
}
