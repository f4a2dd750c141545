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
        let table = self.id().name();
        let Rewriting { each, advance, info } = rewriting;
        self.check_columns()?;
        if let Some(other) =
            files.iter().find(|file| Some(&file.partition) != files.first().map(|file| &file.partition))
        {
            return Err(CompactError::Mixed { table, path: other.path.clone() });
        }
        let mut add: Vec<DataFile> = Vec::new();
        let mut failed = None;
        for file in &files {
            let mut staged =
                Staged { table: self, streams: file.streams.clone(), each: Some(each), files: Vec::new() };
            let rewritten = staged.rewrite(std::slice::from_ref(file), usize::MAX).await;
            let found: i64 = staged.files.iter().map(|file| file.rows).sum();
            add.append(&mut staged.files);
            failed = match rewritten {
                Err(error) => Some(CompactError::Rewrite(error)),
                Ok(()) if found != file.rows => {
                    Some(CompactError::Rows { table, expected: file.rows, found })
                }
                Ok(()) => continue,
            };
            break;
        }
        if let Some(error) = failed {
            self.discard(&add).await;
            return Err(error);
        }
        let done =
            Rewritten { version: 0, files: files.len(), rows: files.iter().map(|file| file.rows).sum() };
        let remove = files.into_iter().map(|file| file.path).collect();
        let change = Change { advance, add: add.clone(), remove, info, ..Change::default() };
        match self.commit(change).await {
            Ok(committed) => Ok(Rewritten { version: committed.version, ..done }),
            Err(error) => {
                if error.is_refusal() {
                    self.discard(&add).await;
                }
                Err(CompactError::Commit(error))
            }
        }
    }
}
