//! Reads a checkpoint, batch by batch.

use arrow::json::LineDelimitedWriter;
use bytes::Bytes;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use super::Pointer;
use crate::error::Error;
use crate::log::Log;
use crate::log::action::{self, Action};

const COLUMNS: [&str; 5] = ["add", "remove", "txn", "metaData", "protocol"];

impl Log {
    /// All rows of the newest checkpoint as actions. None: there is none.
    pub(in crate::log) async fn read_newest_checkpoint(
        &self,
    ) -> Result<Option<(Pointer, Vec<Action>)>, Error> {
        let Some((pointer, files)) = self.newest_checkpoint_files().await? else {
            return Ok(None);
        };
        Ok(Some((pointer, self.decode_all(files).await?)))
    }

    /// All rows of one checkpoint's files.
    pub(super) async fn decode_all(&self, files: Files) -> Result<Vec<Action>, Error> {
        let mut actions = Vec::new();
        for (name, bytes) in files {
            let decoded = self.decode(name, bytes, |bytes| {
                let mut actions = Vec::new();
                each_batch(bytes, |batch| {
                    actions.extend(batch);
                    Ok(())
                })?;
                Ok(actions)
            });
            actions.extend(decoded.await?);
        }
        Ok(actions)
    }

    /// Shows the rows of the newest checkpoint, batch by batch, until one is what is looked for. Whether one was.
    pub(in crate::log) async fn scan_newest_checkpoint(
        &self,
        mut is_wanted: impl FnMut(&Action) -> bool + Send + 'static,
    ) -> Result<bool, Error> {
        let Some((_, files)) = self.newest_checkpoint_files().await? else {
            return Ok(false);
        };
        for (name, bytes) in files {
            let searched = self.decode(name, bytes, move |bytes| {
                let mut found = false;
                each_batch(bytes, |batch| {
                    found = found || batch.iter().any(&mut is_wanted);
                    Ok(())
                })?;
                Ok((found, is_wanted))
            });
            let (found, again) = searched.await?;
            if found {
                return Ok(true);
            }
            is_wanted = again;
        }
        Ok(false)
    }

    /// The newest checkpoint's encoded files: they are small beside what they tell.
    pub(super) async fn newest_checkpoint_files(&self) -> Result<Option<(Pointer, Files)>, Error> {
        loop {
            let Some(pointer) = self.find_checkpoint().await? else {
                return Ok(None);
            };
            match self.checkpoint_files(pointer).await {
                Ok(files) => return Ok(Some((pointer, files))),
                // Clean-up takes former ones away.
                Err(error) => match self.find_checkpoint().await? {
                    Some(newer) if newer.version > pointer.version => {}
                    _ => return Err(error),
                },
            }
        }
    }

    /// The encoded files of one checkpoint.
    pub(super) async fn checkpoint_files(&self, pointer: Pointer) -> Result<Files, Error> {
        let mut files = Vec::new();
        for name in pointer.names() {
            let Some(bytes) = self.storage.get(&name).await? else {
                return Err(self.damaged(&name, "the checkpoint is missing"));
            };
            files.push((name, bytes));
        }
        Ok(files)
    }

    /// Work on the bytes of a checkpoint, on a thread for such.
    pub(super) async fn decode<T: Send + 'static>(
        &self,
        name: String,
        bytes: Bytes,
        work: impl FnOnce(Bytes) -> Result<T, String> + Send + 'static,
    ) -> Result<T, Error> {
        let done = tokio::task::spawn_blocking(move || work(bytes)).await;
        let done = done.map_err(|source| Error::Task { table: self.storage.table(), source })?;
        done.map_err(|detail| self.damaged(&name, &detail))
    }
}

/// Names and bytes.
pub(super) type Files = Vec<(String, Bytes)>;

/// Rows become JSON lines and then actions, so that there is one reading of an action.
///
/// # Errors
/// What is wrong with the file, or what `take` says.
pub(super) fn each_batch(
    bytes: Bytes,
    mut take: impl FnMut(Vec<Action>) -> Result<(), String>,
) -> Result<(), String> {
    let builder = ParquetRecordBatchReaderBuilder::try_new(bytes).map_err(|e| e.to_string())?;
    let mask = ProjectionMask::columns(builder.parquet_schema(), COLUMNS);
    for batch in builder.with_projection(mask).build().map_err(|e| e.to_string())? {
        let batch = batch.map_err(|e| e.to_string())?;
        let mut writer = LineDelimitedWriter::new(Vec::new());
        writer.write(&batch).and_then(|()| writer.finish()).map_err(|e| e.to_string())?;
        take(action::from_lines(&writer.into_inner()).map_err(|e| e.to_string())?)?;
    }
    Ok(())
}
