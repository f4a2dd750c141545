//! One pass over attempts at the finest grain, and every folded table merged from it.
//!
//! This is a loop and not SQL because it is the hottest place of the jobs: of a year's history a group is
//! hardly more than one attempt, and some 70 aggregates over groups that small cost an engine ten times what
//! the counting costs. `oracle.sql` says the same in SQL, and the tests compare the two.

mod input;
mod measure;
mod part;
mod sums;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use arrow::array::{AsArray, BinaryArray, Float64Builder, Int64Builder, RecordBatch};
use bellwether_warehouse::TableId;
use bellwether_warehouse::sketches::{ddsketches, hlls};
use chrono::{DateTime, Utc};
use datafusion::common::Result as QueryResult;
use datafusion::logical_expr::{EmitTo, GroupsAccumulator};
use datafusion::prelude::SessionContext;
use futures::StreamExt;

use crate::error::Error;
use crate::health;
use crate::keys::{Bucket, Groups, Key, NameInterner};
use crate::rollup::{FOLDED, day_number, first_kept};
use input::Input;
use part::{Part, Sketch};
use sums::{Health, Usage};

const USERS: &[Sketch] = &[("users", hlls)];
const SPEEDS: &[Sketch] = &[
    ("ttft_ms", ddsketches),
    ("duration_ms", ddsketches),
    ("tokens_per_s_e2e", ddsketches),
    ("tokens_per_s_decode", ddsketches),
    ("overhead_us", ddsketches),
];

/// New rows of one folded table, at most one a key, sorted by it.
#[derive(Debug)]
pub(crate) struct Derived {
    pub table: TableId,
    pub rows: RecordBatch,
}

/// Rows of the `wanted` tables from the table `attempts` of `ctx`. `intake_daily` is not made of attempts.
///
/// A table gets no rows older than it keeps on the day of `now`. Memory is one record per bucket and endpoint
/// that occur, whatever the number of attempts.
pub(crate) async fn derive(
    ctx: &SessionContext,
    wanted: &[TableId],
    now: DateTime<Utc>,
) -> Result<Vec<Derived>, Error> {
    let failed = |source| Error::Query { statement: "base", source: Box::new(source) };
    let frame = ctx.table(TableId::Attempts.name()).await.map_err(failed)?;
    let frame = frame.select_columns(input::COLUMNS).map_err(failed)?;
    let mut batches = frame.execute_stream().await.map_err(failed)?;
    let mut base = Base::new(now).map_err(failed)?;
    while let Some(batch) = batches.next().await {
        base.add(&batch.map_err(failed)?).map_err(failed)?;
    }
    // Sorting and merging takes a while without a pause; other tasks must not wait for it.
    let wanted = wanted.to_vec();
    tokio::task::spawn_blocking(move || base.finish(&wanted, now))
        .await
        .map_err(|source| Error::Task { job: "fold", source })?
        .map_err(failed)
}

/// Attempts by bucket and endpoint. A bucket is five minutes long within what `health_5m` keeps, else an hour.
struct Base {
    /// First day, since 1970, of buckets of five minutes.
    fine_from: i32,
    names: NameInterner,
    groups: Groups,
    usage: Vec<Usage>,
    health: Vec<Health>,
    users: Box<dyn GroupsAccumulator>,
    speeds: Vec<Box<dyn GroupsAccumulator>>,
}

impl Base {
    fn new(now: DateTime<Utc>) -> QueryResult<Self> {
        Ok(Self {
            fine_from: day_number(first_kept(health::FIVE_MINUTES_DAYS, now)),
            names: NameInterner::new(&input::KEYS)?,
            groups: Groups::default(),
            usage: Vec::new(),
            health: Vec::new(),
            users: hlls(),
            speeds: SPEEDS.iter().map(|sketch| sketch.1()).collect(),
        })
    }

