//! What can go wrong with a warehouse or one of its tables.

use object_store::Error as StoreError;

use crate::retry::{self, Retry};

type Source = Box<dyn std::error::Error + Send + Sync>;

#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    #[error(
        "no warehouse at `{0}`; run `bellwether demo`, `import` or `serve` first, or name another folder with --warehouse"
    )]
    NotFound(String),
    #[error("cannot use the warehouse `{location}`: {detail}")]
    Unusable { location: String, detail: String },
    #[error(
        "the store behind `{location}` does not keep writers apart ({detail}); Bellwether needs one that honours `If-None-Match: *` on every put"
    )]
    NoCompareAndSet { location: String, detail: String },
    #[error(
        "the bucket of `{location}` keeps what is deleted, as its versioning is on: label rows of users would outlive their 35 days; turn versioning off (S3: suspend it) and delete the old versions that it has kept"
    )]
    KeepsDeleted { location: String },
    #[error("cannot write to the warehouse {} `{path}`; {}, or name another with --warehouse", kind(.path), remedy(.path))]
    Unwritable {
        path: String,
        #[source]
        source: Source,
    },
    #[error(
        "warehouse `{path}` has layout {found}, this binary knows layouts up to {supported}; upgrade bellwether to read it"
    )]
    NewerLayout { path: String, found: u64, supported: u64 },
    #[error("cannot read `{path}`; {}", remedy(.path))]
    Unreadable {
        path: String,
        #[source]
        source: Source,
    },
    #[error("cannot understand `{path}`; it should hold {{\"layout\": 2}}")]
    UnreadableLayout {
        path: String,
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
    #[error("version {version} of table `{table}` cannot be read any more: the log was cleaned up behind it")]
    VersionGone { table: &'static str, version: i64 },
    #[error(
        "commit {version} of table `{table}`, on which this process builds, is gone: the warehouse was deleted, emptied or put back from a copy; restart once it is as it should be"
    )]
    Replaced { table: &'static str, version: i64 },
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

fn kind(path: &str) -> &'static str {
    if path.contains("://") { "bucket" } else { "folder" }
}

fn remedy(path: &str) -> &'static str {
    if path.contains("://") {
        "check the bucket's name, the credentials and their rights"
    } else {
        "check its owner, mode and free space"
    }
}

impl Error {
    /// Whether the same call may succeed later: the one place where that is decided.
    pub fn retry(&self) -> Retry {
        match self {
            Self::Storage { source, .. } => retry::of_store(source),
            Self::Unwritable { source, .. } | Self::Unreadable { source, .. } => {
                source.downcast_ref::<StoreError>().map_or(Retry::Later, retry::of_store)
            }
            Self::Contended { .. } | Self::Task { .. } => Retry::Later,
            Self::Replaced { .. } => Retry::WhenMended,
            _ => Retry::Never,
        }
    }

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
