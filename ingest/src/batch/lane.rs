//! One stream inside a batch.

use bellwether_warehouse::World;

use super::frozen::{Counts, Range};
use super::stream::{Position, Stream};
use crate::dedup::Seen;
use crate::record_time::{Judged, Times};

#[derive(Debug)]
pub(super) struct Lane {
    pub(super) stream: Stream,
    /// T of each table when this batch began.
    position: Position,
    start: i64,
    /// Next offset to take; the batch holds `[start, next)`.
    pub(super) next: i64,
    /// Offsets from which label cells and rejects are not in the tables for sure.
    pub(super) labels_from: i64,
    pub(super) rejects_from: i64,
    pub(super) seen: Seen,
    pub(super) counts: Counts,
    times: Times,
    hold: Option<i64>,
}

impl Lane {
    pub(super) fn new(stream: Stream, position: Position, start: i64, seen: Seen) -> Self {
        let from = |table: Option<i64>| table.unwrap_or(start).max(start);
        let (labels_from, rejects_from) = (from(position.labels), from(position.rejects));
        let counts = Counts::default();
        let times = if stream.doubts_times() { Times::after(position.time) } else { Times::Believed };
        Self {
            stream,
            position,
            start,
            next: start,
            labels_from,
            rejects_from,
            seen,
            counts,
            times,
            hold: None,
        }
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

    /// Takes the time of the record at hand, and says by what time its events are judged.
    pub(super) fn judge(&mut self, appended_at_us: i64, world: &World) -> Judged {
        self.times.judge(appended_at_us, || world.wall_us())
    }

    /// The next commit says that the stream stops behind it.
    pub(super) fn hold(&mut self, settings: i64) {
        self.hold = Some(settings);
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
            time: self.times.newest_millis(),
            hold: self.hold.take(),
            counts: std::mem::take(&mut self.counts),
        };
        self.start = self.next;
        self.position = range.after();
        Some(range)
    }
}
