//! Rows of a partition that say something else than they did, file by file in the place of the old ones.

use serde_json::{Map, Value};

use super::compact::{CompactError, Edit, Staged};
use crate::commit::{Advance, Change};
use crate::data_file::DataFile;
use crate::table::Table;

/// What is done to files of one partition.
pub struct Rewriting<'a> {
    /// No row is added or taken away.
    pub each: &'a Edit<'a>,
    /// Of transactions that say what was done. Those of streams stay: no record came.
    pub advance: Vec<Advance>,
    /// Members of `commitInfo`.
    pub info: Map<String, Value>,
}

/// What one rewriting did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rewritten {
    pub version: i64,
    pub files: usize,
    pub rows: i64,
}

impl Table {
    /// Reads active files of one partition, one after the other, and puts one new file with as many rows in the same order in
    /// the place of each, in one commit, which changes data. What a file says of the logs whose rows it holds stays. What was
    /// staged is deleted again when the commit is refused.
    ///
    /// Memory: one new file, and batches of one old one.
    ///
    /// # Errors
    /// Nothing changed, unless the commit's own error says that this is in doubt.
    pub async fn rewrite(
        &mut self,
        files: Vec<DataFile>,
        rewriting: Rewriting<'_>,
    ) -> Result<Rewritten, CompactError> {
        let Rewriting { each, advance, info } = rewriting;
        self.check_columns()?;
        self.check_partition(&files)?;
        let mut add: Vec<DataFile> = Vec::new();
        for file in &files {
            let streams = file.streams.clone();
            let staged = Staged { table: self, streams, each: Some(each), files: Vec::new() };
            let (mut new, done) = staged.rewritten(std::slice::from_ref(file), usize::MAX).await;
            add.append(&mut new);
            if let Err(error) = done {
                self.discard(&add).await;
                return Err(error);
            }
        }
        let (count, rows) = (files.len(), files.iter().map(|file| file.rows).sum());
        let remove = files.into_iter().map(|file| file.path).collect();
        let change = Change { advance, add, remove, info, ..Change::default() };
        Ok(Rewritten { version: self.commit_rewritten(change).await?, files: count, rows })
    }
}
