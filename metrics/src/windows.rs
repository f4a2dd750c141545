//! Tables whose rows are of windows of the view `periods`: how many end dates one run of a statement takes, and how
//! far back it reads.

use arrow::array::{Array, AsArray};
use arrow::datatypes::Int32Type;
use bellwether_warehouse::tables::declared::Declaration;
use chrono::NaiveDate;
use datafusion::common::ScalarValue;
use datafusion::error::DataFusionError;
use datafusion::prelude::SessionContext;

use crate::terms::day_number;
use crate::{rankings, users_by_window};

/// The earliest day of windows that end in `$1` to `$2`, counted `$3` windows back; null where none ends.
const FIRST_DAY: &str = "SELECT CAST(min(CAST(end_date AS int) - $3 * window_days + 1) AS int) AS first_day \
                         FROM periods WHERE end_date BETWEEN $1 AND $2";

#[derive(Debug)]
pub(crate) struct Windows {
    /// More: fewer scans of the same days, more memory.
    pub days_at_once: u64,
    /// Windows that a row is made of: its own and those before it.
    pub back: i64,
}

impl Windows {
    pub(crate) fn of(table: &Declaration) -> Option<&'static Self> {
        const OF: [(&Declaration, &Windows); 2] =
            [(&rankings::TABLE, &rankings::WINDOWS), (&users_by_window::TABLE, &users_by_window::WINDOWS)];
        OF.iter().find(|(known, _)| *known == table).map(|(_, windows)| *windows)
    }

    /// The third value of the statement: the first day that it reads. None: no window ends in these dates, and there is
    /// nothing to run.
    pub(crate) async fn first_day(
        &self,
        ctx: &SessionContext,
        from: NaiveDate,
        to: NaiveDate,
    ) -> Result<Option<ScalarValue>, DataFusionError> {
        let [from, to] = [from, to].map(|date| ScalarValue::Date32(Some(day_number(date))));
        let frame = ctx.sql(FIRST_DAY).await?;
        let found =
            frame.with_param_values(vec![from, to, ScalarValue::Int64(Some(self.back))])?.collect().await?;
        let first = found.first().and_then(|batch| batch.column(0).as_primitive_opt::<Int32Type>().cloned());
        let first = first.filter(|days| !days.is_empty() && days.is_valid(0)).map(|days| days.value(0));
        Ok(first.map(|day| ScalarValue::Date32(Some(day))))
    }
}
