//! One accumulator for every sketch: many groups at once, or one.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, BinaryArray, BooleanArray};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::{Accumulator, EmitTo, GroupsAccumulator};

use crate::sketches::many::Ledger;

/// What the input of an aggregate is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Input {
    Values,
    Sketches,
}

#[derive(Debug)]
pub(super) struct Groups<L> {
    ledger: L,
    input: Input,
}

impl<L: Ledger> Groups<L> {
    pub(super) fn new(input: Input) -> Self {
        Self { ledger: L::default(), input }
    }

    fn update(
        ledger: &mut L,
        input: Input,
        values: &[ArrayRef],
        group_indices: &[usize],
        filter: Option<&BooleanArray>,
        groups: usize,
    ) -> Result<()> {
        let [values] = values else {
            return datafusion::common::internal_err!("a sketch takes one column, got {}", values.len());
        };
        match input {
            Input::Values => ledger.add(values, group_indices, filter, groups),
            Input::Sketches => {
                let sketches = datafusion::common::cast::as_binary_array(values)?;
                ledger.merge(sketches, group_indices, filter, groups)
            }
        }
    }
}

impl<L: Ledger> GroupsAccumulator for Groups<L> {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        opt_filter: Option<&BooleanArray>,
        total_num_groups: usize,
    ) -> Result<()> {
        Self::update(&mut self.ledger, self.input, values, group_indices, opt_filter, total_num_groups)
    }

    fn evaluate(&mut self, emit_to: EmitTo) -> Result<ArrayRef> {
        Ok(Arc::new(self.ledger.take(emit_to)))
    }

    fn state(&mut self, emit_to: EmitTo) -> Result<Vec<ArrayRef>> {
        Ok(vec![self.evaluate(emit_to)?])
    }

    fn merge_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        total_num_groups: usize,
    ) -> Result<()> {
        Self::update(&mut self.ledger, Input::Sketches, values, group_indices, None, total_num_groups)
    }

    fn convert_to_state(
        &self,
        values: &[ArrayRef],
        opt_filter: Option<&BooleanArray>,
    ) -> Result<Vec<ArrayRef>> {
        // A stored sketch is its own state, and whoever merges states reads it.
        if let (Input::Sketches, [sketches], None) = (self.input, values, opt_filter) {
            return Ok(vec![Arc::clone(sketches)]);
        }
        let rows = values.first().map_or(0, |values| values.len());
        let each: Vec<usize> = (0..rows).collect();
        let mut ledger = L::default();
        Self::update(&mut ledger, self.input, values, &each, opt_filter, rows)?;
        Ok(vec![Arc::new(ledger.take(EmitTo::All))])
    }

    fn size(&self) -> usize {
        size_of::<Self>() + self.ledger.size()
    }
}

/// The same for an aggregation without groups.
#[derive(Debug)]
pub(super) struct Single<L> {
    groups: Groups<L>,
    zeros: Vec<usize>,
}

impl<L: Ledger> Single<L> {
    pub(super) fn new(input: Input) -> Self {
        Self { groups: Groups::new(input), zeros: Vec::new() }
    }

    fn grow_zeros(&mut self, values: &[ArrayRef]) -> usize {
        let rows = values.first().map_or(0, |values| values.len());
        if self.zeros.len() < rows {
            self.zeros.resize(rows, 0);
        }
        rows
    }

    fn take(&mut self) -> Result<ScalarValue> {
        // An input without batches has not named its one group yet.
        self.groups.merge_batch(&[Arc::new(BinaryArray::from_vec(vec![]))], &[], 1)?;
        let bytes = self.groups.evaluate(EmitTo::All)?;
        ScalarValue::try_from_array(&bytes, 0)
    }
}

impl<L: Ledger> Accumulator for Single<L> {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let rows = self.grow_zeros(values);
        self.groups.update_batch(values, &self.zeros[..rows], None, 1)
    }

    /// Asked more than once by a running window: the state must stay.
    fn evaluate(&mut self) -> Result<ScalarValue> {
        let value = self.take()?;
        self.groups.merge_batch(&[value.to_array()?], &[0], 1)?;
        Ok(value)
    }

    fn size(&self) -> usize {
        size_of::<Self>() + self.groups.size() + self.zeros.capacity() * size_of::<usize>()
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        Ok(vec![self.take()?])
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let rows = self.grow_zeros(states);
        self.groups.merge_batch(states, &self.zeros[..rows], 1)
    }
}
