//! Where every table of the jobs stands.

#[cfg(test)]
mod tests;

use std::fmt;

use bellwether_warehouse::Snapshot;
use chrono::NaiveDate;
use serde::Serialize;

use crate::dates::dates_of;
use crate::error::Error;
use crate::jobs::Jobs;
use crate::publish;

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
            "{:<19} {:>8} {:>8} {:>6} {:>7} {:>11} {:>13}  newest",
            "table", "version", "computed", "lag", "files", "rows", "bytes"
        )?;
        for status in [&self.attempts].into_iter().chain(&self.rollups).chain(&self.published) {
            let TableStatus { table, version, computed_at, lag, files, rows, bytes, newest_date } = status;
            let computed = computed_at.map_or_else(|| "-".to_owned(), |at| at.to_string());
            let newest = newest_date.map_or_else(|| "-".to_owned(), |date| date.to_string());
            write!(
                f,
                "\n{table:<19} {version:>8} {computed:>8} {lag:>6} {files:>7} {rows:>11} {bytes:>13}  {newest}"
            )?;
        }
        Ok(())
    }
}

impl Jobs {
    /// Where every table of the jobs stands.
    ///
    /// # Errors
    /// The log of a table cannot be read.
    pub async fn status(&mut self) -> Result<Status, Error> {
        let newest = self.refresh().await?;
        let behind = |computed_at: Option<i64>| newest - computed_at.unwrap_or(-1);
        let rollups = self.rollups().map(|(_, table)| {
            let snapshot = table.snapshot();
            standing(snapshot, snapshot.computed_at(), behind(snapshot.computed_at()))
        });
        let rollups = rollups.collect::<Result<_, Error>>()?;
        let mut published = Vec::new();
        for (snapshot, publication) in publish::published(self.warehouse()).await? {
            let computed_at = publication.and_then(|publication| publication.attempts_version);
            let newest_date = publish::newest_date(&snapshot);
            let status = TableStatus::of(&snapshot, computed_at, behind(computed_at));
            published.push(TableStatus { newest_date, ..status });
        }
        Ok(Status { attempts: standing(self.attempts.snapshot(), None, 0)?, rollups, published })
    }
}

fn standing(snapshot: &Snapshot, computed_at: Option<i64>, lag: i64) -> Result<TableStatus, Error> {
    let newest_date = dates_of(snapshot)?.last().copied();
    Ok(TableStatus { newest_date, ..TableStatus::of(snapshot, computed_at, lag) })
}

impl TableStatus {
    /// Without a date.
    fn of(snapshot: &Snapshot, computed_at: Option<i64>, lag: i64) -> Self {
        let files = snapshot.files();
        Self {
            table: snapshot.table().name(),
            version: snapshot.version(),
            computed_at,
            lag,
            files: files.len(),
            rows: files.iter().map(|file| file.rows).sum(),
            bytes: files.iter().map(|file| file.size_bytes).sum(),
            newest_date: None,
        }
    }
}
