//! `routing_hourly`: what fallback routing added, by hour and model of the first attempt.

mod schema;

pub(crate) use schema::STATS_COLUMNS;
pub use schema::schema;
