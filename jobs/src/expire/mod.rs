//! Drops the dates that the tables of hours and minutes no longer keep. Their attempts are in the coarser
//! tables. The files themselves go with the next vacuum.
//!
//! The clock alone is not believed: days are counted back from the newest rows where those are older than
//! today. So a clock that is years ahead drops nothing, and a warehouse that stands still keeps what it shows.

#[cfg(test)]
mod tests;

use bellwether_warehouse::tables::rollup::Level;
use bellwether_warehouse::{Change, Snapshot, Table};
use chrono::{DateTime, Days, NaiveDate, Utc};
use serde::Serialize;

use crate::dates::{date_of, dates_of};
use crate::error::{Error, Failures};
use crate::jobs::{Jobs, refresh};

/// A date far from all others may be one event with a wrong clock. More: such a date is believed sooner.
const NEIGHBOUR_DAYS: u64 = 7;

/// What one expiry dropped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct ExpireReport {
    pub files: usize,
    pub rows: i64,
    /// Files that are too old by the clock and not by the newest rows.
    pub files_held: usize,
}

impl Jobs {
    /// Drops dates that a table no longer keeps.
    ///
    /// # Errors
    /// A table cannot be read or written, or another worker was first. The others are dealt with.
    pub async fn expire(&mut self, now: DateTime<Utc>) -> Result<ExpireReport, Error> {
        expire(self, now).await
    }
}

async fn expire(jobs: &mut Jobs, now: DateTime<Utc>) -> Result<ExpireReport, Error> {
    let mut report = ExpireReport::default();
    let mut failures = Failures::default();
    for (rollup, table) in jobs.rollups_mut() {
        if rollup.level.keep_days.is_some() {
            let dropped = drop_old(table, rollup.level, now, &mut report).await;
            failures.take(dropped);
        }
    }
    failures.or(report)
}

async fn drop_old(
    table: &mut Table,
    level: &Level,
    now: DateTime<Utc>,
    report: &mut ExpireReport,
) -> Result<(), Error> {
    let name = table.id().name();
    refresh(table).await?;
    if table.snapshot().computed_at().is_none() {
        return Ok(());
    }
    let newest = newest_date(table.snapshot())?;
    let believed = newest.map_or(now, |newest| now.min(midnight(newest)));
    let [first, by_clock] = [believed, now].map(|now| level.first_kept(now.date_naive()));
    let mut remove = Vec::new();
    let mut rows = 0;
    let mut held = 0;
    for file in table.snapshot().files() {
        let date = date_of(table.id(), file)?;
        if date < first {
            remove.push(file.path.clone());
            rows += file.rows;
        } else if date < by_clock {
            held += 1;
        }
    }
    if held > 0 {
        tracing::warn!(
            table = name,
            newest = ?newest,
            today = %now.date_naive(),
            files = held,
            "old dates are kept until newer rows come; is the clock of this host ahead?"
        );
    }
    report.files_held += held;
    if remove.is_empty() {
        return Ok(());
    }
    let files = remove.len();
    let change = Change {
        remove,
        info: [("job".to_owned(), "expire".into())].into_iter().collect(),
        ..Change::default()
    };
    table.commit(change).await.map_err(|source| Error::Commit { table: name, source })?;
    report.files += files;
    report.rows += rows;
    Ok(())
}

/// The newest date with rows that has another one shortly before it; the oldest where none has.
fn newest_date(snapshot: &Snapshot) -> Result<Option<NaiveDate>, Error> {
    let dates = dates_of(snapshot)?;
    let has_neighbour = |date: &NaiveDate| {
        let from = date.checked_sub_days(Days::new(NEIGHBOUR_DAYS)).unwrap_or(NaiveDate::MIN);
        dates.range(from..*date).next().is_some()
    };
    Ok(dates.iter().rev().find(|date| has_neighbour(date)).or(dates.first()).copied())
}

fn midnight(date: NaiveDate) -> DateTime<Utc> {
    date.and_time(chrono::NaiveTime::MIN).and_utc()
}
