//! Many stored sketches at once, for an aggregation with many groups: what is merged of a group lies apart from that of
//! others, because a stored sketch comes sorted and needs no sort with theirs, as single values do (the ledgers).

use std::fmt::Debug;

use arrow::array::{ArrayRef, BinaryArray, BinaryBuilder, BooleanArray};
use datafusion::common::{Result, internal_err};
use datafusion::logical_expr::EmitTo;

use super::many::{self, Ledger};

/// What is merged of one group.
pub(super) trait Merged: Debug + Default + Send + Sync + 'static {
    /// Room to read and to merge in, of all groups; empty of meaning.
    type Room: Debug + Default + Send + Sync + 'static;

    fn add(&mut self, stored: &[u8], room: &mut Self::Room) -> Result<()>;

    /// Of what it points to.
    fn held_bytes(&self) -> usize;

    /// Null of nothing. `sketch` is room to write in.
    fn append(&self, builder: &mut BinaryBuilder, sketch: &mut Vec<u8>);

    fn room_bytes(room: &Self::Room) -> usize;
}

#[derive(Debug, Default)]
pub(super) struct Merging<S: Merged> {
    groups: Vec<S>,
    /// Of what the groups point to.
    held_bytes: usize,
    room: S::Room,
}

impl<S: Merged> Ledger for Merging<S> {
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
            self.groups.resize_with(groups, S::default);
        }
        many::each(sketches, group_indices, filter, |group, sketch| {
            let merged = &mut self.groups[group];
            let held_before = merged.held_bytes();
            merged.add(sketch, &mut self.room)?;
            self.held_bytes = self.held_bytes + merged.held_bytes() - held_before;
            Ok(())
        })
    }

    fn take(&mut self, emit_to: EmitTo) -> BinaryArray {
        let taken = emit_to.take_needed(&mut self.groups);
        let mut builder = BinaryBuilder::with_capacity(taken.len(), taken.len() * 16);
        let mut sketch = Vec::new();
        for merged in taken {
            self.held_bytes -= merged.held_bytes();
            merged.append(&mut builder, &mut sketch);
        }
        builder.finish()
    }

    fn size(&self) -> usize {
        self.held_bytes + self.groups.capacity() * size_of::<S>() + S::room_bytes(&self.room)
    }
}
