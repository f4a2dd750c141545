//! Compare-and-set commits.
//!
//! Every commit names the application transactions it advances and the value each must have now. A commit
//! that finds another value is refused (`Fenced`), so a worker that lost its partition cannot write rows twice.

use std::fmt;

use crate::table::DataFile;

/// Name of one application transaction, e.g. `ingest/<cluster>/<topic>/<incarnation>/<partition>` or `fold`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AppId(pub String);

impl fmt::Display for AppId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Moves one application transaction from `from` (None: not present yet) to `to`.
#[derive(Clone, Debug)]
pub struct Advance {
    pub app: AppId,
    pub from: Option<i64>,
    pub to: i64,
}

/// Everything one commit does.
#[derive(Debug, Default)]
pub struct Change {
    pub advance: Vec<Advance>,
    pub add: Vec<DataFile>,
    /// Paths of active files to remove. A path that is no longer active refuses the commit.
    pub remove: Vec<String>,
    /// Free JSON members of `commitInfo` (rows, rejects, duplicates, per-range detail, decoder version).
    pub info: serde_json::Map<String, serde_json::Value>,
}

/// What a confirmed commit became.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Committed {
    pub version: i64,
}

#[derive(Debug, thiserror::Error)]
pub enum CommitError {
    #[error("commit to `{table}` fenced: `{app}` stands at {found:?}, expected {expected:?}")]
    Fenced { table: &'static str, app: AppId, expected: Option<i64>, found: Option<i64> },
    #[error("commit to `{table}` refused: file `{path}` is no longer part of the table")]
    FileGone { table: &'static str, path: String },
    #[error("commit to `{table}` failed")]
    Log { table: &'static str, #[source] source: crate::table::Error },
}
