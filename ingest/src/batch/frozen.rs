//! A finished batch: what one flush writes and commits.

use std::collections::BTreeMap;

use arrow::array::RecordBatch;

use super::stream::{Position, Stream};
use crate::normalise::Priced;
use crate::reject::Reason;

/// What became of records.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub rows: u64,
    pub rejects: u64,
    pub duplicates: u64,
    /// Offsets without a record, and records without a value.
    pub skipped: u64,
    pub unknown_fields: u64,
    /// Values that could not be taken as they stood.
    pub absurd: u64,
    pub diagnostics: u64,
    pub words: u64,
}

/// Offsets `[start, end)` of one stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Range {
    pub stream: Stream,
    /// T of each table before this batch.
    pub from: Position,
    pub start: i64,
    pub end: i64,
    /// Newest valid record time (ms) below `end`.
    pub time: Option<i64>,
    /// The stream stops at `end` for good, under these settings.
    pub hold: Option<i64>,
    pub counts: Counts,
}

impl Range {
    /// Where `rejects` is ahead of this range: it holds what became of the offsets below this one when they were
    /// read before.
    pub fn known_below(&self) -> Option<i64> {
        self.from.rejects.map(|rejects| rejects.min(self.end)).filter(|below| *below > self.start)
    }

    /// T of each table once this range is committed.
    pub(super) fn after(&self) -> Position {
        let at_least = |table: Option<i64>| Some(table.unwrap_or(self.end).max(self.end));
        Position {
            attempts: Some(self.end),
            labels: at_least(self.from.labels),
            rejects: at_least(self.from.rejects),
            time: self.time,
            held: self.hold.map_or(self.from.held, |_| Some(self.end)),
            held_under: self.hold.or(self.from.held_under),
        }
    }
}

/// What became of the prices of rows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Prices {
    /// Rows without one in their record, which the catalogue's list gave one.
    pub by_list: u64,
    /// By provider: rows whose logged price is far from the list's.
    pub far_from_list: BTreeMap<String, u64>,
}

impl Prices {
    pub(super) fn count(&mut self, provider: Option<&str>, priced: Priced) {
        match (priced, provider) {
            (Priced::ByList, _) => self.by_list += 1,
            // Only providers of the catalogue have prices, so these names are bounded.
            (Priced::FarFromList, Some(provider)) => match self.far_from_list.get_mut(provider) {
                Some(count) => *count += 1,
                None => {
                    self.far_from_list.insert(provider.to_owned(), 1);
                }
            },
            (Priced::Unknown | Priced::Logged | Priced::FarFromList, _) => {}
        }
    }
}

#[derive(Debug)]
pub struct Frozen {
    pub ranges: Vec<Range>,
    pub rows: Option<RecordBatch>,
    pub rejects: Option<RecordBatch>,
    /// Rejects of offsets that `rejects` is ahead with. It may hold them, or not.
    pub rejects_again: Option<RecordBatch>,
    pub cells: Option<RecordBatch>,
    pub sources: BTreeMap<String, Counts>,
    /// Records refused, by reason.
    pub reasons: BTreeMap<Reason, u64>,
    pub prices: Prices,
}

impl Frozen {
    pub fn counts(&self) -> Counts {
        let mut total = Counts::default();
        for range in &self.ranges {
            total.rows += range.counts.rows;
            total.rejects += range.counts.rejects;
            total.duplicates += range.counts.duplicates;
            total.skipped += range.counts.skipped;
        }
        total.unknown_fields = self.sources.values().map(|counts| counts.unknown_fields).sum();
        total
    }

    /// Bytes held until the flush is done.
    pub fn size_bytes(&self) -> usize {
        [&self.rows, &self.rejects, &self.rejects_again, &self.cells]
            .into_iter()
            .flatten()
            .map(RecordBatch::get_array_memory_size)
            .sum()
    }
}
