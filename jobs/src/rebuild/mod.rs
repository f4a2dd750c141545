//! Computes whole dates afresh from `attempts`, each event once, and puts them in the place of what stood.
//!
//! Some dates at a time: a batch is pinned, computed and committed by itself, and begun again when other workers
//! changed what it had read. So a rebuild of any length gets through beside a running scheduler. Without
//! duplicate events the result is what settling gives, byte for byte. A table whose date comes out as it stood,
//! in one file, keeps its files.

mod batch;
#[cfg(test)]
mod beside;
mod drift;
mod due;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::Duration;

use bellwether_warehouse::{DataFile, TableId};
use chrono::{DateTime, NaiveDate, Utc};
use serde::Serialize;

use crate::changes::CHUNK_ROWS;
use crate::dates::date_of;
use crate::error::Error;
use crate::jobs::Jobs;
use batch::{Computed, Found};

pub(crate) use batch::{Batch, Folding};
pub use drift::Drift;
pub(crate) use due::{Nightly, due};

/// Tries at one batch. Others change a closed date once in minutes (settling, another rebuild, a late row).
const TRIES: u32 = 8;
/// Before the second try; twice as long before each further one.
const FIRST_PAUSE: Duration = Duration::from_millis(50);

/// What one rebuild found and did.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RebuildReport {
    /// Version of `attempts` that the last dates were computed at.
    pub at: i64,
    pub dates: usize,
    /// Attempts read, copies of an event included.
    pub attempts: i64,
    /// By table.
    pub drift: Vec<Drift>,
}

impl fmt::Display for RebuildReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { at, dates, attempts, drift } = self;
        write!(f, "{dates} dates from {attempts} attempts, at version {at} of attempts")?;
        for Drift { table, rows_before, rows_after, keys_differing, measures } in drift {
            write!(f, "\n{table:<19} {rows_before} → {rows_after} rows, {keys_differing} differing")?;
            for (measure, by) in measures {
                write!(f, ", {measure} {by:+}")?;
            }
        }
        Ok(())
    }
}

impl Jobs {
    /// Computes whole dates afresh from `attempts`, each event counted once, and replaces them. Both ends
    /// are included.
    ///
    /// # Errors
    /// A table cannot be read or written, or other workers were first again and again. The others are rebuilt.
    pub async fn rebuild(
        &mut self,
        from: NaiveDate,
        to: NaiveDate,
        now: DateTime<Utc>,
    ) -> Result<RebuildReport, Error> {
        rebuild_beside(self, from, to, now, &mut || Box::pin(async {})).await
    }
}

async fn rebuild_beside(
    jobs: &mut Jobs,
    from: NaiveDate,
    to: NaiveDate,
    now: DateTime<Utc>,
    computed: Computed<'_>,
) -> Result<RebuildReport, Error> {
    if to < from {
        return Err(Error::EmptyRange { from, to });
    }
    jobs.refresh().await?;
    let mut report = RebuildReport::new(jobs);
    // A date may have rows in a rollup and none in `attempts` any more: they go too.
    for dates in batches(jobs, |date| (from..=to).contains(&date))? {
        let tables = tables(jobs).collect();
        let batch = Batch { dates: &dates, tables, now, folding: Folding::Here };
        report.add(rebuild_batch(jobs, batch, computed).await?);
    }
    Ok(report)
}

/// Once, and again from its beginning where other workers were first.
pub(crate) async fn rebuild_batch(
    jobs: &mut Jobs,
    mut batch: Batch<'_>,
    computed: Computed<'_>,
) -> Result<RebuildReport, Error> {
    let mut found = Found::default();
    let mut pause = FIRST_PAUSE;
    for _ in 1..TRIES {
        match batch.run(jobs, &mut found, computed).await {
            Err(error) if error.is_fenced() && !batch.must_wait(&error) => {
                tracing::info!(
                    from = ?batch.dates.first(),
                    to = ?batch.dates.last(),
                    error = &error as &dyn std::error::Error,
                    "dates changed while they were rebuilt; beginning them again"
                );
            }
            Err(error) => return Err(error),
            Ok(()) => return Ok(RebuildReport::of(batch.dates.len(), found)),
        }
        jobs.warehouse().world().sleep(pause).await;
        pause *= 2;
    }
    batch.run(jobs, &mut found, computed).await?;
    Ok(RebuildReport::of(batch.dates.len(), found))
}

/// Every table that is rebuilt.
fn tables(jobs: &Jobs) -> impl Iterator<Item = TableId> {
    jobs.rebuilt().map(|(rollup, _)| rollup.level.table)
}

impl RebuildReport {
    fn new(jobs: &Jobs) -> Self {
        let at = jobs.attempts.snapshot().version();
        Self { at, dates: 0, attempts: 0, drift: tables(jobs).map(TableId::name).map(Drift::none).collect() }
    }

    fn of(dates: usize, found: Found) -> Self {
        let Found { version, attempts, drift } = found;
        Self { at: version, dates, attempts, drift }
    }

    fn add(&mut self, batch: Self) {
        self.at = batch.at;
        self.dates += batch.dates;
        self.attempts += batch.attempts;
        for found in batch.drift {
            if let Some(sum) = self.drift.iter_mut().find(|drift| drift.table == found.table) {
                sum.add(found);
            }
        }
    }
}

/// Runs of neighbouring dates with something in them, of about as many attempts as a fold reads at once.
pub(crate) fn batches(
    jobs: &Jobs,
    wanted: impl Fn(NaiveDate) -> bool,
) -> Result<Vec<BTreeSet<NaiveDate>>, Error> {
    let mut rows: BTreeMap<NaiveDate, i64> = BTreeMap::new();
    for snapshot in jobs.rebuilt().map(|(_, table)| table.snapshot()).chain([jobs.attempts.snapshot()]) {
        let is_attempts = snapshot.table() == TableId::Attempts;
        let count = |file: &DataFile| if is_attempts { file.rows } else { 0 };
        for file in snapshot.files() {
            let date = date_of(snapshot.table(), file)?;
            if wanted(date) {
                *rows.entry(date).or_default() += count(file);
            }
        }
    }
    let mut batches: Vec<BTreeSet<NaiveDate>> = Vec::new();
    let mut sum = 0;
    for (date, own) in rows {
        sum += own;
        match batches.last_mut() {
            Some(batch) if sum <= CHUNK_ROWS && batch.last().copied() == date.pred_opt() => {
                batch.insert(date);
            }
            _ => {
                sum = own;
                batches.push(BTreeSet::from([date]));
            }
        }
    }
    Ok(batches)
}
