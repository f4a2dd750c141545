//! `imports`: the range of the import log that each imported file owns, by content hash.

mod row;
mod schema;

pub use row::{Builder, ImportRow};
pub(crate) use schema::STATS_COLUMNS;
pub use schema::schema;
