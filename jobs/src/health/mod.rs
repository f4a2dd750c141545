//! `health_5m`, `health_hourly` and `health_daily`. Each is folded directly and is complete for as long as it
//! keeps its rows; what is older than that goes into the coarser ones alone.

use crate::statement::Statement;

pub(crate) const FIVE_MINUTES: Statement =
    Statement { name: "health/five_minutes.sql", sql: include_str!("five_minutes.sql") };
pub(crate) const HOURLY: Statement = Statement { name: "health/hourly.sql", sql: include_str!("hourly.sql") };
pub(crate) const DAILY: Statement = Statement { name: "health/daily.sql", sql: include_str!("daily.sql") };

/// Covers the site's seven-day windows with a day to spare. More: `health_5m` grows by 288 rows an
/// endpoint and day.
pub(crate) const FIVE_MINUTES_DAYS: u64 = 8;
/// Covers the 90-day bars.
pub(crate) const HOURLY_DAYS: u64 = 100;
