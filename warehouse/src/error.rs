//! What can go wrong with a warehouse or one of its tables.

use object_store::Error as StoreError;

use crate::store;

/// Whether the same call may succeed later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    /// By itself: the store is slow, busy or cannot be reached, or others were first.
    Later,
    /// Once somebody has mended credentials, rights or the bucket. Worth trying again at a slow pace.
    WhenMended,
    /// The tables or the rows are what they are.
    Never,
}

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
            Self::Storage { source, .. } => store::retry(source),
            Self::Unwritable { source, .. } | Self::Unreadable { source, .. } => {
                source.downcast_ref::<StoreError>().map_or(Retry::Later, store::retry)
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
        let said = cause.to_string();
        // Some libraries write the cause into the text as well.
        if !text.ends_with(&said) {
            text.push_str(": ");
            text.push_str(&said);
        }
        source = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_that_the_text_ends_with_is_not_told_twice() {
        let store = StoreError::Generic { store: "S3", source: "503 (SlowDown)".into() };
        let error = Error::Unreadable { path: "s3://lake/w/f".to_owned(), source: Box::new(store) };
        let text = chain(&error);
        assert!(text.starts_with("cannot read `s3://lake/w/f`; check the bucket's name"), "{text}");
        assert!(text.ends_with(": Generic S3 error: 503 (SlowDown)"), "{text}");
        assert_eq!(text.matches("SlowDown").count(), 1);
    }
}
