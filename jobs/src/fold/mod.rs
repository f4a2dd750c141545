//! Adds new attempts to every folded table, in one commit a table that also moves its F.
//!
//! What is new since F is what the commits after F added with `dataChange`, read from the files they named
//! even if those were compacted since. So a fold costs what is new, whatever the history, and a late row
//! needs nothing special. A crash between two tables leaves them at different F; each gets its own range.

mod changes;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use bellwether_warehouse::{Advance, Change, DataFile, TableId};
use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::base;
use crate::error::Error;
use crate::jobs::{Jobs, refresh};
use crate::rollup::{fold_app, folded};
use crate::statement::Rows;
pub(crate) use changes::{CHUNK_ROWS, Changes, chunks};

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

pub(crate) async fn fold(jobs: &mut Jobs, now: DateTime<Utc>) -> Result<FoldReport, Error> {
    let to = refresh(&mut jobs.attempts).await?;
    let mut behind: BTreeMap<Option<i64>, Vec<usize>> = BTreeMap::new();
    for (at, folded_table) in jobs.folded.iter_mut().enumerate() {
        refresh(&mut folded_table.table).await?;
        match folded(folded_table.table.snapshot()) {
            Some(folded) if folded == to => {}
            Some(folded) if folded > to => {
                let table = folded_table.rollup.table.name();
                return Err(Error::Ahead { table, folded, version: to });
            }
            from => behind.entry(from).or_default().push(at),
        }
    }
    let mut report = FoldReport { to, ..FoldReport::default() };
    for (from, tables) in behind {
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
    let changes = Changes::between(&jobs.attempts, from, report.to).await?;
    let wanted: Vec<TableId> =
        tables.iter().filter_map(|at| jobs.folded.get(*at)).map(|folded| folded.rollup.table).collect();
    let mut written: BTreeMap<TableId, Vec<DataFile>> = BTreeMap::new();
    for files in chunks(changes.files) {
        report.files += files.len();
        report.attempts += files.iter().map(|file| file.rows).sum::<i64>();
        let ctx = jobs.session();
        let provider = jobs.attempts.snapshot().provider_over(files);
        ctx.register_table(TableId::Attempts.name(), provider)
            .map_err(|source| Error::Query { statement: "attempts", source: Box::new(source) })?;
        for derived in base::derive(&ctx, &wanted, now).await? {
            let files = write(jobs, derived.table, &derived.rows).await?;
            written.entry(derived.table).or_default().extend(files);
        }
    }
    if wanted.contains(&TableId::IntakeDaily) {
        let files = write(jobs, TableId::IntakeDaily, &changes.intake.rows()?).await?;
        written.insert(TableId::IntakeDaily, files);
    }
    for folded in tables {
        let Some(folded) = jobs.folded.get_mut(*folded) else {
            continue;
        };
        let table = folded.rollup.table.name();
        let add = written.remove(&folded.rollup.table).unwrap_or_default();
        let rows = add.iter().map(|file| file.rows).sum();
        let info = [("job", "fold".into()), ("rows", serde_json::Value::from(rows))];
        let change = Change {
            advance: vec![Advance { app: fold_app(), from, to: report.to }],
            add,
            info: info.map(|(name, value)| (name.to_owned(), value)).into_iter().collect(),
            ..Change::default()
        };
        folded.table.commit(change).await.map_err(|source| Error::Commit { table, source })?;
        report.tables.push(FoldedTable { table, from, rows });
    }
    Ok(())
}

async fn write(jobs: &Jobs, table: TableId, rows: &Rows) -> Result<Vec<DataFile>, Error> {
    match jobs.folded.iter().find(|folded| folded.rollup.table == table) {
        Some(folded) if rows.count() > 0 => folded
            .table
            .write(&rows.batches)
            .await
            .map_err(|source| Error::Write { table: table.name(), source }),
        _ => Ok(Vec::new()),
    }
}
