//! `routing_hourly`, recomputed: what fallback added needs all attempts of a request, so it does not add up.
//!
//! Of every date that was touched, the hours that the new attempts can change are computed afresh, and the date is
//! replaced by them and what stood of its other hours. So a minute's work follows what is new, not how long the day
//! already is. An open hour is provisional; a request of more than `SPAN` counts whole only after the nightly rebuild.

mod hours;
#[cfg(test)]
mod narrow;
mod requests;
#[cfg(test)]
mod tests;

use arrow::array::RecordBatch;
use bellwether_warehouse::{Snapshot, TableId};
use chrono::{NaiveDate, TimeDelta};
use datafusion::common::ScalarValue;
use datafusion::error::DataFusionError;
use datafusion::execution::memory_pool::MemoryConsumer;
use datafusion::prelude::SessionContext;
use futures::future::BoxFuture;
use futures::{FutureExt, StreamExt};

use crate::dates::{files_around, files_of};
use crate::error::Error;
use crate::once::{self, Copies};
use crate::rollups::{Recompute, Update, Updated};
use crate::statement::Statement;
use hours::Hours;
use requests::{Requests, Window};

/// The longest a request is looked for around a changed hour. More: more of the hours and dates beside it is
/// read, and the date before is recomputed longer into the day.
const SPAN: TimeDelta = TimeDelta::hours(2);

const KEPT: Statement = Statement { name: "routing/kept.sql", sql: include_str!("kept.sql") };

/// By hour and model of the first attempt.
#[derive(Debug)]
pub(crate) struct Routing;

impl Recompute for Routing {
    fn table(&self) -> TableId {
        TableId::RoutingHourly
    }

    fn update<'a>(&'a self, update: Update<'a>) -> BoxFuture<'a, Result<Updated, Error>> {
        async move { replace_touched(&update).await }.boxed()
    }

    fn rows<'a>(
        &'a self,
        ctx: &'a SessionContext,
        attempts: &'a Snapshot,
        dates: (NaiveDate, NaiveDate),
    ) -> BoxFuture<'a, Result<RecordBatch, Error>> {
        async move {
            let window = Hours::of(dates.0).hull(Hours::of(dates.1)).window(SPAN);
            let files = files_around(attempts, dates)?;
            once::register(ctx, attempts, files, Some(window.read()), Copies::LeftOut).await?;
            Ok(compute(ctx, window).await?.0)
        }
        .boxed()
    }
}

async fn replace_touched(update: &Update<'_>) -> Result<Updated, Error> {
    let mut updated = Updated::default();
    let touched = hours::touched(update.new, update.attempts, SPAN)?;
    for range in hours::ranges(&touched, update.attempts)? {
        let hours = touched.range(range.0..=range.1).map(|(_, hours)| *hours);
        let Some(hours) = hours.reduce(Hours::hull) else {
            continue;
        };
        let (rows, read) = replace_hours(update, range, hours).await?;
        updated.attempts += read;
        if rows.iter().any(|batch| batch.num_rows() > 0) {
            let table = update.table.id().name();
            let files = update.table.write(&rows).await;
            updated.files.extend(files.map_err(|source| Error::Write { table, source })?);
        }
    }
    updated.dates = touched.into_keys().collect();
    Ok(updated)
}

/// All rows of neighbouring dates, those of `hours` computed afresh and the others as they stand; and the
/// number of attempts read for them.
async fn replace_hours(
    update: &Update<'_>,
    range: (NaiveDate, NaiveDate),
    hours: Hours,
) -> Result<(Vec<RecordBatch>, i64), Error> {
    let Update { attempts, table, .. } = update;
    let ctx = update.warehouse.session(1);
    let window = hours.window(SPAN);
    once::register(&ctx, attempts, files_around(attempts, range)?, Some(window.read()), update.copies)
        .await?;
    let (computed, read) = compute(&ctx, window).await?;
    let routing = table.snapshot();
    let dates = range.0.iter_days().take_while(|date| *date <= range.1).collect();
    let stood = routing.provider_over(files_of(routing, &dates)?);
    ctx.register_table("part", stood).map_err(failed)?;
    let whole = Hours::of(range.0).hull(Hours::of(range.1));
    let mut rows = KEPT.run(&ctx, vec![instant(whole.from), instant(hours.from)]).await?.batches;
    rows.push(computed);
    rows.extend(KEPT.run(&ctx, vec![instant(hours.to), instant(whole.to)]).await?.batches);
    Ok((rows, read))
}

/// Rows of the requests that began in `window`, sorted by key, and the number of attempts read for them. The
/// table `attempts` of `ctx` holds what `window` reads.
async fn compute(ctx: &SessionContext, window: Window) -> Result<(RecordBatch, i64), Error> {
    let frame = ctx.table(TableId::Attempts.name()).await.map_err(failed)?;
    let mut batches =
        frame.select_columns(requests::COLUMNS).map_err(failed)?.execute_stream().await.map_err(failed)?;
    let mut requests = Requests::new(window).map_err(failed)?;
    // A day too large for the budget ends in an error that says so, not in a killed process.
    let held = MemoryConsumer::new("routing").register(&ctx.runtime_env().memory_pool);
    let mut read = 0;
    while let Some(batch) = batches.next().await {
        let batch = batch.map_err(failed)?;
        read += i64::try_from(batch.num_rows()).unwrap_or(i64::MAX);
        requests.add(&batch).map_err(failed)?;
        held.try_resize(requests.size()).map_err(failed)?;
    }
    let rows = tokio::task::spawn_blocking(move || requests.finish())
        .await
        .map_err(|source| Error::Task { job: "routing", source })?
        .map_err(failed)?;
    Ok((rows, read))
}

fn instant(us: i64) -> ScalarValue {
    ScalarValue::TimestampMicrosecond(Some(us), Some("UTC".into()))
}

fn failed(source: DataFusionError) -> Error {
    Error::Query { statement: "routing", source: Box::new(source) }
}
