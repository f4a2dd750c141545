//! Maintenance: nothing in a warehouse grows without bound.
//!
//! A round goes through the tables one by one. Every step may be stopped anywhere and run again, beside ingest, folds
//! and other maintainers: what it replaces, it replaces in one commit that is refused where others were first, and
//! what it deletes, nobody can ask for any more. `warehouse::maintain` and `warehouse::commit` say why.
//!
//! What it does not do: merge rows of rollups, which settle does, or of published tables, which publication does.

mod crowded;
mod labels;
mod readers;
mod report;
#[cfg(test)]
mod tests;
mod withdrawn;

use std::time::Duration;

use bellwether_metrics::former;
use bellwether_metrics::publications::TermsSince;
use bellwether_warehouse::maintain::{CleaningRule, VacuumRule};
use bellwether_warehouse::{Table, TableId, Warehouse};
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};

use crate::error::Error;
use crate::jobs::refresh;
use crate::metric;
use readers::Passed;
pub use report::{Action, MaintainReport, Step, TableReport};
use withdrawn::Withdrawn;

/// Until a file that no entry names is this old, a writer may be about to commit it. No setting shortens it.
const STAGED: TimeDelta = TimeDelta::hours(24);
/// Least time that removed files and log entries stay for readers of former versions; a table that is written every few
/// seconds says its own (`bellwether_metrics::former`).
pub const LEAST_HISTORY: Duration = Duration::from_secs(24 * 60 * 60);
/// Newest checkpoints that stay whatever their age.
const CHECKPOINTS: usize = 2;
/// For so long a checkpoint tells of removed files of a table that is written every few seconds. More: thousands of them in
/// every checkpoint; less: after a pause of maintenance they are known by their age alone, as what was never committed.
const TOLD: TimeDelta = TimeDelta::hours(6);

/// How a warehouse is maintained.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MaintainSettings {
    /// Commits of one table after which a checkpoint is written.
    pub checkpoint_after_commits: i64,
    /// How far back versions of a table can be read. More: more disk.
    pub history: Duration,
    /// Size of compacted files.
    pub target_file_bytes: u64,
}

impl Default for MaintainSettings {
    fn default() -> Self {
        Self { checkpoint_after_commits: 100, history: LEAST_HISTORY, target_file_bytes: 128 * 1024 * 1024 }
    }
}

/// Which steps a round has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    /// Checkpoints and compaction: looks at nothing but logs.
    Logs,
    /// Also what lists folders: labels, log clean-up, vacuum.
    Whole,
}

/// Whether a round does what it finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Intent {
    Do,
    Tell,
}

/// Handles on every table of one warehouse.
#[derive(Debug)]
pub struct Maintainer {
    warehouse: Warehouse,
    tables: Vec<Table>,
    settings: MaintainSettings,
    terms: TermsSince,
}

impl Maintainer {
    /// # Errors
    /// When a table is missing or cannot be read.
    pub async fn open(warehouse: &Warehouse, settings: MaintainSettings) -> Result<Self, Error> {
        let mut tables = Vec::new();
        for id in TableId::ALL {
            let table = warehouse.table(id).await;
            tables.push(table.map_err(|source| Error::Open { table: id.name(), source })?);
        }
        Ok(Self { warehouse: warehouse.clone(), tables, settings, terms: TermsSince::default() })
    }

    /// Published tables come with the first publication, which may be later than this process.
    async fn open_published(&mut self, report: &mut MaintainReport) {
        for id in bellwether_metrics::tables() {
            if self.tables.iter().any(|table| table.id() == id) {
                continue;
            }
            match self.warehouse.table(id).await {
                Ok(table) => self.tables.push(table),
                Err(bellwether_warehouse::Error::TableMissing { .. }) => {}
                Err(source) => {
                    let mut found = TableReport::new(id.name());
                    found.fail(&Error::Open { table: id.name(), source });
                    report.tables.push(found);
                }
            }
        }
    }

