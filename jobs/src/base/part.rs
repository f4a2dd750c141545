//! Attempts of one family at the finest grain, given out as the rows of its tables.
//!
//! Buckets are kept by the longest bucket of the tables (a date, a week), then names, then time. In that order the buckets of an
//! hour or a date of the same names are neighbours, so a row of any table is a run of them: nothing is looked up, and sums
//! and sketches are encoded only once they are what a table stores.

use std::ops::Range;
use std::sync::Arc;

use arrow::array::{ArrayRef, Date32Array, RecordBatch, TimestampMicrosecondArray, UInt32Array};
use bellwether_warehouse::TableId;
use bellwether_warehouse::sketches::Runs;
use bellwether_warehouse::tables::rollup::{Family, Grain, Rollup, Sums};
use datafusion::common::{Result, internal_err};

use super::pages::Pages;
use crate::keys::{Bucket, Key, Names};

/// The order of a family's buckets.
pub(super) struct Order {
    keys: Vec<Key>,
    /// The group at each place.
    groups: Vec<u32>,
    /// The place of each group.
    pub places: Vec<u32>,
}

impl Order {
    /// `keys` of the groups; no key twice or, where names were cut short, more often: those are one row. For the tables of these
    /// families.
    pub(super) fn of(keys: &[Key], families: &[&Family]) -> Self {
        let grains = families.iter().flat_map(|family| family.levels).map(|level| level.grain);
        let longest = Bucket::at(grains.max().unwrap_or(Grain::Day));
        // One number an entry, which is compared in one step.
        let entry = |(group, (bucket, rank)): (u32, &Key)| {
            let parts = [longest(*bucket).ordinal(), *rank, bucket.ordinal(), group];
            parts.into_iter().fold(0, |entry, part| (entry << 32) | u128::from(part))
        };
        let mut sorted: Vec<u128> = (0..).zip(keys).map(entry).collect();
        sorted.sort_unstable();
        let groups: Vec<u32> = sorted.iter().map(|entry| *entry as u32).collect();
        let mut places = vec![0; groups.len()];
        for (place, group) in (0_u32..).zip(&groups) {
            places[*group as usize] = place;
        }
        Self { keys: groups.iter().map(|group| keys[*group as usize]).collect(), groups, places }
    }

    /// The rows of a grain from a day on: each key with the places that are merged to it, sorted by key.
    fn runs(&self, grain: fn(Bucket) -> Bucket, first_day: i32) -> Vec<(Key, Range<usize>)> {
        let mut runs: Vec<(Key, Range<usize>)> = Vec::new();
        for (place, (bucket, rank)) in self.keys.iter().enumerate() {
            if bucket.day_number() < first_day {
                continue;
            }
            let key = (grain(*bucket), *rank);
            match runs.last_mut() {
                Some((last, run)) if *last == key => run.end = place + 1,
                _ => runs.push((key, place..place + 1)),
            }
        }
        runs.sort_unstable_by_key(|run| run.0);
        runs
    }
}

pub(super) struct Part<S> {
    pub names: Names,
    pub order: Order,
    /// By group.
    pub sums: Pages<S>,
    /// By place, under the names of their columns.
    pub sketches: Vec<(&'static str, Box<dyn Runs>)>,
}

impl<S: Sums> Part<S> {
    /// Shows the rows of a table from a day on to `take`, date by date and sorted by key, until it answers false.
    /// What is no row of the table is left out.
    pub(super) fn rows(
        &self,
        rollup: Rollup,
        first_day: i32,
        is_row: impl Fn(&S) -> bool,
        take: impl Fn(TableId, RecordBatch) -> bool,
    ) -> Result<()> {
        let table = rollup.level.table;
        let runs = self.order.runs(Bucket::at(rollup.level.grain), first_day);
        // Room that serves all dates.
        let (mut keys, mut places, mut sums) = (Vec::new(), Vec::new(), Vec::new());
        for of_date in runs.chunk_by(|a, b| a.0.0.day_number() == b.0.0.day_number()) {
            keys.clear();
            places.clear();
            sums.clear();
            for (key, run) in of_date {
                let mut sum = S::default();
                for group in &self.order.groups[run.clone()] {
                    sum.add(self.sums.at(*group as usize));
                }
                if is_row(&sum) {
                    sums.push(sum);
                    keys.push(*key);
                    places.push(run.clone());
                }
            }
            if !keys.is_empty() && !take(table, self.batch(rollup, &keys, &places, &sums)?) {
                break;
            }
        }
        Ok(())
    }

    fn batch(
        &self,
        rollup: Rollup,
        keys: &[Key],
        places: &[Range<usize>],
        sums: &[S],
    ) -> Result<RecordBatch> {
        let schema = rollup.schema();
        let ranks = UInt32Array::from_iter_values(keys.iter().map(|key| key.1));
        let mut columns: Vec<ArrayRef> = Vec::with_capacity(schema.fields().len());
        for field in schema.fields() {
            let name = field.name().as_str();
            columns.push(if name == "date" {
                Arc::new(Date32Array::from_iter_values(keys.iter().map(|key| key.0.day_number())))
            } else if Some(name) == rollup.level.time {
                let starts = keys.iter().map(|key| key.0.start_us());
                Arc::new(TimestampMicrosecondArray::from_iter_values(starts).with_timezone("UTC"))
            } else if let Some(names) = self.names.column(name, &ranks) {
                names?
            } else if let Some(sums) = S::column(sums, name) {
                sums
            } else if let Some(sketch) = self.sketches.iter().find(|sketch| sketch.0 == name) {
                Arc::new(sketch.1.merged(places))
            } else {
                return internal_err!("nothing is counted for `{name}` of `{}`", rollup.level.table.name());
            });
        }
        Ok(RecordBatch::try_new(schema, columns)?)
    }
}
