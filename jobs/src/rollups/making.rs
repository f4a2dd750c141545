//! How rows are made that `base` does not make.

use std::collections::BTreeSet;
use std::fmt;

use arrow::array::RecordBatch;
use bellwether_warehouse::{CommitEntry, DataFile, Snapshot, Table, TableId, Warehouse};
use chrono::NaiveDate;
use datafusion::prelude::SessionContext;
use futures::future::BoxFuture;

use crate::error::Error;
use crate::once::Copies;

/// Adds up what commits to `attempts` say of themselves.
pub(crate) trait Listen: fmt::Debug + Send + Sync {
    /// A commit that says nothing, or something else, adds nothing.
    fn add(&mut self, commit: &CommitEntry);

    /// Partial rows of the table.
    fn rows(&self) -> Result<RecordBatch, Error>;
}

/// Computes rows that do not add up.
pub(crate) trait Recompute: fmt::Debug + Send + Sync {
    fn table(&self) -> TableId;

    /// Computes the dates that new attempts touch, and stores their rows in files that no commit names yet.
    fn update<'a>(&'a self, update: Update<'a>) -> BoxFuture<'a, Result<Updated, Error>>;

    /// All rows of neighbouring dates, both ends included, each event once, sorted by key.
    fn rows<'a>(
        &'a self,
        ctx: &'a SessionContext,
        attempts: &'a Snapshot,
        dates: (NaiveDate, NaiveDate),
    ) -> BoxFuture<'a, Result<RecordBatch, Error>>;
}

pub(crate) struct Update<'a> {
    pub warehouse: &'a Warehouse,
    pub attempts: &'a Snapshot,
    /// Of `attempts`, with what is new.
    pub new: &'a [DataFile],
    pub copies: Copies,
    /// As it stands.
    pub table: &'a Table,
}

#[derive(Debug, Default)]
pub(crate) struct Updated {
    /// To be replaced, whether there is something in their place or not.
    pub dates: BTreeSet<NaiveDate>,
    pub files: Vec<DataFile>,
    /// Read.
    pub attempts: i64,
}
