//! Files of a table, as its log names them.

use chrono::NaiveDate;

/// A Parquet file that was written but belongs to the table only once a commit adds it.
#[derive(Clone, Debug, PartialEq)]
pub struct DataFile {
    /// Path relative to the table root.
    pub path: String,
    pub size_bytes: i64,
    pub rows: i64,
    /// Partition column values as Delta writes them (`event_date` → `2026-11-25`).
    pub partition: Vec<(String, Option<String>)>,
    /// Delta statistics JSON.
    pub stats: Option<String>,
    /// Offsets of the logs whose rows it holds, as `streams` writes them. None: they may be of any.
    pub streams: Option<String>,
}

impl DataFile {
    /// The date of its partition, or the first day of its week. None: the table has no partitions, or no such date.
    pub fn date(&self) -> Option<NaiveDate> {
        let (_, value) = self.partition.first()?;
        value.as_deref()?.parse().ok()
    }
}
