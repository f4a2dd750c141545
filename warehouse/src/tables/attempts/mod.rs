//! `attempts`: one row per call to an upstream provider.

mod builder;
mod requests;
mod row;
mod schema;

pub use builder::Builder;
pub(crate) use requests::register_requests;
pub use row::AttemptRow;
pub use schema::schema;
pub(crate) use schema::{STATS_COLUMNS, UNIQUE_COLUMNS};
