//! One Delta table: follow its log, write data files, commit.

use std::sync::Arc;

use arrow::array::RecordBatch;
use chrono::TimeDelta;

use crate::commit::{self, Change, CommitError, Committed};
use crate::data_file::DataFile;
use crate::error::Error;
use crate::log::{CommitEntry, Log};
use crate::snapshot::Snapshot;
use crate::store::Storage;
use crate::streams::StreamNames;
use crate::tables::TableId;
use crate::write::{self, Staging};

/// A removed file is told of for as long as Delta's `deletedFileRetentionDuration` says when nobody sets it:
/// engines that clean folders may delete what a checkpoint no longer tells of.
const TOMBSTONE_MILLIS: i64 = 7 * 24 * 60 * 60 * 1000;

/// Handle on one table.
#[derive(Debug)]
pub struct Table {
    id: TableId,
    storage: Arc<Storage>,
    log: Log,
    snapshot: Snapshot,
}

impl Table {
    /// Reads the log from its newest checkpoint on.
    pub(crate) async fn open(id: TableId, storage: Storage) -> Result<Self, Error> {
        let storage = Arc::new(storage);
        let log = Log::new(Arc::clone(&storage));
        let state = log.load().await?.ok_or(Error::TableMissing { table: id.name() })?;
        let snapshot = Snapshot::new(id, Arc::clone(&storage), state);
        Ok(Self { id, storage, log, snapshot })
    }

    pub fn id(&self) -> TableId {
        self.id
    }

    pub(crate) fn storage(&self) -> &Storage {
        &self.storage
    }

    pub(crate) fn log(&self) -> &Log {
        &self.log
    }

    /// Reads what others committed since. Returns the version now seen.
    pub async fn refresh(&mut self) -> Result<i64, Error> {
        self.log.follow(self.snapshot.state_mut(), &mut |_| {}).await?;
        Ok(self.snapshot.version())
    }

    /// The state as of the last `refresh` or `commit`.
    pub fn snapshot(&self) -> &Snapshot {
        &self.snapshot
    }

    /// The table as of `version`, which may be an earlier one.
    ///
    /// # Errors
    /// `VersionGone` when the log does not lead to it: cleaned up, or not written yet.
    pub async fn at(&self, version: i64) -> Result<Snapshot, Error> {
        if version == self.snapshot.version() {
            return Ok(self.snapshot.clone());
        }
        let state = self.log.load_at(version).await?;
        Ok(Snapshot::new(self.id, Arc::clone(&self.storage), state))
    }

    /// Log entries with version in `(after, upto]`, oldest first.
    ///
    /// # Errors
    /// `CommitGone` when one of them is not in the log: cleaned up, or not written yet.
    pub async fn commits(&self, after: i64, upto: i64) -> Result<Vec<CommitEntry>, Error> {
        let mut commits = Vec::new();
        for version in after + 1..=upto {
            let entry = self.log.read(version).await?;
            let entry = entry.ok_or(Error::CommitGone { table: self.id.name(), version })?;
            commits.push(entry.into_commit());
        }
        Ok(commits)
    }

    /// Oldest version from which on the log has every entry up to the current one. None: not even that.
    ///
    /// # Errors
    /// The log folder cannot be read.
    pub async fn oldest_commit(&self) -> Result<Option<i64>, Error> {
        self.log.oldest_entry(self.snapshot.version()).await
    }

    /// Writes rows as Parquet files, one or more per partition value; invisible until committed.
    /// Columns are matched by name; a missing nullable column is written as null.
    pub async fn write(&self, batches: &[RecordBatch]) -> Result<Vec<DataFile>, Error> {
        let mut staging = self.stage(batches).await?;
        match staging.store().await {
            Ok(()) => Ok(staging.files()),
            Err(error) => {
                staging.discard().await;
                Err(error)
            }
        }
    }

    /// As `write`, but nothing is stored yet: for a caller that tries again where it left off.
    ///
    /// # Errors
    /// The rows do not fit the table.
    pub async fn stage(&self, batches: &[RecordBatch]) -> Result<Staging, Error> {
        self.stage_of_streams(batches, StreamNames::default()).await
    }

    /// As `stage`, for rows of logs whose names are known: each file tells what it holds of them.
    ///
    /// # Errors
    /// The rows do not fit the table.
    pub async fn stage_of_streams(
        &self,
        batches: &[RecordBatch],
        streams: StreamNames,
    ) -> Result<Staging, Error> {
        write::stage(self.id, &self.storage, batches, streams).await
    }

    /// Commits by compare-and-set. An ambiguous storage error is resolved by reading the log for this
    /// commit's own id before an answer is given.
    pub async fn commit(&mut self, change: Change) -> Result<Committed, CommitError> {
        commit::commit(&self.log, self.id.name(), self.snapshot.state_mut(), change).await
    }

    /// Writes a Delta checkpoint of the current version (maintenance only, never on the hot path).
    pub async fn checkpoint(&self) -> Result<(), Error> {
        let keep = if self.id.is_forgotten() { 0 } else { TOMBSTONE_MILLIS };
        self.checkpoint_telling(TimeDelta::milliseconds(keep)).await
    }

    /// The same, but that tells of files removed in this time alone: of a table that is written every few seconds there are
    /// very many. To be longer than the table goes without vacuum, which knows a file that nothing tells of only by its age.
    pub async fn checkpoint_telling(&self, removed_for: TimeDelta) -> Result<(), Error> {
        let now = self.log.world().wall_millis();
        self.log.write_checkpoint(self.snapshot.version(), now - removed_for.num_milliseconds()).await
    }

    /// Commits up to the current version that the newest checkpoint does not hold.
    pub async fn commits_since_checkpoint(&self) -> Result<i64, Error> {
        let checkpoint = self.log.checkpoint_version().await?;
        Ok(self.snapshot.version() - checkpoint.unwrap_or(-1))
    }
}
