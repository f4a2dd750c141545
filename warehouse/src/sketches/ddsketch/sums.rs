//! Sums of many stored sketches at once, for an aggregation with many groups: a list of bins a group, because the bins of a
//! sketch come sorted and need no sort with those of other groups, as single values do (`ledger`).

use arrow::array::{ArrayRef, BinaryArray, BinaryBuilder, BooleanArray};
use datafusion::common::{DataFusionError, Result, internal_err};
use datafusion::logical_expr::EmitTo;

use super::ledger::{EMPTY, append};
use super::{Limits, bin, bytes};
use crate::sketches::many;

/// (code, count) by ascending code.
type Bins = Vec<(u16, u64)>;

#[derive(Debug)]
struct Sum {
    limits: Limits,
    bins: Bins,
}

#[derive(Debug, Default)]
pub(in crate::sketches) struct Sums {
    groups: Vec<Sum>,
    /// Of what the groups point to.
    held_bytes: usize,
    /// Room to read and to merge in, empty of meaning.
    read: Bins,
    merged: Bins,
}

impl Sum {
    fn held_bytes(&self) -> usize {
        self.bins.capacity() * size_of::<(u16, u64)>()
    }
}

impl Sums {
    fn add(&mut self, group: usize, stored: &[u8]) -> Result<()> {
        let Self { groups, read, merged, .. } = self;
        read.clear();
        // The zero bin is the lowest, but its count is told last.
        read.extend(bin::code(None).map(|code| (code, 0)));
        let (limits, zeros) = bytes::read(stored, |index, count| {
            // What was read has a code.
            read.extend(bin::code(Some(index)).map(|code| (code, count)));
        })
        .map_err(|error| DataFusionError::External(Box::new(error)))?;
        let Some(Limits { min, max }) = limits else { return Ok(()) };
        let own = match read.as_mut_slice() {
            [first, ..] if zeros > 0 => {
                first.1 = zeros;
                &read[..]
            }
            [_, bins @ ..] => &*bins,
            [] => &[],
        };
        let sum = &mut groups[group];
        let held_before = sum.held_bytes();
        sum.limits = Limits { min: sum.limits.min.min(min), max: sum.limits.max.max(max) };
        if sum.bins.is_empty() {
            sum.bins = own.to_vec();
        } else {
            merged.clear();
            bin::merge(&sum.bins, own, merged);
            sum.bins.clear();
            sum.bins.extend_from_slice(merged);
        }
        self.held_bytes = self.held_bytes + sum.held_bytes() - held_before;
        Ok(())
    }
}

impl many::Ledger for Sums {
    fn add(&mut self, _: &ArrayRef, _: &[usize], _: Option<&BooleanArray>, _: usize) -> Result<()> {
        internal_err!("what merges sketches was given values")
    }

    fn merge(
        &mut self,
        sketches: &BinaryArray,
        group_indices: &[usize],
        filter: Option<&BooleanArray>,
        groups: usize,
    ) -> Result<()> {
        if self.groups.len() < groups {
            self.groups.resize_with(groups, || Sum { limits: EMPTY, bins: Bins::new() });
        }
        let rows = many::selected(sketches, filter);
        for (row, group) in group_indices.iter().enumerate() {
            if rows.as_ref().is_none_or(|rows| rows.value(row)) {
                Self::add(self, *group, sketches.value(row))?;
            }
        }
        Ok(())
    }

    fn take(&mut self, emit_to: EmitTo) -> BinaryArray {
        let taken = emit_to.take_needed(&mut self.groups);
        let mut builder = BinaryBuilder::with_capacity(taken.len(), taken.len() * 16);
        let mut sketch = Vec::new();
        for sum in taken {
            self.held_bytes -= sum.held_bytes();
            append(&mut builder, sum.limits, &sum.bins, &mut sketch);
        }
        builder.finish()
    }

    fn size(&self) -> usize {
        self.held_bytes
            + self.groups.capacity() * size_of::<Sum>()
            + (self.read.capacity() + self.merged.capacity()) * size_of::<(u16, u64)>()
    }
}
