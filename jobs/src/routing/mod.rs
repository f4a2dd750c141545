//! `routing_hourly`, recomputed: what fallback added needs all attempts of a request, so it does not add up.
//!
//! Its `routing` transaction is the version of `attempts` it was computed at. Of every date that was touched
//! since, the hours that the new attempts can change are computed afresh, and the date is replaced by them and
//! what stood of its other hours. So a minute's work follows what is new, not how long the day already is. An
//! open hour is provisional; a request of more than `SPAN` counts whole only after the nightly rebuild.

mod dates;
#[cfg(test)]
mod hours;
mod requests;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use arrow::array::RecordBatch;
use bellwether_warehouse::{Advance, AppId, Change, DataFile, Snapshot, TableId};
use chrono::{NaiveDate, TimeDelta};
use datafusion::common::ScalarValue;
use datafusion::error::DataFusionError;
use datafusion::execution::memory_pool::MemoryConsumer;
use datafusion::prelude::SessionContext;
use futures::StreamExt;
use serde::Serialize;

use crate::error::Error;
use crate::fold::Changes;
use crate::jobs::{Jobs, refresh};
use crate::rebuild::once;
use crate::rollup::date_of;
use crate::statement::Statement;
use dates::Hours;
use requests::Requests;
pub(crate) use requests::Window;

/// The longest a request is looked for around a changed hour. More: more of the hours and dates beside it is
/// read, and the date before is recomputed longer into the day.
const SPAN: TimeDelta = TimeDelta::hours(2);

const KEPT: Statement = Statement { name: "routing/kept.sql", sql: include_str!("kept.sql") };

/// What one recomputation did.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct RoutingReport {
    /// Version of `attempts` it was computed at.
    pub to: i64,
    pub dates: usize,
    /// Attempts read.
    pub attempts: i64,
    /// Rows written.
    pub rows: i64,
}

/// Transaction of `routing_hourly`: the version of `attempts` that it was computed at.
pub fn routing_app() -> AppId {
    AppId("routing".to_owned())
}

/// Version of `attempts` that `routing_hourly` was computed at.
pub(crate) fn routed(snapshot: &Snapshot) -> Option<i64> {
    snapshot.txn(&routing_app())
}

pub(crate) async fn route(jobs: &mut Jobs) -> Result<RoutingReport, Error> {
    let table = TableId::RoutingHourly.name();
    // In this order: what another worker has routed meanwhile is then surely in `attempts`.
    refresh(&mut jobs.routing).await?;
    let to = refresh(&mut jobs.attempts).await?;
    let from = routed(jobs.routing.snapshot());
    match from {
        Some(from) if from == to => return Ok(RoutingReport { to, ..RoutingReport::default() }),
        Some(folded) if folded > to => return Err(Error::Ahead { table, folded, version: to }),
        _ => {}
    }
    let changes = Changes::between(&jobs.attempts, from, to).await?;
    let touched = dates::touched(&changes.files, jobs.attempts.snapshot(), SPAN)?;
    // A date touched again may have been rebuilt without its duplicates: they must not come back.
    let copies = if from.is_some() { once::Copies::LeftOut } else { once::Copies::Kept };
    let mut change = Change {
        advance: vec![Advance { app: routing_app(), from, to }],
        info: [("job".to_owned(), "routing".into())].into_iter().collect(),
        ..Change::default()
    };
    let mut attempts = 0;
    for range in dates::ranges(&touched, jobs.attempts.snapshot())? {
        let hours = touched.range(range.0..=range.1).map(|(_, hours)| *hours);
        let Some(hours) = hours.reduce(Hours::hull) else {
            continue;
        };
        let (rows, read) = replace_hours(jobs, range, hours, copies).await?;
        attempts += read;
        if rows.iter().any(|batch| batch.num_rows() > 0) {
            let files = jobs.routing.write(&rows).await;
            change.add.extend(files.map_err(|source| Error::Write { table, source })?);
        }
    }
    let dates: BTreeSet<NaiveDate> = touched.into_keys().collect();
    change.remove = files_of(jobs.routing.snapshot(), &dates)?.into_iter().map(|file| file.path).collect();
    let rows = change.add.iter().map(|file| file.rows).sum();
    jobs.routing.commit(change).await.map_err(|source| Error::Commit { table, source })?;
    Ok(RoutingReport { to, dates: dates.len(), attempts, rows })
}

/// All rows of neighbouring dates, those of `hours` computed afresh and the others as they stand; and the
/// number of attempts read for them.
async fn replace_hours(
    jobs: &Jobs,
    range: (NaiveDate, NaiveDate),
    hours: Hours,
    copies: once::Copies,
) -> Result<(Vec<RecordBatch>, i64), Error> {
    let ctx = jobs.warehouse().session(1);
    let window = Window::new(hours.from, hours.to, SPAN);
    let attempts = jobs.attempts.snapshot();
    once::register(&ctx, attempts, around(attempts, range)?, Some(window), copies).await?;
    let (computed, read) = compute(&ctx, window).await?;
    let routing = jobs.routing.snapshot();
    let dates = range.0.iter_days().take_while(|date| *date <= range.1).collect();
    let stood = routing.provider_over(files_of(routing, &dates)?);
    ctx.register_table("part", stood).map_err(failed)?;
    let whole = Hours::of(range.0).hull(Hours::of(range.1));
    let mut rows = KEPT.run(&ctx, vec![instant(whole.from), instant(hours.from)]).await?.batches;
    rows.push(computed);
    rows.extend(KEPT.run(&ctx, vec![instant(hours.to), instant(whole.to)]).await?.batches);
    Ok((rows, read))
}

/// Files of the dates in `range` and of those on either side.
pub(crate) fn around(
    attempts: &Snapshot,
    (first, last): (NaiveDate, NaiveDate),
) -> Result<Vec<DataFile>, Error> {
    let first = first.pred_opt().unwrap_or(first);
    let last = last.succ_opt().unwrap_or(last);
    let mut files = Vec::new();
    for file in attempts.files() {
        if (first..=last).contains(&date_of(attempts.table().name(), file)?) {
            files.push(file.clone());
        }
    }
    Ok(files)
}

/// The requests that began within dates, both ends included.
pub(crate) fn window_of((first, last): (NaiveDate, NaiveDate)) -> Window {
    let hours = Hours::of(first).hull(Hours::of(last));
    Window::new(hours.from, hours.to, SPAN)
}

/// Rows of the requests that began in `window`, sorted by key, and the number of attempts read for them. The
/// table `attempts` of `ctx` holds what `window` reads.
pub(crate) async fn compute(ctx: &SessionContext, window: Window) -> Result<(RecordBatch, i64), Error> {
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

pub(crate) fn files_of(snapshot: &Snapshot, dates: &BTreeSet<NaiveDate>) -> Result<Vec<DataFile>, Error> {
    let mut files = Vec::new();
    for file in snapshot.files() {
        if dates.contains(&date_of(snapshot.table().name(), file)?) {
            files.push(file.clone());
        }
    }
    Ok(files)
}
