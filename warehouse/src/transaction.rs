//! Names of application transactions.

use std::fmt;

/// Name of one application transaction, e.g. `ingest/<cluster>/<topic>/<incarnation>/<partition>` or `fold`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AppId(pub String);

impl fmt::Display for AppId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
