//! `is_success(outcome, output_tokens, ttft_ms)`: whether an attempt was served, for statements.

use std::sync::Arc;

use arrow::array::BooleanArray;
use arrow::datatypes::DataType;
use datafusion::common::cast::{as_int64_array, as_string_array};
use datafusion::common::{Result, ScalarValue, internal_err};
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};
use datafusion::prelude::SessionContext;

use super::Outcome;

pub(crate) fn register_functions(ctx: &SessionContext) {
    ctx.register_udf(ScalarUDF::new_from_impl(IsSuccess::new()));
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct IsSuccess {
    signature: Signature,
}

impl IsSuccess {
    fn new() -> Self {
        let arguments = vec![DataType::Utf8, DataType::Int64, DataType::Int64];
        Self { signature: Signature::exact(arguments, Volatility::Immutable) }
    }
}

impl ScalarUDFImpl for IsSuccess {
    fn name(&self) -> &str {
        "is_success"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arg_types: &[DataType]) -> Result<DataType> {
        Ok(DataType::Boolean)
    }

    /// NULL for no outcome; a word that is none of the outcomes was no success.
    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let columns = ColumnarValue::values_to_arrays(&args.args)?;
        let [outcomes, tokens, ttft] = columns.as_slice() else {
            return internal_err!("`is_success` got {} arguments", columns.len());
        };
        let rows = as_string_array(outcomes)?.iter().zip(as_int64_array(tokens)?).zip(as_int64_array(ttft)?);
        let answer: BooleanArray = rows
            .map(|((outcome, tokens), ttft)| {
                outcome.map(|word| {
                    Outcome::parse(word).is_some_and(|outcome| outcome.is_success(tokens, ttft.is_some()))
                })
            })
            .collect();
        let all_scalar = args.args.iter().all(|arg| matches!(arg, ColumnarValue::Scalar(_)));
        if all_scalar && columns.iter().all(|column| column.len() == 1) {
            return ScalarValue::try_from_array(&answer, 0).map(ColumnarValue::Scalar);
        }
        Ok(ColumnarValue::Array(Arc::new(answer)))
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::AsArray;

    use crate::session::without_files;

    #[tokio::test]
    async fn statements_ask_the_same_rule() {
        let sql = "SELECT is_success(outcome, tokens, ttft) AS served FROM (VALUES \
                   ('ok', NULL, NULL), ('cancelled', 1, NULL), ('cancelled', 0, NULL), ('cancelled', NULL, 0), \
                   ('fault', 7, 7), ('lost', 7, 7), (NULL, 7, 7)) AS t (outcome, tokens, ttft)";
        let batches = without_files(1).sql(sql).await.unwrap().collect().await.unwrap();
        let served: Vec<Option<bool>> =
            batches.iter().flat_map(|b| b.column(0).as_boolean().iter()).collect();
        let yes = Some(true);
        let no = Some(false);
        assert_eq!(served, [yes, yes, no, yes, no, no, None]);
        let plain = "SELECT is_success('cancelled', 0, 12) AND NOT is_success('cancelled', 0, NULL) \
                     AND is_success('ok', NULL, arrow_cast(7, 'Int32'))";
        let answer = without_files(1).sql(plain).await.unwrap().collect().await.unwrap();
        assert!(answer[0].column(0).as_boolean().value(0));
    }
}
