//! Rankings of days that somebody chose: the statements of `users_by_window` and `rankings` over one window that nobody has
//! published, and whatever it is compared with.

use std::ops::RangeInclusive;
use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, Date32Array, Int64Array, RecordBatch};
use arrow::datatypes::{DataType, Date32Type};
use arrow::error::ArrowError;
use bellwether_warehouse::{Snapshot, TableId, snapshot};
use chrono::{Days, NaiveDate};
use datafusion::common::ScalarValue;
use datafusion::common::cast::as_int64_array;
use datafusion::error::DataFusionError;
use datafusion::prelude::SessionContext;

use crate::{Error, Terms, gate, rankings, usage_by_day, users_by_window};

/// Windows that a change of what is trending goes back.
const WINDOWS_BEFORE: u64 = 3;

/// Of one statement: somebody waits for it, and others want to be answered meanwhile.
const THREADS: usize = 2;

const EVERYONE: &str = "SELECT coalesce(CAST(hll_estimate(hll_merge(users)) AS bigint), 0) AS users \
                        FROM usage_daily WHERE date BETWEEN $1 AND $2";

/// Users of windows that end on `$1` and on `$2`.
const FOUND: &str = "found_users";
const BESIDE: &str = "SELECT month, $1 AS end_date, window_days, dimension, key, kind, \
                      max(users) FILTER (WHERE end_date = $1) AS users, \
                      max(users) FILTER (WHERE end_date = $2) AS users_before \
                      FROM (SELECT CAST(date_trunc('month', $1) AS date) AS month, end_date, window_days, dimension, \
                            key, kind, users FROM found_users) AS found \
                      GROUP BY month, window_days, dimension, key, kind";

/// One window and the equal one it is compared with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chosen {
    pub days: RangeInclusive<NaiveDate>,
    /// Nothing is compared without it.
    pub before: Option<RangeInclusive<NaiveDate>>,
    /// First day of the history.
    pub first_date: NaiveDate,
}

/// What the rows of chosen windows are made of, at the versions of one publication. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Inputs {
    snapshots: Vec<Snapshot>,
}

impl Inputs {
    /// Tables that the statements read.
    pub(crate) const TABLES: [TableId; 3] =
        [TableId::UsageDaily, TableId::Declared(&gate::TABLE), TableId::Declared(&usage_by_day::TABLE)];

    pub(crate) fn new(snapshots: Vec<Snapshot>) -> Self {
        Self { snapshots }
    }

    /// Rows with the columns of `rankings`.
    ///
    /// # Errors
    /// A statement fails.
    pub async fn rankings(&self, chosen: &Chosen, terms: &Terms) -> Result<Vec<RecordBatch>, Error> {
        match self.session(terms).await? {
            Some(ctx) => chosen.rows(&ctx, terms).await,
            None => Ok(Vec::new()),
        }
    }

    /// Distinct users of all traffic of some days, of what is hidden too: a site of too few says how many it has.
    ///
    /// # Errors
    /// The statement fails.
    pub async fn everyone(&self, days: RangeInclusive<NaiveDate>, terms: &Terms) -> Result<u64, Error> {
        let (from, to) = (*days.start(), *days.end());
        let failed =
            |source| Error::Compute { table: TableId::UsageDaily.name(), from, to, source: Box::new(source) };
        let Some(ctx) = self.session(terms).await? else { return Ok(0) };
        let bounds = [from, to].map(scalar);
        let counted = async {
            let batches = ctx.sql(EVERYONE).await?.with_param_values(bounds.to_vec())?.collect().await?;
            let count = batches.iter().flat_map(|batch| as_int64_array(batch.column(0)).ok()?.iter().next());
            Ok(count.flatten().next().unwrap_or(0))
        };
        let users: i64 = counted.await.map_err(failed)?;
        Ok(u64::try_from(users).unwrap_or(0))
    }

    /// None: nothing was ever rolled up.
    async fn session(&self, terms: &Terms) -> Result<Option<SessionContext>, Error> {
        let Some(first) = self.snapshots.first() else { return Ok(None) };
        let ctx = first.session(THREADS);
        snapshot::register(&ctx, &self.snapshots).map_err(|source| Error::Prepare(Box::new(source)))?;
        crate::register(&ctx, terms).await?;
        Ok(Some(ctx))
    }
}

impl Chosen {
    /// `ctx` is a session of its own.
    async fn rows(&self, ctx: &SessionContext, terms: &Terms) -> Result<Vec<RecordBatch>, Error> {
        let (from, to) = (*self.days.start(), *self.days.end());
        let failed = |table| {
            move |source: DataFusionError| Error::Compute { table, from, to, source: Box::new(source) }
        };
        self.put_periods(ctx, terms).map_err(failed(rankings::TABLE.name))?;
        let first = scalar(self.first_read());
        let users = self.users(ctx, first.clone()).await.map_err(failed(users_by_window::TABLE.name))?;
        put(ctx, users_by_window::TABLE.name, users).map_err(failed(users_by_window::TABLE.name))?;
        rankings::METRIC.run(ctx, to, to, vec![first]).await.map_err(failed(rankings::TABLE.name))
    }

