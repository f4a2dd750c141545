//! Commits of a year under a maintainer, on a store whose clock is set. For a test and for the example `year`.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use arrow::array::RecordBatch;
use bellwether_jobs::{Depth, Intent, Jobs, MaintainSettings, Maintainer};
use bellwether_warehouse::tables::attempts::AttemptRow;
use bellwether_warehouse::tables::rejects::{self, RejectRow};
use bellwether_warehouse::testing::{Aging, attempt, batch};
use bellwether_warehouse::{Advance, AppId, Change, DataFile, Location, Table, TableId, Warehouse};
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
    /// Of maintenance, one of them right after a date has closed.
    pub rounds_a_day: u32,
    pub settings: MaintainSettings,
    /// Is shown how it stands after each day.
    pub tell: fn(u64, &Outcome),
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
    /// The same after two more rounds, a day apart, without commits.
    pub bytes_at_rest: u64,
    pub log_bytes_at_rest: u64,
    /// To open the table at the end of a day, before its last round.
    pub longest_opening: Duration,
    pub last_opening: Duration,
    /// Of the first and the last tenth of the days.
    pub first_commits: Latencies,
    pub last_commits: Latencies,
    /// Memory of the process after the first tenth of the days, half of them, and all. 0: not known here.
    pub resident_bytes: [u64; 3],
    pub committing: Duration,
    pub folding: Duration,
    pub maintaining: Duration,
}

/// Of single commits, the writing of their files left out.
#[derive(Debug, Default)]
pub struct Latencies {
    pub p50: Duration,
    pub p99: Duration,
}

impl Latencies {
    fn of(mut times: Vec<Duration>) -> Self {
        times.sort();
        let at = |share: usize| times.get(times.len() * share / 100).copied().unwrap_or_default();
        Self { p50: at(50), p99: at(99) }
    }
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
        let mut run = Run::begin(self, folder).await?;
        let tenth = (self.days / 10).max(1);
        for day in 0..self.days {
            let mut times = Vec::new();
            run.day(day, &mut times).await?;
            if day < tenth {
                run.first.append(&mut times);
            } else if day + tenth >= self.days {
                run.last.append(&mut times);
            }
            for (at, of) in [tenth, self.days / 2, self.days].into_iter().zip(&mut run.outcome.resident_bytes)
            {
                if day + 1 == at {
                    *of = resident_bytes();
                }
            }
            (self.tell)(day, &run.outcome);
        }
        run.end().await
    }
}

struct Run {
    year: Year,
    store: Arc<Aging>,
    warehouse: Warehouse,
    table: Table,
    jobs: Jobs,
    maintainer: Maintainer,
    folder: PathBuf,
    first: Vec<Duration>,
    last: Vec<Duration>,
    outcome: Outcome,
}

impl Run {
    async fn begin(year: Year, folder: &Path) -> Result<Self, Box<dyn Error>> {
        let store = Aging::new("2025-11-25T00:00:00Z".parse()?);
        let location = Location::parse(folder.to_str().unwrap_or_default())?;
        let warehouse = store.warehouse_of_its_time(&location).await?;
        let table = warehouse.table(year.table).await?;
        let jobs = Jobs::open(&warehouse).await?;
        let maintainer = Maintainer::open(&warehouse, year.settings).await?;
        let folder = location.folder().ok_or("no folder")?.join(year.table.name());
        let (first, last, outcome) = (Vec::new(), Vec::new(), Outcome::default());
        Ok(Self { year, store, warehouse, table, jobs, maintainer, folder, first, last, outcome })
    }

