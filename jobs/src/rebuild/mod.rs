//! Computes whole dates afresh from `attempts`, each event once, and puts them in the place of what stood.
//!
//! It reads `attempts` at F, folds first so that every table stands there, and commits by expecting F. Without
//! duplicate events the result is what settling gives, byte for byte. A table whose date comes out as it
//! stood, in one file, is left alone.

mod drift;
pub(crate) mod once;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::fmt;

use bellwether_warehouse::{DataFile, Snapshot, Table, TableId};
use chrono::{DateTime, NaiveDate, Utc};
use datafusion::prelude::SessionContext;
use serde::Serialize;

use crate::error::Error;
use crate::jobs::Jobs;
use crate::replace::Replacement;
use crate::rollup::{Rollup, date_of, first_kept, fold_app, folded};
use crate::routing::{around, compute, files_of, route_at_snapshot, routed, routing_app};
use crate::statement::{Rows, Statement};
use crate::{base, fold};

pub use drift::Drift;

const COMPARE: Statement = Statement { name: "rebuild/drift.rs", sql: "" };

/// What one rebuild found and did.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RebuildReport {
    /// Version of `attempts` it was computed at.
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
            write!(f, "\n{table:<15} {rows_before} → {rows_after} rows, {keys_differing} differing")?;
            for (measure, by) in measures {
                write!(f, ", {measure} {by:+}")?;
            }
        }
        Ok(())
    }
}

pub(crate) async fn rebuild(
    jobs: &mut Jobs,
    from: NaiveDate,
    to: NaiveDate,
    now: DateTime<Utc>,
) -> Result<RebuildReport, Error> {
    if to < from {
        return Err(Error::EmptyRange { from, to });
    }
    let at = fold::fold(jobs, now).await?.to;
    route_at_snapshot(jobs).await?;
    let attempts = jobs.attempts.snapshot().clone();
    let mut report = RebuildReport { at, dates: 0, attempts: 0, drift: Vec::new() };
    report.drift.extend(made_of_attempts(jobs).map(|rollup| Drift::none(rollup.table)));
    report.drift.push(Drift::none(TableId::RoutingHourly));
    for dates in batches(jobs, &attempts, from, to)? {
        report.dates += dates.len();
        let files = files_of(&attempts, &dates)?;
        report.attempts += files.iter().map(|file| file.rows).sum::<i64>();
        let ctx = jobs.session();
        once::register(&ctx, &attempts, files).await?;
        replace_folded(jobs, &ctx, &dates, at, now, &mut report.drift).await?;
        replace_routing(jobs, &attempts, &dates, &mut report.drift).await?;
    }
    Ok(report)
}

/// `intake_daily` is made of commits, and they do not come twice.
fn made_of_attempts(jobs: &Jobs) -> impl Iterator<Item = Rollup> {
    jobs.folded.iter().map(|folded| folded.rollup).filter(|rollup| rollup.table != TableId::IntakeDaily)
}

async fn replace_folded(
    jobs: &mut Jobs,
    ctx: &SessionContext,
    dates: &BTreeSet<NaiveDate>,
    at: i64,
    now: DateTime<Utc>,
    drift: &mut [Drift],
) -> Result<(), Error> {
    let wanted: Vec<TableId> = made_of_attempts(jobs).map(|rollup| rollup.table).collect();
    for derived in base::derive(ctx, &wanted, now).await? {
        let Some(target) = jobs.folded.iter_mut().find(|folded| folded.rollup.table == derived.table) else {
            continue;
        };
        // What is no longer kept is not computed, so it must not be replaced either.
        let first = target.rollup.keep_days.map(|days| first_kept(days, now));
        let kept = dates.iter().copied().filter(|date| first.is_none_or(|first| *date >= first)).collect();
        let stood = files_of(target.table.snapshot(), &kept)?;
        let found = folded(target.table.snapshot()).unwrap_or(-1);
        if found != at {
            return Err(Error::Uneven { table: derived.table.name(), found, expected: at });
        }
        let provider = target.table.snapshot().provider_over(stood.clone());
        let before = target.rollup.merge.run_over_table(ctx, provider).await?;
        let after = Rows { schema: derived.rows.schema(), batches: vec![derived.rows] };
        let new = New { table: derived.table, app: fold_app(), at, stood, before: &before, after: &after };
        new.put(&mut target.table, drift).await?;
    }
    Ok(())
}

