//! A family whose names are no other family's.

use arrow::array::{ArrayRef, BooleanArray, RecordBatch};
use arrow::compute::filter;
use bellwether_warehouse::TableId;
use bellwether_warehouse::sketches::{Runs, ddsketch, hll};
use bellwether_warehouse::tables::rollup::{Family, Level, Sums, Value};
use datafusion::common::Result;

use super::input::{Attempt, Input};
use super::pages::Pages;
use super::part::{Order, Part};
use super::{Days, wanted_of};
use crate::keys::{Bucket, Groups, NameInterner};

/// What a family counts of an attempt.
pub(super) trait Counted: Sums + Send + 'static {
    /// Whether the attempt is one of the family's at all.
    fn takes(attempt: &Attempt<'_>) -> bool;

    fn count(&mut self, attempt: &Attempt<'_>);

    /// For its sketch of users, if it has one.
    fn user(_: &Attempt<'_>) -> Option<i64> {
        None
    }

    /// For its sketches of quantiles: the place of the column among them, and a value.
    fn measure(_: &Attempt<'_>, _: impl FnMut(usize, f64)) {}
}

/// Takes one row of a table, of one date each time; false: no more is wanted.
pub(super) type Take<'a> = &'a dyn Fn(TableId, RecordBatch) -> bool;

/// A counter of whatever family.
pub(super) trait Apart: Send {
    fn add(&mut self, input: &Input) -> Result<()>;

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
    names: NameInterner,
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
            names: NameInterner::new(family.keys)?,
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
    fn add(&mut self, input: &Input) -> Result<()> {
        let started_at = input.started_at();
        let buckets: Vec<Option<Bucket>> = started_at.iter().map(|at| self.bucket(*at)).collect();
        // Before the names are looked at, which is what costs most.
        let taken: BooleanArray = (0..)
            .zip(&buckets)
            .map(|(row, bucket)| Some(bucket.is_some() && S::takes(&input.row(row))))
            .collect();
        if taken.true_count() == 0 {
            return Ok(());
        }
        let names = input.names(self.family.keys)?;
        let names: Vec<ArrayRef> = match taken.true_count() == taken.len() {
            true => names,
            false => names.iter().map(|column| filter(column, &taken)).collect::<Result<_, _>>()?,
        };
        let mut numbers = Vec::new();
        self.names.intern(&names, &mut numbers)?;
        let rows: Vec<(usize, usize)> = taken
            .values()
            .set_indices()
            .zip(numbers)
            .filter_map(|(row, names)| {
                let bucket = (*buckets.get(row)?)?;
                Some((row, self.groups.group(bucket, names)))
            })
            .collect();
        let total = self.groups.len();
        self.sums.grow(total);
        self.users.grow(total)?;
        for sketches in &mut self.speeds {
            sketches.grow(total)?;
        }
        for (row, group) in rows {
            let attempt = input.row(row);
            self.sums.at_mut(group).count(&attempt);
            if let Some(user_key) = S::user(&attempt) {
                self.users.add_one(group, user_key);
            }
            S::measure(&attempt, |at, value| {
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
