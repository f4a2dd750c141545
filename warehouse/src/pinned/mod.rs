//! Every table at one state, for whoever reads several of them together.

mod followed;

use std::time::Duration;

use datafusion::prelude::SessionContext;

use crate::error::Error;
use crate::snapshot::{self, Snapshot};
use crate::table::Table;
use crate::tables::TableId;
use crate::tables::rollup::{Made, Rollup};
use crate::transaction::AppId;
use crate::warehouse::Warehouse;
pub use followed::{Followed, Standing};

/// Looks at the tables until they stand at one version of `attempts`. A fold commits table after table within
/// a second or so; longer only helps where the storage is slower than that.
const LOOKS: u32 = 40;
const BETWEEN_LOOKS: Duration = Duration::from_millis(50);

/// Transaction of every folded table: the last version of `attempts` that is in it.
pub fn fold_app() -> AppId {
    AppId("fold".to_owned())
}

impl Rollup {
    /// Transaction of the table: the version of `attempts` that is in it.
    pub fn app(&self) -> AppId {
        match self.family.made {
            Made::FromAttempts | Made::FromCommits => fold_app(),
            Made::Recomputed => AppId(self.family.name.to_owned()),
        }
    }
}

impl Snapshot {
    /// How far into `attempts` a folded table has got. None: it was never folded.
    pub fn folded(&self) -> Option<i64> {
        self.txn(&fold_app())
    }

    /// The version of `attempts` that is in a rollup. None: it was never computed, or is none.
    pub fn computed_at(&self) -> Option<i64> {
        self.txn(&self.table().rollup()?.app())
    }
}

#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PinError {
    #[error("failed to open table `{table}`")]
    Open {
        table: &'static str,
        #[source]
        source: Error,
    },
    #[error("failed to read the log of table `{table}`")]
    Log {
        table: &'static str,
        #[source]
        source: Error,
    },
    #[error(
        "table `{table}` was computed up to version {folded} of `attempts`, which stands at {version}; was `attempts` replaced? move `{table}` away too, so that it is computed afresh"
    )]
    Ahead { table: &'static str, folded: i64, version: i64 },
    #[error("failed to register the tables")]
    Register(#[source] Box<datafusion::error::DataFusionError>),
}

impl PinError {
    /// The table at fault, for a metric.
    pub fn table(&self) -> &'static str {
        match self {
            Self::Open { table, .. } | Self::Log { table, .. } | Self::Ahead { table, .. } => table,
            Self::Register(_) => "none",
        }
    }
}

/// How far `attempts` is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attempts {
    /// As far as the folded tables are: a sum over it is the sum of a rollup, but for what that no longer keeps and
    /// for copies that a rebuild left out. Before the first fold there is nothing to agree with.
    AsFolded,
    /// As it stands now.
    Newest,
}

/// Snapshots of all tables.
#[derive(Debug)]
pub struct Pinned {
    snapshots: Vec<Snapshot>,
    /// Attempts that are newer than what the folded tables hold, and therefore left out.
    pub left_out: i64,
    /// Whether all folded tables stand at one version of `attempts`. False after a fold that was cut off: a join
    /// over two of them then mixes versions.
    pub is_even: bool,
}

impl Pinned {
    pub fn snapshots(&self) -> &[Snapshot] {
        &self.snapshots
    }

    /// A session that holds these tables under their names, and nothing else. `threads` = target partitions.
    ///
    /// # Errors
    /// A view over the tables cannot be planned.
    pub fn session(&self, warehouse: &Warehouse, threads: usize) -> Result<SessionContext, PinError> {
        let ctx = warehouse.session(threads);
        snapshot::register(&ctx, &self.snapshots).map_err(|source| PinError::Register(Box::new(source)))?;
        Ok(ctx)
    }
}

impl Warehouse {
    /// Pins every table, the folded ones at one version of `attempts`. Waits for a fold that is committing.
    ///
    /// # Errors
    /// When a table is missing or cannot be read, or the log of `attempts` no longer reaches back to that version.
    pub async fn pin(&self, attempts: Attempts) -> Result<Pinned, PinError> {
        self.pin_within(attempts, LOOKS).await
    }

    pub(crate) async fn pin_within(&self, attempts: Attempts, looks: u32) -> Result<Pinned, PinError> {
        let mut tables = Followed::open(self, &TableId::ALL).await?;
        for _ in 1..looks {
            if tables.standing().is_even() {
                break;
            }
            self.world().sleep(BETWEEN_LOOKS).await;
            tables.refresh().await?;
        }
        let is_even = tables.standing().is_even();
        let mut pinned = Pinned { snapshots: tables.snapshots().cloned().collect(), left_out: 0, is_even };
        if attempts == Attempts::AsFolded {
            pinned.hold_attempts(&tables).await?;
        }
        Ok(pinned)
    }
}

impl Pinned {
    /// Puts `attempts` back to the version that every folded table has. Where they stand apart: to what all have.
    async fn hold_attempts(&mut self, tables: &Followed) -> Result<(), PinError> {
        let standing = |snapshot: &Snapshot| snapshot.folded().map(|at| (at, snapshot.table().name()));
        let lowest = tables.folded().filter_map(standing).min();
        let (Some((version, table)), Some(attempts)) = (lowest, tables.table(TableId::Attempts)) else {
            return Ok(());
        };
        let newest = attempts.snapshot();
        if version > newest.version() {
            return Err(PinError::Ahead { table, folded: version, version: newest.version() });
        }
        let at = at(attempts, version).await?;
        self.left_out = rows(newest) - rows(&at);
        for snapshot in self.snapshots.iter_mut().filter(|snapshot| snapshot.table() == TableId::Attempts) {
            *snapshot = at.clone();
        }
        Ok(())
    }
}

async fn at(table: &Table, version: i64) -> Result<Snapshot, PinError> {
    let name = table.id().name();
    table.at(version).await.map_err(|source| PinError::Log { table: name, source })
}

fn rows(snapshot: &Snapshot) -> i64 {
    snapshot.files().iter().map(|file| file.rows).sum()
}
