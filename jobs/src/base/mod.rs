//! One pass over attempts at the finest grain, and every folded table merged from it.
//!
//! This is a loop and not SQL because it is the hottest place of the jobs; docs/004 has the numbers. `oracle.sql`
//! says the same in SQL, and the tests compare the two.

mod input;
mod measure;
mod pages;
mod part;
mod sums;
#[cfg(test)]
mod tests;

use arrow::array::RecordBatch;
use bellwether_warehouse::TableId;
use bellwether_warehouse::sketches::{ddsketch, hll};
use chrono::{DateTime, Utc};
use datafusion::common::{DataFusionError, Result as QueryResult};
use datafusion::prelude::SessionContext;
use futures::StreamExt;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::error::Error;
use crate::keys::{Bucket, Groups, Key, NameInterner, Rank};
use crate::rollup::{FOLDED, day_number, first_kept};
use crate::statement::Rows;
use crate::{health, usage};
use input::Input;
use pages::Pages;
use part::{Order, Part};
use sums::{Health, Usage};

/// Dates that are made while one is written. More: more memory, and no more speed than the slower of the two has.
const DATES_AHEAD: usize = 2;

/// New rows of one folded table and one date, at most one a key, sorted by it.
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
) -> Result<Deriving, Error> {
    let frame = ctx.table(TableId::Attempts.name()).await.map_err(failed)?;
    let frame = frame.select_columns(input::COLUMNS).map_err(failed)?;
    let mut batches = frame.execute_stream().await.map_err(failed)?;
    let mut base = Base::new(now).map_err(failed)?;
    while let Some(batch) = batches.next().await {
        base.add(&batch.map_err(failed)?).map_err(failed)?;
    }
    let wanted = wanted.to_vec();
    let (sender, rows) = mpsc::channel(DATES_AHEAD);
    // Sorting and merging takes a while without a pause; other tasks must not wait for it.
    let task = tokio::task::spawn_blocking(move || base.finish(&wanted, &sender));
    Ok(Deriving { rows, task: Some(task) })
}

fn failed(source: DataFusionError) -> Error {
    Error::Query { statement: "base", source: Box::new(source) }
}

/// Rows on their way, table by table and date by date. When it is dropped, the rest is not made.
pub(crate) struct Deriving {
    rows: mpsc::Receiver<Derived>,
    /// None once its end was told.
    task: Option<JoinHandle<QueryResult<()>>>,
}

impl Deriving {
    /// None at the end.
    pub(crate) async fn next(&mut self) -> Result<Option<Derived>, Error> {
        if let Some(derived) = self.rows.recv().await {
            return Ok(Some(derived));
        }
        if let Some(task) = self.task.take() {
            task.await.map_err(|source| Error::Task { job: "fold", source })?.map_err(failed)?;
        }
        Ok(None)
    }

    /// All rows of each of the `wanted` tables, in the order in which tables are listed everywhere.
    pub(crate) async fn collect(mut self, wanted: &[TableId]) -> Result<Vec<(TableId, Rows)>, Error> {
        let listed =
            FOLDED.iter().filter(|rollup| rollup.is_made_of_attempts() && wanted.contains(&rollup.table));
        let mut tables: Vec<(TableId, Rows)> = listed
            .map(|rollup| (rollup.table, Rows { schema: rollup.table.schema(), batches: Vec::new() }))
            .collect();
        while let Some(derived) = self.next().await? {
            if let Some((_, rows)) = tables.iter_mut().find(|(table, _)| *table == derived.table) {
                rows.batches.push(derived.rows);
            }
        }
        Ok(tables)
    }
}

/// Attempts by bucket and endpoint. A bucket is as long as the finest table that keeps its date needs it: five
/// minutes, an hour, or a day.
struct Base {
    days: Days,
    names: NameInterner,
    groups: Groups,
    usage: Pages<Usage>,
    health: Pages<Health>,
    users: hll::Ledger,
    speeds: [ddsketch::Ledger; measure::SPEEDS.len()],
}

/// First days, since 1970, that the tables of a grain keep.
#[derive(Clone, Copy)]
struct Days {
    five_minutes: i32,
    usage_hours: i32,
    health_hours: i32,
}

