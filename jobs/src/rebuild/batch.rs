//! Some dates, computed afresh and replaced: once, against a state of the tables that stood still for them.
//!
//! What the tables hold of the dates must be made of what the pinned snapshot of `attempts` holds of them. So
//! they are pinned when no commit that is not folded yet brought rows of these dates. Each table is then replaced
//! by a commit that is refused when another worker took away one of the files that were read, or rebuilt one of
//! the dates. A fold in between refuses nothing: what it adds was committed after the pin and stays beside.

use std::collections::BTreeSet;

use arrow::array::RecordBatch;
use bellwether_warehouse::tables::rollup::{Made, Rollup};
use bellwether_warehouse::{Advance, DataFile, Snapshot, Table, TableId};
use chrono::{DateTime, NaiveDate, Utc};
use datafusion::prelude::SessionContext;
use futures::future::BoxFuture;
use futures::stream::BoxStream;

use super::Drift;
use crate::changes::Changes;
use crate::dates::{date_of, files_of};
use crate::error::{Error, Failures};
use crate::jobs::{Folded, Jobs, Recomputed};
use crate::replace::Replacement;
use crate::rollups::merged;
use crate::statement::Rows;
use crate::{base, mark, once};

/// Who folds what has to be folded first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Folding {
    /// The rebuild itself.
    Here,
    /// Another task: the rebuild comes later.
    Elsewhere,
}

/// Called when a batch was computed and nothing of it is committed. Tests let others commit there.
pub(super) type Computed<'a> = &'a mut (dyn FnMut() -> BoxFuture<'static, ()> + Send);

/// What is to be rebuilt.
#[derive(Debug)]
pub(crate) struct Batch<'a> {
    /// Neighbours.
    pub dates: &'a BTreeSet<NaiveDate>,
    /// Tables that were not replaced yet. A try that is refused leaves those it did not get to.
    pub tables: BTreeSet<TableId>,
    pub now: DateTime<Utc>,
    pub folding: Folding,
}

/// What was found and done, over all tries.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// Of `attempts`.
    pub version: i64,
    pub attempts: i64,
    pub drift: Vec<Drift>,
}