    /// Users of the window beside those of the one before, which need not be next to it.
    async fn users(&self, ctx: &SessionContext, first: ScalarValue) -> Result<RecordBatch, DataFusionError> {
        let end = *self.days.end();
        let ends = self.before.iter().map(|before| *before.end()).chain([end]);
        let ends: Vec<ScalarValue> = ends.map(scalar).collect();
        let further = vec![
            first,
            ScalarValue::List(ScalarValue::new_list_nullable(&ends, &DataType::Date32)),
            ScalarValue::List(ScalarValue::new_list_nullable(&[self.length().into()], &DataType::Int64)),
        ];
        let small = users_by_window::WINDOWS.session(ctx);
        let found = users_by_window::METRIC.run(&small, end, end, further).await?;
        let found = arrow::compute::concat_batches(&users_by_window::TABLE.schema(), &found)?;
        let before = self.before.as_ref().map_or(end, |before| *before.end());
        let both = small.read_batch(found)?.into_view();
        small.register_table(FOUND, both)?;
        let beside = small.sql(BESIDE).await?.with_param_values(vec![scalar(end), scalar(before)])?;
        let beside = beside.collect().await?;
        let schema = beside.first().map_or_else(|| users_by_window::TABLE.schema(), RecordBatch::schema);
        Ok(arrow::compute::concat_batches(&schema, &beside)?)
    }

    fn length(&self) -> i64 {
        (*self.days.end() - *self.days.start()).num_days() + 1
    }

    /// The equal windows before, nearest first; one alone where it is not the one just before.
    fn steps(&self) -> Vec<RangeInclusive<NaiveDate>> {
        let Some(before) = &self.before else { return Vec::new() };
        let is_next = before.end().succ_opt() == Some(*self.days.start());
        let further = if is_next { WINDOWS_BEFORE } else { 1 };
        let length = u64::try_from(self.length()).unwrap_or(0);
        let back = |date: &NaiveDate, times: u64| {
            date.checked_sub_days(Days::new(length.saturating_mul(times))).unwrap_or(NaiveDate::MIN)
        };
        (0..further).map(|times| back(before.start(), times)..=back(before.end(), times)).collect()
    }

    fn first_read(&self) -> NaiveDate {
        let starts = self.steps().iter().map(|step| *step.start()).min();
        starts.unwrap_or(*self.days.start()).min(*self.days.start())
    }

    /// In the place of the views of those names, which are of published windows.
    fn put_periods(&self, ctx: &SessionContext, terms: &Terms) -> Result<(), DataFusionError> {
        let steps = self.steps();
        let reaches = |count: usize| {
            steps.len() >= count && steps.iter().take(count).all(|step| *step.start() >= self.first_date)
        };
        put(ctx, "periods", self.period(terms, reaches(1), reaches(3))?)?;
        put(ctx, "period_days", self.period_days(&steps)?)
    }

    fn period(&self, terms: &Terms, has_before: bool, has_three: bool) -> Result<RecordBatch, ArrowError> {
        let flag = |value: bool| Arc::new(BooleanArray::from(vec![value])) as ArrayRef;
        let count = |value: i64| Arc::new(Int64Array::from(vec![value])) as ArrayRef;
        RecordBatch::try_from_iter([
            ("end_date", dates([*self.days.end()])),
            ("window_days", count(self.length())),
            ("is_partial", flag(*self.days.end() >= terms.today)),
            ("growth_requests", count(terms.growth_requests.into())),
            ("has_before", flag(has_before)),
            ("has_three_before", flag(has_three)),
        ])
    }

    fn period_days(&self, steps: &[RangeInclusive<NaiveDate>]) -> Result<RecordBatch, ArrowError> {
        let windows = std::iter::once(&self.days).chain(steps);
        let days: Vec<(i64, NaiveDate)> = (0..)
            .zip(windows)
            .flat_map(|(step, days)| {
                let end = *days.end();
                days.start().iter_days().take_while(move |date| *date <= end).map(move |date| (step, date))
            })
            .collect();
        let same = |value: i64| Arc::new(Int64Array::from(vec![value; days.len()])) as ArrayRef;
        RecordBatch::try_from_iter([
            ("end_date", dates(days.iter().map(|_| *self.days.end()))),
            ("window_days", same(self.length())),
            ("step", Arc::new(days.iter().map(|(step, _)| *step).collect::<Int64Array>()) as ArrayRef),
            ("date", dates(days.iter().map(|(_, date)| *date))),
        ])
    }
}

fn scalar(date: NaiveDate) -> ScalarValue {
    ScalarValue::Date32(Some(Date32Type::from_naive_date(date)))
}

fn dates(values: impl IntoIterator<Item = NaiveDate>) -> ArrayRef {
    let days = values.into_iter().map(Date32Type::from_naive_date);
    Arc::new(Date32Array::from_iter_values(days))
}

fn put(ctx: &SessionContext, name: &str, rows: RecordBatch) -> Result<(), DataFusionError> {
    ctx.deregister_table(name)?;
    ctx.register_batch(name, rows)?;
    Ok(())
}

#[cfg(test)]
mod tests;
