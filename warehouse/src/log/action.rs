//! The actions of a Delta log entry that this warehouse reads and writes.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::data_file::DataFile;
use crate::streams;

/// One line of a log entry. Exactly one member is set; members this version does not know are none of ours.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Action {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub add: Option<Add>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remove: Option<Remove>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub txn: Option<Txn>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub commit_info: Option<Map<String, Value>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub protocol: Option<Protocol>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub meta_data: Option<MetaData>,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Add {
    pub path: String,
    #[serde(default)]
    pub partition_values: BTreeMap<String, Option<String>>,
    pub size: i64,
    pub modification_time: i64,
    pub data_change: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stats: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tags: Option<BTreeMap<String, Option<String>>>,
    /// Never written; a table that has one cannot be read by us.
    #[serde(skip_serializing)]
    pub deletion_vector: Option<serde::de::IgnoredAny>,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Remove {
    pub path: String,
    pub deletion_timestamp: Option<i64>,
    pub data_change: bool,
    pub extended_file_metadata: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partition_values: Option<BTreeMap<String, Option<String>>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<i64>,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Txn {
    pub app_id: String,
    pub version: i64,
    pub last_updated: Option<i64>,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Protocol {
    pub min_reader_version: i32,
    pub min_writer_version: i32,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct MetaData {
    pub id: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    pub format: Format,
    pub schema_string: String,
    pub partition_columns: Vec<String>,
    #[serde(default)]
    pub configuration: BTreeMap<String, String>,
    pub created_time: Option<i64>,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Format {
    pub provider: String,
    #[serde(default)]
    pub options: BTreeMap<String, String>,
}

/// The one statistic that every file of ours has.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RowCount {
    num_records: i64,
}

impl Add {
    pub(crate) fn new(file: &DataFile, now_millis: i64, data_change: bool) -> Self {
        Self {
            path: file.path.clone(),
            partition_values: file.partition.iter().cloned().collect(),
            size: file.size_bytes,
            modification_time: now_millis,
            data_change,
            stats: file.stats.clone(),
            tags: file.streams.clone().map(|tag| BTreeMap::from([(streams::TAG.to_owned(), Some(tag))])),
            deletion_vector: None,
        }
    }

    /// Fails with what is wrong with it.
    pub(crate) fn into_file(self) -> Result<DataFile, String> {
        if self.deletion_vector.is_some() {
            return Err(format!("file `{}` has a deletion vector", self.path));
        }
        let rows = self.stats.as_deref().map(serde_json::from_str::<RowCount>);
        let Some(Ok(RowCount { num_records: rows })) = rows else {
            return Err(format!("file `{}` has no row count in its statistics", self.path));
        };
        Ok(DataFile {
            path: self.path,
            size_bytes: self.size,
            rows,
            partition: self.partition_values.into_iter().collect(),
            stats: self.stats,
            streams: self.tags.and_then(|mut tags| tags.remove(streams::TAG)).flatten(),
        })
    }
}

impl Remove {
    /// `file`: the add that it undoes.
    pub(crate) fn new(file: &DataFile, now_millis: i64, data_change: bool) -> Self {
        Self {
            path: file.path.clone(),
            deletion_timestamp: Some(now_millis),
            data_change,
            extended_file_metadata: Some(true),
            partition_values: Some(file.partition.iter().cloned().collect()),
            size: Some(file.size_bytes),
        }
    }
}

/// Newline-delimited JSON, as it lies in the log.
pub(crate) fn to_lines(actions: &[Action]) -> Result<Vec<u8>, serde_json::Error> {
    let mut lines = Vec::new();
    for action in actions {
        serde_json::to_writer(&mut lines, action)?;
        lines.push(b'\n');
    }
    Ok(lines)
}

pub(crate) fn from_lines(lines: &[u8]) -> Result<Vec<Action>, serde_json::Error> {
    lines
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.trim_ascii().is_empty())
        .map(serde_json::from_slice)
        .collect()
}
