//! Merges the partial rows of a date to one row a key, sorted by it, so that the content of a settled file
//! depends on nothing but the attempts behind it.
//!
//! The files seen are removed and the merged one is added in one commit, which is refused when one of them is
//! gone. What a fold adds in between stays beside it. A table or batch of dates that fails holds up no other.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use bellwether_warehouse::DataFile;
use chrono::{DateTime, NaiveDate, Utc};
use datafusion::prelude::SessionContext;
use serde::Serialize;

use crate::dates::date_of;
use crate::error::{Error, Failures};
use crate::jobs::{Folded, Jobs, refresh};
use crate::replace::Replacement;
use crate::rollups::merged;

/// A date is crowded from one file more on. More: more partial rows to merge at each reading, and fewer
/// rewrites of the open date.
const CROWDED_FILES: usize = 32;
/// Rows merged at once. More: fewer commits after a long import, more memory.
const BATCH_ROWS: i64 = 500_000;
/// Writers close a file when it has grown past this, so a date of more bytes cannot be one file.
const FILE_BYTES: i64 = 128 * 1024 * 1024;

/// Which dates are merged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settling {
    /// Dates with very many files.
    Crowded,
    /// Also every past date, week and month that is not one file yet. Not for every round: each late row would have its
    /// whole date rewritten.
    Closed,
}

/// What one settling did.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct SettleReport {
    /// Dates merged, counted by table.
    pub dates: usize,
    pub files_before: usize,
    pub files_after: usize,
    /// Rows written.
    pub rows: i64,
}

impl Jobs {
    /// Merges partial rows. Changes no answer, only how many files and rows it is read from.
    ///
    /// # Errors
    /// A table cannot be read or written, or another worker was first. The others are settled.
    pub async fn settle(&mut self, settling: Settling, now: DateTime<Utc>) -> Result<SettleReport, Error> {
        settle(self, settling, now).await
    }
}

async fn settle(jobs: &mut Jobs, settling: Settling, now: DateTime<Utc>) -> Result<SettleReport, Error> {
    let mut report = SettleReport::default();
    let mut failures = Failures::default();
    let ctx = jobs.session();
    for folded in &mut jobs.folded {
        let read = refresh(&mut folded.table).await;
        let batches = read.and_then(|_| due(folded, settling, now.date_naive()));
        for dates in failures.take(batches).unwrap_or_default() {
            let merged = merge(folded, &ctx, dates, &mut report).await;
            failures.take(merged);
        }
    }
    failures.or(report)
}

type Dates = BTreeMap<NaiveDate, Vec<DataFile>>;

/// Dates to merge, in batches.
fn due(folded: &Folded, settling: Settling, today: NaiveDate) -> Result<Vec<Dates>, Error> {
    let mut dates = Dates::new();
    for file in folded.table.snapshot().files() {
        let date = date_of(folded.table.id(), file)?;
        dates.entry(date).or_default().push(file.clone());
    }
    let last_day = |date| folded.rollup.level.grain.last_day(date);
    let is_due = |date: NaiveDate, files: &[DataFile]| {
        let bytes: i64 = files.iter().map(|file| file.size_bytes).sum();
        let unavoidable = usize::try_from(bytes / FILE_BYTES).unwrap_or_default();
        let crowded = files.len() > CROWDED_FILES + unavoidable;
        crowded || (settling == Settling::Closed && last_day(date) < today && files.len() > 1 + unavoidable)
    };
    let mut batches: Vec<Dates> = Vec::new();
    let mut rows = 0;
    for (date, files) in dates {
        if !is_due(date, &files) {
            continue;
        }
        let own: i64 = files.iter().map(|file| file.rows).sum();
        rows += own;
        match batches.last_mut() {
            Some(batch) if rows <= BATCH_ROWS => {
                batch.insert(date, files);
            }
            _ => {
                rows = own;
                batches.push(Dates::from([(date, files)]));
            }
        }
    }
    Ok(batches)
}

async fn merge(
    target: &mut Folded,
    ctx: &SessionContext,
    dates: Dates,
    report: &mut SettleReport,
) -> Result<(), Error> {
    let Folded { rollup, table } = target;
    if table.snapshot().folded().is_none() {
        return Ok(());
    }
    let count = dates.len();
    let files: Vec<DataFile> = dates.into_values().flatten().collect();
    let provider = table.snapshot().provider_over(files.clone());
    let rows = merged(*rollup).run_over_table(ctx, provider).await?;
    let replacement = Replacement {
        job: "settle",
        advance: Vec::new(),
        remove: files,
        rows: &rows,
        remapped: BTreeSet::new(),
    };
    let done = replacement.commit(table).await?;
    report.dates += count;
    report.files_before += done.removed;
    report.files_after += done.added;
    report.rows += done.rows;
    Ok(())
}
