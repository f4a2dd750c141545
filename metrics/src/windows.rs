//! Tables whose rows are of windows of the view `periods`: how many of them one run of a statement takes, and how far
//! back it reads.

use std::ops::RangeInclusive;

use arrow::datatypes::Date32Type;
use chrono::{Days, NaiveDate};
use datafusion::common::ScalarValue;
use datafusion::common::cast::{as_int32_array, as_int64_array};
use datafusion::error::DataFusionError;
use datafusion::prelude::SessionContext;

/// The longest window.
const LONGEST_DAYS: u64 = 364;

/// Rows of a batch where rows are sketches.
const SKETCHES: usize = 512;

/// Windows that end in `$1` to `$2`, and the earliest day of them and those before, `$3` in all.
const SPANS: &str = "SELECT window_days, CAST(min(CAST(end_date AS int) - $3 * window_days + 1) AS int) AS first_day \
                     FROM periods WHERE end_date BETWEEN $1 AND $2 GROUP BY window_days ORDER BY window_days";

#[derive(Debug)]
pub(crate) struct Windows {
    /// More: fewer scans of the same days, more memory.
    pub days_at_once: u64,
    /// Windows that a row is made of: its own and those before it.
    pub back: i64,
    /// A run is of windows of one length alone, which is the fourth value of the statement.
    pub is_apart: bool,
}

impl Windows {
    /// The session for its runs. What is merged of one batch is held at once, up to 32 KiB a row.
    pub(crate) fn session(&self, ctx: &SessionContext) -> SessionContext {
        let mut state = ctx.state();
        if self.is_apart {
            *state.config_mut() = ctx.copied_config().with_batch_size(SKETCHES);
        }
        SessionContext::new_with_state(state)
    }

    /// Further values of each run of the statement: the first day that it reads and, apart, the length of its windows.
    /// None where no window ends in these dates.
    pub(crate) async fn runs(
        &self,
        ctx: &SessionContext,
        from: NaiveDate,
        to: NaiveDate,
    ) -> Result<Vec<Vec<ScalarValue>>, DataFusionError> {
        let [from, to] = [from, to].map(|date| ScalarValue::Date32(Some(Date32Type::from_naive_date(date))));
        let values = vec![from, to, ScalarValue::Int64(Some(self.back))];
        let mut spans: Vec<(i64, i32)> = Vec::new();
        for batch in ctx.sql(SPANS).await?.with_param_values(values)?.collect().await? {
            let lengths = as_int64_array(batch.column(0))?.values().iter().copied();
            spans.extend(lengths.zip(as_int32_array(batch.column(1))?.values().iter().copied()));
        }
        let date = |day: i32| ScalarValue::Date32(Some(day));
        if self.is_apart {
            let run = |(length, day)| vec![date(day), ScalarValue::Int64(Some(length))];
            return Ok(spans.into_iter().map(run).collect());
        }
        Ok(spans.into_iter().map(|(_, day)| day).min().map(|day| vec![date(day)]).into_iter().collect())
    }
}

/// A day is in windows that end with it or later, or in one of the three before those. The day before the newest, whose
/// longest windows end to be listed, is not among them: it would be computed whenever something happens today.
pub(crate) fn touched(date: NaiveDate) -> RangeInclusive<NaiveDate> {
    date..=date.checked_add_days(Days::new(4 * LONGEST_DAYS - 1)).unwrap_or(NaiveDate::MAX)
}