impl Days {
    fn kept(now: DateTime<Utc>) -> Self {
        let first = |keep_days| day_number(first_kept(keep_days, now));
        Self {
            five_minutes: first(health::FIVE_MINUTES_DAYS),
            usage_hours: first(usage::HOURLY_DAYS),
            health_hours: first(health::HOURLY_DAYS),
        }
    }

    #[inline]
    fn bucket(self, started_at: i64) -> Bucket {
        let bucket = Bucket::of(started_at);
        match bucket.day_number() {
            day if day >= self.five_minutes => bucket,
            day if day >= self.usage_hours.min(self.health_hours) => bucket.hour(),
            _ => bucket.date(),
        }
    }
}

impl Base {
    fn new(now: DateTime<Utc>) -> QueryResult<Self> {
        Ok(Self {
            days: Days::kept(now),
            names: NameInterner::new(&input::KEYS)?,
            groups: Groups::default(),
            usage: Pages::default(),
            health: Pages::default(),
            users: hll::Ledger::default(),
            speeds: Default::default(),
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
            .map(|(started_at, names)| self.groups.group(self.days.bucket(*started_at), names))
            .collect();
        let total = self.groups.len();
        self.usage.grow(total);
        self.health.grow(total);
        self.users.grow(total)?;
        for sketches in &mut self.speeds {
            sketches.grow(total)?;
        }
        for (row, group) in groups.into_iter().enumerate() {
            let attempt = input.row(row);
            if attempt.is_success() {
                measure::count_usage(self.usage.at_mut(group), &attempt);
                if let Some(user_key) = attempt.user_key {
                    self.users.add_one(group, user_key);
                }
            }
            if attempt.is_upstream() {
                measure::count_health(self.health.at_mut(group), &attempt);
                for (sketches, value) in self.speeds.iter_mut().zip(measure::speed(&attempt)) {
                    if let Some(value) = value {
                        sketches.add_one(group, value);
                    }
                }
            }
        }
        Ok(())
    }

    /// Sends every row of the wanted tables; ends early when nobody takes them any more.
    fn finish(self, wanted: &[TableId], rows: &mpsc::Sender<Derived>) -> QueryResult<()> {
        let Self { days, names, groups, usage, health, users, speeds } = self;
        let (names, rank_of) = names.finish()?;
        let mut keys = groups.finish(&rank_of);
        drop(groups);
        let send = |table, of_date| rows.blocking_send(Derived { table, rows: of_date }).is_ok();

        let order = Order::of(&keys);
        let sketches = measure::SPEEDS.into_iter().zip(speeds);
        let sketches = sketches.map(|(name, speeds)| (name, Box::new(speeds.in_order(&order.places)) as _));
        let health = Part { names: names.clone(), sums: health, sketches: sketches.collect(), order };
        for (table, grain, first) in [
            (TableId::Health5m, Bucket::itself as fn(Bucket) -> Bucket, Some(days.five_minutes)),
            (TableId::HealthHourly, Bucket::hour, Some(days.health_hours)),
            (TableId::HealthDaily, Bucket::date, None),
        ] {
            if wanted.contains(&table) {
                health.rows(table, grain, first, send)?;
            }
        }
        drop(health);

        let (names, coarser) = names.first(input::USAGE_KEYS)?;
        cut_short(&mut keys, &coarser);
        let order = Order::of(&keys);
        let sketches = vec![("users", Box::new(users.in_order(&order.places)) as _)];
        let usage = Part { names, sums: usage, sketches, order };
        for (table, grain, first) in [
            (TableId::UsageHourly, Bucket::hour as fn(Bucket) -> Bucket, Some(days.usage_hours)),
            (TableId::UsageDaily, Bucket::date, None),
        ] {
            if wanted.contains(&table) {
                usage.rows(table, grain, first, send)?;
            }
        }
        Ok(())
    }
}

/// Names by their rank among fewer columns.
fn cut_short(keys: &mut [Key], coarser: &[Rank]) {
    for (_, rank) in keys {
        *rank = coarser[*rank as usize];
    }
}
