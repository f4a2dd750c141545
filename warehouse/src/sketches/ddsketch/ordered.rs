//! Sketches of groups that stand in an order in which the parts of every coarser group are neighbours.

use std::ops::Range;

use arrow::array::{BinaryArray, BinaryBuilder};

use super::ledger::{EMPTY, Key, Ledger, append, code_of, group_of, key};
use super::{Limits, bin};
use crate::sketches::Runs;

impl Ledger {
    /// The sketches with each group at its place; `places` has every number below its length once.
    pub fn in_order(mut self, places: &[u32]) -> Ordered {
        let moved = |from: Key| key(places[group_of(from)] as usize, code_of(from));
        self.values.iter_mut().for_each(|key| *key = moved(*key));
        for entries in [&mut self.counted, &mut self.merged] {
            entries.iter_mut().for_each(|entry| entry.0 = moved(entry.0));
        }
        self.counted.sort_unstable_by_key(|entry| entry.0);
        self.count();
        let mut limits = vec![EMPTY; places.len()];
        for (own, place) in self.limits.iter().zip(places) {
            limits[*place as usize] = *own;
        }
        Ordered::new(limits, self.counted)
    }
}

#[derive(Debug)]
pub struct Ordered {
    limits: Vec<Limits>,
    /// Sorted by key, no key twice.
    bins: Vec<(Key, u64)>,
    /// Where the bins of each group begin, and where those of the last end.
    starts: Vec<usize>,
}

impl Ordered {
    fn new(limits: Vec<Limits>, bins: Vec<(Key, u64)>) -> Self {
        let mut starts = Vec::with_capacity(limits.len() + 1);
        for (at, bin) in bins.iter().enumerate() {
            starts.resize(starts.len().max(group_of(bin.0) + 1), at);
        }
        starts.resize(limits.len() + 1, bins.len());
        Self { limits, bins, starts }
    }
}

impl Runs for Ordered {
    fn merged(&self, runs: &[Range<usize>]) -> BinaryArray {
        let mut builder = BinaryBuilder::with_capacity(runs.len(), runs.len() * 16);
        let (mut bins, mut sketch) = (Vec::new(), Vec::new());
        for run in runs {
            let own = &self.bins[self.starts[run.start]..self.starts[run.end]];
            bins.clear();
            bins.extend(own.iter().map(|(key, count)| (code_of(*key), *count)));
            if run.len() > 1 {
                bins.sort_unstable_by_key(|bin| bin.0);
                bin::add_up(&mut bins);
            }
            let limits = self.limits[run.clone()]
                .iter()
                .fold(EMPTY, |all, one| Limits { min: all.min.min(one.min), max: all.max.max(one.max) });
            append(&mut builder, limits, &bins, &mut sketch);
        }
        builder.finish()
    }
}
