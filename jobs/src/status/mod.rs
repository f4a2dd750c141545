//! Where every table of the jobs stands.

#[cfg(test)]
mod tests;

use std::fmt;

use bellwether_warehouse::Snapshot;
use chrono::NaiveDate;
use serde::Serialize;

use crate::error::Error;
use crate::jobs::{Jobs, refresh};
use crate::publish;
use crate::rollup::date_of;
use crate::routing::routed;

/// As text, a table.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Status {
    pub attempts: TableStatus,
    pub rollups: Vec<TableStatus>,
    /// Those that exist. `computed_at` is that of the newest publication.
    pub published: Vec<TableStatus>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TableStatus {
    pub table: &'static str,
    /// Of the table's own log.
    pub version: i64,
    /// Version of `attempts` that is in it; None for `attempts` itself and while nothing is.
    pub computed_at: Option<i64>,
    /// Versions of `attempts` that are not in it yet.
    pub lag: i64,
    pub files: usize,
    /// Partial rows count each.
    pub rows: i64,
    pub bytes: i64,
    pub newest_date: Option<NaiveDate>,
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:<15} {:>8} {:>8} {:>6} {:>7} {:>11} {:>13}  newest",
            "table", "version", "computed", "lag", "files", "rows", "bytes"
        )?;
        for status in [&self.attempts].into_iter().chain(&self.rollups).chain(&self.published) {
            let TableStatus { table, version, computed_at, lag, files, rows, bytes, newest_date } = status;
            let computed = computed_at.map_or_else(|| "-".to_owned(), |at| at.to_string());
            let newest = newest_date.map_or_else(|| "-".to_owned(), |date| date.to_string());
            write!(
                f,
                "\n{table:<15} {version:>8} {computed:>8} {lag:>6} {files:>7} {rows:>11} {bytes:>13}  {newest}"
            )?;
        }
        Ok(())
    }
}

pub(crate) async fn status(jobs: &mut Jobs) -> Result<Status, Error> {
    // The rollups first: what they have is then surely in `attempts`.
    for folded in &mut jobs.folded {
        refresh(&mut folded.table).await?;
    }
    refresh(&mut jobs.routing).await?;
    let newest = refresh(&mut jobs.attempts).await?;
    let of = |snapshot: &Snapshot, computed_at: Option<i64>, lag: i64| {
        let mut status = TableStatus::of(snapshot, computed_at, lag);
        for file in snapshot.files() {
            status.newest_date = status.newest_date.max(Some(date_of(status.table, file)?));
        }
        Ok(status)
    };
    let behind = |computed_at: Option<i64>| newest - computed_at.unwrap_or(-1);
    let mut rollups = Vec::new();
    for table in &jobs.folded {
        let snapshot = table.table.snapshot();
        rollups.push(of(snapshot, snapshot.folded(), behind(snapshot.folded()))?);
    }
    let snapshot = jobs.routing.snapshot();
    rollups.push(of(snapshot, routed(snapshot), behind(routed(snapshot)))?);
    let attempts = of(jobs.attempts.snapshot(), None, 0)?;
    let mut published = Vec::new();
    for (snapshot, publication) in publish::published(jobs.warehouse()).await? {
        let computed_at = publication.and_then(|publication| publication.attempts_version);
        let mut status = TableStatus::of(&snapshot, computed_at, behind(computed_at));
        status.newest_date = publish::newest_date(&snapshot);
        published.push(status);
    }
    Ok(Status { attempts, rollups, published })
}

impl TableStatus {
    /// Without a date.
    fn of(snapshot: &Snapshot, computed_at: Option<i64>, lag: i64) -> Self {
        Self {
            table: snapshot.table().name(),
            version: snapshot.version(),
            computed_at,
            lag,
            files: snapshot.files().len(),
            rows: snapshot.files().iter().map(|file| file.rows).sum(),
            bytes: snapshot.files().iter().map(|file| file.size_bytes).sum(),
            newest_date: None,
        }
    }
}
