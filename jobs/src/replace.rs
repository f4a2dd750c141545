//! One commit that puts rows in the place of files, for settle and rebuild.

use bellwether_warehouse::{Advance, AppId, Change, DataFile, Table};

use crate::error::Error;
use crate::statement::Rows;

/// The rows must be those that the table is to have instead of the files' rows, for the same state of
/// `attempts`: the transaction is expected to stand at `at` and stays there.
#[derive(Debug)]
pub(crate) struct Replacement<'a> {
    pub job: &'static str,
    pub app: AppId,
    pub at: i64,
    pub remove: Vec<DataFile>,
    pub rows: &'a Rows,
}

#[derive(Debug)]
pub(crate) struct Replaced {
    pub removed: usize,
    pub added: usize,
    pub rows: i64,
}

impl Replacement<'_> {
    pub(crate) async fn commit(self, table: &mut Table) -> Result<Replaced, Error> {
        let name = table.id().name();
        let add = match self.rows.count() {
            0 => Vec::new(),
            _ => table
                .write(&self.rows.batches)
                .await
                .map_err(|source| Error::Write { table: name, source })?,
        };
        let replaced = Replaced {
            removed: self.remove.len(),
            added: add.len(),
            rows: add.iter().map(|file| file.rows).sum(),
        };
        let info = [("job".to_owned(), self.job.into()), ("rows".to_owned(), replaced.rows.into())];
        let change = Change {
            advance: vec![Advance { app: self.app, from: Some(self.at), to: self.at }],
            add,
            remove: self.remove.into_iter().map(|file| file.path).collect(),
            info: info.into_iter().collect(),
            data_change: false,
        };
        table.commit(change).await.map_err(|source| Error::Commit { table: name, source })?;
        Ok(replaced)
    }
}