    /// One round. A table that fails keeps no other from its turn.
    pub async fn round(&mut self, depth: Depth, intent: Intent, now: DateTime<Utc>) -> MaintainReport {
        let mut report = MaintainReport::default();
        self.open_published(&mut report).await;
        let passed = readers::passed(&mut self.tables).await;
        let withdrawn = Withdrawn::read(&mut self.tables, &mut self.terms, now).await;
        let withdrawn = withdrawn.unwrap_or_else(|error| {
            let error: &dyn std::error::Error = &error;
            tracing::warn!(error, "since when the terms of publication hold cannot be read");
            Withdrawn::default()
        });
        for table in &mut self.tables {
            let mut found = TableReport::new(table.id().name());
            let round = Round { settings: self.settings, depth, intent, now, store_now: now, withdrawn };
            let result = match &passed {
                Ok(passed) => round.maintain(table, passed, &mut found).await,
                Err(error) => Err(Error::Maintain { detail: bellwether_warehouse::chain(error) }),
            };
            if let Err(error) = result {
                found.fail(&error);
            }
            // Whatever failed, and in every round: who has label rows must know that they should be gone.
            if table.id().is_forgotten() {
                match labels::overdue(table, now) {
                    Ok(files) => found.overdue_files = Some(files),
                    Err(error) if found.error.is_none() => found.fail(&error),
                    Err(_) => {}
                }
            }
            if intent == Intent::Do {
                found.tell();
            }
            report.tables.push(found);
        }
        if intent == Intent::Do && depth == Depth::Whole && report.is_clean() {
            metric::maintained_all(now);
        }
        report
    }
}

struct Round {
    settings: MaintainSettings,
    depth: Depth,
    intent: Intent,
    now: DateTime<Utc>,
    /// By the clock that dates the files. Whoever only tells writes nothing, not even to read that clock.
    store_now: DateTime<Utc>,
    withdrawn: Withdrawn,
}

impl Round {
    async fn maintain(
        mut self,
        table: &mut Table,
        passed: &Passed,
        found: &mut TableReport,
    ) -> Result<(), Error> {
        let id = table.id();
        refresh(table).await?;
        let looks = self.depth == Depth::Whole || self.withdrawn.is_urgent(id, self.now);
        if looks && self.intent == Intent::Do {
            self.read_clock(table).await?;
        }
        if id.is_forgotten() && self.depth == Depth::Whole {
            self.forget(table, found).await?;
        }
        crowded::compact(table, &self.settings, self.intent, self.now, found).await?;
        let is_due = table.commits_since_checkpoint().await.map_err(|source| failed(id, source))?
            >= self.settings.checkpoint_after_commits;
        if is_due {
            self.checkpoint(table, "enough commits", found).await?;
        }
        if self.depth == Depth::Whole {
            self.clean(table, passed, found).await?;
        }
        if looks {
            self.vacuum(table, passed, found).await?;
        }
        found.note(table).await
    }

    /// Rows of destroyed epochs, their files, and the log's word of them, all in one round.
    async fn forget(&mut self, table: &mut Table, found: &mut TableReport) -> Result<(), Error> {
        // Destroying cannot be undone, so both clocks have to say that it is time.
        let now = self.now.min(self.store_now);
        let dropped = labels::drop_weeks(table, self.intent, now, found).await?;
        if dropped && self.intent == Intent::Do {
            self.vacuum(table, &Passed::default(), found).await?;
            self.checkpoint(table, "its former entries name dropped files", found).await?;
            // The checkpoint is younger than the round, and clean-up takes what is not younger than the clock says.
            self.read_clock(table).await?;
        }
        Ok(())
    }

    async fn read_clock(&mut self, table: &Table) -> Result<(), Error> {
        self.store_now = table.store_now().await.map_err(|source| failed(table.id(), source))?;
        Ok(())
    }

