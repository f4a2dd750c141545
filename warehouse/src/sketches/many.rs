//! Many small sketches at once, as aggregates want them.

use std::fmt::Debug;

use arrow::array::{Array, ArrayRef, BinaryArray, BooleanArray};
use arrow::buffer::BooleanBuffer;
use datafusion::common::Result;
use datafusion::logical_expr::EmitTo;

/// The sketches of many groups. Groups are numbered from 0; one that got no value has no sketch.
pub(super) trait Ledger: Debug + Default + Send + Sync + 'static {
    /// Adds raw values; `group_indices` names the group of each.
    fn add(
        &mut self,
        values: &ArrayRef,
        group_indices: &[usize],
        filter: Option<&BooleanArray>,
        groups: usize,
    ) -> Result<()>;

    /// Merges sketch bytes.
    fn merge(
        &mut self,
        sketches: &BinaryArray,
        group_indices: &[usize],
        filter: Option<&BooleanArray>,
        groups: usize,
    ) -> Result<()>;

    /// Sketch bytes of the first groups (null for an empty one); the others move down.
    fn take(&mut self, emit_to: EmitTo) -> BinaryArray;

    fn size(&self) -> usize;
}

/// Shows every sketch that counts with its group.
pub(super) fn each(
    sketches: &BinaryArray,
    group_indices: &[usize],
    filter: Option<&BooleanArray>,
    mut visit: impl FnMut(usize, &[u8]) -> Result<()>,
) -> Result<()> {
    each_row(sketches, group_indices, filter, |group, row| visit(group, sketches.value(row)))
}

/// Shows every row that counts with its group, which comes first.
pub(super) fn each_row(
    values: &dyn Array,
    group_indices: &[usize],
    filter: Option<&BooleanArray>,
    mut visit: impl FnMut(usize, usize) -> Result<()>,
) -> Result<()> {
    let rows = selected(values, filter);
    for (row, group) in group_indices.iter().enumerate() {
        if rows.as_ref().is_none_or(|rows| rows.value(row)) {
            visit(*group, row)?;
        }
    }
    Ok(())
}

/// Rows that count: not null, and let through by the filter. None: all of them.
pub(super) fn selected(values: &dyn Array, filter: Option<&BooleanArray>) -> Option<BooleanBuffer> {
    let passed = filter.map(|filter| match filter.nulls() {
        Some(nulls) => filter.values() & nulls.inner(),
        None => filter.values().clone(),
    });
    let present = values.nulls().map(|nulls| nulls.inner().clone());
    match (passed, present) {
        (Some(passed), Some(present)) => Some(&passed & &present),
        (passed, present) => passed.or(present),
    }
}
