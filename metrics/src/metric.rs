//! A table and the one statement that computes it.

use std::ops::{Range, RangeInclusive};
use std::sync::Arc;

use arrow::array::{RecordBatch, new_null_array};
use arrow::datatypes::{Date32Type, SchemaRef};
use bellwether_warehouse::TableId;
use bellwether_warehouse::tables::declared::{Declaration, Type};
use chrono::{DateTime, Datelike, Days, Months, NaiveDate, NaiveTime, Utc, Weekday};
use datafusion::common::ScalarValue;
use datafusion::error::DataFusionError;
use datafusion::prelude::SessionContext;

use crate::revisions::REVISION;
use crate::windows::Windows;
use crate::{
    app_gate, apps, endpoints, events, gate, growth_by_month, health_by_5min, health_by_day, health_by_hour,
    health_by_window, health_now, live_by_minute, models, prices, providers, quality_by_day, rankings,
    routing_by_day, routing_by_hour, routing_now, share_by_week, speed_by_context, speed_by_hour,
    usage_by_day, users_by_window,
};

/// Every metric, in the order in which they are computed.
pub const METRICS: &[Metric] = &[
    gate::METRIC,
    usage_by_day::METRIC,
    users_by_window::METRIC,
    rankings::METRIC,
    share_by_week::METRIC,
    growth_by_month::METRIC,
    health_by_day::METRIC,
    health_by_window::METRIC,
    health_by_hour::METRIC,
    speed_by_hour::METRIC,
    speed_by_context::METRIC,
    health_by_5min::METRIC,
    health_now::METRIC,
    live_by_minute::METRIC,
    routing_by_day::METRIC,
    routing_by_hour::METRIC,
    routing_now::METRIC,
    quality_by_day::METRIC,
    models::METRIC,
    providers::METRIC,
    endpoints::METRIC,
    app_gate::METRIC,
    apps::METRIC,
    prices::METRIC,
    events::METRIC,
];

#[derive(Clone, Copy, Debug)]
pub struct Metric {
    pub table: &'static Declaration,
    pub history: History,
    pub lane: Lane,
    /// Reads tables and views of a session that [`crate::register`] has prepared. `$1` and `$2` are the first and the
    /// last date of the rows that it gives; tables of windows have further ones.
    pub sql: &'static str,
    /// Tables whose changes it follows. Among them the published ones that its statement reads.
    pub inputs: &'static [TableId],
    pub touched: Touched,
}

/// A statement whose rows are held under a name while that of the table runs, because this reads them more than once. It
/// takes the same values.
#[derive(Debug)]
pub(crate) struct Step {
    pub name: &'static str,
    pub sql: &'static str,
}

/// Which dates a table has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum History {
    /// All of the history.
    Whole,
    /// Those from 35 days before the first publication on: sketches of a whole year of windows and hours take many minutes
    /// to merge, for what few ask day by day. A date that stands stays.
    Recent,
    /// Those from so many days before the first publication on: of what pages show for longer, and of which a day is soon made.
    Days(u16),
    /// As a recent one, Sundays and the newest closed day alone; the statement answers every date that it is asked for.
    Weekly,
}

/// How soon a table is computed after a fold. Each lane publishes for itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lane {
    /// Within seconds, whatever else is being computed: what is of now, and little.
    Fast,
    /// The running day as fast, all other days slowly.
    Today,
    /// On its clock.
    Slow,
}

/// A month of windows and hours, and the week before it.
const RECENT: u16 = 35;
/// Of what pages show day by day: 90 days, the 90 before them, and some to spare.
pub(crate) const SHOWN: History = History::Days(190);

impl History {
    /// Of the time before the first publication; None: all.
    pub const fn days(self) -> Option<u16> {
        match self {
            Self::Whole => None,
            Self::Recent | Self::Weekly => Some(RECENT),
            Self::Days(days) => Some(days),
        }
    }
}

/// Dates of rows that change with a day of the inputs; cut at the running day.
pub type Touched = fn(NaiveDate) -> RangeInclusive<NaiveDate>;

#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    #[error("failed to compute table `{table}` for {from} to {to}")]
    Compute {
        table: &'static str,
        from: NaiveDate,
        to: NaiveDate,
        #[source]
        source: Box<DataFusionError>,
    },
    #[error("failed to prepare the views that published tables are computed from")]
    Prepare(#[source] Box<DataFusionError>),
    #[error("failed to read published table `{table}`")]
    Pin {
        table: &'static str,
        #[source]
        source: bellwether_warehouse::Error,
    },
    #[error("failed to read or make a row of `publications`")]
    Publications {
        #[source]
        source: Box<DataFusionError>,
    },
}

impl Error {
    /// Whether a statement found less memory than it needs.
    pub fn is_out_of_memory(&self) -> bool {
        matches!(self, Self::Compute { source, .. } if is_exhausted(source))
    }
}

