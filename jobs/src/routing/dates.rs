//! Which dates new attempts touch.

use std::collections::{BTreeMap, BTreeSet};

use bellwether_warehouse::{DataFile, Snapshot};
use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta, Utc};
use serde::Deserialize;

use crate::error::Error;
use crate::rollup::date_of;

/// Dates computed at once. More: fewer passes over a long history, more memory.
const RANGE_DAYS: i64 = 31;
/// Attempts read at once, unless a single date has more; of each request whose attempts came one by one,
/// some 200 bytes are kept meanwhile.
const RANGE_ROWS: i64 = 2_000_000;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Stats {
    min_values: Bound,
    max_values: Bound,
}

#[derive(Deserialize)]
struct Bound {
    started_at: Option<DateTime<Utc>>,
}

/// The dates of new files; the date before where a file has rows so soon after midnight that they may be
/// later attempts of requests begun before it; the date after where rows so late may be first attempts of
/// requests that were counted there.
pub(super) fn touched(
    new: &[DataFile],
    attempts: &Snapshot,
    span: TimeDelta,
) -> Result<BTreeSet<NaiveDate>, Error> {
    let table = attempts.table().name();
    let mut dates = BTreeSet::new();
    let mut beside = BTreeSet::new();
    for file in new {
        let date = date_of(table, file)?;
        dates.insert(date);
        let stats = file.stats.as_deref().and_then(|stats| serde_json::from_str::<Stats>(stats).ok());
        let bounds = stats.map(|stats| (stats.min_values.started_at, stats.max_values.started_at));
        let (earliest, latest) = bounds.unwrap_or_default();
        let midnight = date.and_time(NaiveTime::MIN).and_utc();
        if earliest.is_none_or(|earliest| earliest < midnight + span) {
            beside.extend(date.pred_opt());
        }
        if latest.is_none_or(|latest| latest >= midnight + TimeDelta::days(1) - span) {
            beside.extend(date.succ_opt());
        }
    }
    // A date without attempts has no requests.
    let mut present = BTreeSet::new();
    for file in attempts.files() {
        present.insert(date_of(table, file)?);
    }
    dates.extend(beside.intersection(&present));
    Ok(dates)
}

/// Runs of neighbouring dates, both ends included.
pub(super) fn ranges(
    dates: &BTreeSet<NaiveDate>,
    attempts: &Snapshot,
) -> Result<Vec<(NaiveDate, NaiveDate)>, Error> {
    let mut rows: BTreeMap<NaiveDate, i64> = BTreeMap::new();
    for file in attempts.files() {
        *rows.entry(date_of(attempts.table().name(), file)?).or_default() += file.rows;
    }
    Ok(split(dates.iter().map(|date| (*date, rows.get(date).copied().unwrap_or_default()))))
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
