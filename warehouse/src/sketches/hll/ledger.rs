//! Many sketches at once, for an aggregation with many groups: one list of (group, register, rank) for all of
//! them. New entries are appended, and sorted into the settled ones when there are as many of them.

use arrow::array::{ArrayRef, BinaryArray, BinaryBuilder, BooleanArray};
use datafusion::common::cast::as_int64_array;
use datafusion::common::{DataFusionError, Result};
use datafusion::logical_expr::EmitTo;

use super::{bytes, register};
use crate::sketches::{many, radix};

/// New entries are settled at least this many at a time. More: fewer sorts and merges, more memory.
const BATCH: usize = 512 * 1024;
const RANK_BITS: u32 = 8;

/// Group in the upper half, then the register, the rank lowest: of one register the last is the highest.
pub(super) type Entry = u64;
pub(super) const GROUP_SHIFT: u32 = 32;

/// The sketches of many groups.
#[derive(Debug, Default)]
pub struct Ledger {
    groups: usize,
    /// Sorted, no register of a group twice.
    pub(super) settled: Vec<Entry>,
    pub(super) fresh: Vec<Entry>,
    /// Room for the next merge of the two, empty of meaning.
    pub(super) spare: Vec<Entry>,
}

#[inline]
fn entry(group: usize, (register, rank): (u16, u8)) -> Entry {
    ((group as u64) << GROUP_SHIFT) | (u64::from(register) << RANK_BITS) | u64::from(rank)
}

#[inline]
pub(super) fn group_of(entry: Entry) -> usize {
    (entry >> GROUP_SHIFT) as usize
}

#[inline]
pub(super) fn register_and_rank(entry: Entry) -> (u16, u8) {
    ((entry >> RANK_BITS) as u16, entry as u8)
}

impl Ledger {
    /// Adds a key to a group below the number last given to `grow`.
    #[inline]
    pub fn add_one(&mut self, group: usize, key: i64) {
        self.fresh.push(entry(group, register::of(key)));
    }

    /// As keys that have led to these ranks, one of each register.
    pub(super) fn add_ranks(&mut self, group: usize, ranks: &[u8]) {
        let used = (0..).zip(ranks.iter().copied()).filter(|(_, rank)| *rank > 0);
        self.fresh.extend(used.map(|of_register| entry(group, of_register)));
    }

    /// Makes room for groups up to this many. To be called now and then, as it also settles what was added.
    ///
    /// # Errors
    /// When there are more than can be numbered.
    pub fn grow(&mut self, groups: usize) -> Result<()> {
        if u32::try_from(groups).is_err() {
            return datafusion::common::resources_err!("more groups than a sketch aggregate can number");
        }
        self.groups = self.groups.max(groups);
        self.settle_if_many();
        Ok(())
    }

    fn settle_if_many(&mut self) {
        if self.fresh.len() >= self.settled.len().max(BATCH) {
            self.settle();
        }
    }

    pub(super) fn settle(&mut self) {
        radix::sort(&mut self.fresh, &mut self.spare);
        self.spare.clear();
        self.spare.reserve(self.settled.len() + self.fresh.len());
        let (mut a, mut b) = (self.settled.iter().peekable(), self.fresh.iter().peekable());
        loop {
            let next = match (a.peek(), b.peek()) {
                (Some(x), Some(y)) if x <= y => a.next(),
                (Some(_), None) => a.next(),
                _ => b.next(),
            };
            let Some(next) = next else {
                break;
            };
            match self.spare.last_mut() {
                Some(last) if *last >> RANK_BITS == next >> RANK_BITS => *last = *next,
                _ => self.spare.push(*next),
            }
        }
        std::mem::swap(&mut self.settled, &mut self.spare);
        self.fresh.clear();
    }
}

impl many::Ledger for Ledger {
    fn add(
        &mut self,
        values: &ArrayRef,
        group_indices: &[usize],
        filter: Option<&BooleanArray>,
        groups: usize,
    ) -> Result<()> {
        self.grow(groups)?;
        let keys = as_int64_array(values)?;
        match many::selected(keys, filter) {
            None => {
                let pairs = group_indices.iter().zip(keys.values());
                self.fresh.extend(pairs.map(|(group, key)| entry(*group, register::of(*key))));
            }
            Some(rows) => {
                let rows = rows.set_indices();
                self.fresh.extend(rows.map(|row| entry(group_indices[row], register::of(keys.value(row)))));
            }
        }
        Ok(())
    }

    fn merge(
        &mut self,
        sketches: &BinaryArray,
        group_indices: &[usize],
        filter: Option<&BooleanArray>,
        groups: usize,
    ) -> Result<()> {
        self.grow(groups)?;
        many::each(sketches, group_indices, filter, |group, sketch| {
            let fresh = &mut self.fresh;
            bytes::read(sketch, |register, rank| fresh.push(entry(group, (register, rank))))
                .map_err(|error| DataFusionError::External(Box::new(error)))?;
            Ok(())
        })
    }

    fn take(&mut self, emit_to: EmitTo) -> BinaryArray {
        self.settle();
        let taken = match emit_to {
            EmitTo::All => self.groups,
            EmitTo::First(n) => n.min(self.groups),
        };
        let mut builder = BinaryBuilder::with_capacity(taken, taken * 16);
        let mut rest = self.settled.as_slice();
        let (mut registers, mut sketch) = (Vec::new(), Vec::new());
        for group in 0..taken {
            let end = rest.iter().position(|entry| group_of(*entry) != group).unwrap_or(rest.len());
            let (own, others) = rest.split_at(end);
            rest = others;
            if own.is_empty() {
                builder.append_null();
                continue;
            }
            registers.clear();
            registers.extend(own.iter().map(|entry| register_and_rank(*entry)));
            sketch.clear();
            bytes::write(&mut sketch, &registers);
            builder.append_value(&sketch);
        }
        self.settled = rest.iter().map(|entry| entry - ((taken as u64) << GROUP_SHIFT)).collect();
        self.groups -= taken;
        builder.finish()
    }

    fn size(&self) -> usize {
        (self.settled.capacity() + self.fresh.capacity() + self.spare.capacity()) * size_of::<Entry>()
    }
}
