//! `usage_hourly` and `usage_daily`. Both are folded directly; attempts older than the hours that are kept go into
//! the days alone.

use crate::statement::Statement;

pub(crate) const HOURLY: Statement = Statement { name: "usage/hourly.sql", sql: include_str!("hourly.sql") };
pub(crate) const DAILY: Statement = Statement { name: "usage/daily.sql", sql: include_str!("daily.sql") };

/// As long as the hours of health. More: of a long history `usage_hourly` has hardly fewer rows than `attempts`.
pub(crate) const HOURLY_DAYS: u64 = 100;
