//! `routing_hourly`, recomputed: what fallback added needs all attempts of a request, so it does not add up.
//!
//! Its `routing` transaction is the version of `attempts` it was computed at. Every date that was touched
//! since is computed afresh and replaced; an open hour is provisional.

mod dates;
mod requests;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use arrow::array::RecordBatch;
use bellwether_warehouse::{Advance, AppId, Change, DataFile, Snapshot, TableId, session};
use chrono::{NaiveDate, NaiveTime, TimeDelta};
use datafusion::error::DataFusionError;
use datafusion::prelude::SessionContext;
use futures::StreamExt;
use serde::Serialize;

use crate::error::Error;
use crate::fold::Changes;
use crate::jobs::{Jobs, refresh};
use crate::rebuild::once;
use crate::rollup::date_of;
use requests::{Requests, Window};

/// The longest a request is looked for across midnight. More: more of the neighbouring dates is read, and
/// the date before is recomputed longer into the day.
const SPAN: TimeDelta = TimeDelta::hours(2);

/// What one recomputation did.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct RoutingReport {
    /// Version of `attempts` it was computed at.
    pub to: i64,
    pub dates: usize,
    /// Rows written.
    pub rows: i64,
}

pub(crate) fn routing_app() -> AppId {
    AppId("routing".to_owned())
}

/// Version of `attempts` that `routing_hourly` was computed at.
pub(crate) fn routed(snapshot: &Snapshot) -> Option<i64> {
    snapshot.txn(&routing_app())
}

pub(crate) async fn route(jobs: &mut Jobs) -> Result<RoutingReport, Error> {
    // In this order: what another worker has routed meanwhile is then surely in `attempts`.
    refresh(&mut jobs.routing).await?;
    refresh(&mut jobs.attempts).await?;
    route_at_snapshot(jobs).await
}

/// The same as both tables were read last.
pub(crate) async fn route_at_snapshot(jobs: &mut Jobs) -> Result<RoutingReport, Error> {
    let table = TableId::RoutingHourly.name();
    let to = jobs.attempts.snapshot().version();
    let from = routed(jobs.routing.snapshot());
    match from {
        Some(from) if from == to => return Ok(RoutingReport { to, ..RoutingReport::default() }),
        Some(folded) if folded > to => return Err(Error::Ahead { table, folded, version: to }),
        _ => {}
    }
    let changes = Changes::between(&jobs.attempts, from, to).await?;
    let attempts = jobs.attempts.snapshot().clone();
    let dates = dates::touched(&changes.files, &attempts, SPAN)?;
    let mut change = Change {
        advance: vec![Advance { app: routing_app(), from, to }],
        info: [("job".to_owned(), "routing".into())].into_iter().collect(),
        ..Change::default()
    };
    for range in dates::ranges(&dates, &attempts)? {
        let ctx = session::session(1);
        let files = around(&attempts, range)?;
        if from.is_some() {
            // A date touched again may have been rebuilt without its duplicates: they must not come back.
            once::register(&ctx, &attempts, files).await?;
        } else {
            ctx.register_table(TableId::Attempts.name(), attempts.provider_over(files)).map_err(failed)?;
        }
        let rows = compute(&ctx, range).await?;
        if rows.num_rows() > 0 {
            let files = jobs.routing.write(&[rows]).await;
            change.add.extend(files.map_err(|source| Error::Write { table, source })?);
        }
    }
    change.remove = files_of(jobs.routing.snapshot(), &dates)?.into_iter().map(|file| file.path).collect();
    let rows = change.add.iter().map(|file| file.rows).sum();
    jobs.routing.commit(change).await.map_err(|source| Error::Commit { table, source })?;
    Ok(RoutingReport { to, dates: dates.len(), rows })
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

/// Rows of the dates in `range`, both ends included, sorted by key. The table `attempts` of `ctx` holds these
/// dates and those on either side.
pub(crate) async fn compute(
    ctx: &SessionContext,
    (first, last): (NaiveDate, NaiveDate),
) -> Result<RecordBatch, Error> {
    let midnight = |date: NaiveDate| date.and_time(NaiveTime::MIN).and_utc().timestamp_micros();
    let (from, to) = (midnight(first), midnight(last.succ_opt().unwrap_or(last)));
    let span = SPAN.num_microseconds().unwrap_or_default();
    let window = Window { from, to, read_from: from - span, read_to: to + span };
    let frame = ctx.table(TableId::Attempts.name()).await.map_err(failed)?;
    let mut batches =
        frame.select_columns(requests::COLUMNS).map_err(failed)?.execute_stream().await.map_err(failed)?;
    let mut requests = Requests::new(window).map_err(failed)?;
    while let Some(batch) = batches.next().await {
        requests.add(&batch.map_err(failed)?).map_err(failed)?;
    }
    tokio::task::spawn_blocking(move || requests.finish())
        .await
        .map_err(|source| Error::Task { job: "routing", source })?
        .map_err(failed)
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
