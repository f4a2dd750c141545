//! A family of served requests and their users whose names are no other family's.

use bellwether_warehouse::sketches::hll;
use bellwether_warehouse::tables::reach::Reach;
use bellwether_warehouse::tables::rollup::{Family, Value};
use datafusion::common::Result;

use super::input::Input;
use super::measure;
use super::pages::Pages;
use super::part::{Order, Part};
use crate::keys::{Bucket, Groups, NameInterner};

pub(super) struct Counter {
    pub family: &'static Family,
    /// Of the finest of its tables, all of which are kept for ever.
    bucket: fn(Bucket) -> Bucket,
    names: NameInterner,
    groups: Groups,
    sums: Pages<Reach>,
    users: hll::Ledger,
}

impl Counter {
    pub(super) fn new(family: &'static Family) -> Result<Self> {
        let finest = family.levels.iter().map(|level| level.grain).min();
        Ok(Self {
            family,
            bucket: finest.map_or(Bucket::date, Bucket::at),
            names: NameInterner::new(family.keys)?,
            groups: Groups::default(),
            sums: Pages::default(),
            users: hll::Ledger::default(),
        })
    }

    pub(super) fn add(&mut self, input: &Input) -> Result<()> {
        let mut names = Vec::new();
        self.names.intern(&input.names(self.family.keys)?, &mut names)?;
        let groups: Vec<usize> = input
            .started_at()
            .iter()
            .zip(names)
            .map(|(started_at, names)| self.groups.group((self.bucket)(Bucket::of(*started_at)), names))
            .collect();
        let total = self.groups.len();
        self.sums.grow(total);
        self.users.grow(total)?;
        for (row, group) in groups.into_iter().enumerate() {
            let attempt = input.row(row);
            let is_served = attempt.is_success();
            measure::count_reach(self.sums.at_mut(group), &attempt, is_served);
            if let Some(user_key) = attempt.user_key.filter(|_| is_served) {
                self.users.add_one(group, user_key);
            }
        }
        Ok(())
    }

    pub(super) fn finish(self) -> Result<Part<Reach>> {
        let Self { family, names, groups, sums, users, .. } = self;
        let (names, rank_of) = names.finish()?;
        let order = Order::of(&groups.finish(&rank_of));
        let users = users.in_order(&order.places);
        let sketches = family.measured(Value::Hll).zip([Box::new(users) as _]).collect();
        Ok(Part { names, sums, sketches, order })
    }
}
