//! Tables whose rows do not add up: of every date that new attempts touch, they are computed afresh and replaced.
//!
//! A transaction of each table is the version of `attempts` it was computed at; it moves in the commit that replaces the
//! dates.

use bellwether_warehouse::{Advance, Change, Table, Warehouse};
use serde::Serialize;

use crate::changes::Changes;
use crate::dates::files_of;
use crate::error::Error;
use crate::jobs::{Jobs, Recomputed, refresh};
use crate::mark;
use crate::once::Copies;
use crate::rollups::Update;

/// What one recomputation did, over all tables.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct RecomputeReport {
    /// Version of `attempts` they were computed at.
    pub to: i64,
    /// Counted by table.
    pub dates: usize,
    /// Attempts read.
    pub attempts: i64,
    /// Rows written.
    pub rows: i64,
}

impl Jobs {
    /// Recomputes the dates that new attempts touch of every table whose rows do not add up.
    ///
    /// # Errors
    /// A table cannot be read or written, or another worker was first.
    pub async fn recompute(&mut self) -> Result<RecomputeReport, Error> {
        let mut report = RecomputeReport::default();
        for recomputed in &mut self.recomputed {
            catch_up(&self.warehouse, &mut self.attempts, recomputed, &mut report).await?;
        }
        Ok(report)
    }
}

async fn catch_up(
    warehouse: &Warehouse,
    attempts: &mut Table,
    recomputed: &mut Recomputed,
    report: &mut RecomputeReport,
) -> Result<(), Error> {
    let Recomputed { rollup, how, table } = recomputed;
    let name = table.id().name();
    // In this order: what another worker has computed meanwhile is then surely in `attempts`.
    refresh(table).await?;
    let to = refresh(attempts).await?;
    report.to = to;
    let from = table.snapshot().computed_at();
    match from {
        Some(from) if from == to => return Ok(()),
        Some(folded) if folded > to => return Err(Error::Ahead { table: name, folded, version: to }),
        _ => {}
    }
    let changes = Changes::between(attempts, from, to).await?;
    // A date touched again may have been rebuilt without its duplicates: they must not come back.
    let copies = if from.is_some() { Copies::LeftOut } else { Copies::Kept };
    let update = Update { warehouse, attempts: attempts.snapshot(), new: &changes.files, copies, table };
    let updated = how.update(update).await?;
    let remove = files_of(table.snapshot(), &updated.dates)?.into_iter().map(|file| file.path).collect();
    report.dates += updated.dates.len();
    report.attempts += updated.attempts;
    report.rows += updated.files.iter().map(|file| file.rows).sum::<i64>();
    let mut advance = vec![Advance { app: rollup.app(), from, to }];
    if from.is_none() {
        advance.extend(mark::read_all(attempts.snapshot(), table.snapshot()));
    }
    let change = Change {
        advance,
        add: updated.files,
        remove,
        info: [("job".to_owned(), rollup.family.name.into())].into_iter().collect(),
        ..Change::default()
    };
    table.commit(change).await.map_err(|source| Error::Commit { table: name, source })?;
    Ok(())
}
