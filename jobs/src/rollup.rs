//! The folded tables, what merges their rows, and how long each keeps them.

use bellwether_warehouse::TableId;
use chrono::{DateTime, Days, NaiveDate, Utc};
#[cfg(test)]
use datafusion::common::ScalarValue;

use crate::error::Error;
use crate::statement::Statement;
use crate::{health, intake, usage};

/// A table made of partial rows that add up.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rollup {
    pub table: TableId,
    /// Partial rows, as the table `part`, to one row a key, sorted by it.
    pub merge: Statement,
    /// Days before today whose rows are kept. None: for ever.
    pub keep_days: Option<u64>,
}

impl Rollup {
    /// `intake_daily` is made of commits.
    pub(crate) fn is_made_of_attempts(&self) -> bool {
        self.table != TableId::IntakeDaily
    }

    /// Whether the table keeps rows of `date` on the day of `now`.
    pub(crate) fn keeps(&self, date: NaiveDate, now: DateTime<Utc>) -> bool {
        self.keep_days.is_none_or(|days| date >= first_kept(days, now))
    }
}

pub(crate) const FOLDED: [Rollup; 6] = [
    Rollup { table: TableId::UsageHourly, merge: usage::HOURLY, keep_days: Some(usage::HOURLY_DAYS) },
    Rollup { table: TableId::UsageDaily, merge: usage::DAILY, keep_days: None },
    Rollup {
        table: TableId::Health5m,
        merge: health::FIVE_MINUTES,
        keep_days: Some(health::FIVE_MINUTES_DAYS),
    },
    Rollup { table: TableId::HealthHourly, merge: health::HOURLY, keep_days: Some(health::HOURLY_DAYS) },
    Rollup { table: TableId::HealthDaily, merge: health::DAILY, keep_days: None },
    Rollup { table: TableId::IntakeDaily, merge: intake::DAILY, keep_days: None },
];

/// Days before today whose rows a table keeps. None: for ever.
pub fn keep_days(table: TableId) -> Option<u64> {
    FOLDED.iter().find(|rollup| rollup.table == table).and_then(|rollup| rollup.keep_days)
}

/// First date that a table with `keep_days` keeps on the day of `now`.
pub(crate) fn first_kept(keep_days: u64, now: DateTime<Utc>) -> NaiveDate {
    now.date_naive().checked_sub_days(Days::new(keep_days)).unwrap_or(NaiveDate::MIN)
}

/// Days since 1970, as Arrow counts dates.
pub(crate) fn day_number(date: NaiveDate) -> i32 {
    let days = date.signed_duration_since(NaiveDate::default()).num_days();
    i32::try_from(days).unwrap_or(if days < 0 { i32::MIN } else { i32::MAX })
}

#[cfg(test)]
pub(crate) fn date_value(date: NaiveDate) -> ScalarValue {
    ScalarValue::Date32(Some(day_number(date)))
}

/// The date of a file's partition.
pub(crate) fn date_of(
    table: &'static str,
    file: &bellwether_warehouse::DataFile,
) -> Result<NaiveDate, Error> {
    let text = file.partition.first().and_then(|(_, value)| value.as_deref()).unwrap_or_default();
    text.parse().map_err(|_| Error::BadDate { table, date: text.to_owned() })
}
