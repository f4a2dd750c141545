//! Many sketches at once, for an aggregation with many groups.
//!
//! Instead of one map per group there is one list of (group, bin) for all of them. New entries are
//! appended, and sorted into the counted ones when there are as many of them; so an update costs an append
//! and its share of a sort, and a group of a handful of values some tens of bytes.

use arrow::array::{ArrayRef, BinaryArray, BinaryBuilder, BooleanArray};
use datafusion::common::cast::as_float64_array;
use datafusion::common::{DataFusionError, Result};
use datafusion::logical_expr::EmitTo;

use super::{Limits, bin, bytes};
use crate::sketches::sql;

/// New entries are counted at least this many at a time. More: fewer sorts, until they leave the cache.
const BATCH: usize = 128 * 1024;
const EMPTY: Limits = Limits { min: f64::INFINITY, max: f64::NEG_INFINITY };

/// Group in the upper half, bin in the lower.
type Key = u64;

#[derive(Debug, Default)]
pub(in crate::sketches) struct Ledger {
    /// `EMPTY` for a group without values.
    limits: Vec<Limits>,
    /// Sorted by key, no key twice.
    counted: Vec<(Key, u64)>,
    /// One value each.
    values: Vec<Key>,
    /// Bins of merged sketches.
    merged: Vec<(Key, u64)>,
}

/// Below every bin of the group, so that it comes first.
const ZERO_BIN: u32 = 0;

#[inline]
fn key(group: usize, index: Option<i32>) -> Key {
    let low = index.map_or(ZERO_BIN, |index| index as u32 ^ (1 << 31));
    ((group as u64) << 32) | u64::from(low)
}

fn bin_of(key: Key) -> Option<i32> {
    let low = key as u32;
    (low != ZERO_BIN).then_some((low ^ (1 << 31)) as i32)
}

impl Ledger {
    #[inline]
    fn add_one(&mut self, group: usize, value: f64) {
        if !value.is_finite() {
            return;
        }
        let value = bin::unsigned_zero(value);
        let limits = &mut self.limits[group];
        limits.min = limits.min.min(value);
        limits.max = limits.max.max(value);
        self.values.push(key(group, bin::index(value)));
    }

    fn grow(&mut self, groups: usize) -> Result<()> {
        if u32::try_from(groups).is_err() {
            return datafusion::common::resources_err!("more groups than a sketch aggregate can number");
        }
        if self.limits.len() < groups {
            self.limits.resize(groups, EMPTY);
        }
        Ok(())
    }

    fn count_if_many(&mut self) {
        if self.values.len() + self.merged.len() >= self.counted.len().max(BATCH) {
            self.count();
        }
    }

    fn count(&mut self) {
        self.values.sort_unstable();
        let runs = self.values.chunk_by(|a, b| a == b);
        let fresh: Vec<(Key, u64)> = runs.map(|run| (run[0], run.len() as u64)).collect();
        self.values.clear();
        self.absorb(&fresh);
        if !self.merged.is_empty() {
            let mut merged = std::mem::take(&mut self.merged);
            merged.sort_unstable_by_key(|entry| entry.0);
            merged.dedup_by(|next, kept| {
                let same = next.0 == kept.0;
                if same {
                    kept.1 = kept.1.saturating_add(next.1);
                }
                same
            });
            self.absorb(&merged);
            merged.clear();
            self.merged = merged;
        }
    }

    fn absorb(&mut self, fresh: &[(Key, u64)]) {
        if fresh.is_empty() {
            return;
        }
        let mut all = Vec::with_capacity(self.counted.len() + fresh.len());
        bin::merge(&self.counted, fresh, &mut all);
        self.counted = all;
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
        let values = as_float64_array(values)?;
        match sql::selected(values, filter) {
            None => {
                for (group, value) in group_indices.iter().zip(values.values()) {
                    self.add_one(*group, *value);
                }
            }
            Some(rows) => {
                for row in rows.set_indices() {
                    self.add_one(group_indices[row], values.value(row));
                }
            }
        }
        self.count_if_many();
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
            let merged = &mut self.merged;
            let (limits, zeros) = bytes::read(sketches.value(row), |index, count| {
                merged.push((key(*group, Some(index)), count))
            })
            .map_err(|error| DataFusionError::External(Box::new(error)))?;
            if zeros > 0 {
                merged.push((key(*group, None), zeros));
            }
            if let Some(Limits { min, max }) = limits {
                let own = &mut self.limits[*group];
                own.min = own.min.min(min);
                own.max = own.max.max(max);
            }
        }
        self.count_if_many();
        Ok(())
    }

    fn take(&mut self, emit_to: EmitTo) -> BinaryArray {
        self.count();
        let limits = emit_to.take_needed(&mut self.limits);
        let mut builder = BinaryBuilder::with_capacity(limits.len(), limits.len() * 16);
        let mut rest = self.counted.as_slice();
        let mut sketch = Vec::new();
        for (group, limits) in limits.iter().enumerate() {
            let end = rest.iter().position(|entry| entry.0 >> 32 != group as u64).unwrap_or(rest.len());
            let (own, others) = rest.split_at(end);
            rest = others;
            let (zeros, bins) = match own.split_first() {
                None => {
                    builder.append_null();
                    continue;
                }
                Some(((first, zeros), bins)) if bin_of(*first).is_none() => (*zeros, bins),
                Some(_) => (0, own),
            };
            sketch.clear();
            let bins = bins.iter().map(|(key, count)| (bin_of(*key).unwrap_or_default(), *count));
            bytes::write(&mut sketch, Some(*limits), zeros, bins);
            builder.append_value(&sketch);
        }
        let taken = limits.len() as u64;
        self.counted = rest.iter().map(|(key, count)| (key - (taken << 32), *count)).collect();
        builder.finish()
    }

    fn size(&self) -> usize {
        self.limits.capacity() * size_of::<Limits>()
            + (self.counted.capacity() + self.merged.capacity()) * size_of::<(Key, u64)>()
            + self.values.capacity() * size_of::<Key>()
    }
}
