//! Which dates new attempts touch, and which hours of them.

use std::collections::BTreeMap;

use bellwether_warehouse::{DataFile, Snapshot};
use chrono::{NaiveDate, NaiveTime, TimeDelta};

use super::requests::Window;
use crate::dates::{date_of, dates_of};
use crate::error::Error;

/// Dates computed at once. More: fewer passes over a long history, more memory.
const RANGE_DAYS: i64 = 31;
/// Attempts read at once, unless a single date has more; of each request whose attempts came one by one,
/// some 200 bytes are kept meanwhile.
const RANGE_ROWS: i64 = 2_000_000;

const HOUR_US: i64 = 3_600_000_000;

/// Starts of requests, in µs: inclusive, exclusive. Whole hours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Hours {
    pub from: i64,
    pub to: i64,
}

impl Hours {
    /// All of a date.
    pub(super) fn of(date: NaiveDate) -> Self {
        let from = date.and_time(NaiveTime::MIN).and_utc().timestamp_micros();
        Self { from, to: from + 24 * HOUR_US }
    }

    /// Both and what lies between them.
    pub(super) fn hull(self, other: Self) -> Self {
        Self { from: self.from.min(other.from), to: self.to.max(other.to) }
    }

    /// The requests that began within, where none takes longer than `span`.
    pub(super) fn window(self, span: TimeDelta) -> Window {
        Window::new(self.from, self.to, span)
    }
}

/// The dates of new files and of each the hours that are to be computed again: those of the new rows; those
/// before, where the rows may be later attempts of requests that began then; those after, where they may be
/// first attempts of requests that were counted then. The dates before and after, where the hours reach there.
pub(super) fn touched(
    new: &[DataFile],
    attempts: &Snapshot,
    span: TimeDelta,
) -> Result<BTreeMap<NaiveDate, Hours>, Error> {
    // A date without attempts has no requests.
    let present = dates_of(attempts)?;
    let mut touched: BTreeMap<NaiveDate, Hours> = BTreeMap::new();
    for file in new {
        let date = date_of(attempts.table(), file)?;
        let day = Hours::of(date);
        let started = file.bounds().instant("started_at");
        let earliest = started.least.map_or(day.from, |at| at.timestamp_micros().clamp(day.from, day.to - 1));
        let latest = started.most.map_or(day.to - 1, |at| at.timestamp_micros().clamp(day.from, day.to - 1));
        let span = span.num_microseconds().unwrap_or_default();
        let hours = Hours {
            from: (earliest - span).div_euclid(HOUR_US) * HOUR_US,
            to: ((latest + span).div_euclid(HOUR_US) + 1) * HOUR_US,
        };
        let beside = [date.pred_opt(), date.succ_opt()].into_iter().flatten();
        for date in beside.filter(|date| present.contains(date)).chain([date]) {
            let day = Hours::of(date);
            let within = Hours { from: hours.from.max(day.from), to: hours.to.min(day.to) };
            if within.from < within.to {
                let hours = touched.entry(date).or_insert(within);
                *hours = hours.hull(within);
            }
        }
    }
    Ok(touched)
}

/// Runs of neighbouring dates, both ends included.
pub(super) fn ranges(
    dates: &BTreeMap<NaiveDate, Hours>,
    attempts: &Snapshot,
) -> Result<Vec<(NaiveDate, NaiveDate)>, Error> {
    let mut rows: BTreeMap<NaiveDate, i64> = BTreeMap::new();
    for file in attempts.files() {
        *rows.entry(date_of(attempts.table(), file)?).or_default() += file.rows;
    }
    Ok(split(dates.keys().map(|date| (*date, rows.get(date).copied().unwrap_or_default()))))
}

/// `dates`: ascending, with their rows.
pub(super) fn split(dates: impl Iterator<Item = (NaiveDate, i64)>) -> Vec<(NaiveDate, NaiveDate)> {
    let mut ranges: Vec<(NaiveDate, NaiveDate)> = Vec::new();
    let mut sum = 0;
    for (date, rows) in dates {
        sum += rows;
        match ranges.last_mut() {
            Some((first, last))
                if last.succ_opt() == Some(date)
                    && date.signed_duration_since(*first).num_days() < RANGE_DAYS
                    && sum <= RANGE_ROWS =>
            {
                *last = date;
            }
            _ => {
                sum = rows;
                ranges.push((date, date));
            }
        }
    }
    ranges
}
