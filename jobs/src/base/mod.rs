//! One pass over attempts at the finest grain, and every folded table merged from it.
//!
//! This is a loop and not SQL because it is the hottest place of the jobs; docs/004 has the numbers. `oracle.sql`
//! says the same in SQL, and the tests compare the two.

mod context;
mod counter;
mod input;
mod measure;
mod names;
mod pages;
mod part;
#[cfg(test)]
mod tests;

use arrow::array::RecordBatch;
use arrow::datatypes::Date32Type;
use bellwether_warehouse::sketches::{ddsketch, hll};
use bellwether_warehouse::tables::context_speed::{self, ContextSpeed};
use bellwether_warehouse::tables::health::{self, Health};
use bellwether_warehouse::tables::reach::{self, Reach};
use bellwether_warehouse::tables::rollup::{Family, Grain, Level, Made, Rollup, Sums, Value};
use bellwether_warehouse::tables::usage::{self, Usage};
use bellwether_warehouse::tables::users::{self, UserModel};
use bellwether_warehouse::{Kind, TableId};
use chrono::{DateTime, NaiveDate, Utc};
use datafusion::common::{DataFusionError, Result as QueryResult};
use datafusion::prelude::SessionContext;
use futures::{Stream, StreamExt};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::error::Error;
use crate::keys::{Bucket, Groups, Key, Rank};
use crate::rollups::{FROM_ATTEMPTS, made};
use crate::statement::Rows;
use counter::{Apart, Counter};
use input::{Attempt, Input};
use names::NameNumbers;
use pages::Pages;
use part::{Order, Part};

/// Dates that are made while one is written. More: more memory, and no more speed than the slower of the two has.
const DATES_AHEAD: usize = 2;

/// New rows of one folded table and one date, at most one a key, sorted by it.
#[derive(Debug)]
pub(crate) struct Derived {
    pub table: TableId,
    pub rows: RecordBatch,
}

/// Rows of the `wanted` tables from the table `attempts` of `ctx`, as far as they are made of it.
pub(crate) async fn derive(
    ctx: &SessionContext,
    wanted: &[TableId],
    now: DateTime<Utc>,
) -> Result<Deriving, Error> {
    let frame = ctx.table(TableId::Attempts.name()).await.map_err(failed)?;
    let frame = frame.select_columns(&columns()).map_err(failed)?;
    of_batches(frame.execute_stream().await.map_err(failed)?, wanted, now).await
}

/// Columns of `attempts` that rows are made of.
pub(crate) fn columns() -> Vec<&'static str> {
    input::columns(&FROM_ATTEMPTS)
}

/// Rows of the `wanted` tables from attempts with these columns; texts may come as they are or as a dictionary.
///
/// A table gets no rows older than it keeps on the day of `now`. Memory is one record per bucket and endpoint
/// that occur, whatever the number of attempts.
pub(crate) async fn of_batches(
    mut batches: impl Stream<Item = QueryResult<RecordBatch>> + Unpin,
    wanted: &[TableId],
    now: DateTime<Utc>,
) -> Result<Deriving, Error> {
    let mut base = Base::new(now, wanted).map_err(failed)?;
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
        let listed = TableId::of(Kind::Folded)
            .filter(|table| made(*table) == Some(Made::FromAttempts) && wanted.contains(table));
        let mut tables: Vec<(TableId, Rows)> =
            listed.map(|table| (table, Rows { schema: table.schema(), batches: Vec::new() })).collect();
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
    names: NameNumbers,
    groups: Groups,
    usage: Pages<Usage>,
    health: Pages<Health>,
    users: hll::Ledger,
    speeds: [ddsketch::Ledger; measure::SPEEDS],
    /// Of families with names of their own, those of which a table is wanted.
    apart: Vec<Box<dyn Apart>>,
    /// Of a batch; room for those of the next.
    attempts: Vec<Attempt>,
}

/// First days, since 1970, of which a table of a grain has rows.
#[derive(Clone, Copy)]
struct Days {
    today: NaiveDate,
    five_minutes: i32,
    hours: i32,
}

impl Days {
    fn kept(now: DateTime<Utc>) -> Self {
        let today = now.date_naive();
        let first = |grain: Grain| {
            let levels = FROM_ATTEMPTS.into_iter().flat_map(|family| family.levels);
            let days = levels
                .filter(|level| level.grain == grain)
                .map(|level| Date32Type::from_naive_date(level.first_kept(today)));
            days.min().unwrap_or(i32::MAX)
        };
        Self { today, five_minutes: first(Grain::FiveMinutes), hours: first(Grain::Hour) }
    }

    /// The first that a table keeps.
    fn first(self, level: &Level) -> i32 {
        Date32Type::from_naive_date(level.first_kept(self.today))
    }

    #[inline]
    fn bucket(self, started_at: i64) -> Bucket {
        let bucket = Bucket::of(started_at);
        match bucket.day_number() {
            day if day >= self.five_minutes => bucket,
            day if day >= self.hours => bucket.hour(),
            _ => bucket.date(),
        }
    }
}

