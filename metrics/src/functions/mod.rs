//! Functions that statements of this crate ask beside those of the warehouse: what is said where the truth would say too
//! much, and the instant up to which everything has arrived.

mod percents;

use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, Float64Array, Int64Array};
use arrow::datatypes::{DataType, Date32Type};
use datafusion::common::cast::{as_boolean_array, as_int64_array};
use datafusion::common::{ScalarValue, internal_err};
use datafusion::logical_expr::{ColumnarValue, ScalarUDF, Volatility, create_udf};
use datafusion::prelude::SessionContext;

use crate::Terms;

/// Smallest number that a band begins with; anything below is the band 0.
pub const FIRST_BAND: i64 = 100;

/// Registers `band(n, is_coarse)`, `rate(part, whole, is_coarse)`, those of `percents`, `watermark()`, `today()`, `open_from()`, `has_raw_names()` and
/// `terms_fingerprint()`. Those of the terms are functions beside the columns of `terms`: of a function, a statement knows while it
/// is planned, so that it opens no file in vain. The last is made only where it is asked for.
pub(crate) fn register(ctx: &SessionContext, terms: &Terms) {
    let band = |arguments: &[ColumnarValue]| {
        let columns = ColumnarValue::values_to_arrays(arguments)?;
        let [counts, coarse] = columns.as_slice() else {
            return internal_err!("`band` got {} arguments", columns.len());
        };
        let rows = as_int64_array(counts)?.iter().zip(as_boolean_array(coarse)?);
        let bands: Int64Array = rows
            .map(|(n, coarse)| n.map(|n| if coarse == Some(true) { floor_to_band(n) } else { n }))
            .collect();
        Ok(ColumnarValue::Array(Arc::new(bands) as ArrayRef))
    };
    let rate = |arguments: &[ColumnarValue]| {
        let columns = ColumnarValue::values_to_arrays(arguments)?;
        let [parts, wholes, coarse] = columns.as_slice() else {
            return internal_err!("`rate` got {} arguments", columns.len());
        };
        let (parts, wholes) = (as_int64_array(parts)?, as_int64_array(wholes)?);
        Ok(ColumnarValue::Array(Arc::new(rates(parts, wholes, as_boolean_array(coarse)?)) as ArrayRef))
    };
    let watermark =
        ScalarValue::TimestampMicrosecond(Some(terms.watermark.timestamp_micros()), Some("UTC".into()));
    let date = |date| ScalarValue::Date32(Some(Date32Type::from_naive_date(date)));
    let (today, open_from) = (date(terms.today), date(terms.open_from()));
    let own = terms.clone();
    let fingerprint =
        move |_: &[ColumnarValue]| Ok(ColumnarValue::Scalar(ScalarValue::Utf8(Some(own.fingerprint()))));
    let (count, flag) = (DataType::Int64, DataType::Boolean);
    let functions = [
        create_udf(
            "band",
            vec![count.clone(), flag.clone()],
            count.clone(),
            Volatility::Immutable,
            Arc::new(band),
        ),
        create_udf(
            "rate",
            vec![count.clone(), count, flag],
            DataType::Float64,
            Volatility::Immutable,
            Arc::new(rate),
        ),
        constant("watermark", watermark),
        constant("today", today),
        constant("open_from", open_from),
        constant("has_raw_names", ScalarValue::Boolean(Some(terms.has_raw_names))),
        create_udf("terms_fingerprint", vec![], DataType::Utf8, Volatility::Immutable, Arc::new(fingerprint)),
    ];
    for function in functions.into_iter().chain(percents::functions()) {
        ctx.register_udf(function);
    }
}

fn constant(name: &str, value: ScalarValue) -> ScalarUDF {
    let kind = value.data_type();
    let answer = move |_: &[ColumnarValue]| Ok(ColumnarValue::Scalar(value.clone()));
    create_udf(name, vec![], kind, Volatility::Immutable, Arc::new(answer))
}

