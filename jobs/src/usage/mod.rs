//! `usage_hourly` and `usage_daily`.

use crate::statement::Statement;

pub(crate) const HOURLY: Statement = Statement { name: "usage/hourly.sql", sql: include_str!("hourly.sql") };
pub(crate) const DAILY: Statement = Statement { name: "usage/daily.sql", sql: include_str!("daily.sql") };
