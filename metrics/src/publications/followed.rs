//! Handles on published tables that are read together, at the versions that the newest publication names.

use bellwether_warehouse::{Error as WarehouseError, Snapshot, Table, TableId, Warehouse};

use super::{NAME, Publication};
use crate::{Error, Inputs};

#[derive(Debug)]
pub struct Followed {
    publications: Table,
    newest: Option<Publication>,
    tables: Vec<One>,
    /// What rows of chosen windows are made of.
    inputs: Vec<One>,
}

#[derive(Debug)]
struct One {
    table: Table,
    pinned: Snapshot,
}

impl Followed {
    /// Creates tables that are missing: before the first publication all are empty.
    ///
    /// # Errors
    /// A table can be neither read nor made.
    pub async fn open(warehouse: &Warehouse, ids: &[TableId]) -> Result<Self, Error> {
        let failed = |table: &'static str| move |source| Error::Pin { table, source };
        warehouse.ensure(&crate::tables()).await.map_err(failed(NAME))?;
        let publications = warehouse.table(super::id()).await.map_err(failed(NAME))?;
        let open = async |ids: &[TableId]| {
            let mut opened = Vec::new();
            for id in ids {
                let table = warehouse.table(*id).await.map_err(failed(id.name()))?;
                let pinned = at(&table, 0).await.map_err(failed(id.name()))?;
                opened.push(One { table, pinned });
            }
            Ok::<_, Error>(opened)
        };
        Ok(Self {
            publications,
            newest: None,
            tables: open(ids).await?,
            inputs: open(&Inputs::TABLES).await?,
        })
    }

    /// Looks for a newer publication. True when there is one.
    ///
    /// # Errors
    /// A log or the row cannot be read. The tables stay at the versions that they had.
    pub async fn refresh(&mut self) -> Result<bool, Error> {
        let failed = |table: &'static str| move |source| Error::Pin { table, source };
        let before = self.publications.snapshot().version();
        let now = self.publications.refresh().await.map_err(failed(NAME))?;
        if now == before && self.newest.is_some() {
            return Ok(false);
        }
        let newest = Publication::newest(self.publications.snapshot()).await?;
        if newest == self.newest {
            return Ok(false);
        }
        let mut pinned = Vec::new();
        for One { table, .. } in self.tables.iter_mut().chain(&mut self.inputs) {
            let name = table.id().name();
            let version = newest.as_ref().and_then(|newest| newest.version_of(name)).unwrap_or(0);
            table.refresh().await.map_err(failed(name))?;
            pinned.push(at(table, version).await.map_err(failed(name))?);
        }
        for (one, pinned) in self.tables.iter_mut().chain(&mut self.inputs).zip(pinned) {
            one.pinned = pinned;
        }
        self.newest = newest;
        Ok(true)
    }

    /// None: nothing was published yet.
    pub fn newest(&self) -> Option<&Publication> {
        self.newest.as_ref()
    }

    /// A table as the newest publication names it.
    pub fn snapshot(&self, id: TableId) -> Option<&Snapshot> {
        self.snapshots().find(|snapshot| snapshot.table() == id)
    }

    /// For windows that nobody has published.
    pub fn inputs(&self) -> Inputs {
        Inputs::new(self.inputs.iter().map(|one| one.pinned.clone()).collect())
    }

    pub fn snapshots(&self) -> impl Iterator<Item = &Snapshot> {
        self.tables.iter().map(|one| &one.pinned)
    }
}

/// The newest version where the named one is gone: maintenance keeps those that a reader may still need, but a reader may
/// have stood still.
pub(super) async fn at(table: &Table, version: i64) -> Result<Snapshot, WarehouseError> {
    match table.at(version).await {
        Err(error @ WarehouseError::VersionGone { .. }) => {
            tracing::warn!(
                table = table.id().name(),
                version,
                error = &error as &dyn std::error::Error,
                "the version that was published is gone; reading the newest"
            );
            Ok(table.snapshot().clone())
        }
        found => found,
    }
}
