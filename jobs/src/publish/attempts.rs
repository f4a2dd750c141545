//! Attempts as far as rollups have them, for tables that are made of attempts themselves.

use std::collections::HashSet;
use std::sync::Arc;

use bellwether_warehouse::{Error as WarehouseError, TableId};
use datafusion::catalog::TableProvider;

use super::Publisher;
use crate::error::Error;

impl Publisher {
    /// The table at `version`, which the rollups have. Mostly that is the newest one or a few commits before it, and what
    /// those added is left out; to read the state of that version would cost more, the more files there are.
    pub(super) async fn attempts_at(&self, version: Option<i64>) -> Result<Arc<dyn TableProvider>, Error> {
        let name = TableId::Attempts.name();
        let failed = |source| Error::Log { table: name, source };
        let gone = Error::Log { table: name, source: WarehouseError::TableMissing { table: name } };
        let table = self.sources.table(TableId::Attempts).ok_or(gone)?;
        let newest = table.snapshot();
        let Some(version) = version else { return Ok(newest.provider_over(Vec::new())) };
        if version >= newest.version() {
            return Ok(newest.provider());
        }
        let later = match table.commits(version, newest.version()).await {
            Ok(commits) => {
                Some(commits).filter(|commits| commits.iter().all(|commit| commit.removed.is_empty()))
            }
            Err(WarehouseError::CommitGone { .. }) => None,
            Err(source) => return Err(failed(source)),
        };
        let Some(later) = later else {
            return Ok(table.at(version).await.map_err(failed)?.provider());
        };
        let added: HashSet<&str> =
            later.iter().flat_map(|commit| &commit.added).map(|file| file.path.as_str()).collect();
        let files = newest.files().iter().filter(|file| !added.contains(file.path.as_str()));
        Ok(newest.provider_over(files.cloned().collect()))
    }
}
