//! The sketches as SQL functions: aggregates that build and merge, scalars that ask.

mod aggregate;
mod groups;
mod scalar;
#[cfg(test)]
mod tests;
mod windows;

use datafusion::logical_expr::{AggregateUDF, ScalarUDF};
use datafusion::prelude::SessionContext;

use aggregate::{Aggregate, SketchAggregate};
use scalar::{Question, SketchScalar};
use windows::HllWindows;

/// Registers `ddsketch`, `ddsketch_merge`, `ddsketch_quantile`, `ddsketch_summary`, `ddsketch_count`, `hll`, `hll_merge`,
/// `hll_windows`, `hll_estimate`.
pub fn register(ctx: &SessionContext) {
    for aggregate in Aggregate::ALL {
        ctx.register_udaf(AggregateUDF::new_from_impl(SketchAggregate::new(aggregate)));
    }
    ctx.register_udaf(AggregateUDF::new_from_impl(HllWindows::new()));
    for question in Question::ALL {
        ctx.register_udf(ScalarUDF::new_from_impl(SketchScalar::new(question)));
    }
}
