//! `routing_hourly`, recomputed: what fallback added needs all attempts of a request, so it does not add up.
//!
//! Its `routing` transaction is the version of `attempts` it was computed at. Every date that was touched
//! since is computed afresh and replaced; an open hour is provisional.

mod dates;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use bellwether_warehouse::{Advance, AppId, Change, DataFile, Snapshot, TableId};
use chrono::{Days, NaiveDate, NaiveTime, TimeDelta};
use datafusion::common::ScalarValue;
use datafusion::prelude::SessionContext;
use serde::Serialize;

use crate::error::Error;
use crate::fold::Changes;
use crate::jobs::{Jobs, refresh};
use crate::rollup::{date_of, date_value};
use crate::statement::{Rows, Statement};

const ROUTING: Statement = Statement { name: "routing/routing.sql", sql: include_str!("routing.sql") };

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
    refresh(&mut jobs.attempts).await?;
    route_at_snapshot(jobs).await
}

/// The same at the version of `attempts` that was read last.
pub(crate) async fn route_at_snapshot(jobs: &mut Jobs) -> Result<RoutingReport, Error> {
    let table = TableId::RoutingHourly.name();
    refresh(&mut jobs.routing).await?;
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
    for range in dates::ranges(&dates) {
        let rows = compute(&jobs.session(), &attempts, range).await?;
        if rows.count() > 0 {
            let files = jobs.routing.write(&rows.batches).await;
            change.add.extend(files.map_err(|source| Error::Write { table, source })?);
        }
    }
    change.remove = files_of(jobs.routing.snapshot(), &dates)?.into_iter().map(|file| file.path).collect();
    let rows = change.add.iter().map(|file| file.rows).sum();
    jobs.routing.commit(change).await.map_err(|source| Error::Commit { table, source })?;
    Ok(RoutingReport { to, dates: dates.len(), rows })
}

/// Rows of the dates in `range`, both ends included.
async fn compute(
    ctx: &SessionContext,
    attempts: &Snapshot,
    range: (NaiveDate, NaiveDate),
) -> Result<Rows, Error> {
    let files = around(attempts, range)?;
    ctx.register_table(TableId::Attempts.name(), attempts.provider_over(files))
        .map_err(|source| ROUTING.failed(source))?;
    run(ctx, range).await
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

/// Over the table `attempts` of `ctx`, which holds the dates of `range` and those on either side.
pub(crate) async fn run(ctx: &SessionContext, (first, last): (NaiveDate, NaiveDate)) -> Result<Rows, Error> {
    let instant = |date: NaiveDate, by: TimeDelta| {
        let at = date.and_time(NaiveTime::MIN).checked_add_signed(by);
        ScalarValue::TimestampMicrosecond(at.map(|at| at.and_utc().timestamp_micros()), Some("UTC".into()))
    };
    let after_last = last.checked_add_days(Days::new(1)).unwrap_or(last);
    let values = vec![date_value(first), date_value(last), instant(first, -SPAN), instant(after_last, SPAN)];
    ROUTING.run(ctx, values).await
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
