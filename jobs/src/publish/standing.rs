//! What stands of the published tables, for whoever shows it.

use bellwether_metrics::publications::{self, Publication};
use bellwether_metrics::{METRICS, tables};
use bellwether_warehouse::{Snapshot, Warehouse};
use chrono::NaiveDate;

use super::place::span_of;
use crate::error::Error;

/// The tables that exist as they stand, each with the newest publication, if there is one.
pub(crate) async fn published(warehouse: &Warehouse) -> Result<Vec<(Snapshot, Option<Publication>)>, Error> {
    let mut snapshots = Vec::new();
    for id in tables() {
        match warehouse.table(id).await {
            Ok(table) => snapshots.push(table.snapshot().clone()),
            // Before the first publication.
            Err(bellwether_warehouse::Error::TableMissing { .. }) => {}
            Err(source) => return Err(Error::Open { table: id.name(), source }),
        }
    }
    let publications = snapshots.iter().find(|snapshot| snapshot.table() == publications::id());
    let newest = match publications {
        Some(publications) => Publication::newest(publications).await.map_err(Error::metric)?,
        None => None,
    };
    Ok(snapshots.into_iter().map(|snapshot| (snapshot, newest.clone())).collect())
}

/// Of the rows of a published table. None: it has none, or its rows have no dates.
pub(crate) fn newest_date(snapshot: &Snapshot) -> Option<NaiveDate> {
    let metric = METRICS.iter().find(|metric| metric.id() == snapshot.table())?;
    metric.date_column()?;
    let newest = snapshot.files().iter().map(|file| span_of(metric, file).1).max();
    newest.filter(|date| *date < NaiveDate::MAX)
}
