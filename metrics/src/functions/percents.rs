//! Amounts that are told to a whole percent of a larger one.

use std::sync::Arc;

use arrow::array::{ArrayRef, Decimal128Array};
use arrow::datatypes::DataType;
use datafusion::common::cast::{as_boolean_array, as_decimal128_array};
use datafusion::common::{DataFusionError, exec_datafusion_err, internal_err};
use datafusion::logical_expr::{ColumnarValue, ScalarUDF, Volatility, create_udf};

/// `in_percents(part, whole, told, is_coarse)` of counts, and `usd_in_percents` of money: where coarse, the whole percents that
/// `part` is of `whole`, as an amount of what is told of the whole; else `part`.
pub(super) fn functions() -> [ScalarUDF; 2] {
    [("in_percents", 0), ("usd_in_percents", 9)].map(|(name, scale)| {
        let amount = DataType::Decimal128(38, scale);
        let told = move |arguments: &[ColumnarValue]| {
            let columns = ColumnarValue::values_to_arrays(arguments)?;
            let told = all_in_percents(&columns)?.with_precision_and_scale(38, scale)?;
            Ok(ColumnarValue::Array(Arc::new(told) as ArrayRef))
        };
        create_udf(
            name,
            vec![amount.clone(), amount.clone(), amount.clone(), DataType::Boolean],
            amount,
            Volatility::Immutable,
            Arc::new(told),
        )
    })
}

fn all_in_percents(columns: &[ArrayRef]) -> Result<Decimal128Array, DataFusionError> {
    let [parts, wholes, told, coarse] = columns else {
        return internal_err!("`in_percents` got {} arguments", columns.len());
    };
    let coarse = as_boolean_array(coarse)?;
    let amounts = as_decimal128_array(parts)?.iter().zip(as_decimal128_array(wholes)?);
    let rows = amounts.zip(as_decimal128_array(told)?).zip(coarse);
    rows.map(|(((part, whole), told), coarse)| {
        if coarse != Some(true) {
            return Ok(part);
        }
        let Some((part, whole)) = part.zip(whole) else { return Ok(None) };
        let Some(told) = told else { return Ok(None) };
        in_percents(part, whole, told)
            .map(Some)
            .ok_or_else(|| exec_datafusion_err!("{part} of {whole} is too much to be told in percents"))
    })
    .collect()
}

/// Halves go up. Of nothing every part is nothing. None: too much for 128 bits.
fn in_percents(part: i128, whole: i128, told: i128) -> Option<i128> {
    if whole == 0 {
        return Some(0);
    }
    let percents = part.checked_mul(200)?.checked_add(whole)?.div_euclid(whole.checked_mul(2)?);
    // The hundredths apart: amounts of money have 38 digits.
    let (hundredth, rest) = (told / 100, told % 100);
    hundredth.checked_mul(percents)?.checked_add(rest.checked_mul(percents)? / 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_percents_are_the_nearest_ones() {
        for (part, whole, told, expected) in [
            (0, 1_000, 1_000, 0),
            (4, 1_000, 1_000, 0),
            (5, 1_000, 1_000, 10),
            (334, 1_000, 1_000, 330),
            (995, 1_000, 1_000, 1_000),
            (7, 7, 1_234, 1_234),
            // A third of what is told of the whole, cut to whole units.
            (1, 3, 1_234, 407),
            (5, 0, 0, 0),
        ] {
            assert_eq!(in_percents(part, whole, told), Some(expected), "{part} of {whole}");
        }
        assert_eq!(in_percents(i128::MAX / 100, i128::MAX, 1), None);
    }
}