impl Base {
    fn new(now: DateTime<Utc>, wanted: &[TableId]) -> QueryResult<Self> {
        let days = Days::kept(now);
        let apart = [
            Counter::<Reach>::wanted(&reach::APPS, wanted, days)?,
            Counter::<Reach>::wanted(&reach::COUNTRIES, wanted, days)?,
            Counter::<ContextSpeed>::wanted(&context_speed::FAMILY, wanted, days)?,
            Counter::<UserModel>::wanted(&users::OF_MODELS, wanted, days)?,
        ];
        Ok(Self {
            days,
            names: NameNumbers::new(health::FAMILY.keys),
            groups: Groups::default(),
            usage: Pages::default(),
            health: Pages::default(),
            users: hll::Ledger::default(),
            speeds: Default::default(),
            apart: apart.into_iter().flatten().collect(),
            attempts: Vec::new(),
        })
    }

    fn add(&mut self, batch: &RecordBatch) -> QueryResult<()> {
        let input = Input::new(batch)?;
        input.rows(&mut self.attempts);
        let every: Vec<u32> = (0..).take(self.attempts.len()).collect();
        let mut names = Vec::new();
        self.names.number(&input.names(health::FAMILY.keys)?, &every, &mut names)?;
        let groups: Vec<usize> = input
            .started_at()
            .iter()
            .zip(names)
            .map(|(started_at, names)| self.groups.group(self.days.bucket(*started_at), names as usize))
            .collect();
        let total = self.groups.len();
        self.usage.grow(total);
        self.health.grow(total);
        self.users.grow(total)?;
        for sketches in &mut self.speeds {
            sketches.grow(total)?;
        }
        for (attempt, group) in self.attempts.iter().zip(groups) {
            let is_served = attempt.is_success();
            measure::count_spend(self.usage.at_mut(group), attempt, is_served);
            if is_served {
                measure::count_usage(self.usage.at_mut(group), attempt);
                if let Some(user_key) = attempt.user_key {
                    self.users.add_one(group, user_key);
                }
            }
            if attempt.is_upstream() {
                measure::count_health(self.health.at_mut(group), attempt);
                for (sketches, value) in self.speeds.iter_mut().zip(measure::speed(attempt)) {
                    if let Some(value) = value {
                        sketches.add_one(group, value);
                    }
                }
            }
        }
        self.apart.iter_mut().try_for_each(|counter| counter.add(&input, &self.attempts))
    }

    /// Sends every row of the wanted tables; ends early when nobody takes them any more.
    fn finish(self, wanted: &[TableId], rows: &mpsc::Sender<Derived>) -> QueryResult<()> {
        let Self { days, names, groups, usage, health, users, speeds, apart, attempts: _ } = self;
        let (names, rank_of) = names.finish()?;
        let mut keys = groups.finish(&rank_of);
        drop(groups);
        let send = |table, of_date| rows.blocking_send(Derived { table, rows: of_date }).is_ok();

        let order = Order::of(&keys, &[&health::FAMILY]);
        let sketches = health::FAMILY.measured(Value::DdSketch).zip(speeds);
        let sketches = sketches.map(|(name, speeds)| (name, Box::new(speeds.in_order(&order.places)) as _));
        let health = Part { names: names.clone(), sums: health, sketches: sketches.collect(), order };
        for rollup in wanted_of(&health::FAMILY, wanted) {
            health.rows(rollup, days.first(rollup.level), Health::is_row, send)?;
        }
        drop(health);

        // Names that only health tells apart come last.
        let (names, coarser) = names.first(usage::FAMILY.keys.len())?;
        cut_short(&mut keys, &coarser);
        let order = Order::of(&keys, &[&usage::FAMILY, &users::BY_WEEK]);
        let users = users.in_order(&order.places);
        let sketches = usage::FAMILY.measured(Value::Hll).zip([Box::new(users) as _]).collect();
        let usage = Part { names, sums: usage, sketches, order };
        for rollup in wanted_of(&usage::FAMILY, wanted) {
            usage.rows(rollup, days.first(rollup.level), Usage::is_row, send)?;
        }
        for rollup in wanted_of(&users::BY_WEEK, wanted) {
            usage.rows(rollup, days.first(rollup.level), |usage| usage.requests_with_user > 0, send)?;
        }
        drop(usage);

        apart.into_iter().try_for_each(|counter| counter.finish(wanted, &send))
    }
}

fn wanted_of(family: &'static Family, wanted: &[TableId]) -> impl Iterator<Item = Rollup> {
    family.rollups().filter(|rollup| wanted.contains(&rollup.level.table))
}

/// Names by their rank among fewer columns.
fn cut_short(keys: &mut [Key], coarser: &[Rank]) {
    for (_, rank) in keys {
        *rank = coarser[*rank as usize];
    }
}
