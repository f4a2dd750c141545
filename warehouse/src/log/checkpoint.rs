//! Reads a Delta checkpoint: the state of one version in one or several Parquet files.

use arrow::json::LineDelimitedWriter;
use bytes::Bytes;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde::Deserialize;

use super::action::{self, Action};
use super::{FOLDER, Log};
use crate::error::Error;

const COLUMNS: [&str; 4] = ["add", "txn", "metaData", "protocol"];

#[derive(Clone, Copy, Debug, Deserialize)]
pub(super) struct Pointer {
    pub version: i64,
    pub parts: Option<u32>,
}

impl Log {
    /// The newest checkpoint. `_last_checkpoint` is only a hint: without it the log folder is listed.
    pub(super) async fn find_checkpoint(&self) -> Result<Option<Pointer>, Error> {
        if let Some(pointer) = self.last_checkpoint().await? {
            return Ok(Some(pointer));
        }
        let single = |name: &String| {
            name.strip_suffix(".checkpoint.parquet").filter(|v| v.len() == 20)?.parse::<i64>().ok()
        };
        let newest = self.storage.list(FOLDER).await?.iter().filter_map(single).max();
        Ok(newest.map(|version| Pointer { version, parts: None }))
    }

    /// What `_last_checkpoint` says, if it is there and whole.
    pub(super) async fn last_checkpoint(&self) -> Result<Option<Pointer>, Error> {
        let bytes = self.storage.get(&format!("{FOLDER}/_last_checkpoint")).await?;
        Ok(bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok()))
    }

    pub(super) async fn read_checkpoint(&self, pointer: Pointer) -> Result<Vec<Action>, Error> {
        let version = pointer.version;
        let names = match pointer.parts {
            None => vec![format!("{FOLDER}/{version:020}.checkpoint.parquet")],
            Some(parts) => (1..=parts)
                .map(|part| format!("{FOLDER}/{version:020}.checkpoint.{part:010}.{parts:010}.parquet"))
                .collect(),
        };
        let mut actions = Vec::new();
        for name in names {
            let Some(bytes) = self.storage.get(&name).await? else {
                return Err(self.damaged(&name, "the checkpoint is missing"));
            };
            let decoded = tokio::task::spawn_blocking(move || decode(bytes))
                .await
                .map_err(|source| Error::Task { table: self.storage.table(), source })?;
            actions.extend(decoded.map_err(|detail| self.damaged(&name, &detail))?);
        }
        Ok(actions)
    }
}

/// Rows become JSON lines and then actions, so that there is one reading of an action.
fn decode(bytes: Bytes) -> Result<Vec<Action>, String> {
    let builder = ParquetRecordBatchReaderBuilder::try_new(bytes).map_err(|e| e.to_string())?;
    let mask = ProjectionMask::columns(builder.parquet_schema(), COLUMNS);
    let mut actions = Vec::new();
    for batch in builder.with_projection(mask).build().map_err(|e| e.to_string())? {
        let batch = batch.map_err(|e| e.to_string())?;
        let mut writer = LineDelimitedWriter::new(Vec::new());
        writer.write(&batch).and_then(|()| writer.finish()).map_err(|e| e.to_string())?;
        actions.extend(action::from_lines(&writer.into_inner()).map_err(|e| e.to_string())?);
    }
    Ok(actions)
}
