//! A table pinned at one version: its active files and transactions, and the DataFusion provider over them.

use std::ops::Bound;
use std::sync::Arc;

use arrow::array::RecordBatch;
use datafusion::catalog::TableProvider;
use datafusion::error::DataFusionError;
use datafusion::prelude::SessionContext;
use futures::stream::BoxStream;

use crate::data_file::DataFile;
use crate::listed;
use crate::log::action::MetaData;
use crate::log::{FileSet, State};
use crate::provider::Provider;
use crate::session;
use crate::store::Storage;
use crate::tables::{TableId, attempts};
use crate::transaction::AppId;

/// Cheap to clone; never changes.
#[derive(Clone, Debug)]
pub struct Snapshot {
    table: TableId,
    storage: Arc<Storage>,
    state: State,
}

impl Snapshot {
    pub(crate) fn new(table: TableId, storage: Arc<Storage>, state: State) -> Self {
        Self { table, storage, state }
    }

    /// Only the handle that owns this snapshot moves it; clones keep their version.
    pub(crate) fn state_mut(&mut self) -> &mut State {
        &mut self.state
    }

    pub fn table(&self) -> TableId {
        self.table
    }

    pub fn version(&self) -> i64 {
        self.state.version
    }

    pub(crate) fn metadata(&self) -> Option<&MetaData> {
        self.state.metadata.as_ref().as_ref()
    }

    /// Active files, sorted by path.
    pub fn files(&self) -> &[DataFile] {
        self.state.files.files()
    }

    /// Value of one application transaction in this version.
    pub fn txn(&self, app: &AppId) -> Option<i64> {
        self.state.txns.get(app).copied()
    }

    /// Every application transaction whose name starts with `prefix`, sorted by name.
    pub fn txns(&self, prefix: &str) -> Vec<(AppId, i64)> {
        let from = Bound::Included(AppId(prefix.to_owned()));
        self.state
            .txns
            .range((from, Bound::Unbounded))
            .take_while(|(app, _)| app.0.starts_with(prefix))
            .map(|(app, version)| (app.clone(), *version))
            .collect()
    }

    /// A session that can scan the tables of this warehouse, and nothing else. None is registered yet. `threads` =
    /// target partitions.
    pub fn session(&self, threads: usize) -> SessionContext {
        session::session(threads, self.storage.root().runtime())
    }

    /// All rows of this version.
    pub fn provider(&self) -> Arc<dyn TableProvider> {
        Arc::new(Provider::new(self.table, Arc::clone(&self.storage), Arc::clone(&self.state.files)))
    }

    /// Columns of the rows of the given files of this table, which need not be active any more: what a fold reads. Texts come as
    /// dictionaries.
    pub fn rows_with_lists(
        &self,
        files: Vec<DataFile>,
        columns: &[&str],
    ) -> BoxStream<'static, Result<RecordBatch, DataFusionError>> {
        listed::rows(self.table, &self.storage, files, columns)
    }

    /// Only the rows of the given files of this table. The files need not be active any more.
    pub fn provider_over(&self, files: Vec<DataFile>) -> Arc<dyn TableProvider> {
        Arc::new(Provider::new(self.table, Arc::clone(&self.storage), Arc::new(FileSet::new(files))))
    }
}

/// Registers each snapshot under its table name, and the `requests` view when `attempts` is among them.
pub fn register(ctx: &SessionContext, snapshots: &[Snapshot]) -> Result<(), DataFusionError> {
    for snapshot in snapshots {
        ctx.register_table(snapshot.table().name(), snapshot.provider())?;
        if snapshot.table() == TableId::Attempts {
            attempts::register_requests(ctx)?;
        }
    }
    Ok(())
}
