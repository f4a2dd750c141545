//! What a round found and did, or would do.

use std::fmt;

use bellwether_warehouse::Table;
use bellwether_warehouse::maintain::Amount;
use metrics::{counter, gauge};
use serde::Serialize;

use crate::error::Error;
use crate::metric;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// Label rows of epochs that are over.
    Destroy,
    Compact,
    Checkpoint,
    Clean,
    Vacuum,
}

impl Step {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Destroy => "destroy",
            Self::Compact => "compact",
            Self::Checkpoint => "checkpoint",
            Self::Clean => "clean",
            Self::Vacuum => "vacuum",
        }
    }
}

/// Files that one step is about.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Action {
    pub files: u64,
    pub bytes: u64,
    pub why: String,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TableReport {
    pub table: &'static str,
    pub version: i64,
    pub active: Amount,
    pub commits_since_checkpoint: i64,
    /// Files that no entry names.
    pub orphans: Amount,
    /// Removed files that readers may still ask for.
    pub waiting: Amount,
    pub steps: Vec<(Step, Action)>,
    /// Newest label epoch that is destroyed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub destroyed_epoch: Option<i64>,
    /// Files of label rows that are older than they may get and stand after the round. None: no label table.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub overdue_files: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

impl TableReport {
    pub(super) fn new(table: &'static str) -> Self {
        Self {
            table,
            version: -1,
            active: Amount::default(),
            commits_since_checkpoint: 0,
            orphans: Amount::default(),
            waiting: Amount::default(),
            steps: Vec::new(),
            destroyed_epoch: None,
            overdue_files: None,
            error: None,
        }
    }

    pub(super) fn push(&mut self, step: Step, action: Action) {
        tracing::debug!(
            table = self.table,
            step = step.name(),
            files = action.files,
            bytes = action.bytes,
            why = action.why
        );
        self.steps.push((step, action));
    }

    pub(super) fn fail(&mut self, error: &Error) {
        let cause: &dyn std::error::Error = error;
        tracing::warn!(table = self.table, error = cause, "maintenance failed; trying again later");
        self.error = Some(bellwether_warehouse::chain(error));
    }

    /// Where the table stands after the round.
    pub(super) async fn note(&mut self, table: &Table) -> Result<(), Error> {
        let snapshot = table.snapshot();
        self.version = snapshot.version();
        self.active = Amount {
            files: snapshot.files().len() as u64,
            bytes: snapshot.files().iter().map(|file| file.size_bytes.unsigned_abs()).sum(),
        };
        let since = table.commits_since_checkpoint().await;
        self.commits_since_checkpoint =
            since.map_err(|source| Error::Upkeep { table: self.table, source })?;
        Ok(())
    }

    /// To the recorder of metrics.
    pub(super) fn tell(&self) {
        let Self { table, active, orphans, commits_since_checkpoint, overdue_files, .. } = self;
        if let Some(files) = overdue_files {
            gauge!(metric::LABELS_OVERDUE).set(*files as f64);
        }
        if self.error.is_some() {
            counter!(metric::MAINTAIN_FAILURES_TOTAL, "table" => *table).increment(1);
            return;
        }
        gauge!(metric::TABLE_FILES, "table" => *table).set(active.files as f64);
        gauge!(metric::TABLE_ORPHANS, "table" => *table).set(orphans.files as f64);
        let since = *commits_since_checkpoint as f64;
        gauge!(metric::TABLE_COMMITS_SINCE_CHECKPOINT, "table" => *table).set(since);
        counter!(metric::MAINTAIN_FREED_BYTES_TOTAL, "table" => *table).increment(self.freed());
    }

    /// Bytes of files that were deleted.
    pub fn freed(&self) -> u64 {
        let is_deletion = |step: &Step| matches!(step, Step::Clean | Step::Vacuum);
        self.steps.iter().filter(|(step, _)| is_deletion(step)).map(|(_, action)| action.bytes).sum()
    }
}

#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct MaintainReport {
    pub tables: Vec<TableReport>,
}

impl MaintainReport {
    pub fn is_clean(&self) -> bool {
        self.tables.iter().all(|table| table.error.is_none())
    }

    /// Newest label epoch that is destroyed.
    pub fn destroyed_epoch(&self) -> Option<i64> {
        self.tables.iter().filter_map(|table| table.destroyed_epoch).max()
    }
}

impl fmt::Display for MaintainReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:<15} {:>8} {:<10} {:>8} {:>14}  why", "table", "version", "step", "files", "bytes")?;
        for table in &self.tables {
            let TableReport { table: name, version, active, .. } = table;
            write!(f, "\n{name:<15} {version:>8} {:<10} {:>8} {:>14}", "active", active.files, active.bytes)?;
            for (step, Action { files, bytes, why }) in &table.steps {
                write!(f, "\n{:<24} {:<10} {files:>8} {bytes:>14}  {why}", "", step.name())?;
            }
            if let Some(files @ 1..) = table.overdue_files {
                write!(
                    f,
                    "\n{:<24} {:<10} {files:>8} {:>14}  label rows are older than 35 days",
                    "", "overdue", ""
                )?;
            }
            if let Some(error) = &table.error {
                write!(f, "\n{:<24} {:<10} {error}", "", "failed")?;
            }
        }
        Ok(())
    }
}
