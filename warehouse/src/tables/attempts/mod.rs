//! `attempts`: one row per call to an upstream provider.

mod row;
mod schema;

pub use row::{AttemptRow, Builder};
pub(crate) use schema::STATS_COLUMNS;
pub use schema::schema;
