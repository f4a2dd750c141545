//! Adds new attempts to every folded table, in one commit a table that also moves its F.
//!
//! What is new since F is what the commits after F added with `dataChange`, read from the files they named
//! even if those were compacted since. So a fold costs what is new, whatever the history, and a late row
//! needs nothing special. A crash between two tables leaves them at different F; each gets its own range. A table
//! that has no F begins with all files of `attempts`, and so does, in the place of what stands in it, one whose commits
//! or files were taken away before it had read them.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, VecDeque};

use arrow::array::RecordBatch;
use bellwether_warehouse::tables::rollup::Made;
use bellwether_warehouse::{Advance, Change, DataFile, Snapshot, Staging, TableId, fold_app};
use chrono::{DateTime, Utc};
use futures::StreamExt;
use serde::Serialize;
use tokio::task::JoinHandle;

use crate::base;
use crate::changes::{Changes, chunks};
use crate::error::Error;
use crate::jobs::{Jobs, refresh};
use crate::mark;
use crate::replace::REWRITTEN_BY;

/// Dates of a chunk that are encoded and stored beside each other: while one waits for the disk, another is encoded. More: more
/// memory.
const DATES_STORED: usize = 2;

/// What one fold did.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct FoldReport {
    /// Version of `attempts` that every folded table now has.
    pub to: i64,
    /// Attempts read. A table that lagged behind the others was caught up by reading its own range.
    pub attempts: i64,
    pub files: usize,
    pub tables: Vec<FoldedTable>,
}

/// One commit of a fold.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FoldedTable {
    pub table: &'static str,
    /// F before; None when it had never been folded.
    pub from: Option<i64>,
    /// Partial rows appended.
    pub rows: i64,
}

impl Jobs {
    /// Adds what was committed to `attempts` since the last fold to every folded table.
    ///
    /// # Errors
    /// A table cannot be read or written, or another worker was first.
    pub async fn fold(&mut self, now: DateTime<Utc>) -> Result<FoldReport, Error> {
        fold(self, now).await
    }
}

async fn fold(jobs: &mut Jobs, now: DateTime<Utc>) -> Result<FoldReport, Error> {
    // The rollups first: what another worker has put into them meanwhile is then surely in `attempts`.
    for folded_table in &mut jobs.folded {
        refresh(&mut folded_table.table).await?;
    }
    let to = refresh(&mut jobs.attempts).await?;
    let mut behind: BTreeMap<Option<i64>, Vec<usize>> = BTreeMap::new();
    for (at, folded_table) in jobs.folded.iter().enumerate() {
        match folded_table.table.snapshot().folded() {
            Some(folded) if folded == to => {}
            Some(folded) if folded > to => {
                let table = folded_table.table.id().name();
                return Err(Error::Ahead { table, folded, version: to });
            }
            from => behind.entry(from).or_default().push(at),
        }
    }
    let mut report = FoldReport { to, ..FoldReport::default() };
    // The furthest first: readers wait for those, while one that is new takes all rows of the history.
    for (from, tables) in behind.into_iter().rev() {
        pass(jobs, from, &tables, now, &mut report).await?;
    }
    Ok(report)
}

/// One pass over what is new since `from`, for all tables that stand there.
async fn pass(
    jobs: &mut Jobs,
    from: Option<i64>,
    tables: &[usize],
    now: DateTime<Utc>,
    report: &mut FoldReport,
) -> Result<(), Error> {
    let behind = tables.iter().filter_map(|at| jobs.folded.get(*at));
    let (wanted, told): (Vec<_>, Vec<_>) =
        behind.partition(|folded| folded.rollup.family.made == Made::FromAttempts);
    let [wanted, told] = [wanted, told]
        .map(|tables| tables.into_iter().map(|folded| folded.table.id()).collect::<Vec<TableId>>());
    let mut changes = match told.is_empty() {
        true => Changes::between(&jobs.attempts, from, report.to).await?,
        false => Changes::with_told(&jobs.attempts, from, report.to).await?,
    };
    let mut written = match derive(jobs, &changes.files, &wanted, now).await {
        Err(error) if !changes.is_whole && error.is_missing_file() => {
            tracing::error!(
                from,
                to = report.to,
                error = &error as &dyn std::error::Error,
                "files that were not folded yet are gone; beginning afresh from the rows of attempts"
            );
            let told = std::mem::take(&mut changes.told);
            changes = Changes { told, ..Changes::whole(&jobs.attempts) };
            derive(jobs, &changes.files, &wanted, now).await?
        }
        written => written?,
    };
    report.files += changes.files.len();
    report.attempts += changes.files.iter().map(|file| file.rows).sum::<i64>();
    for (table, rows) in changes.told.rows()? {
        if told.contains(&table) {
            let (table, files) = store(stage(jobs, table, rows).await?).await?;
            written.insert(table, files);
        }
    }
    for folded in tables {
        let Some(folded) = jobs.folded.get_mut(*folded) else {
            continue;
        };
        let table = folded.table.id().name();
        let add = written.remove(&folded.table.id()).unwrap_or_default();
        let rows = add.iter().map(|file| file.rows).sum();
        let info = [("job", "fold".into()), ("rows", serde_json::Value::from(rows))];
        let mut change = Change {
            advance: vec![Advance { app: fold_app(), from, to: report.to }],
            add,
            info: info.map(|(name, value)| (name.to_owned(), value)).into_iter().collect(),
            ..Change::default()
        };
        if changes.is_whole && wanted.contains(&folded.table.id()) {
            change.advance.extend(mark::read_all(jobs.attempts.snapshot(), folded.table.snapshot()));
            if from.is_some() {
                begin_afresh(&mut change, folded.table.snapshot());
            }
        }
        folded.table.commit(change).await.map_err(|source| Error::Commit { table, source })?;
        report.tables.push(FoldedTable { table, from, rows });
    }
    Ok(())
}

