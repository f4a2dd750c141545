//! Many sketches at once, for an aggregation with many groups: one list of (group, register, rank) for all of
//! them. New entries are appended, and sorted into the settled ones when there are as many of them.

use arrow::array::{ArrayRef, BinaryArray, BinaryBuilder, BooleanArray};
use datafusion::common::cast::as_int64_array;
use datafusion::common::{DataFusionError, Result};
use datafusion::logical_expr::EmitTo;

use super::{bytes, register};
use crate::sketches::sql;

/// New entries are settled at least this many at a time. More: fewer sorts, until they leave the cache.
const BATCH: usize = 128 * 1024;
const RANK_BITS: u32 = 8;

/// Group in the upper half, then the register, the rank lowest: of one register the last is the highest.
type Entry = u64;

#[derive(Debug, Default)]
pub(in crate::sketches) struct Ledger {
    groups: usize,
    /// Sorted, no register of a group twice.
    settled: Vec<Entry>,
    fresh: Vec<Entry>,
    /// Room for the next merge of the two, empty of meaning.
    spare: Vec<Entry>,
}

#[inline]
fn entry(group: usize, (register, rank): (u16, u8)) -> Entry {
    ((group as u64) << 32) | (u64::from(register) << RANK_BITS) | u64::from(rank)
}

impl Ledger {
    fn grow(&mut self, groups: usize) -> Result<()> {
        if u32::try_from(groups).is_err() {
            return datafusion::common::resources_err!("more groups than a sketch aggregate can number");
        }
        self.groups = self.groups.max(groups);
        Ok(())
    }

    fn settle_if_many(&mut self) {
        if self.fresh.len() >= self.settled.len().max(BATCH) {
            self.settle();
        }
    }

    fn settle(&mut self) {
        self.fresh.sort_unstable();
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

impl sql::Ledger for Ledger {
    fn add(
        &mut self,
        values: &ArrayRef,
        group_indices: &[usize],
        filter: Option<&BooleanArray>,
        groups: usize,
    ) -> Result<()> {
        self.grow(groups)?;
        let keys = as_int64_array(values)?;
        match sql::selected(keys, filter) {
            None => {
                let pairs = group_indices.iter().zip(keys.values());
                self.fresh.extend(pairs.map(|(group, key)| entry(*group, register::of(*key))));
            }
            Some(rows) => {
                let rows = rows.set_indices();
                self.fresh.extend(rows.map(|row| entry(group_indices[row], register::of(keys.value(row)))));
            }
        }
        self.settle_if_many();
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
        let rows = sql::selected(sketches, filter);
        for (row, group) in group_indices.iter().enumerate() {
            if rows.as_ref().is_some_and(|rows| !rows.value(row)) {
                continue;
            }
            let fresh = &mut self.fresh;
            bytes::read(sketches.value(row), |register, rank| fresh.push(entry(*group, (register, rank))))
                .map_err(|error| DataFusionError::External(Box::new(error)))?;
        }
        self.settle_if_many();
        Ok(())
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
        for group in 0..taken as u64 {
            let end = rest.iter().position(|entry| entry >> 32 != group).unwrap_or(rest.len());
            let (own, others) = rest.split_at(end);
            rest = others;
            if own.is_empty() {
                builder.append_null();
                continue;
            }
            registers.clear();
            registers.extend(own.iter().map(|entry| ((entry >> RANK_BITS) as u16, *entry as u8)));
            sketch.clear();
            bytes::write(&mut sketch, &registers);
            builder.append_value(&sketch);
        }
        self.settled = rest.iter().map(|entry| entry - ((taken as u64) << 32)).collect();
        self.groups -= taken;
        builder.finish()
    }

    fn size(&self) -> usize {
        (self.settled.capacity() + self.fresh.capacity() + self.spare.capacity()) * size_of::<Entry>()
    }
}
