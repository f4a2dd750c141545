//! Loads log files exactly once.
//!
//! All files of a warehouse share one virtual log. The `imports` table gives each content hash a range of it, so
//! the same content adds nothing a second time, whatever it is called. A run that was cut off goes on at T when
//! it is repeated; when other files come instead, what it had not read is given up, and the content goes on there
//! when it comes again. Rows whose event is in `attempts` already, from a live source or another file, are dropped
//! and counted.

mod file;
mod ledger;
mod lock;
mod portion;
mod run;
mod summary;

use std::path::{Path, PathBuf};
use std::time::Duration;

use bellwether_warehouse::Warehouse;

pub use summary::{FileStatus, FileSummary, Summary, Unmapped};

use crate::batch::Tools;
use crate::config::Bytes;
use crate::formats::Format;
use crate::{dedup, identity, sink};

#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImportError {
    #[error("failed to read `{path}`")]
    Read {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("`{path}` is not a file; name the files one by one, or with a pattern of your shell")]
    NotAFile { path: PathBuf },
    #[error("`{path}` changed while it was read; import it again when nothing writes to it")]
    Changed { path: PathBuf },
    #[error("failed to open the tables")]
    Tables(#[source] bellwether_warehouse::Error),
    #[error("failed to read the table `imports`")]
    Ledger(#[source] Box<dyn std::error::Error + Send + Sync>),
    #[error("failed to write the table `imports`")]
    Claim(#[source] Box<bellwether_warehouse::CommitError>),
    #[error("another import is writing to this warehouse; wait for it and run this one again")]
    Busy,
    #[error("failed to lock `{path}`")]
    Lock {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("failed to compare with what is there already")]
    Dates(#[source] dedup::DatesError),
    #[error("failed to read the label secrets")]
    Identity(#[source] identity::Error),
    #[error("failed to flush")]
    Flush(#[source] sink::FlushError),
}

#[derive(Clone, Debug)]
pub struct Options {
    pub format: Format,
    /// Reads also what was imported before: records that an earlier version rejected may become rows. Rows that are
    /// there stay the only ones; what is rejected again is noted again.
    pub again: bool,
    /// Longest record.
    pub max_record: Bytes,
    pub flush_rows: usize,
    pub flush_bytes: Bytes,
    /// Bytes for the ids that are compared with. Above it they are read again, which takes time; a date that is
    /// too large for it is read in parts.
    pub max_ids: Bytes,
    /// How long storage may fail before the import gives up. It can be run again.
    pub patience: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            format: Format::Auto,
            again: false,
            max_record: Bytes::mib(16),
            flush_rows: 200_000,
            flush_bytes: Bytes::mib(96),
            max_ids: Bytes::mib(256),
            patience: Duration::from_secs(30),
        }
    }
}

/// How far an import is.
#[derive(Clone, Copy, Debug)]
pub struct Progress<'a> {
    pub file: &'a Path,
    pub file_index: usize,
    pub files: usize,
    /// Bytes read of all files, as they lie on disk; each is read twice (hashed and counted, then loaded).
    pub bytes: u64,
    pub total_bytes: u64,
    pub records: u64,
    pub rows: u64,
}

/// Imports the files in the given order.
///
/// # Errors
/// What was committed stays; running the same import again goes on from there.
pub async fn import(
    warehouse: &Warehouse,
    tools: Tools,
    files: &[PathBuf],
    options: &Options,
    progress: &(dyn Fn(Progress<'_>) + Sync),
) -> Result<Summary, ImportError> {
    run::Run::open(warehouse, tools, options, files, progress).await?.all(files).await
}

#[cfg(test)]
mod tests;