impl Metric {
    pub fn id(&self) -> TableId {
        TableId::Declared(self.table)
    }

    /// Column by which `rows` takes dates: the first date among the statistics, else the partition. None: rows are of
    /// now, whatever dates are asked for, and the table is written as a whole.
    pub fn date_column(&self) -> Option<&'static str> {
        let is_date = |name: &&str| self.table.column(name).is_some_and(|column| column.of == Type::Date);
        self.table.stats.iter().copied().find(is_date).or(self.table.partition)
    }

    /// Whether rows are of windows of days that end with their date: a day moves very many of them.
    pub fn is_of_windows(&self) -> bool {
        self.table.column("end_date").is_some()
    }

    /// Whether its rows say how often they were replaced since their date closed.
    pub fn is_revised(&self) -> bool {
        self.table.column(REVISION.name).is_some()
    }

    /// Whether rows that come late for closed dates wait for their turn.
    pub fn is_put_off(&self) -> bool {
        self.is_of_windows() || self.is_revised()
    }

    /// Last day of the rows of a date: of weeks and months, which are dated by their first day, it comes later.
    pub fn last_day(&self, date: NaiveDate) -> NaiveDate {
        let last = match self.date_column() {
            Some("week_start") => date.checked_add_days(Days::new(6)),
            Some("month") => date.checked_add_months(Months::new(1)).and_then(|next| next.pred_opt()),
            _ => Some(date),
        };
        last.unwrap_or(NaiveDate::MAX)
    }

    /// Whether the table may hold rows of a date.
    pub fn keeps(&self, date: NaiveDate, today: NaiveDate) -> bool {
        self.history != History::Weekly
            || date.weekday() == Weekday::Sun
            || date.succ_opt().is_some_and(|next| next >= today)
    }

    /// Whether rows of a date are made though there are none yet.
    pub fn begins_by(&self, date: NaiveDate, today: NaiveDate) -> bool {
        let is_in = |days: u16| date.checked_add_days(Days::new(days.into())).is_none_or(|end| end >= today);
        self.keeps(date, today) && self.history.days().is_none_or(is_in)
    }

    /// Rows of dates, with the columns of the table in its order.
    ///
    /// # Errors
    /// The statement fails, or gives other columns or types than the table has.
    pub async fn rows(
        &self,
        ctx: &SessionContext,
        from: NaiveDate,
        to: NaiveDate,
    ) -> Result<Vec<RecordBatch>, Error> {
        let failed = |source| Error::Compute { table: self.table.name, from, to, source: Box::new(source) };
        if *self.table == health_now::TABLE {
            let longest = ScalarValue::Int64(Some(health_now::LONGEST));
            return self.run(ctx, from, to, vec![longest]).await.map_err(failed);
        }
        let (windows, is_dated) = (windows_of(self.table), self.date_column().is_some());
        let ctx = windows.map_or_else(|| ctx.clone(), |windows| windows.session(ctx));
        let mut found = Vec::new();
        let (mut next, mut at_once) = (from, windows.map_or(u64::MAX, |windows| windows.days_at_once));
        while next <= to {
            let last = next.checked_add_days(Days::new(at_once.saturating_sub(1))).unwrap_or(to).min(to);
            match self.of_dates(&ctx, windows, next, last).await {
                Ok(rows) => {
                    found.extend(rows);
                    next = last.succ_opt().unwrap_or(NaiveDate::MAX);
                }
                // Of fewer dates less is held at once, and each date is made of the same rows whatever others are asked for.
                Err(source) if is_dated && next < last && is_exhausted(&source) => {
                    at_once = (last - next).num_days().unsigned_abs().div_ceil(2);
                    tracing::info!(
                        table = self.table.name,
                        days = at_once,
                        "too little memory: fewer dates at once"
                    );
                }
                Err(source) => return Err(failed(source)),
            }
        }
        Ok(found)
    }

    async fn of_dates(
        &self,
        ctx: &SessionContext,
        windows: Option<&Windows>,
        from: NaiveDate,
        to: NaiveDate,
    ) -> Result<Vec<RecordBatch>, DataFusionError> {
        if self.hours_column().is_some() {
            let midnight = |date: NaiveDate| date.and_time(NaiveTime::MIN).and_utc();
            let whole = midnight(from)..midnight(to.succ_opt().unwrap_or(to));
            return self.run(ctx, from, to, health_by_5min::values(&whole)).await;
        }
        let Some(windows) = windows else { return self.run(ctx, from, to, Vec::new()).await };
        let mut found = Vec::new();
        for values in windows.runs(ctx, from, to).await? {
            found.extend(self.run(ctx, from, to, values).await?);
        }
        Ok(found)
    }

    /// Column of instants of a table whose rows of an hour depend on that hour alone, and are very many.
    pub fn hours_column(&self) -> Option<&'static str> {
        (*self.table == health_by_5min::TABLE).then_some("bucket_at")
    }

    /// Instants that such a table has rows of.
    pub fn instants(&self, watermark: DateTime<Utc>) -> Range<DateTime<Utc>> {
        health_by_5min::window(watermark)
    }

    /// Rows of some of them.
    ///
    /// # Errors
    /// As [`Self::rows`].
    pub async fn rows_between(
        &self,
        ctx: &SessionContext,
        instants: Range<DateTime<Utc>>,
    ) -> Result<Vec<RecordBatch>, Error> {
        let (from, to) = (instants.start.date_naive(), instants.end.date_naive());
        let failed = |source| Error::Compute { table: self.table.name, from, to, source: Box::new(source) };
        self.run(ctx, from, to, health_by_5min::values(&instants)).await.map_err(failed)
    }

    /// The same as [`Self::rows`], but long windows of now whose end is still the same are those of the table in the session.
    ///
    /// # Errors
    /// As there.
    pub async fn moved_rows(
        &self,
        ctx: &SessionContext,
        from: NaiveDate,
        to: NaiveDate,
    ) -> Result<Vec<RecordBatch>, Error> {
        if *self.table != health_now::TABLE {
            return self.rows(ctx, from, to).await;
        }
        let failed = |source| Error::Compute { table: self.table.name, from, to, source: Box::new(source) };
        let longest = health_now::longest_moved(ctx).await.map_err(failed)?;
        self.run(ctx, from, to, vec![ScalarValue::Int64(Some(longest))]).await.map_err(failed)
    }

    /// One run of the statement for `$1` and `$2`, with the values that follow.
    pub(crate) async fn run(
        &self,
        ctx: &SessionContext,
        from: NaiveDate,
        to: NaiveDate,
        further: Vec<ScalarValue>,
    ) -> Result<Vec<RecordBatch>, DataFusionError> {
        let bounds = [from, to].map(|date| ScalarValue::Date32(Some(Date32Type::from_naive_date(date))));
        let values: Vec<ScalarValue> = bounds.into_iter().chain(further).collect();
        let steps = steps_of(self.table);
        for step in steps {
            let rows = ctx.sql(step.sql).await?.with_param_values(values.clone())?.cache().await?;
            ctx.deregister_table(step.name)?;
            ctx.register_table(step.name, rows.into_view())?;
        }
        let rows = ctx.sql(self.sql).await?.with_param_values(values)?;
        // Statements share parts: what only others have columns for is neither added up nor put into words.
        let names = self.table.columns.iter().map(|column| column.name);
        let given: Vec<&str> =
            names.filter(|name| rows.schema().has_column_with_unqualified_name(name)).collect();
        let batches = rows.select_columns(&given)?.collect().await?;
        for step in steps {
            ctx.deregister_table(step.name)?;
        }
        let schema = self.table.schema();
        batches.iter().map(|batch| as_declared(batch, &schema)).collect()
    }
}

