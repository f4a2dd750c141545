//! Commits of a year under a maintainer, on a store whose clock is set. For a test and for the example `year`.

use std::error::Error;
use std::path::Path;
use std::time::Duration;

use arrow::array::RecordBatch;
use bellwether_jobs::{Depth, Intent, Jobs, MaintainSettings, Maintainer};
use bellwether_warehouse::tables::attempts::AttemptRow;
use bellwether_warehouse::tables::rejects::{self, RejectRow};
use bellwether_warehouse::testing::{Aging, attempt, batch};
use bellwether_warehouse::{Advance, AppId, Change, DataFile, Location, TableId};
use chrono::{DateTime, Days, TimeDelta, Utc};

/// One file a commit, each of one row.
#[derive(Clone, Copy, Debug)]
pub struct Year {
    /// `attempts`, which is folded, or `rejects`.
    pub table: TableId,
    pub days: u64,
    pub commits_a_day: u64,
    /// Days between two folds, for which the log of `attempts` has to wait.
    pub fold_every: u64,
}

/// What the table came to.
#[derive(Debug, Default)]
pub struct Outcome {
    pub commits: i64,
    pub position: Option<i64>,
    pub rows: i64,
    pub active_files: usize,
    pub active_bytes: u64,
    /// Files of a date in the round after it closed.
    pub most_files_of_a_day: usize,
    pub most_entries: usize,
    pub log_bytes: u64,
    /// Of the table's folder.
    pub bytes: u64,
    pub committing: Duration,
    pub folding: Duration,
    pub maintaining: Duration,
}

#[derive(Default)]
struct Disk {
    files: usize,
    bytes: u64,
}

impl Year {
    /// # Errors
    /// Any step fails, or a round of maintenance does.
    pub async fn run(self, folder: &Path) -> Result<Outcome, Box<dyn Error>> {
        let store = Aging::new("2025-11-25T00:00:00Z".parse()?);
        let location = Location::parse(folder.to_str().unwrap_or_default())?;
        let warehouse = store.warehouse(&location).await?;
        let mut table = warehouse.table(self.table).await?;
        let mut jobs = Jobs::open(&warehouse).await?;
        let settings = MaintainSettings { checkpoint_after_commits: 20, ..MaintainSettings::default() };
        let mut maintainer = Maintainer::open(&warehouse, settings).await?;
        let folder = location.folder().ok_or("no folder")?.join(self.table.name());
        let world = warehouse.world();
        let app = AppId("ingest/test/events/0/0".to_owned());
        let mut outcome = Outcome::default();
        for day in 0..self.days {
            let began = world.now();
            let date = day_of(day)?;
            let first = table.write(&[self.row(date)]).await?.remove(0);
            for commit in 0..self.commits_a_day {
                // Copies of one file: what is told here is how many there are.
                let path = first.path.replace("part-", &format!("part-{commit}-"));
                std::fs::copy(folder.join(&first.path), folder.join(&path))?;
                let add = vec![DataFile { path, ..first.clone() }];
                let from = Some(outcome.commits).filter(|from| *from > 0);
                outcome.commits += 1;
                let advance = vec![Advance { app: app.clone(), from, to: outcome.commits }];
                table.commit(Change { advance, add, ..Change::default() }).await?;
            }
            std::fs::remove_file(folder.join(&first.path))?;
            outcome.committing += world.since(began);
            store.advance(TimeDelta::hours(24));
            let is_folded = self.table == TableId::Attempts;
            if is_folded && (day % self.fold_every == 0 || day + 1 == self.days) {
                let began = world.now();
                jobs.fold(store.now()).await?;
                jobs.route().await?;
                outcome.folding += world.since(began);
            }
            let began = world.now();
            let report = maintainer.round(Depth::Whole, Intent::Do, store.now()).await;
            outcome.maintaining += world.since(began);
            if !report.is_clean() {
                return Err(report.to_string().into());
            }
            table.refresh().await?;
            let closed = Some(date.date_naive().to_string());
            let is_of_day =
                |file: &&DataFile| file.partition.first().is_some_and(|(_, value)| *value == closed);
            let of_day = table.snapshot().files().iter().filter(is_of_day).count();
            outcome.most_files_of_a_day = outcome.most_files_of_a_day.max(of_day);
            outcome.most_entries =
                outcome.most_entries.max(disk(&folder.join("_delta_log"), Some("json"))?.files);
        }
        let files = table.snapshot().files();
        outcome.position = table.snapshot().txn(&app);
        outcome.rows = files.iter().map(|file| file.rows).sum();
        outcome.active_files = files.len();
        outcome.active_bytes = files.iter().map(|file| file.size_bytes.unsigned_abs()).sum();
        outcome.log_bytes = disk(&folder.join("_delta_log"), None)?.bytes;
        outcome.bytes = disk(&folder, None)?.bytes;
        Ok(outcome)
    }
}

impl Year {
    fn row(self, at: DateTime<Utc>) -> RecordBatch {
        let at = at.timestamp_micros() + 1;
        if self.table == TableId::Attempts {
            return batch(&[AttemptRow { started_at: at, ..attempt("event") }]);
        }
        let mut rejects = rejects::Builder::default();
        rejects.push(&RejectRow { received_at: at, ..RejectRow::default() });
        rejects.finish()
    }
}

fn day_of(day: u64) -> Result<DateTime<Utc>, Box<dyn Error>> {
    let first: DateTime<Utc> = "2025-11-25T00:00:00Z".parse()?;
    Ok(first.checked_add_days(Days::new(day)).ok_or("beyond the calendar")?)
}

/// Files below a folder, of one kind or of all.
fn disk(folder: &Path, kind: Option<&str>) -> Result<Disk, std::io::Error> {
    let mut disk = Disk::default();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else if kind.is_none_or(|kind| path.extension().is_some_and(|found| found == kind)) {
                disk.files += 1;
                disk.bytes += path.metadata()?.len();
            }
        }
    }
    Ok(disk)
}
