//! What the tables of health share: their columns, and the statement from cells to figures. Each table's own `.sql` says
//! only which cells belong to which of its periods; the files here go on from there.

#[cfg(test)]
pub(crate) mod check;
mod columns;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;

use std::ops::RangeInclusive;

use bellwether_warehouse::TableId;
use bellwether_warehouse::tables::declared::Column;
use chrono::{Days, NaiveDate};

use crate::gate;

pub(crate) use columns::{BEFORE, FIGURES, KEYS, MIX, PARTIAL, SPEEDS, UPTIME};

/// The gate, since its decisions say which counts are bands.
pub(crate) const GATE: TableId = TableId::Declared(&gate::TABLE);

/// One list of several, in their order. `N` is their length, or the build fails.
pub(crate) const fn joined<const N: usize>(parts: &[&[Column]]) -> [Column; N] {
    let mut all = [parts[0][0]; N];
    let (mut part, mut at) = (0, 0);
    while part < parts.len() {
        let mut column = 0;
        while column < parts[part].len() {
            all[at] = parts[part][column];
            (at, column) = (at + 1, column + 1);
        }
        part += 1;
    }
    assert!(at == N, "the lists have another length");
    all
}

pub(crate) const fn length(parts: &[&[Column]]) -> usize {
    let (mut part, mut sum) = (0, 0);
    while part < parts.len() {
        sum += parts[part].len();
        part += 1;
    }
    sum
}

/// The day and so many after it.
pub(crate) fn with_days_after(date: NaiveDate, days: u64) -> RangeInclusive<NaiveDate> {
    date..=date.checked_add_days(Days::new(days)).unwrap_or(NaiveDate::MAX)
}
