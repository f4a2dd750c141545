//! `ddsketch_quantile`, `ddsketch_summary`, `ddsketch_count`, `hll_estimate`: what a stored sketch answers. NULL in, NULL
//! out, but for the summary: a list of how many values there are, 0 of no sketch, and of at least so many, the value at each of
//! a list of ranks. Each sketch is read once. A list, because what gives a struct is computed anew for each of its fields.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, Float64Array, Float64Builder, Int64Array, ListArray, ListBuilder,
};
use arrow::datatypes::{DataType, Float64Type};
use datafusion::common::cast::{as_binary_array, as_float64_array, as_int64_array, as_list_array};
use datafusion::common::{DataFusionError, Result, internal_err};
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility};

use crate::sketches::ddsketch::DdSketch;
use crate::sketches::hll::Hll;

/// The stored form of a sketch without values.
const EMPTY: &[u8] = &[1];

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Question {
    DdSketchQuantile,
    DdSketchSummary,
    DdSketchCount,
    HllEstimate,
}

impl Question {
    pub(super) const ALL: [Self; 4] =
        [Self::DdSketchQuantile, Self::DdSketchSummary, Self::DdSketchCount, Self::HllEstimate];
}

#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct SketchScalar {
    question: Question,
    signature: Signature,
}

impl SketchScalar {
    pub(super) fn new(question: Question) -> Self {
        let arguments = match question {
            Question::DdSketchQuantile => vec![DataType::Binary, DataType::Float64],
            Question::DdSketchSummary => {
                vec![DataType::Binary, DataType::Int64, DataType::new_list(DataType::Float64, true)]
            }
            Question::DdSketchCount | Question::HllEstimate => vec![DataType::Binary],
        };
        // A filter by what an immutable function gives is moved below the projection that has it, and both then compute it.
        let volatility = match question {
            Question::DdSketchSummary => Volatility::Volatile,
            _ => Volatility::Immutable,
        };
        Self { question, signature: Signature::exact(arguments, volatility) }
    }
}

impl ScalarUDFImpl for SketchScalar {
    fn name(&self) -> &str {
        match self.question {
            Question::DdSketchQuantile => "ddsketch_quantile",
            Question::DdSketchSummary => "ddsketch_summary",
            Question::DdSketchCount => "ddsketch_count",
            Question::HllEstimate => "hll_estimate",
        }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arg_types: &[DataType]) -> Result<DataType> {
        Ok(match self.question {
            Question::DdSketchQuantile => DataType::Float64,
            Question::DdSketchSummary => DataType::new_list(DataType::Float64, true),
            Question::DdSketchCount | Question::HllEstimate => DataType::Int64,
        })
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let columns = ColumnarValue::values_to_arrays(&args.args)?;
        let answer: ArrayRef = match (self.question, columns.as_slice()) {
            (Question::DdSketchQuantile, [sketches, ranks]) => Arc::new(quantiles(sketches, ranks)?),
            (Question::DdSketchSummary, [sketches, least, ranks]) => {
                Arc::new(summaries(sketches, least, ranks)?)
            }
            (Question::DdSketchCount, [sketches]) => Arc::new(integers(sketches, |bytes| {
                Ok(i64::try_from(DdSketch::count_stored(bytes).map_err(external)?).unwrap_or(i64::MAX))
            })?),
            // A float casts to the nearest integer in range.
            (Question::HllEstimate, [sketches]) => Arc::new(integers(sketches, |bytes| {
                Ok(Hll::estimate_stored(bytes).map_err(external)?.round() as i64)
            })?),
            _ => return internal_err!("`{}` got {} arguments", self.name(), columns.len()),
        };
        let all_scalar = args.args.iter().all(|arg| matches!(arg, ColumnarValue::Scalar(_)));
        if all_scalar && answer.len() == 1 {
            return datafusion::common::ScalarValue::try_from_array(&answer, 0).map(ColumnarValue::Scalar);
        }
        Ok(ColumnarValue::Array(answer))
    }
}

fn quantiles(sketches: &ArrayRef, ranks: &ArrayRef) -> Result<Float64Array> {
    as_binary_array(sketches)?
        .iter()
        .zip(as_float64_array(ranks)?)
        .map(|pair| match pair {
            (Some(bytes), Some(q)) => Ok(DdSketch::from_bytes(bytes).map_err(external)?.quantile(q)),
            _ => Ok(None),
        })
        .collect()
}

fn summaries(sketches: &ArrayRef, least: &ArrayRef, ranks: &ArrayRef) -> Result<ListArray> {
    let (sketches, least, ranks) =
        (as_binary_array(sketches)?, as_int64_array(least)?, as_list_array(ranks)?);
    let mut answers = ListBuilder::new(Float64Builder::with_capacity(sketches.len()));
    // Room for bins that serves all of them.
    let mut sketch = DdSketch::default();
    for row in 0..sketches.len() {
        let stored = if sketches.is_null(row) { EMPTY } else { sketches.value(row) };
        sketch.read(stored).map_err(external)?;
        let count = sketch.count();
        answers.values().append_value(count as f64);
        let is_enough =
            least.is_valid(row) && i64::try_from(count).is_ok_and(|count| count >= least.value(row));
        if is_enough && ranks.is_valid(row) {
            let asked = ranks.value(row);
            for rank in asked.as_primitive::<Float64Type>() {
                answers.values().append_option(rank.and_then(|rank| sketch.quantile(rank)));
            }
        }
        answers.append(true);
    }
    Ok(answers.finish())
}

fn integers(sketches: &ArrayRef, ask: impl Fn(&[u8]) -> Result<i64>) -> Result<Int64Array> {
    as_binary_array(sketches)?.iter().map(|bytes| bytes.map(&ask).transpose()).collect()
}

fn external(error: impl std::error::Error + Send + Sync + 'static) -> DataFusionError {
    DataFusionError::External(Box::new(error))
}
