//! Sketches of groups that stand in an order in which the parts of every coarser group are neighbours.

use std::ops::Range;

use arrow::array::{BinaryArray, BinaryBuilder};

use super::bytes;
use super::ledger::{Entry, GROUP_SHIFT, Ledger, group_of, register_and_rank};
use crate::sketches::{Runs, radix};

impl Ledger {
    /// The sketches with each group at its place; `places` has every number below its length once.
    pub fn in_order(mut self, places: &[u32]) -> Ordered {
        const IN_GROUP: Entry = (1 << GROUP_SHIFT) - 1;
        for entries in [&mut self.settled, &mut self.fresh] {
            for entry in entries {
                *entry = (u64::from(places[group_of(*entry)]) << GROUP_SHIFT) | (*entry & IN_GROUP);
            }
        }
        radix::sort(&mut self.settled, &mut self.spare);
        self.settle();
        Ordered::new(places.len(), self.settled)
    }
}

#[derive(Debug)]
pub struct Ordered {
    /// Sorted, no register of a group twice.
    entries: Vec<Entry>,
    /// Where the entries of each group begin, and where those of the last end.
    starts: Vec<usize>,
}

impl Ordered {
    fn new(groups: usize, entries: Vec<Entry>) -> Self {
        let mut starts = Vec::with_capacity(groups + 1);
        for (at, entry) in entries.iter().enumerate() {
            starts.resize(starts.len().max(group_of(*entry) + 1), at);
        }
        starts.resize(groups + 1, entries.len());
        Self { entries, starts }
    }
}

impl Runs for Ordered {
    fn merged(&self, runs: &[Range<usize>]) -> BinaryArray {
        let mut builder = BinaryBuilder::with_capacity(runs.len(), runs.len() * 16);
        let (mut registers, mut sketch) = (Vec::new(), Vec::new());
        for run in runs {
            let own = &self.entries[self.starts[run.start]..self.starts[run.end]];
            if own.is_empty() {
                builder.append_null();
                continue;
            }
            registers.clear();
            registers.extend(own.iter().map(|entry| register_and_rank(*entry)));
            if run.len() > 1 {
                // Of one register the highest rank comes first and is kept.
                registers.sort_unstable_by_key(|(register, rank)| (*register, u8::MAX - rank));
                registers.dedup_by_key(|entry| entry.0);
            }
            sketch.clear();
            bytes::write(&mut sketch, &registers);
            builder.append_value(&sketch);
        }
        builder.finish()
    }
}
