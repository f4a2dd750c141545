//! What can go wrong with a warehouse or one of its tables.

use std::path::PathBuf;

#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    #[error(
        "no warehouse at `{0}`; run `bellwether demo`, `import` or `serve` first, or name another folder with --warehouse"
    )]
    NotFound(String),
    #[error(
        "cannot write to the warehouse folder `{path}`; check its owner, mode and free space, or name another with --warehouse"
    )]
    Unwritable {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error(
        "warehouse `{path}` has layout {found}, this binary knows layouts up to {supported}; upgrade bellwether to read it"
    )]
    NewerLayout { path: PathBuf, found: u64, supported: u64 },
    #[error("cannot read `{path}`; check its owner and mode")]
    Unreadable {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("cannot understand `{path}`; it should hold {{\"layout\": 1}}")]
    UnreadableLayout {
        path: PathBuf,
        #[source]
        source: serde_json::Error,
    },
    #[error(
        "table `{table}` is missing in the warehouse; run a command that writes (`serve`, `jobs run`) once to create it"
    )]
    TableMissing { table: &'static str },
    #[error(
        "table `{table}` needs Delta reader version {reader} and writer version {writer}, this binary handles 1 and 2; another tool has upgraded it"
    )]
    Protocol { table: &'static str, reader: i32, writer: i32 },
    #[error("column `{column}` of table `{table}` is stored as {stored} but this binary uses {expected}")]
    ColumnType { table: &'static str, column: String, stored: String, expected: String },
    #[error("failed to {operation} `{path}` of table `{table}`")]
    Storage {
        table: &'static str,
        operation: &'static str,
        path: String,
        #[source]
        source: Box<object_store::Error>,
    },
    #[error("log file `{path}` of table `{table}` is damaged: {detail}")]
    Damaged { table: &'static str, path: String, detail: String },
    #[error("commit {version} of table `{table}` is no longer in the log")]
    CommitGone { table: &'static str, version: i64 },
    #[error("rows do not fit table `{table}`: {detail}")]
    Rows { table: &'static str, detail: String },
    #[error("failed to encode rows of table `{table}` as Parquet")]
    Encode {
        table: &'static str,
        #[source]
        source: parquet::errors::ParquetError,
    },
    #[error("failed to read rows of table `{table}`")]
    Read {
        table: &'static str,
        #[source]
        source: Box<datafusion::error::DataFusionError>,
    },
    #[error("failed to arrange rows of table `{table}`")]
    Arrow {
        table: &'static str,
        #[source]
        source: arrow::error::ArrowError,
    },
    #[error(
        "gave up committing to table `{table}` after {tries} tries; other writers were always first or the storage failed"
    )]
    Contended { table: &'static str, tries: u32 },
    #[error("a background task of table `{table}` stopped")]
    Task {
        table: &'static str,
        #[source]
        source: tokio::task::JoinError,
    },
}

impl Error {
    /// Whether a write failed for want of disk space, as deep down as that was told.
    pub fn is_full(&self) -> bool {
        let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(self);
        while let Some(error) = cause {
            let kind = error.downcast_ref::<std::io::Error>().map(std::io::Error::kind);
            if matches!(kind, Some(std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded)) {
                return true;
            }
            cause = error.source();
        }
        false
    }
}

/// Whether an error, or one of its causes, is that the store has no such file.
pub fn is_missing_file(error: &(dyn std::error::Error + 'static)) -> bool {
    use object_store::Error as StoreError;
    let mut cause = Some(error);
    while let Some(error) = cause {
        let boxed = error.downcast_ref::<Box<StoreError>>().map(AsRef::as_ref);
        if matches!(error.downcast_ref::<StoreError>().or(boxed), Some(StoreError::NotFound { .. })) {
            return true;
        }
        cause = error.source();
    }
    false
}

/// An error and its causes, one after the other.
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}
