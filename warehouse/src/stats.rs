//! Delta's statistics JSON of one file: written from the Parquet footer, read back for skipping files.

mod bounds;

use std::collections::BTreeMap;

use arrow::array::{Array, UInt64Array};
use arrow::datatypes::{DataType, Date32Type, Schema, TimeUnit};
use chrono::{DateTime, NaiveDate, SecondsFormat};
use datafusion::common::stats::Precision;
use datafusion::common::{ColumnStatistics, ScalarValue, Statistics};
use parquet::arrow::arrow_reader::statistics::StatisticsConverter;
use parquet::errors::ParquetError;
use parquet::file::metadata::ParquetMetaData;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

pub use bounds::{Between, Bounds};

/// Longer strings are cut, as other Delta writers do.
const STRING_PREFIX: usize = 32;
/// Sorts after every character, so a cut maximum with it is still a maximum.
const LAST_CHARACTER: char = '\u{10FFFF}';

#[derive(Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
struct Json {
    num_records: i64,
    #[serde(default)]
    min_values: Map<String, Value>,
    #[serde(default)]
    max_values: Map<String, Value>,
    #[serde(default)]
    null_count: BTreeMap<String, Value>,
}

/// Statistics of a file just written, for the named columns.
pub(crate) fn from_footer(
    footer: &ParquetMetaData,
    schema: &Schema,
    columns: &[&str],
) -> Result<String, ParquetError> {
    let groups = footer.row_groups();
    let mut stats = Json {
        num_records: footer.file_metadata().num_rows(),
        min_values: Map::new(),
        max_values: Map::new(),
        null_count: BTreeMap::new(),
    };
    for column in columns {
        let converter = StatisticsConverter::try_new(column, schema, footer.file_metadata().schema_descr())?;
        let minimum = extreme(&*converter.row_group_mins(groups)?, std::cmp::Ordering::Less);
        let maximum = extreme(&*converter.row_group_maxes(groups)?, std::cmp::Ordering::Greater);
        if let Some(value) = minimum.as_ref().and_then(|value| to_json(value, false)) {
            stats.min_values.insert((*column).to_owned(), value);
        }
        if let Some(value) = maximum.as_ref().and_then(|value| to_json(value, true)) {
            stats.max_values.insert((*column).to_owned(), value);
        }
        let nulls: UInt64Array = converter.row_group_null_counts(groups)?;
        if nulls.null_count() == 0 {
            stats.null_count.insert((*column).to_owned(), json!(nulls.iter().flatten().sum::<u64>()));
        }
    }
    serde_json::to_string(&stats).map_err(|error| ParquetError::External(Box::new(error)))
}

/// None when a row group does not tell (a null there may be "no value" or "no statistics").
fn extreme(groups: &dyn Array, wanted: std::cmp::Ordering) -> Option<ScalarValue> {
    let mut best: Option<ScalarValue> = None;
    for row in 0..groups.len() {
        if groups.is_null(row) {
            continue;
        }
        let value = ScalarValue::try_from_array(groups, row).ok()?;
        if best.as_ref().is_none_or(|best| value.partial_cmp(best) == Some(wanted)) {
            best = Some(value);
        }
    }
    best
}

fn to_json(value: &ScalarValue, is_maximum: bool) -> Option<Value> {
    Some(match value {
        ScalarValue::Int16(Some(v)) => json!(v),
        ScalarValue::Int32(Some(v)) => json!(v),
        ScalarValue::Int64(Some(v)) => json!(v),
        ScalarValue::Utf8(Some(v)) => json!(cut(v, is_maximum)?),
        ScalarValue::Date32(Some(days)) => json!(date_text(*days)?),
        ScalarValue::TimestampMicrosecond(Some(v), _) => {
            json!(DateTime::from_timestamp_micros(*v)?.to_rfc3339_opts(SecondsFormat::Micros, true))
        }
        _ => return None,
    })
}

/// None: no short text bounds a maximum that goes on with the last character.
fn cut(text: &str, is_maximum: bool) -> Option<String> {
    let Some((end, next)) = text.char_indices().nth(STRING_PREFIX) else {
        return Some(text.to_owned());
    };
    let mut prefix = text[..end].to_owned();
    if is_maximum {
        if next == LAST_CHARACTER {
            return None;
        }
        prefix.push(LAST_CHARACTER);
    }
    Some(prefix)
}

