//! A table pinned at one version: its active files and transactions, and the DataFusion provider over them.

use std::sync::Arc;

use datafusion::catalog::TableProvider;

use crate::commit::AppId;
use crate::table::DataFile;
use crate::tables::TableId;

/// Cheap to clone; never changes.
#[derive(Clone, Debug)]
pub struct Snapshot {
    table: TableId,
    version: i64,
    files: Arc<Vec<DataFile>>,
}

impl Snapshot {
    pub fn table(&self) -> TableId {
        self.table
    }

    pub fn version(&self) -> i64 {
        self.version
    }

    /// Active files, sorted by path.
    pub fn files(&self) -> &[DataFile] {
        &self.files
    }

    /// Value of one application transaction in this version.
    pub fn txn(&self, app: &AppId) -> Option<i64> {
        let _ = app;
        unimplemented!()
    }

    /// Every application transaction whose name starts with `prefix`.
    pub fn txns(&self, prefix: &str) -> Vec<(AppId, i64)> {
        let _ = prefix;
        unimplemented!()
    }

    /// All rows of this version.
    pub fn provider(&self) -> Arc<dyn TableProvider> {
        unimplemented!()
    }

    /// Only the rows of the given files of this table: what a fold reads. The files need not be active any more.
    pub fn provider_over(&self, files: Vec<DataFile>) -> Arc<dyn TableProvider> {
        let _ = files;
        unimplemented!()
    }
}