async fn replace_routing(
    jobs: &mut Jobs,
    attempts: &Snapshot,
    dates: &BTreeSet<NaiveDate>,
    drift: &mut [Drift],
) -> Result<(), Error> {
    let (Some(first), Some(last)) = (dates.first(), dates.last()) else {
        return Ok(());
    };
    let table = TableId::RoutingHourly;
    let found = routed(jobs.routing.snapshot()).unwrap_or(-1);
    if found != attempts.version() {
        return Err(Error::Uneven { table: table.name(), found, expected: attempts.version() });
    }
    let ctx = jobs.session();
    let range = (*first, *last);
    once::register(&ctx, attempts, around(attempts, range)?).await?;
    let rows = compute(&ctx, range).await?;
    let after = Rows { schema: rows.schema(), batches: vec![rows] };
    let stood = files_of(jobs.routing.snapshot(), dates)?;
    let before = STOOD.run_over_table(&ctx, jobs.routing.snapshot().provider_over(stood.clone())).await?;
    let new = New { table, app: routing_app(), at: found, stood, before: &before, after: &after };
    new.put(&mut jobs.routing, drift).await
}

const STOOD: Statement = Statement { name: "rebuild/stood.sql", sql: include_str!("stood.sql") };

/// Rows to stand in the place of others.
struct New<'a> {
    table: TableId,
    app: bellwether_warehouse::AppId,
    at: i64,
    stood: Vec<DataFile>,
    before: &'a Rows,
    after: &'a Rows,
}

impl New<'_> {
    async fn put(self, table: &mut Table, drift: &mut [Drift]) -> Result<(), Error> {
        let found = Drift::between(self.table, self.before, self.after)
            .map_err(|source| COMPARE.failed(source.into()))?;
        let mut dates = BTreeSet::new();
        for file in &self.stood {
            dates.insert(date_of(self.table.name(), file)?);
        }
        let settled = dates.len() == self.stood.len();
        if found.keys_differing > 0 || !settled {
            let Self { app, at, stood, after, .. } = self;
            Replacement { job: "rebuild", app, at, remove: stood, rows: after }.commit(table).await?;
        }
        if let Some(sum) = drift.iter_mut().find(|drift| drift.table == found.table) {
            sum.add(found);
        }
        Ok(())
    }
}

/// Runs of neighbouring dates with something in them, of about as many attempts as a fold reads at once.
fn batches(
    jobs: &Jobs,
    attempts: &Snapshot,
    from: NaiveDate,
    to: NaiveDate,
) -> Result<Vec<BTreeSet<NaiveDate>>, Error> {
    // A date may have rows in a rollup and none in `attempts` any more: they go too.
    let mut rows = std::collections::BTreeMap::new();
    let rollups = jobs.folded.iter().filter(|folded| folded.rollup.table != TableId::IntakeDaily);
    let snapshots = rollups.map(|folded| folded.table.snapshot()).chain([jobs.routing.snapshot(), attempts]);
    for snapshot in snapshots {
        let name = snapshot.table().name();
        for file in snapshot.files() {
            let date = date_of(name, file)?;
            if (from..=to).contains(&date) {
                let own = if snapshot.table() == TableId::Attempts { file.rows } else { 0 };
                *rows.entry(date).or_insert(0) += own;
            }
        }
    }
    let mut batches: Vec<BTreeSet<NaiveDate>> = Vec::new();
    let mut sum = 0;
    for (date, own) in rows {
        sum += own;
        match batches.last_mut() {
            Some(batch) if sum <= fold::CHUNK_ROWS && batch.last().copied() == date.pred_opt() => {
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
