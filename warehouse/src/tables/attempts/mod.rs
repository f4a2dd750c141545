//! `attempts`: one row per call to an upstream provider.

mod builder;
mod closed;
mod named;
mod requests;
mod row;
mod schema;
mod served;

pub use builder::Builder;
pub use closed::{ErrorClass, FinishReason, Outcome};
pub use named::Named;
pub(crate) use requests::register_requests;
pub use row::AttemptRow;
pub use schema::schema;
pub(crate) use schema::{STATS_COLUMNS, UNIQUE_COLUMNS};
pub(crate) use served::register_functions;