/// Bounds per column of `schema`, marked exact so that a pruning predicate uses them; a column without
/// statistics has a null bound ("unknown"). They are bounds, not values: never give them to a plan.
pub(crate) fn to_bounds(text: Option<&str>, rows: usize, schema: &Schema) -> Statistics {
    let json: Json = text.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
    let column_statistics = schema
        .fields()
        .iter()
        .map(|field| {
            let bound = |values: &Map<String, Value>| {
                let found = values.get(field.name()).and_then(|value| from_json(value, field.data_type()));
                match found.map_or_else(|| ScalarValue::try_from(field.data_type()), Ok) {
                    Ok(value) => Precision::Exact(value),
                    Err(_) => Precision::Absent,
                }
            };
            let nulls = json.null_count.get(field.name()).and_then(Value::as_u64);
            ColumnStatistics {
                min_value: bound(&json.min_values),
                max_value: bound(&json.max_values),
                null_count: nulls
                    .and_then(|n| usize::try_from(n).ok())
                    .map_or(Precision::Absent, Precision::Exact),
                ..ColumnStatistics::new_unknown()
            }
        })
        .collect();
    Statistics { num_rows: Precision::Exact(rows), total_byte_size: Precision::Absent, column_statistics }
}

fn from_json(value: &Value, data_type: &DataType) -> Option<ScalarValue> {
    Some(match data_type {
        DataType::Int16 => ScalarValue::Int16(Some(value.as_i64()?.try_into().ok()?)),
        DataType::Int32 => ScalarValue::Int32(Some(value.as_i64()?.try_into().ok()?)),
        DataType::Int64 => ScalarValue::Int64(Some(value.as_i64()?)),
        DataType::Utf8 => ScalarValue::Utf8(Some(value.as_str()?.to_owned())),
        DataType::Date32 => partition_scalar(Some(value.as_str()?), data_type)?,
        DataType::Timestamp(TimeUnit::Microsecond, zone) => {
            let instant = DateTime::parse_from_rfc3339(value.as_str()?).ok()?;
            ScalarValue::TimestampMicrosecond(Some(instant.timestamp_micros()), zone.clone())
        }
        _ => return None,
    })
}

/// A partition value as Delta writes it. None: it is not of the column's type.
pub(crate) fn partition_scalar(text: Option<&str>, data_type: &DataType) -> Option<ScalarValue> {
    let Some(text) = text.filter(|text| !text.is_empty()) else {
        return ScalarValue::try_from(data_type).ok();
    };
    match data_type {
        DataType::Date32 => {
            let date = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?;
            Some(ScalarValue::Date32(Some(Date32Type::from_naive_date(date))))
        }
        _ => None,
    }
}

/// `YYYY-MM-DD` of a day number. None: out of the calendar.
pub(crate) fn date_text(days: i32) -> Option<String> {
    let date = NaiveDate::default().checked_add_signed(chrono::TimeDelta::days(i64::from(days)))?;
    Some(date.format("%Y-%m-%d").to_string())
}

/// The bounds of files together, for a plan over all columns of `schema`: counts are exact, bounds only inexact (strings
/// are cut). `at`: place in `schema` of each column that has bounds.
pub(crate) fn to_plan(files: &[&Statistics], schema: &Schema, at: &[usize]) -> Statistics {
    let mut merged = Statistics::new_unknown(schema);
    merged.num_rows = files.iter().fold(Precision::Exact(0), |rows, file| rows.add(&file.num_rows));
    for (column, place) in at.iter().enumerate() {
        let columns = files.iter().filter_map(|file| file.column_statistics.get(column)).map(soften);
        let together = columns.reduce(|all, one| ColumnStatistics {
            min_value: all.min_value.min(&one.min_value),
            max_value: all.max_value.max(&one.max_value),
            null_count: all.null_count.add(&one.null_count),
            ..ColumnStatistics::new_unknown()
        });
        if let (Some(together), Some(slot)) = (together, merged.column_statistics.get_mut(*place)) {
            *slot = together;
        }
    }
    merged
}

fn soften(bounds: &ColumnStatistics) -> ColumnStatistics {
    let bound = |value: &Precision<ScalarValue>| match value {
        Precision::Exact(value) if !value.is_null() => Precision::Inexact(value.clone()),
        _ => Precision::Absent,
    };
    ColumnStatistics {
        min_value: bound(&bounds.min_value),
        max_value: bound(&bounds.max_value),
        null_count: bounds.null_count,
        ..ColumnStatistics::new_unknown()
    }
}