/// What stands goes: the new rows are of all attempts. With them the copies of events that rebuilds had left out are
/// back, so no date counts as rebuilt any more. What is made of commits keeps its rows, which nothing could make again.
fn begin_afresh(change: &mut Change, stands: &Snapshot) {
    change.remove = stands.files().iter().map(|file| file.path.clone()).collect();
    change.advance.extend(mark::forget(stands));
    change.info.insert(REWRITTEN_BY.to_owned(), "fold".into());
}

/// Partial rows of files, by table, as files that no commit names yet.
async fn derive(
    jobs: &Jobs,
    files: &[DataFile],
    wanted: &[TableId],
    now: DateTime<Utc>,
) -> Result<BTreeMap<TableId, Vec<DataFile>>, Error> {
    let mut written: BTreeMap<TableId, Vec<DataFile>> = BTreeMap::new();
    let chunks = chunks(files.to_vec()).into_iter().map(|files| fold_chunk(jobs, files, wanted, now));
    let mut parts = futures::stream::iter(chunks).buffered(jobs.threads());
    while let Some(part) = parts.next().await {
        for (table, files) in part? {
            written.entry(table).or_default().extend(files);
        }
    }
    Ok(written)
}

/// Files of a table that no commit names yet.
type Stored = (TableId, Vec<DataFile>);

/// One chunk on one thread: chunks run beside each other, so splitting one would only cost a merge.
async fn fold_chunk(
    jobs: &Jobs,
    files: Vec<DataFile>,
    wanted: &[TableId],
    now: DateTime<Utc>,
) -> Result<Vec<Stored>, Error> {
    let task = || {
        let rows = jobs.attempts.snapshot().rows_with_lists(files, &base::columns());
        let wanted = wanted.to_vec();
        async move { base::of_batches(rows, &wanted, now).await }
    };
    let failed = |source| Error::Task { job: "fold", source };
    let mut derived = tokio::spawn(task()).await.map_err(failed)??;
    let mut written = Vec::new();
    let mut storing: VecDeque<JoinHandle<Result<Stored, Error>>> = VecDeque::new();
    while let Some(base::Derived { table, rows }) = derived.next().await? {
        if storing.len() >= DATES_STORED
            && let Some(first) = storing.pop_front()
        {
            written.push(first.await.map_err(failed)??);
        }
        storing.push_back(tokio::spawn(store(stage(jobs, table, rows).await?)));
    }
    for stored in storing {
        written.push(stored.await.map_err(failed)??);
    }
    Ok(written)
}

/// Rows on their way into files of their table; None: there are none.
async fn stage(jobs: &Jobs, table: TableId, rows: RecordBatch) -> Result<(TableId, Option<Staging>), Error> {
    let folded = jobs.folded.iter().find(|folded| folded.table.id() == table);
    let Some(folded) = folded.filter(|_| rows.num_rows() > 0) else { return Ok((table, None)) };
    let staged = folded.table.stage(&[rows]).await;
    Ok((table, Some(staged.map_err(|source| Error::Write { table: table.name(), source })?)))
}

async fn store((table, staging): (TableId, Option<Staging>)) -> Result<Stored, Error> {
    let Some(mut staging) = staging else { return Ok((table, Vec::new())) };
    match staging.store().await {
        Ok(()) => Ok((table, staging.files())),
        Err(source) => {
            staging.discard().await;
            Err(Error::Write { table: table.name(), source })
        }
    }
}