impl Batch<'_> {
    /// One try. When it is fenced, what is left in `tables` is to be tried again.
    pub(super) async fn run(
        &mut self,
        jobs: &mut Jobs,
        found: &mut Found,
        computed: Computed<'_>,
    ) -> Result<(), Error> {
        let attempts = self.pin(jobs).await?;
        let files = files_of(&attempts, self.dates)?;
        found.version = attempts.version();
        found.attempts = files.iter().map(|file| file.rows).sum();
        let ctx = jobs.session();
        once::register(&ctx, &attempts, files, None, once::Copies::LeftOut).await?;
        let wanted: Vec<TableId> = self.tables.iter().copied().collect();
        let derived = base::derive(&ctx, &wanted, self.now).await?.collect(&wanted).await?;
        let recomputed = self.recompute(jobs, &attempts).await?;
        computed().await;
        let mut failures = Failures::default();
        for (table, rows) in derived {
            let replaced = self.replace_folded(jobs, (&ctx, &attempts), table, rows).await;
            found.drift.extend(failures.take(replaced).flatten());
        }
        for (table, rows) in recomputed {
            let replaced = self.replace_recomputed(jobs, (&ctx, &attempts), table, rows).await;
            found.drift.extend(failures.take(replaced).flatten());
        }
        failures.or(())
    }

    /// Nothing that this worker does would change what it found.
    pub(super) fn must_wait(&self, error: &Error) -> bool {
        self.folding == Folding::Elsewhere && matches!(error, Error::Unfolded { .. })
    }

    /// Brings every table to a state whose rows of the dates are made of the returned snapshot's.
    async fn pin(&self, jobs: &mut Jobs) -> Result<Snapshot, Error> {
        if self.folding == Folding::Here {
            jobs.fold(self.now).await?;
            jobs.recompute().await?;
        }
        let version = jobs.refresh().await?;
        let is_derived = |folded: &&Folded| folded.rollup.family.made == Made::FromAttempts;
        for target in jobs.folded.iter().filter(is_derived) {
            let table = target.table.id().name();
            let found = target.table.snapshot().folded();
            if let Some(folded) = found.filter(|folded| *folded > version) {
                return Err(Error::Ahead { table, folded, version });
            }
            for file in Changes::between(&jobs.attempts, found, version).await?.files {
                let date = date_of(TableId::Attempts, &file)?;
                if self.dates.contains(&date) {
                    return Err(Error::Unfolded { table, date });
                }
            }
        }
        Ok(jobs.attempts.snapshot().clone())
    }

    async fn replace_folded(
        &mut self,
        jobs: &mut Jobs,
        (ctx, attempts): (&SessionContext, &Snapshot),
        table: TableId,
        after: Rows,
    ) -> Result<Option<Drift>, Error> {
        let Some(Folded { rollup, table }) = jobs.folded.iter_mut().find(|folded| folded.table.id() == table)
        else {
            return Ok(None);
        };
        // What is no longer kept is not computed, so it must not be replaced either.
        let first_kept = rollup.level.first_kept(self.now.date_naive());
        let kept: BTreeSet<NaiveDate> =
            self.dates.iter().copied().filter(|date| *date >= first_kept).collect();
        let stood = files_of(table.snapshot(), &kept)?;
        let before =
            merged(*rollup).stream_over_table(ctx, table.snapshot().provider_over(stood.clone())).await?;
        let advance = mark::advance(table.snapshot(), &kept, self.now);
        let read = mark::read(attempts, table.snapshot(), &kept);
        self.put(*rollup, table, New { advance, read, stood, before, after }).await.map(Some)
    }

    /// Rows of the tables that are not derived with the others.
    async fn recompute(&self, jobs: &Jobs, attempts: &Snapshot) -> Result<Vec<(TableId, Rows)>, Error> {
        let mut recomputed = Vec::new();
        let (Some(first), Some(last)) = (self.dates.first(), self.dates.last()) else {
            return Ok(recomputed);
        };
        for Recomputed { how, table, .. } in &jobs.recomputed {
            if self.tables.contains(&table.id()) {
                let rows = how.rows(&jobs.session(), attempts, (*first, *last)).await?;
                recomputed.push((table.id(), Rows { schema: rows.schema(), batches: vec![rows] }));
            }
        }
        Ok(recomputed)
    }

    async fn replace_recomputed(
        &mut self,
        jobs: &mut Jobs,
        (ctx, attempts): (&SessionContext, &Snapshot),
        table: TableId,
        after: Rows,
    ) -> Result<Option<Drift>, Error> {
        let target = jobs.recomputed.iter_mut().find(|recomputed| recomputed.table.id() == table);
        let Some(Recomputed { rollup, table, .. }) = target else {
            return Ok(None);
        };
        let snapshot = table.snapshot();
        let stood = files_of(snapshot, self.dates)?;
        let before = merged(*rollup).stream_over_table(ctx, snapshot.provider_over(stood.clone())).await?;
        let mut advance = mark::advance(snapshot, self.dates, self.now);
        let read = mark::read(attempts, snapshot, self.dates);
        // A recomputation replaces a date it touches, so the files tell whether it did, but only where there are any.
        let mut with_files = BTreeSet::new();
        for file in &stood {
            with_files.insert(date_of(snapshot.table(), file)?);
        }
        if let (false, Some(at)) = (with_files == *self.dates, snapshot.computed_at()) {
            advance.push(Advance { app: rollup.app(), from: Some(at), to: at });
        }
        self.put(*rollup, table, New { advance, read, stood, before, after }).await.map(Some)
    }

    /// Rows stay where they came out as they stood, in one file a date.
    async fn put(&mut self, rollup: Rollup, table: &mut Table, new: New) -> Result<Drift, Error> {
        let New { mut advance, read, stood, before, after } = new;
        let id = table.id();
        let mut remapped = mark::remapped_by(&read);
        advance.extend(read);
        let found = Drift::between(rollup, before, &after).await?;
        let mut dates = BTreeSet::new();
        for file in &stood {
            dates.insert(date_of(id, file)?);
        }
        let none = Rows { schema: after.schema.clone(), batches: Vec::new() };
        let (remove, rows) = match found.keys_differing > 0 || dates.len() != stood.len() {
            true => (stood, &after),
            false => (Vec::new(), &none),
        };
        if remove.is_empty() && rows.count() == 0 {
            remapped.clear();
        }
        Replacement { job: "rebuild", advance, remove, rows, remapped }.commit(table).await?;
        self.tables.remove(&id);
        Ok(found)
    }
}

/// Rows to stand in the place of others.
struct New {
    advance: Vec<Advance>,
    /// Marks of dates whose names were read again.
    read: Vec<Advance>,
    stood: Vec<DataFile>,
    before: BoxStream<'static, Result<RecordBatch, Error>>,
    after: Rows,
}
