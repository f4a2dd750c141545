//! `rejects`: every record that could not become a row.

mod schema;

pub use schema::schema;
pub(crate) use schema::STATS_COLUMNS;
