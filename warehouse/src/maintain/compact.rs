//! Compaction: the rows of many files of one partition in few. What else rewrites files (`rewrite`) shares how they are read
//! and written.

use arrow::array::RecordBatch;
use arrow::error::ArrowError;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use datafusion::execution::SendableRecordBatchStream;
use datafusion::prelude::SessionContext;
use futures::TryStreamExt;

use crate::commit::{Advance, Change, CommitError};
use crate::data_file::DataFile;
use crate::delta_schema::{Extension, extension};
use crate::error::Error;
use crate::streams::StreamSpans;
use crate::table::Table;
use crate::transaction::AppId;
use crate::write::{Encoder, file_name, file_schema, named};

/// A row group is ended when the writer holds this much of it. More: better compression, more memory.
const OPEN_BYTES: usize = 64 * 1024 * 1024;
/// By which the rows of a table lie in time; a table has one of them at most.
const INSTANTS: [&str; 3] = ["started_at", "received_at", "imported_at"];

/// What one compaction did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Compacted {
    pub version: i64,
    pub files_before: usize,
    pub files_after: usize,
    pub bytes_before: i64,
    pub bytes_after: i64,
    pub rows: i64,
}

#[derive(Debug, thiserror::Error)]
pub enum CompactError {
    #[error(
        "files of `{table}` are not rewritten: the table has columns that this binary does not know, or lacks some"
    )]
    Columns { table: &'static str },
    #[error("files of `{table}` are not rewritten: `{path}` is of another partition than the others")]
    Mixed { table: &'static str, path: String },
    #[error("files of `{table}` are not rewritten: they hold {found} rows, and the log says {expected}")]
    Rows { table: &'static str, expected: i64, found: i64 },
    #[error("failed to rewrite files")]
    Rewrite(#[source] Error),
    #[error("failed to put the new files in the place of the old ones")]
    Commit(#[source] CommitError),
}

impl CompactError {
    /// Whether others changed the files meanwhile: the next round sees what is left to do.
    pub fn is_refusal(&self) -> bool {
        matches!(self, Self::Commit(error) if error.is_refusal())
    }
}

impl Table {
    /// Reads active files of one partition, one after the other, and puts new ones of about `target_bytes` with the
    /// same rows in their place. `app` counts the compactions of that partition, so that of two at once one is
    /// refused. What was staged is deleted again when the commit is refused.
    ///
    /// Memory: one new file, and batches of one old one.
    ///
    /// # Errors
    /// Nothing changed, unless the commit's own error says that this is in doubt.
    pub async fn compact(
        &mut self,
        files: Vec<DataFile>,
        app: AppId,
        target_bytes: usize,
    ) -> Result<Compacted, CompactError> {
        let table = self.id().name();
        self.check_columns()?;
        if files.is_empty() {
            return Err(CompactError::Rows { table, expected: 0, found: 0 });
        }
        self.check_partition(&files)?;
        let streams = StreamSpans::merge(files.iter().map(|file| file.streams.as_deref()));
        let staged = Staged { table: self, streams, each: None, files: Vec::new() };
        let (new, done) = staged.rewritten(&files, target_bytes).await;
        if let Err(error) = done {
            self.discard(&new).await;
            return Err(error);
        }
        let rows: i64 = new.iter().map(|file| file.rows).sum();
        let bytes = |files: &[DataFile]| files.iter().map(|file| file.size_bytes).sum();
        let (bytes_before, bytes_after) = (bytes(&files), bytes(&new));
        let (files_before, files_after) = (files.len(), new.len());
        let from = self.snapshot().txn(&app);
        let info = [
            ("bellwether".to_owned(), "compact".into()),
            ("job".to_owned(), "compact".into()),
            ("rows".to_owned(), rows.into()),
        ];
        let change = Change {
            advance: vec![Advance { app, from, to: from.unwrap_or(0) + 1 }],
            add: new,
            remove: files.into_iter().map(|file| file.path).collect(),
            info: info.into_iter().collect(),
            data_change: false,
            ..Change::default()
        };
        let version = self.commit_rewritten(change).await?;
        Ok(Compacted { version, files_before, files_after, bytes_before, bytes_after, rows })
    }

    /// Returns the version. What was staged is deleted again when the commit is refused.
    pub(super) async fn commit_rewritten(&mut self, change: Change) -> Result<i64, CompactError> {
        let staged = change.add.clone();
        match self.commit(change).await {
            Ok(committed) => Ok(committed.version),
            Err(error) => {
                if error.is_refusal() {
                    self.discard(&staged).await;
                }
                Err(CompactError::Commit(error))
            }
        }
    }

    /// All of them are of one.
    pub(super) fn check_partition(&self, files: &[DataFile]) -> Result<(), CompactError> {
        let first = files.first().map(|file| &file.partition);
        match files.iter().find(|file| Some(&file.partition) != first) {
            Some(other) => Err(CompactError::Mixed { table: self.id().name(), path: other.path.clone() }),
            None => Ok(()),
        }
    }

    /// Rows of a column that is unknown here would lose it.
    pub(super) fn check_columns(&self) -> Result<(), CompactError> {
        let table = self.id().name();
        let Some(stored) = self.snapshot().metadata() else {
            return Err(CompactError::Columns { table });
        };
        match extension(self.id(), stored, self.storage().world()).map_err(CompactError::Rewrite)? {
            Extension::None => Ok(()),
            Extension::Add(_) | Extension::StoredIsNewer => Err(CompactError::Columns { table }),
        }
    }

    /// What cannot be deleted is left to vacuum.
    pub(super) async fn discard(&self, files: &[DataFile]) {
        for file in files {
            if let Err(error) = self.storage().delete(&file.path).await {
                tracing::debug!(
                    table = self.id().name(),
                    file = file.path,
                    error = &error as &dyn std::error::Error,
                    "left a file that is not part of the table"
                );
            }
        }
    }
}

/// What becomes of the rows of a batch on the way; its columns stay.
pub type Edit<'a> = dyn Fn(&RecordBatch) -> Result<RecordBatch, ArrowError> + Send + Sync + 'a;

/// New files that no commit names yet.
pub(super) struct Staged<'a> {
    pub table: &'a Table,
    /// What the old files hold of each log, which any of the new ones may.
    pub streams: Option<String>,
    /// None: rows stay as they are.
    pub each: Option<&'a Edit<'a>>,
    pub files: Vec<DataFile>,
}

impl Staged<'_> {
    /// New files with as many rows in the place of some; where that failed, those that came of it.
    pub(super) async fn rewritten(
        mut self,
        files: &[DataFile],
        target_bytes: usize,
    ) -> (Vec<DataFile>, Result<(), CompactError>) {
        let done = self.rewrite(files, target_bytes).await;
        let rows = |files: &[DataFile]| files.iter().map(|file| file.rows).sum();
        let (expected, found) = (rows(files), rows(&self.files));
        let done = match done {
            Err(error) => Err(CompactError::Rewrite(error)),
            Ok(()) if found != expected => {
                Err(CompactError::Rows { table: self.table.id().name(), expected, found })
            }
            Ok(()) => Ok(()),
        };
        (self.files, done)
    }

    async fn rewrite(&mut self, files: &[DataFile], target_bytes: usize) -> Result<(), Error> {
        let id = self.table.id();
        let partition = files.first().map(|file| file.partition.clone()).unwrap_or_default();
        let mut open: Option<Encoder> = None;
        let ctx = self.table.snapshot().session(1);
        for file in ordered(files) {
            let mut batches = self.batches(&ctx, file).await?;
            while let Some(rows) = batches.try_next().await.map_err(|source| self.unread(source))? {
                let mut encoder = match open.take() {
                    Some(encoder) => encoder,
                    None => Encoder::new(id)?,
                };
                let rows = self.in_file(&self.edited(rows)?)?;
                // Encoding is CPU work.
                let encoder = tokio::task::spawn_blocking(move || {
                    encoder.push(&rows)?;
                    if encoder.open_bytes() >= OPEN_BYTES {
                        encoder.end_row_group()?;
                    }
                    Ok::<_, Error>(encoder)
                });
                let encoder = encoder.await.map_err(|source| Error::Task { table: id.name(), source })??;
                if encoder.size_bytes() >= target_bytes {
                    self.store(encoder, &partition).await?;
                } else {
                    open = Some(encoder);
                }
            }
        }
        match open {
            Some(encoder) => self.store(encoder, &partition).await,
            None => Ok(()),
        }
    }

    fn edited(&self, rows: RecordBatch) -> Result<RecordBatch, Error> {
        let table = self.table.id().name();
        match self.each {
            Some(each) => each(&rows).map_err(|source| Error::Arrow { table, source }),
            None => Ok(rows),
        }
    }

    async fn batches(
        &self,
        ctx: &SessionContext,
        file: &DataFile,
    ) -> Result<SendableRecordBatchStream, Error> {
        let provider = self.table.snapshot().provider_over(vec![file.clone()]);
        let frame = ctx.read_table(provider).map_err(|source| self.unread(source))?;
        frame.execute_stream().await.map_err(|source| self.unread(source))
    }

    /// Without the partition column.
    fn in_file(&self, rows: &RecordBatch) -> Result<RecordBatch, Error> {
        let id = self.table.id();
        let arrow = |source| Error::Arrow { table: id.name(), source };
        let schema = file_schema(id);
        let columns = schema.fields().iter().map(|field| rows.schema_ref().index_of(field.name()));
        let columns = columns.collect::<Result<Vec<usize>, _>>().map_err(arrow)?;
        let columns = columns.into_iter().map(|at| rows.column(at).clone()).collect();
        RecordBatch::try_new(schema, columns).map_err(arrow)
    }

    async fn store(&mut self, encoder: Encoder, partition: &[(String, Option<String>)]) -> Result<(), Error> {
        let id = self.table.id();
        let encoded = tokio::task::spawn_blocking(move || encoder.finish()).await;
        let encoded = encoded.map_err(|source| Error::Task { table: id.name(), source })??;
        let name = file_name(self.table.storage().world().uuid(), 0);
        let (mut file, bytes): (DataFile, Bytes) = named(name, partition.to_vec(), encoded);
        file.streams.clone_from(&self.streams);
        // Noted first: a put that fails may have landed.
        self.files.push(file.clone());
        self.table.storage().put(&file.path, bytes).await
    }

    fn unread(&self, source: datafusion::error::DataFusionError) -> Error {
        Error::Read { table: self.table.id().name(), source: Box::new(source) }
    }
}

/// By their earliest instant, as the statistics tell it: neighbours in time then share row groups, which readers
/// pass over by time. Sorting rows would cost a pass over all of them.
fn ordered(files: &[DataFile]) -> Vec<&DataFile> {
    let earliest = |file: &DataFile| {
        let bounds = file.bounds();
        INSTANTS.into_iter().find_map(|column| bounds.instant(column).least)
    };
    let mut ordered: Vec<(Option<DateTime<Utc>>, &DataFile)> =
        files.iter().map(|file| (earliest(file), file)).collect();
    ordered.sort_by(|one, other| (&one.0, &one.1.path).cmp(&(&other.0, &other.1.path)));
    ordered.into_iter().map(|(_, file)| file).collect()
}
