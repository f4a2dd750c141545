//! What a publication is made under: who may be named, and the day that it is.

use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, Date32Array, Int64Array, RecordBatch, TimestampMicrosecondArray};
use arrow::datatypes::Date32Type;
use arrow::error::ArrowError;
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};

use crate::Catalogue;

/// Statements read it as the table `terms` of one row.
#[derive(Clone, Debug, PartialEq)]
pub struct Terms {
    pub catalogue: Catalogue,
    /// Distinct users in 28 days that a key needs to be named; 0: everything is.
    pub users: u32,
    /// What happens to keys of which most requests carry no id of a user.
    pub keyless: Keyless,
    /// Whether names that the catalogue does not know, and hosts, are keys too.
    pub has_raw_names: bool,
    /// Requests in both windows that a change needs.
    pub growth_requests: u32,
    /// Counted attempts behind an uptime or a state.
    pub counted_attempts: u32,
    /// Samples behind a percentile.
    pub speed_requests: u32,
    /// Up to where everything has arrived.
    pub watermark: DateTime<Utc>,
    /// The running day.
    pub today: NaiveDate,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Keyless {
    /// They cannot be shown to have enough users.
    #[default]
    Hide,
    Show,
}

/// After its end a day waits so long for what arrives late, and closes.
pub(crate) const CLOSES_AFTER: TimeDelta = TimeDelta::hours(2);

impl Terms {
    /// The first day that has not closed: the running one, in its first hours the one before. Decisions of a day, and windows
    /// that end with it, are made when it closes.
    pub fn open_from(&self) -> NaiveDate {
        Self::open_at(self.watermark).clamp(self.today.pred_opt().unwrap_or(self.today), self.today)
    }

    /// The same at any watermark.
    pub fn open_at(watermark: DateTime<Utc>) -> NaiveDate {
        watermark.checked_sub_signed(CLOSES_AFTER).unwrap_or(watermark).date_naive()
    }

    pub(crate) fn rows(&self) -> Result<RecordBatch, ArrowError> {
        let integer = |value: u32| Arc::new(Int64Array::from(vec![i64::from(value)])) as ArrayRef;
        let flag = |value: bool| Arc::new(BooleanArray::from(vec![value])) as ArrayRef;
        let watermark = TimestampMicrosecondArray::from(vec![self.watermark.timestamp_micros()]);
        RecordBatch::try_from_iter([
            ("users", integer(self.users)),
            ("shows_keyless", flag(self.keyless == Keyless::Show)),
            ("has_raw_names", flag(self.has_raw_names)),
            ("growth_requests", integer(self.growth_requests)),
            ("counted_attempts", integer(self.counted_attempts)),
            ("speed_requests", integer(self.speed_requests)),
            ("watermark", Arc::new(watermark.with_timezone("UTC")) as ArrayRef),
            ("today", Arc::new(Date32Array::from(vec![Date32Type::from_naive_date(self.today)])) as ArrayRef),
        ])
    }
}
