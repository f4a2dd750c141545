//! `ddsketch_quantile`, `ddsketch_count`, `hll_estimate`: what a stored sketch answers. NULL in, NULL out.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, Float64Array, Int64Array};
use arrow::datatypes::DataType;
use datafusion::common::cast::{as_binary_array, as_float64_array};
use datafusion::common::{DataFusionError, Result, internal_err};
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility};

use crate::sketches::ddsketch::DdSketch;
use crate::sketches::hll::Hll;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Question {
    DdSketchQuantile,
    DdSketchCount,
    HllEstimate,
}

impl Question {
    pub(super) const ALL: [Self; 3] = [Self::DdSketchQuantile, Self::DdSketchCount, Self::HllEstimate];
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
            Question::DdSketchCount | Question::HllEstimate => vec![DataType::Binary],
        };
        Self { question, signature: Signature::exact(arguments, Volatility::Immutable) }
    }
}

impl ScalarUDFImpl for SketchScalar {
    fn name(&self) -> &str {
        match self.question {
            Question::DdSketchQuantile => "ddsketch_quantile",
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
            Question::DdSketchCount | Question::HllEstimate => DataType::Int64,
        })
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let columns = ColumnarValue::values_to_arrays(&args.args)?;
        let answer: ArrayRef = match (self.question, columns.as_slice()) {
            (Question::DdSketchQuantile, [sketches, ranks]) => Arc::new(quantiles(sketches, ranks)?),
            (Question::DdSketchCount, [sketches]) => Arc::new(integers(sketches, |bytes| {
                let sketch = DdSketch::from_bytes(bytes).map_err(external)?;
                Ok(i64::try_from(sketch.count()).unwrap_or(i64::MAX))
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

fn integers(sketches: &ArrayRef, ask: impl Fn(&[u8]) -> Result<i64>) -> Result<Int64Array> {
    as_binary_array(sketches)?.iter().map(|bytes| bytes.map(&ask).transpose()).collect()
}

fn external(error: impl std::error::Error + Send + Sync + 'static) -> DataFusionError {
    DataFusionError::External(Box::new(error))
}
