//! `imports`: the range of the import log that each imported file owns, by content hash.

mod schema;

pub use schema::schema;
pub(crate) use schema::STATS_COLUMNS;
