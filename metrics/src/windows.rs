//! Tables whose rows are of windows of the view `periods`: how many of them one run of a statement takes, and how far
//! back it reads.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use arrow::datatypes::{DataType, Date32Type};
use chrono::{Days, NaiveDate};
use datafusion::common::ScalarValue;
use datafusion::common::cast::{as_date32_array, as_int64_array};
use datafusion::error::DataFusionError;
use datafusion::prelude::SessionContext;

/// The longest window.
const LONGEST_DAYS: u64 = 364;

/// Rows of a batch where rows are sketches.
const SKETCHES: usize = 512;

/// Windows that end in `$1` to `$2`.
const ENDS: &str = "SELECT window_days, CAST(end_date AS date) AS end_date FROM periods \
                    WHERE end_date BETWEEN $1 AND $2 ORDER BY window_days, end_date";

#[derive(Debug)]
pub(crate) struct Windows {
    /// More: fewer scans of the same days, more memory.
    pub days_at_once: u64,
    /// Windows that a row is made of: its own and those before it.
    pub back: i64,
    /// A run is of windows that end on the same dates alone: those and the lengths are the fourth and the fifth value of
    /// the statement.
    pub is_apart: bool,
}

impl Windows {
    /// The session for its runs: rows are copied once a dimension, and each may be a sketch of some KiB.
    pub(crate) fn session(&self, ctx: &SessionContext) -> SessionContext {
        let mut state = ctx.state();
        if self.is_apart {
            *state.config_mut() = ctx.copied_config().with_batch_size(SKETCHES);
        }
        SessionContext::new_with_state(state)
    }

    /// Further values of each run of the statement: the first day that it reads and, apart, the end dates and the lengths
    /// of its windows. None where no window ends in these dates.
    pub(crate) async fn runs(
        &self,
        ctx: &SessionContext,
        from: NaiveDate,
        to: NaiveDate,
    ) -> Result<Vec<Vec<ScalarValue>>, DataFusionError> {
        let [from, to] = [from, to].map(|date| ScalarValue::Date32(Some(Date32Type::from_naive_date(date))));
        let mut ends: BTreeMap<i64, Vec<i32>> = BTreeMap::new();
        for batch in ctx.sql(ENDS).await?.with_param_values(vec![from, to])?.collect().await? {
            let (lengths, dates) = (as_int64_array(batch.column(0))?, as_date32_array(batch.column(1))?);
            for (length, date) in lengths.values().iter().zip(dates.values()) {
                ends.entry(*length).or_default().push(*date);
            }
        }
        if !self.is_apart {
            let first = ends.iter().filter_map(|(length, ends)| self.first_day(*length, ends)).min();
            return Ok(first.map(|day| vec![ScalarValue::Date32(Some(day))]).into_iter().collect());
        }
        let mut lengths: BTreeMap<Vec<i32>, Vec<i64>> = BTreeMap::new();
        for (length, ends) in ends {
            lengths.entry(ends).or_default().push(length);
        }
        let run = |(ends, lengths): (Vec<i32>, Vec<i64>)| {
            let first = lengths.iter().filter_map(|length| self.first_day(*length, &ends)).min();
            let ends: Vec<_> = ends.into_iter().map(|day| ScalarValue::Date32(Some(day))).collect();
            let lengths: Vec<_> = lengths.into_iter().map(ScalarValue::from).collect();
            vec![
                ScalarValue::Date32(first),
                ScalarValue::List(ScalarValue::new_list_nullable(&ends, &DataType::Date32)),
                ScalarValue::List(ScalarValue::new_list_nullable(&lengths, &DataType::Int64)),
            ]
        };
        Ok(lengths.into_iter().map(run).collect())
    }

    /// Of the windows of one length and those before them.
    fn first_day(&self, length: i64, ends: &[i32]) -> Option<i32> {
        let days = i32::try_from(self.back.checked_mul(length)?).ok()?;
        ends.first()?.checked_sub(days)?.checked_add(1)
    }
}

/// A day is in windows that end with it or later, or in one of the three before those. The day before the newest, whose
/// longest windows end to be listed, is not among them: it would be computed whenever something happens today.
pub(crate) fn touched(date: NaiveDate) -> RangeInclusive<NaiveDate> {
    date..=date.checked_add_days(Days::new(4 * LONGEST_DAYS - 1)).unwrap_or(NaiveDate::MAX)
}
