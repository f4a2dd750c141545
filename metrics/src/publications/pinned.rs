//! The published tables as one publication names them.

use bellwether_warehouse::{Error as WarehouseError, Snapshot, Warehouse};

use super::{Publication, followed};
use crate::{Error, METRICS};

/// Every published table that exists, `publications` included, at the versions of the newest publication. Before the first
/// one they are empty.
///
/// # Errors
/// One cannot be read.
pub async fn pin(warehouse: &Warehouse) -> Result<Vec<Snapshot>, Error> {
    let failed = |table: &'static str| move |source| Error::Pin { table, source };
    let publications = match warehouse.table(super::id()).await {
        Ok(table) => table.snapshot().clone(),
        Err(WarehouseError::TableMissing { .. }) => return Ok(Vec::new()),
        Err(source) => return Err(failed(super::NAME)(source)),
    };
    let newest = Publication::newest(&publications).await?;
    let mut pinned = vec![publications];
    for metric in METRICS {
        let name = metric.table.name;
        let table = match warehouse.table(metric.id()).await {
            Ok(table) => table,
            Err(WarehouseError::TableMissing { .. }) => continue,
            Err(source) => return Err(failed(name)(source)),
        };
        let version = newest.as_ref().and_then(|newest| newest.versions.get(name).copied());
        let snapshot = followed::at(&table, version.unwrap_or(0)).await.map_err(failed(name))?;
        pinned.push(snapshot);
    }
    Ok(pinned)
}
