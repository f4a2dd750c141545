//! One commit that puts rows in the place of files, for settle and rebuild.
//!
//! It is refused when one of the files is gone, and with it what the rows were made of. Files that a fold adds
//! meanwhile stay: they hold what was committed to `attempts` after the state that the rows were made of.

use std::collections::BTreeSet;

use bellwether_warehouse::{Advance, Change, DataFile, Table};
use chrono::NaiveDate;

use crate::error::Error;
use crate::statement::Rows;

/// Member of `commitInfo` of a commit that put other rows in the place of rows: what it adds is no news, though
/// Delta wants it called a change of data.
pub(crate) const REWRITTEN_BY: &str = "bellwether";

/// Member of `commitInfo`: dates whose rows are made of other names than before.
pub(crate) const REMAPPED: &str = "remapped";

#[derive(Debug)]
pub(crate) struct Replacement<'a> {
    pub job: &'static str,
    pub advance: Vec<Advance>,
    pub remove: Vec<DataFile>,
    /// What the table is to have instead of the files' rows.
    pub rows: &'a Rows,
    /// Dates whose names were read again since the removed rows were made.
    pub remapped: BTreeSet<NaiveDate>,
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
        let info = [
            (REWRITTEN_BY.to_owned(), self.job.into()),
            ("job".to_owned(), self.job.into()),
            ("rows".to_owned(), replaced.rows.into()),
        ];
        let mut info: serde_json::Map<String, serde_json::Value> = info.into_iter().collect();
        if !self.remapped.is_empty() {
            info.insert(REMAPPED.to_owned(), self.remapped.iter().map(NaiveDate::to_string).collect());
        }
        let change = Change {
            advance: self.advance,
            add,
            remove: self.remove.into_iter().map(|file| file.path).collect(),
            info,
            ..Change::default()
        };
        table.commit(change).await.map_err(|source| Error::Commit { table: name, source })?;
        Ok(replaced)
    }
}
