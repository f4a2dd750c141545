//! Handles on tables that are read together, and where the folded ones among them stand.

use std::collections::BTreeMap;

use super::PinError;
use crate::snapshot::Snapshot;
use crate::table::Table;
use crate::tables::{Kind, TableId};
use crate::warehouse::Warehouse;

#[derive(Debug)]
pub struct Followed {
    tables: BTreeMap<TableId, Table>,
}

/// Where the folded tables stand in `attempts`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// All at this version; None before the first fold.
    Even(Option<i64>),
    /// Between the commits of one fold, or after one that was cut off.
    Uneven {
        /// Those that are not at the furthest version.
        behind: Vec<TableId>,
    },
}

impl Standing {
    pub fn is_even(&self) -> bool {
        matches!(self, Self::Even(_))
    }
}

impl Followed {
    /// # Errors
    /// When a table is missing or cannot be read.
    pub async fn open(warehouse: &Warehouse, ids: &[TableId]) -> Result<Self, PinError> {
        let mut tables = BTreeMap::new();
        for id in ids {
            let table = warehouse.table(*id).await;
            tables.insert(*id, table.map_err(|source| PinError::Open { table: id.name(), source })?);
        }
        Ok(Self { tables })
    }

    /// Brings every handle up to date.
    ///
    /// # Errors
    /// When the log of a table cannot be read.
    pub async fn refresh(&mut self) -> Result<(), PinError> {
        for (id, table) in &mut self.tables {
            table.refresh().await.map_err(|source| PinError::Log { table: id.name(), source })?;
        }
        Ok(())
    }

    pub fn table(&self, id: TableId) -> Option<&Table> {
        self.tables.get(&id)
    }

    pub fn snapshot(&self, id: TableId) -> Option<&Snapshot> {
        self.tables.get(&id).map(Table::snapshot)
    }

    pub fn snapshots(&self) -> impl Iterator<Item = &Snapshot> {
        self.tables.values().map(Table::snapshot)
    }

    /// The folded tables among them.
    pub fn folded(&self) -> impl Iterator<Item = &Snapshot> {
        self.snapshots().filter(|snapshot| snapshot.table().kind() == Kind::Folded)
    }

    pub fn standing(&self) -> Standing {
        let furthest = self.folded().map(Snapshot::folded).max().flatten();
        let behind: Vec<TableId> =
            self.folded().filter(|snapshot| snapshot.folded() != furthest).map(Snapshot::table).collect();
        match behind.is_empty() {
            true => Standing::Even(furthest),
            false => Standing::Uneven { behind },
        }
    }
}
