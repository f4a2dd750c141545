//! `ddsketch`, `ddsketch_merge`, `hll`, `hll_merge`: sketch bytes of a group, NULL when it has no value.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::Result;
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::{AggregateOrderSensitivity, format_state_name};
use datafusion::logical_expr::{Accumulator, AggregateUDFImpl, GroupsAccumulator, Signature, Volatility};

use super::groups::{Groups, Input, Single};
use crate::sketches::{ddsketch, hll};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Aggregate {
    DdSketch,
    DdSketchMerge,
    Hll,
    HllMerge,
}

impl Aggregate {
    pub(super) const ALL: [Self; 4] = [Self::DdSketch, Self::DdSketchMerge, Self::Hll, Self::HllMerge];
}

#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct SketchAggregate {
    aggregate: Aggregate,
    signature: Signature,
}

impl SketchAggregate {
    pub(super) fn new(aggregate: Aggregate) -> Self {
        let input = match aggregate {
            Aggregate::DdSketch => DataType::Float64,
            Aggregate::Hll => DataType::Int64,
            Aggregate::DdSketchMerge | Aggregate::HllMerge => DataType::Binary,
        };
        Self { aggregate, signature: Signature::exact(vec![input], Volatility::Immutable) }
    }
}

impl AggregateUDFImpl for SketchAggregate {
    fn name(&self) -> &str {
        match self.aggregate {
            Aggregate::DdSketch => "ddsketch",
            Aggregate::DdSketchMerge => "ddsketch_merge",
            Aggregate::Hll => "hll",
            Aggregate::HllMerge => "hll_merge",
        }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arg_types: &[DataType]) -> Result<DataType> {
        Ok(DataType::Binary)
    }

    fn accumulator(&self, _args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        Ok(match self.aggregate {
            Aggregate::DdSketch => Box::new(Single::<ddsketch::Ledger>::new(Input::Values)),
            Aggregate::DdSketchMerge => Box::new(Single::<ddsketch::Sums>::new(Input::Sketches)),
            Aggregate::Hll => Box::new(Single::<hll::FewOrMany>::new(Input::Values)),
            Aggregate::HllMerge => Box::new(Single::<hll::Unions>::new(Input::Sketches)),
        })
    }

    fn state_fields(&self, args: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        Ok(vec![Arc::new(Field::new(format_state_name(args.name, "sketch"), DataType::Binary, true))])
    }

    fn groups_accumulator_supported(&self, _args: AccumulatorArgs) -> bool {
        true
    }

    fn create_groups_accumulator(&self, _args: AccumulatorArgs) -> Result<Box<dyn GroupsAccumulator>> {
        Ok(match self.aggregate {
            Aggregate::DdSketch => Box::new(Groups::<ddsketch::Ledger>::new(Input::Values)),
            Aggregate::DdSketchMerge => Box::new(Groups::<ddsketch::Sums>::new(Input::Sketches)),
            Aggregate::Hll => Box::new(Groups::<hll::FewOrMany>::new(Input::Values)),
            Aggregate::HllMerge => Box::new(Groups::<hll::Unions>::new(Input::Sketches)),
        })
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        AggregateOrderSensitivity::Insensitive
    }
}