    async fn day(&mut self, day: u64, times: &mut Vec<Duration>) -> Result<(), Box<dyn Error>> {
        let (year, date) = (self.year, day_of(day)?);
        let first = self.table.write(&[year.row(date)]).await?.remove(0);
        let rounds = u64::from(year.rounds_a_day);
        for round in 0..rounds {
            let commits = year.commits_a_day * round / rounds..year.commits_a_day * (round + 1) / rounds;
            for commit in commits {
                self.commit(&first, commit, times).await?;
            }
            self.store.advance(TimeDelta::hours(24) / i32::try_from(rounds)?);
            let is_last = round + 1 == rounds;
            if is_last {
                std::fs::remove_file(self.folder.join(&first.path))?;
                self.measure_opening().await?;
            }
            let is_folded = year.table == TableId::Attempts;
            if is_last && is_folded && (day.is_multiple_of(year.fold_every) || day + 1 == year.days) {
                self.fold().await?;
            }
            self.maintain().await?;
        }
        self.table.refresh().await?;
        let closed = Some(date.date_naive().to_string());
        let is_of_day = |file: &&DataFile| file.partition.first().is_some_and(|(_, value)| *value == closed);
        let of_day = self.table.snapshot().files().iter().filter(is_of_day).count();
        let outcome = &mut self.outcome;
        outcome.most_files_of_a_day = outcome.most_files_of_a_day.max(of_day);
        let entries = disk(&self.folder.join("_delta_log"), Some("json"))?.files;
        outcome.most_entries = outcome.most_entries.max(entries);
        Ok(())
    }

    async fn commit(
        &mut self,
        first: &DataFile,
        commit: u64,
        times: &mut Vec<Duration>,
    ) -> Result<(), Box<dyn Error>> {
        // Copies of one file: what is told here is how many there are.
        let path = first.path.replace("part-", &format!("part-{commit}-"));
        std::fs::copy(self.folder.join(&first.path), self.folder.join(&path))?;
        let add = vec![DataFile { path, ..first.clone() }];
        let from = Some(self.outcome.commits).filter(|from| *from > 0);
        self.outcome.commits += 1;
        let advance = vec![Advance { app: app(), from, to: self.outcome.commits }];
        let world = self.warehouse.world();
        let began = world.now();
        self.table.commit(Change { advance, add, ..Change::default() }).await?;
        let took = world.since(began);
        self.outcome.committing += took;
        times.push(took);
        Ok(())
    }

    async fn fold(&mut self) -> Result<(), Box<dyn Error>> {
        let world = self.warehouse.world();
        let began = world.now();
        self.jobs.fold(self.store.now()).await?;
        self.jobs.recompute().await?;
        self.outcome.folding += world.since(began);
        Ok(())
    }

    async fn maintain(&mut self) -> Result<(), Box<dyn Error>> {
        let world = self.warehouse.world();
        let began = world.now();
        let report = self.maintainer.round(Depth::Whole, Intent::Do, self.store.now()).await;
        self.outcome.maintaining += world.since(began);
        if report.is_clean() { Ok(()) } else { Err(report.to_string().into()) }
    }

    async fn measure_opening(&mut self) -> Result<(), Box<dyn Error>> {
        let world = self.warehouse.world();
        let began = world.now();
        self.warehouse.table(self.year.table).await?;
        self.outcome.last_opening = world.since(began);
        self.outcome.longest_opening = self.outcome.longest_opening.max(self.outcome.last_opening);
        Ok(())
    }

    async fn end(mut self) -> Result<Outcome, Box<dyn Error>> {
        let log = self.folder.join("_delta_log");
        self.outcome.first_commits = Latencies::of(std::mem::take(&mut self.first));
        self.outcome.last_commits = Latencies::of(std::mem::take(&mut self.last));
        let files = self.table.snapshot().files();
        self.outcome.position = self.table.snapshot().txn(&app());
        self.outcome.rows = files.iter().map(|file| file.rows).sum();
        self.outcome.active_files = files.len();
        self.outcome.active_bytes = files.iter().map(|file| file.size_bytes.unsigned_abs()).sum();
        self.outcome.log_bytes = disk(&log, None)?.bytes;
        self.outcome.bytes = disk(&self.folder, None)?.bytes;
        for _ in 0..2 {
            self.store.advance(TimeDelta::hours(25));
            if self.year.table == TableId::Attempts {
                self.fold().await?;
            }
            self.maintain().await?;
        }
        self.outcome.log_bytes_at_rest = disk(&log, None)?.bytes;
        self.outcome.bytes_at_rest = disk(&self.folder, None)?.bytes;
        Ok(self.outcome)
    }
}

fn app() -> AppId {
    AppId("ingest/test/events/0/0".to_owned())
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

/// As the system counts it.
fn resident_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    kib.unwrap_or_default() * 1024
}
