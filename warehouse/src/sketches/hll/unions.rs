//! Unions of many stored sketches at once, for an aggregation with many groups: what is merged is large more often than
//! what is counted (`ledger`), and then all registers of a group side by side take less room, and less time to merge into,
//! than a list of those in use.

use arrow::array::{ArrayRef, BinaryArray, BinaryBuilder, BooleanArray};
use datafusion::common::{DataFusionError, Result, internal_err};
use datafusion::logical_expr::EmitTo;

use super::growing::{Growing, Room};
use crate::sketches::many;

#[derive(Debug, Default)]
pub(in crate::sketches) struct Unions {
    groups: Vec<Growing>,
    /// Of what the groups point to.
    held_bytes: usize,
    room: Room,
}

impl many::Ledger for Unions {
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
            self.groups.resize_with(groups, Growing::default);
        }
        let rows = many::selected(sketches, filter);
        for (row, group) in group_indices.iter().enumerate() {
            if rows.as_ref().is_some_and(|rows| !rows.value(row)) {
                continue;
            }
            let union = &mut self.groups[*group];
            let held_before = union.held_bytes();
            union
                .add(sketches.value(row), &mut self.room)
                .map_err(|error| DataFusionError::External(Box::new(error)))?;
            self.held_bytes = self.held_bytes + union.held_bytes() - held_before;
        }
        Ok(())
    }

    fn take(&mut self, emit_to: EmitTo) -> BinaryArray {
        let taken = emit_to.take_needed(&mut self.groups);
        let mut builder = BinaryBuilder::with_capacity(taken.len(), taken.len() * 16);
        let mut sketch = Vec::new();
        for union in taken {
            if union.is_nothing() {
                builder.append_null();
                continue;
            }
            self.held_bytes -= union.held_bytes();
            sketch.clear();
            union.write(&mut sketch);
            builder.append_value(&sketch);
        }
        builder.finish()
    }

    fn size(&self) -> usize {
        self.held_bytes + self.groups.capacity() * size_of::<Growing>() + self.room.size()
    }
}
