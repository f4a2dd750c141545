//! `rejects`: every record that could not become a row.

mod row;
mod schema;

pub use row::{Builder, RejectRow};
pub(crate) use schema::STATS_COLUMNS;
pub use schema::schema;
