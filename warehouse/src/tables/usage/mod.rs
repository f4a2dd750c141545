//! `usage_hourly` and `usage_daily`: tokens, served requests, spend and users (HLL bytes) by model, variant and provider.

mod schema;

pub(crate) use schema::HOURLY_STATS_COLUMNS;
pub use schema::{daily_schema, hourly_schema};
