//! Handles on the tables that jobs read and write.

use bellwether_warehouse::tables::rollup::{Made, Rollup};
use bellwether_warehouse::{Kind, Table, TableId, Warehouse};
use datafusion::prelude::SessionContext;

use crate::error::Error;
use crate::rollups::{RECOMPUTED, Recompute};

/// The jobs of one warehouse. Each of them may be stopped anywhere and run again.
#[derive(Debug)]
pub struct Jobs {
    pub(crate) attempts: Table,
    pub(crate) folded: Vec<Folded>,
    pub(crate) recomputed: Vec<Recomputed>,
    pub(crate) warehouse: Warehouse,
    threads: usize,
}

/// A table of partial rows that add up.
#[derive(Debug)]
pub(crate) struct Folded {
    pub rollup: Rollup,
    pub table: Table,
}

/// A table of whole rows that do not.
#[derive(Debug)]
pub(crate) struct Recomputed {
    pub rollup: Rollup,
    pub how: &'static dyn Recompute,
    pub table: Table,
}

impl Jobs {
    /// # Errors
    /// When a table is missing or cannot be read.
    pub async fn open(warehouse: &Warehouse) -> Result<Self, Error> {
        let open = async |table: TableId| {
            warehouse.table(table).await.map_err(|source| Error::Open { table: table.name(), source })
        };
        let mut folded = Vec::new();
        for rollup in TableId::of(Kind::Folded).filter_map(TableId::rollup) {
            folded.push(Folded { rollup, table: open(rollup.level.table).await? });
        }
        let mut recomputed = Vec::new();
        for how in RECOMPUTED {
            if let Some(rollup) = how.table().rollup() {
                recomputed.push(Recomputed { rollup, how, table: open(how.table()).await? });
            }
        }
        Ok(Self {
            attempts: open(TableId::Attempts).await?,
            folded,
            recomputed,
            warehouse: warehouse.clone(),
            threads: std::thread::available_parallelism().map_or(1, usize::from),
        })
    }

    /// Every rollup.
    pub(crate) fn rollups(&self) -> impl Iterator<Item = (Rollup, &Table)> {
        let folded = self.folded.iter().map(|folded| (folded.rollup, &folded.table));
        folded.chain(self.recomputed.iter().map(|recomputed| (recomputed.rollup, &recomputed.table)))
    }

    pub(crate) fn rollups_mut(&mut self) -> impl Iterator<Item = (Rollup, &mut Table)> {
        let folded = self.folded.iter_mut().map(|folded| (folded.rollup, &mut folded.table));
        let recomputed = self.recomputed.iter_mut();
        folded.chain(recomputed.map(|recomputed| (recomputed.rollup, &mut recomputed.table)))
    }

    /// Those whose dates can be made again from the attempts of the date. What lies under a date of longer buckets is of other
    /// days too.
    pub(crate) fn rebuilt(&self) -> impl Iterator<Item = (Rollup, &Table)> {
        let is_rebuilt =
            |rollup: &Rollup| rollup.family.made != Made::FromCommits && rollup.level.grain.is_of_one_day();
        self.rollups().filter(move |(rollup, _)| is_rebuilt(rollup))
    }

    /// Brings every handle up to date. Returns the version of `attempts`.
    pub(crate) async fn refresh(&mut self) -> Result<i64, Error> {
        // The rollups first: what another worker has put into them meanwhile is then surely in `attempts`.
        for (_, table) in self.rollups_mut() {
            refresh(table).await?;
        }
        refresh(&mut self.attempts).await
    }

    pub(crate) fn warehouse(&self) -> &Warehouse {
        &self.warehouse
    }

    pub(crate) fn threads(&self) -> usize {
        self.threads
    }

    pub(crate) fn session(&self) -> SessionContext {
        self.warehouse.session(self.threads)
    }
}

/// Brings a handle up to date.
pub(crate) async fn refresh(table: &mut Table) -> Result<i64, Error> {
    let name = table.id().name();
    table.refresh().await.map_err(|source| Error::Log { table: name, source })
}
