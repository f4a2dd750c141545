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
    /// All rows of a checkpoint as actions.
    pub(in crate::log) async fn read_checkpoint(&self, pointer: Pointer) -> Result<Vec<Action>, Error> {
        let mut actions = Vec::new();
        for (name, bytes) in self.checkpoint_files(pointer).await? {
            let decoded = tokio::task::spawn_blocking(move || {
                let mut actions = Vec::new();
                each_batch(bytes, |batch| {
                    actions.extend(batch);
                    Ok(())
                })?;
                Ok(actions)
            });
            let decoded =
                decoded.await.map_err(|source| Error::Task { table: self.storage.table(), source })?;
            actions.extend(decoded.map_err(|detail: String| self.damaged(&name, &detail))?);
        }
        Ok(actions)
    }

    /// The encoded files: they are small beside what they tell.
    pub(super) async fn checkpoint_files(&self, pointer: Pointer) -> Result<Vec<(String, Bytes)>, Error> {
        let mut files = Vec::new();
        for name in pointer.names() {
            let Some(bytes) = self.storage.get(&name).await? else {
                return Err(self.damaged(&name, "the checkpoint is missing"));
            };
            files.push((name, bytes));
        }
        Ok(files)
    }
}

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