fn is_exhausted(error: &DataFusionError) -> bool {
    matches!(error.find_root(), DataFusionError::ResourcesExhausted(_))
}

/// Of most tables there are none.
pub(crate) fn steps_of(table: &Declaration) -> &'static [Step] {
    if *table == gate::TABLE { gate::STEPS } else { &[] }
}

fn windows_of(table: &Declaration) -> Option<&'static Windows> {
    const OF: [(&Declaration, &Windows); 2] =
        [(&rankings::TABLE, &rankings::WINDOWS), (&users_by_window::TABLE, &users_by_window::WINDOWS)];
    OF.iter().find(|(known, _)| *known == table).map(|(_, windows)| *windows)
}

/// Columns by name. Types must be those of the table but for widths of integers and decimals: what does not fit is an
/// error, never a cut value.
fn as_declared(batch: &RecordBatch, schema: &SchemaRef) -> Result<RecordBatch, DataFusionError> {
    let options = arrow::compute::CastOptions { safe: false, ..Default::default() };
    let columns = schema.fields().iter().map(|field| {
        // Whoever puts the rows knows what stood.
        if field.name() == REVISION.name {
            return Ok(new_null_array(field.data_type(), batch.num_rows()));
        }
        let column = batch.column_by_name(field.name()).ok_or_else(|| {
            DataFusionError::Execution(format!("the statement gives no column `{}`", field.name()))
        })?;
        Ok(arrow::compute::cast_with_options(column, field.data_type(), &options)?)
    });
    let columns = columns.collect::<Result<Vec<_>, DataFusionError>>()?;
    Ok(RecordBatch::try_new(Arc::clone(schema), columns)?)
}
