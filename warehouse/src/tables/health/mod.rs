//! `health_5m`, `health_hourly`, `health_daily`: attempts by outcome and error class, and DDSketch bytes of speed, by endpoint.

mod schema;

pub(crate) use schema::BUCKET_STATS_COLUMNS;
pub use schema::{bucket_schema, daily_schema};
