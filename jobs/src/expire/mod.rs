//! Drops the dates that `health_5m` and `health_hourly` no longer keep. Their attempts are in the coarser
//! tables. The files themselves go with the next vacuum.

#[cfg(test)]
mod tests;

use bellwether_warehouse::{Advance, Change};
use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::error::Error;
use crate::jobs::{Jobs, refresh};
use crate::rollup::{date_of, first_kept, fold_app, folded};

/// What one expiry dropped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct ExpireReport {
    pub files: usize,
    pub rows: i64,
}

pub(crate) async fn expire(jobs: &mut Jobs, now: DateTime<Utc>) -> Result<ExpireReport, Error> {
    let mut report = ExpireReport::default();
    for target in &mut jobs.folded {
        let Some(keep_days) = target.rollup.keep_days else {
            continue;
        };
        let (name, table) = (target.rollup.table.name(), &mut target.table);
        refresh(table).await?;
        let Some(at) = folded(table.snapshot()) else {
            continue;
        };
        let first = first_kept(keep_days, now);
        let mut remove = Vec::new();
        let mut rows = 0;
        for file in table.snapshot().files() {
            if date_of(name, file)? < first {
                remove.push(file.path.clone());
                rows += file.rows;
            }
        }
        if remove.is_empty() {
            continue;
        }
        let files = remove.len();
        let change = Change {
            advance: vec![Advance { app: fold_app(), from: Some(at), to: at }],
            remove,
            info: [("job".to_owned(), "expire".into())].into_iter().collect(),
            ..Change::default()
        };
        table.commit(change).await.map_err(|source| Error::Commit { table: name, source })?;
        report.files += files;
        report.rows += rows;
    }
    Ok(report)
}
