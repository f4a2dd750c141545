//! One Delta table: open or create, follow its log, write data files, commit.

use arrow::array::RecordBatch;

use crate::commit::{AppId, Change, CommitError, Committed};
use crate::location::Location;
use crate::snapshot::Snapshot;
use crate::tables::TableId;

#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    #[error("no warehouse at `{0}`; run `bellwether demo`, `import` or `serve` first, or name another folder with --warehouse")]
    NotFound(String),
}

/// A warehouse folder whose tables exist and whose layout version this build can read.
#[derive(Clone, Debug)]
pub struct Warehouse {
    location: Location,
}

impl Warehouse {
    /// Opens the warehouse, creating the folder and every missing table.
    pub async fn open_or_create(location: &Location) -> Result<Self, Error> {
        let _ = location;
        unimplemented!()
    }

    /// Opens a warehouse that must exist already.
    pub async fn open(location: &Location) -> Result<Self, Error> {
        let _ = location;
        unimplemented!()
    }

    pub fn location(&self) -> &Location {
        &self.location
    }

    /// An independent handle with its own log cursor.
    pub async fn table(&self, id: TableId) -> Result<Table, Error> {
        let _ = id;
        unimplemented!()
    }
}

/// A Parquet file that was written but belongs to the table only once a commit adds it.
#[derive(Clone, Debug)]
pub struct DataFile {
    /// Path relative to the table root.
    pub path: String,
    pub size_bytes: i64,
    pub rows: i64,
    /// Partition column values as Delta writes them (`event_date` → `2026-11-25`).
    pub partition: Vec<(String, Option<String>)>,
    /// Delta statistics JSON.
    pub stats: Option<String>,
}

/// One commit as its log entry tells it.
#[derive(Clone, Debug)]
pub struct CommitEntry {
    pub version: i64,
    /// Files that brought new data (`dataChange` true).
    pub added: Vec<DataFile>,
    pub removed: Vec<String>,
    pub txns: Vec<(AppId, i64)>,
    pub info: serde_json::Map<String, serde_json::Value>,
}

/// Handle on one table.
#[derive(Debug)]
pub struct Table {
    id: TableId,
    snapshot: Snapshot,
}

impl Table {
    pub fn id(&self) -> TableId {
        self.id
    }

    /// Reads what others committed since. Returns the version now seen.
    pub async fn refresh(&mut self) -> Result<i64, Error> {
        unimplemented!()
    }

    /// The state as of the last `refresh` or `commit`.
    pub fn snapshot(&self) -> &Snapshot {
        &self.snapshot
    }

    /// Log entries with version in `(after, upto]`, oldest first.
    pub async fn commits(&self, after: i64, upto: i64) -> Result<Vec<CommitEntry>, Error> {
        let _ = (after, upto);
        unimplemented!()
    }

    /// Writes rows as Parquet files, one or more per partition value; invisible until committed.
    pub async fn write(&self, batches: &[RecordBatch]) -> Result<Vec<DataFile>, Error> {
        let _ = batches;
        unimplemented!()
    }

    /// Commits by compare-and-set. An ambiguous storage error is resolved by reading the log for this
    /// commit's own id before an answer is given.
    pub async fn commit(&mut self, change: Change) -> Result<Committed, CommitError> {
        let _ = change;
        unimplemented!()
    }

    /// Writes a Delta checkpoint of the current version (maintenance only, never on the hot path).
    pub async fn checkpoint(&self) -> Result<(), Error> {
        unimplemented!()
    }
}
