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
use crate::sketches::{many, radix};

/// New entries are counted at least this many at a time. More: fewer sorts and merges, more memory.
const BATCH: usize = 512 * 1024;
pub(super) const EMPTY: Limits = Limits { min: f64::INFINITY, max: f64::NEG_INFINITY };

/// Group, and below it the code of a bin.
pub(super) type Key = u64;
const CODE_BITS: u32 = 16;

/// The sketches of many groups.
#[derive(Debug, Default)]
pub struct Ledger {
    /// `EMPTY` for a group without values.
    pub(super) limits: Vec<Limits>,
    /// Sorted by key, no key twice.
    pub(super) counted: Vec<(Key, u64)>,
    /// One value each.
    pub(super) values: Vec<Key>,
    /// Bins of merged sketches.
    pub(super) merged: Vec<(Key, u64)>,
    /// Room to sort values in, empty of meaning.
    spare: Vec<Key>,
}

#[inline]
pub(super) fn key(group: usize, code: u16) -> Key {
    ((group as u64) << CODE_BITS) | u64::from(code)
}

#[inline]
pub(super) fn code_of(key: Key) -> u16 {
    key as u16
}

#[inline]
pub(super) fn group_of(key: Key) -> usize {
    (key >> CODE_BITS) as usize
}

impl Ledger {
    /// Adds a value to a group below the number last given to `grow`.
    #[inline]
    pub fn add_one(&mut self, group: usize, value: f64) {
        if !value.is_finite() {
            return;
        }
        let value = bin::unsigned_zero(value);
        let limits = &mut self.limits[group];
        limits.min = limits.min.min(value);
        limits.max = limits.max.max(value);
        if let Some(code) = bin::code(bin::index(value)) {
            self.values.push(key(group, code));
        }
    }

    /// Makes room for groups up to this many. To be called now and then, as it also counts what was added.
    ///
    /// # Errors
    /// When there are more than can be numbered.
    pub fn grow(&mut self, groups: usize) -> Result<()> {
        if u32::try_from(groups).is_err() {
            return datafusion::common::resources_err!("more groups than a sketch aggregate can number");
        }
        if self.limits.len() < groups {
            self.limits.resize(groups, EMPTY);
        }
        self.count_if_many();
        Ok(())
    }

    fn count_if_many(&mut self) {
        if self.values.len() + self.merged.len() >= self.counted.len().max(BATCH) {
            self.count();
        }
    }

    pub(super) fn count(&mut self) {
        radix::sort(&mut self.values, &mut self.spare);
        let runs = self.values.chunk_by(|a, b| a == b);
        let mut fresh: Vec<(Key, u64)> = Vec::with_capacity(self.values.len());
        fresh.extend(runs.map(|run| (run[0], run.len() as u64)));
        self.values.clear();
        match self.counted.is_empty() {
            true => self.counted = fresh,
            false => self.absorb(&fresh),
        }
        if !self.merged.is_empty() {
            let mut merged = std::mem::take(&mut self.merged);
            merged.sort_unstable_by_key(|entry| entry.0);
            bin::add_up(&mut merged);
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

impl many::Ledger for Ledger {
    fn add(
        &mut self,
        values: &ArrayRef,
        group_indices: &[usize],
        filter: Option<&BooleanArray>,
        groups: usize,
    ) -> Result<()> {
        self.grow(groups)?;
        let values = as_float64_array(values)?;
        match many::selected(values, filter) {
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
            let merged = &mut self.merged;
            let (limits, zeros) = bytes::read(sketch, |index, count| {
                // What was read has a code.
                merged.extend(bin::code(Some(index)).map(|code| (key(group, code), count)));
            })
            .map_err(|error| DataFusionError::External(Box::new(error)))?;
            if zeros > 0 {
                merged.extend(bin::code(None).map(|code| (key(group, code), zeros)));
            }
            if let Some(Limits { min, max }) = limits {
                let own = &mut self.limits[group];
                own.min = own.min.min(min);
                own.max = own.max.max(max);
            }
            Ok(())
        })
    }

    fn take(&mut self, emit_to: EmitTo) -> BinaryArray {
        self.count();
        let limits = emit_to.take_needed(&mut self.limits);
        let mut builder = BinaryBuilder::with_capacity(limits.len(), limits.len() * 16);
        let mut rest = self.counted.as_slice();
        let (mut bins, mut sketch) = (Vec::new(), Vec::new());
        for (group, limits) in limits.iter().enumerate() {
            let end = rest.iter().position(|entry| group_of(entry.0) != group).unwrap_or(rest.len());
            let (own, others) = rest.split_at(end);
            rest = others;
            bins.clear();
            bins.extend(own.iter().map(|(key, count)| (code_of(*key), *count)));
            append(&mut builder, *limits, &bins, &mut sketch);
        }
        let taken = key(limits.len(), 0);
        self.counted = rest.iter().map(|(key, count)| (key - taken, *count)).collect();
        builder.finish()
    }

    fn size(&self) -> usize {
        self.limits.capacity() * size_of::<Limits>()
            + (self.counted.capacity() + self.merged.capacity()) * size_of::<(Key, u64)>()
            + (self.values.capacity() + self.spare.capacity()) * size_of::<Key>()
    }
}

/// `bins`: by ascending code. Null for a group without values. `sketch` is room to write in.
pub(super) fn append(builder: &mut BinaryBuilder, limits: Limits, bins: &[(u16, u64)], sketch: &mut Vec<u8>) {
    let (zeros, bins) = match bins.split_first() {
        None => return builder.append_null(),
        Some(((first, zeros), others)) if bin::of_code(*first).is_none() => (*zeros, others),
        Some(_) => (0, bins),
    };
    sketch.clear();
    let bins = bins.iter().map(|(code, count)| (bin::of_code(*code).unwrap_or_default(), *count));
    bytes::write(sketch, Some(limits), zeros, bins);
    builder.append_value(sketch);
}
