//! `ddsketch_quantile`, `ddsketch_quantiles`, `ddsketch_count`, `hll_estimate`: what a stored sketch answers. NULL in, NULL
//! out. The second takes a list of ranks and answers with a list: each sketch is read once.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, Float64Array, Float64Builder, Int64Array, ListArray, ListBuilder,
};
use arrow::datatypes::{DataType, Float64Type};
use datafusion::common::cast::{as_binary_array, as_float64_array, as_list_array};
use datafusion::common::{DataFusionError, Result, internal_err};
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility};

use crate::sketches::ddsketch::DdSketch;
use crate::sketches::hll::Hll;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Question {
    DdSketchQuantile,
    DdSketchQuantiles,
    DdSketchCount,
    HllEstimate,
}

impl Question {
    pub(super) const ALL: [Self; 4] =
        [Self::DdSketchQuantile, Self::DdSketchQuantiles, Self::DdSketchCount, Self::HllEstimate];
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
            Question::DdSketchQuantiles => {
                vec![DataType::Binary, DataType::new_list(DataType::Float64, true)]
            }
            Question::DdSketchCount | Question::HllEstimate => vec![DataType::Binary],
        };
        Self { question, signature: Signature::exact(arguments, Volatility::Immutable) }
    }
}

impl ScalarUDFImpl for SketchScalar {
    fn name(&self) -> &str {
        match self.question {
            Question::DdSketchQuantile => "ddsketch_quantile",
            Question::DdSketchQuantiles => "ddsketch_quantiles",
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
            Question::DdSketchQuantiles => DataType::new_list(DataType::Float64, true),
            Question::DdSketchCount | Question::HllEstimate => DataType::Int64,
        })
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let columns = ColumnarValue::values_to_arrays(&args.args)?;
        let answer: ArrayRef = match (self.question, columns.as_slice()) {
            (Question::DdSketchQuantile, [sketches, ranks]) => Arc::new(quantiles(sketches, ranks)?),
            (Question::DdSketchQuantiles, [sketches, ranks]) => Arc::new(lists(sketches, ranks)?),
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

/// A list for each sketch, of as many values as it is asked for.
fn lists(sketches: &ArrayRef, ranks: &ArrayRef) -> Result<ListArray> {
    let (sketches, ranks) = (as_binary_array(sketches)?, as_list_array(ranks)?);
    let mut answers = ListBuilder::new(Float64Builder::with_capacity(sketches.len()));
    // Room for bins that serves all of them.
    let mut sketch = DdSketch::default();
    for row in 0..sketches.len() {
        if sketches.is_null(row) || ranks.is_null(row) {
            answers.append(false);
            continue;
        }
        sketch.read(sketches.value(row)).map_err(external)?;
        let asked = ranks.value(row);
        for rank in asked.as_primitive::<Float64Type>() {
            answers.values().append_option(rank.and_then(|rank| sketch.quantile(rank)));
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