    async fn checkpoint(&self, table: &Table, why: &str, found: &mut TableReport) -> Result<(), Error> {
        let since = table.commits_since_checkpoint().await.map_err(|source| failed(table.id(), source))?;
        if self.intent == Intent::Do && since > 0 {
            let written = match former(table.id()) {
                Some(_) => table.checkpoint_telling(TOLD).await,
                None => table.checkpoint().await,
            };
            written.map_err(|source| failed(table.id(), source))?;
        }
        found.push(
            Step::Checkpoint,
            Action { why: format!("{since} commits since the last: {why}"), ..Action::default() },
        );
        Ok(())
    }

    async fn clean(&self, table: &Table, passed: &Passed, found: &mut TableReport) -> Result<(), Error> {
        let id = table.id();
        let (before, checkpoints) = match id.is_forgotten() {
            true => (self.store_now, 1),
            false => (self.history_begins(former(id).map(|former| former.entries)), CHECKPOINTS),
        };
        let own_entry = id.is_forgotten();
        let rule = CleaningRule { before, passed: passed.of(id), checkpoints, own_entry };
        let plan = table.plan_cleaning(&rule).await.map_err(|source| failed(id, source))?;
        let amount = plan.entries().plus(plan.checkpoints());
        let before = shown(before);
        let why = match plan.below {
            Some(below) => format!(
                "entries and checkpoints below version {below}, of before {before}{}",
                passed.held(id)
            ),
            None => format!("no checkpoint of before {before} stands for its entries{}", passed.held(id)),
        };
        if amount.files > 0 {
            if self.intent == Intent::Do {
                table.clean(plan).await.map_err(|source| failed(id, source))?;
            }
            found.push(Step::Clean, Action { files: amount.files, bytes: amount.bytes, why });
        }
        Ok(())
    }

    async fn vacuum(&self, table: &mut Table, passed: &Passed, found: &mut TableReport) -> Result<(), Error> {
        let id = table.id();
        let removed_before = match id.is_forgotten() {
            true => self.store_now,
            false => self
                .withdrawn
                .removed_before(id, self.store_now)
                .unwrap_or_else(|| self.history_begins(former(id).map(|former| former.files))),
        };
        let unreferenced_before = self.store_now - STAGED;
        let rule = VacuumRule { removed_before, unreferenced_before, passed: passed.of(id) };
        let plan = table.plan_vacuum(&rule).await.map_err(|source| failed(id, source))?;
        let (removed, strays, leftovers) = (plan.removed, plan.unreferenced, plan.leftovers);
        found.orphans = strays.plus(leftovers);
        found.waiting = plan.waiting;
        if removed.files + found.orphans.files == 0 {
            return Ok(());
        }
        if self.intent == Intent::Do {
            match table.vacuum(plan).await {
                Ok(_) => {}
                Err(error) if error.is_refusal() => {
                    tracing::info!(table = id.name(), "another vacuum is at it");
                    return Ok(());
                }
                Err(source) => return Err(Error::Commit { table: id.name(), source }),
            }
        }
        if removed.files > 0 {
            let why = format!("removed before {}{}", shown(removed_before), passed.held(id));
            found.push(Step::Vacuum, Action { files: removed.files, bytes: removed.bytes, why });
        }
        if strays.files > 0 {
            let why = format!("named by no entry and written before {}", shown(rule.unreferenced_before));
            found.push(Step::Vacuum, Action { files: strays.files, bytes: strays.bytes, why });
        }
        if leftovers.files > 0 {
            let why = format!("hidden, of writes cut off before {}", shown(rule.unreferenced_before));
            found.push(Step::Vacuum, Action { files: leftovers.files, bytes: leftovers.bytes, why });
        }
        Ok(())
    }

    /// By the store's clock. `own`: of a table that says it by itself.
    fn history_begins(&self, own: Option<Duration>) -> DateTime<Utc> {
        let history = own.unwrap_or(self.settings.history.max(LEAST_HISTORY));
        let history = TimeDelta::from_std(history).unwrap_or(TimeDelta::MAX);
        self.store_now.checked_sub_signed(history).unwrap_or(DateTime::<Utc>::MIN_UTC)
    }
}

fn shown(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}

fn failed(table: TableId, source: bellwether_warehouse::Error) -> Error {
    Error::Upkeep { table: table.name(), source }
}