/// 0, 100, 1,000, 10,000 and so on: the last that is not above `n`.
fn floor_to_band(n: i64) -> i64 {
    if n < FIRST_BAND {
        return 0;
    }
    let mut band = FIRST_BAND;
    while let Some(next) = band.checked_mul(10).filter(|next| *next <= n) {
        band = next;
    }
    band
}

/// Null without a whole; cut to tenths of a point where coarse, so that a share never reaches the next state, or all, by
/// rounding.
fn rates(parts: &Int64Array, wholes: &Int64Array, coarse: &BooleanArray) -> Float64Array {
    let rate = |((part, whole), coarse): ((Option<i64>, Option<i64>), Option<bool>)| {
        let (part, whole) = (part?, whole.filter(|whole| *whole > 0)?);
        if coarse == Some(true) {
            // Whole numbers: 57 of 100 are 570 thousandths, which 0.57 × 1,000 is not.
            let thousandths = i128::from(part) * 1_000 / i128::from(whole);
            return Some(thousandths as f64 / 1_000.0);
        }
        Some(part as f64 / whole as f64)
    };
    parts.iter().zip(wholes).zip(coarse).map(rate).collect()
}

#[cfg(test)]
mod tests {
    use arrow::array::AsArray;
    use arrow::datatypes::{Float64Type, Int64Type, TimestampMicrosecondType};
    use bellwether_warehouse::session::without_files;
    use chrono::DateTime;

    use super::*;
    use crate::health::testing::terms;

    async fn asked(sql: &str) -> arrow::array::RecordBatch {
        let ctx = without_files(1);
        register(&ctx, &terms());
        let batches = ctx.sql(sql).await.unwrap().collect().await.unwrap();
        arrow::compute::concat_batches(&batches[0].schema(), &batches).unwrap()
    }

    #[tokio::test]
    async fn bands_begin_at_powers_of_ten_from_a_hundred() {
        let found = asked(
            "SELECT band(n, true) AS banded, band(n, false) AS exact FROM (VALUES \
             (0), (99), (100), (999), (1000), (12345), (9223372036854775807), (NULL)) AS t (n)",
        )
        .await;
        let column = |at: usize| found.column(at).as_primitive::<Int64Type>().iter().collect::<Vec<_>>();
        assert_eq!(
            column(0),
            [
                Some(0),
                Some(0),
                Some(100),
                Some(100),
                Some(1_000),
                Some(10_000),
                Some(1_000_000_000_000_000_000),
                None
            ]
        );
        assert_eq!(column(1)[..3], [Some(0), Some(99), Some(100)]);
    }

    #[tokio::test]
    async fn coarse_rates_are_cut_to_tenths_of_a_point() {
        let found = asked(
            "SELECT rate(part, whole, coarse) AS r FROM (VALUES (57, 100, true), (99999, 100000, true), \
             (94999, 100000, true), (1, 3, false), (7, 0, false), (5, 5, true)) AS t (part, whole, coarse)",
        )
        .await;
        let rates: Vec<_> = found.column(0).as_primitive::<Float64Type>().iter().collect();
        assert_eq!(rates, [Some(0.57), Some(0.999), Some(0.949), Some(1.0 / 3.0), None, Some(1.0)]);
    }

    #[tokio::test]
    async fn watermark_and_today_are_known_when_a_statement_is_planned() {
        let found = asked("SELECT watermark() AS at").await;
        let at = found.column(0).as_primitive::<TimestampMicrosecondType>().value(0);
        assert_eq!(DateTime::from_timestamp_micros(at).unwrap().to_rfc3339(), "2026-11-25T12:07:30+00:00");
        let ctx = without_files(1);
        register(&ctx, &terms());
        let sql = "SELECT date_trunc('hour', watermark()) AS at, today() - INTERVAL '1 day' AS date";
        let plan = ctx.sql(sql).await.unwrap();
        let plan = plan.into_optimized_plan().unwrap().to_string();
        assert!(plan.contains("TimestampMicrosecond(1795608000000000"), "{plan}");
        assert!(plan.contains("Date32(\"2026-11-24\")"), "{plan}");
    }
}