    fn add(&mut self, batch: &RecordBatch) -> QueryResult<()> {
        let input = Input::new(batch)?;
        let mut names = Vec::new();
        self.names.intern(&input.keys, &mut names)?;
        let groups: Vec<usize> = input
            .started_at()
            .iter()
            .zip(names)
            .map(|(started_at, names)| {
                let bucket = Bucket::of(*started_at);
                let bucket = if bucket.day_number() >= self.fine_from { bucket } else { bucket.hour() };
                self.groups.group(bucket, names)
            })
            .collect();
        let total = self.groups.len();
        self.usage.resize(total, Usage::default());
        self.health.resize(total, Health::default());
        let rows = batch.num_rows();
        let mut user_keys = Int64Builder::with_capacity(rows);
        let mut speeds: [Float64Builder; 5] = std::array::from_fn(|_| Float64Builder::with_capacity(rows));
        for (row, group) in groups.iter().enumerate() {
            let attempt = input.row(row);
            let served = attempt.is_success();
            user_keys.append_option(attempt.user_key.filter(|_| served));
            if served {
                measure::count_usage(&mut self.usage[*group], &attempt);
            }
            let mut speed = measure::Speed::default();
            if attempt.is_upstream() {
                measure::count_health(&mut self.health[*group], &attempt);
                speed = measure::speed(&attempt);
            }
            let values = [
                speed.ttft_ms,
                speed.duration_ms,
                speed.tokens_per_s_e2e,
                speed.tokens_per_s_decode,
                speed.overhead_us,
            ];
            for (builder, value) in speeds.iter_mut().zip(values) {
                builder.append_option(value);
            }
        }
        self.users.update_batch(&[Arc::new(user_keys.finish())], &groups, None, total)?;
        for (sketches, values) in self.speeds.iter_mut().zip(&mut speeds) {
            sketches.update_batch(&[Arc::new(values.finish())], &groups, None, total)?;
        }
        Ok(())
    }

    fn finish(mut self, wanted: &[TableId], now: DateTime<Utc>) -> QueryResult<Vec<Derived>> {
        let bytes = |accumulator: &mut Box<dyn GroupsAccumulator>| -> QueryResult<BinaryArray> {
            Ok(accumulator.evaluate(EmitTo::All)?.as_binary().clone())
        };
        let users = vec![bytes(&mut self.users)?];
        let speeds = self.speeds.iter_mut().map(bytes).collect::<QueryResult<_>>()?;
        let (names, rank_of) = self.names.finish()?;
        let keys = self.groups.finish(&rank_of);
        let usage = Part {
            names: names.clone(),
            keys: keys.clone(),
            sums: self.usage,
            sketches: users,
            kinds: USERS,
        };
        let health = Part { names, keys, sums: self.health, sketches: speeds, kinds: SPEEDS };
        let mut derived = Vec::new();
        derive_usage(usage, wanted, &mut derived)?;
        derive_health(health, wanted, now, &mut derived)?;
        // In the order in which tables are listed everywhere.
        derived.sort_by_key(|derived| FOLDED.iter().position(|rollup| rollup.table == derived.table));
        Ok(derived)
    }
}

fn derive_usage(base: Part<Usage>, wanted: &[TableId], derived: &mut Vec<Derived>) -> QueryResult<()> {
    let (names, coarser) = base.names.first(input::USAGE_KEYS)?;
    let hourly = base.regroup(names.clone(), |(bucket, rank)| {
        coarser.get(rank as usize).map(|rank| (bucket.hour(), *rank))
    })?;
    drop(base);
    if wanted.contains(&TableId::UsageDaily) {
        let daily = hourly.regroup(names, |(bucket, rank)| Some((bucket.date(), rank)))?;
        let rows = daily.to_rows(TableId::UsageDaily)?;
        derived.push(Derived { table: TableId::UsageDaily, rows });
    }
    if wanted.contains(&TableId::UsageHourly) {
        let rows = hourly.to_rows(TableId::UsageHourly)?;
        derived.push(Derived { table: TableId::UsageHourly, rows });
    }
    Ok(())
}

fn derive_health(
    base: Part<Health>,
    wanted: &[TableId],
    now: DateTime<Utc>,
    derived: &mut Vec<Derived>,
) -> QueryResult<()> {
    let since = |keep_days: u64| {
        let first = day_number(first_kept(keep_days, now));
        move |key: Key| Some(key).filter(|key| key.0.day_number() >= first)
    };
    if wanted.contains(&TableId::Health5m) {
        let part = base.regroup(base.names.clone(), since(health::FIVE_MINUTES_DAYS))?;
        derived.push(Derived { table: TableId::Health5m, rows: part.to_rows(TableId::Health5m)? });
    }
    let hourly = base.regroup(base.names.clone(), |(bucket, rank)| Some((bucket.hour(), rank)))?;
    drop(base);
    if wanted.contains(&TableId::HealthDaily) {
        let daily = hourly.regroup(hourly.names.clone(), |(bucket, rank)| Some((bucket.date(), rank)))?;
        derived.push(Derived { table: TableId::HealthDaily, rows: daily.to_rows(TableId::HealthDaily)? });
    }
    if wanted.contains(&TableId::HealthHourly) {
        let part = hourly.regroup(hourly.names.clone(), since(health::HOURLY_DAYS))?;
        derived.push(Derived { table: TableId::HealthHourly, rows: part.to_rows(TableId::HealthHourly)? });
    }
    Ok(())
}
