//! A family whose names are no other family's.

use arrow::array::RecordBatch;
use bellwether_warehouse::TableId;
use bellwether_warehouse::sketches::{Runs, ddsketch, hll};
use bellwether_warehouse::tables::rollup::{Family, Level, Sums, Value};
use datafusion::common::Result;

use super::input::{Attempt, Input};
use super::names::NameNumbers;
use super::pages::Pages;
use super::part::{Order, Part};
use super::{Days, wanted_of};
use crate::keys::{Bucket, Groups};

/// What a family counts of an attempt.
pub(super) trait Counted: Sums + Send + 'static {
    /// Whether the attempt is one of the family's at all.
    fn takes(attempt: &Attempt) -> bool;

    fn count(&mut self, attempt: &Attempt);

    /// For its sketch of users, if it has one.
    fn user(_: &Attempt) -> Option<i64> {
        None
    }

    /// For its sketches of quantiles: the place of the column among them, and a value.
    fn measure(_: &Attempt, _: impl FnMut(usize, f64)) {}
}

/// Takes one row of a table, of one date each time; false: no more is wanted.
pub(super) type Take<'a> = &'a dyn Fn(TableId, RecordBatch) -> bool;

/// A counter of whatever family.
pub(super) trait Apart: Send {
    /// `attempts`: the rows of the input.
    fn add(&mut self, input: &Input, attempts: &[Attempt]) -> Result<()>;

    fn finish(self: Box<Self>, wanted: &[TableId], take: Take<'_>) -> Result<()>;
}

/// What a table keeps.
struct Kept {
    /// Since 1970.
    first_day: i32,
    bucket: fn(Bucket) -> Bucket,
}

pub(super) struct Counter<S> {
    family: &'static Family,
    days: Days,
    /// The wanted tables, the finest first.
    tables: Vec<Kept>,
    names: NameNumbers,
    groups: Groups,
    sums: Pages<S>,
    users: hll::Ledger,
    speeds: Vec<ddsketch::Ledger>,
}

impl<S: Counted> Counter<S> {
    /// None when no table of the family is wanted.
    pub(super) fn wanted(
        family: &'static Family,
        wanted: &[TableId],
        days: Days,
    ) -> Result<Option<Box<dyn Apart>>> {
        let kept = |level: &Level| Kept { first_day: days.first(level), bucket: Bucket::at(level.grain) };
        let tables: Vec<Kept> = wanted_of(family, wanted).map(|rollup| kept(rollup.level)).collect();
        if tables.is_empty() {
            return Ok(None);
        }
        let speeds = family.measured(Value::DdSketch).map(|_| ddsketch::Ledger::default());
        Ok(Some(Box::new(Self {
            family,
            days,
            tables,
            names: NameNumbers::new(family.keys),
            groups: Groups::default(),
            sums: Pages::<S>::default(),
            users: hll::Ledger::default(),
            speeds: speeds.collect(),
        })))
    }

    /// The bucket of the finest table that keeps the day.
    #[inline]
    fn bucket(&self, started_at: i64) -> Option<Bucket> {
        let bucket = Bucket::of(started_at);
        let day = bucket.day_number();
        let kept = self.tables.iter().find(|kept| day >= kept.first_day)?;
        Some((kept.bucket)(bucket))
    }
}

impl<S: Counted> Apart for Counter<S> {
    fn add(&mut self, input: &Input, attempts: &[Attempt]) -> Result<()> {
        // Before the names are looked at, which is what costs most.
        let (mut rows, mut buckets) = (Vec::new(), Vec::new());
        for ((row, attempt), started_at) in (0..).zip(attempts).zip(input.started_at()) {
            if let Some(bucket) = self.bucket(*started_at)
                && S::takes(attempt)
            {
                rows.push(row);
                buckets.push(bucket);
            }
        }
        if rows.is_empty() {
            return Ok(());
        }
        let mut names = Vec::new();
        self.names.number(&input.names(self.family.keys)?, &rows, &mut names)?;
        let groups =
            buckets.into_iter().zip(names).map(|(bucket, names)| self.groups.group(bucket, names as usize));
        let groups: Vec<usize> = groups.collect();
        let total = self.groups.len();
        self.sums.grow(total);
        self.users.grow(total)?;
        for sketches in &mut self.speeds {
            sketches.grow(total)?;
        }
        for (row, group) in rows.into_iter().zip(groups) {
            let Some(attempt) = attempts.get(row as usize) else { continue };
            self.sums.at_mut(group).count(attempt);
            if let Some(user_key) = S::user(attempt) {
                self.users.add_one(group, user_key);
            }
            S::measure(attempt, |at, value| {
                if let Some(sketches) = self.speeds.get_mut(at) {
                    sketches.add_one(group, value);
                }
            });
        }
        Ok(())
    }

    fn finish(self: Box<Self>, wanted: &[TableId], take: Take<'_>) -> Result<()> {
        let Self { family, days, names, groups, sums, users, speeds, .. } = *self;
        let (names, rank_of) = names.finish()?;
        let order = Order::of(&groups.finish(&rank_of), &[family]);
        drop(groups);
        let mut sketches: Vec<(&'static str, Box<dyn Runs>)> = Vec::new();
        for (name, users) in family.measured(Value::Hll).zip([users]) {
            sketches.push((name, Box::new(users.in_order(&order.places))));
        }
        for (name, speeds) in family.measured(Value::DdSketch).zip(speeds) {
            sketches.push((name, Box::new(speeds.in_order(&order.places))));
        }
        let part = Part { names, sums, sketches, order };
        for rollup in wanted_of(family, wanted) {
            part.rows(rollup, days.first(rollup.level), S::is_row, take)?;
        }
        Ok(())
    }
}
