use std::collections::BTreeMap;
use std::fmt::Write as _;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{
    DataType, Date32Type, Decimal128Type, Float64Type, Int64Type, SchemaRef, TimeUnit,
    TimestampMicrosecondType,
};
use chrono::{Days, NaiveDate};
use datafusion::prelude::SessionContext;

use crate::Metric;

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    Null,
    Text(String),
    Flag(bool),
    Integer(i64),
    Real(f64),
    /// 10⁻⁹ USD
    Money(i128),
    Date(NaiveDate),
    /// µs
    Instant(i64),
}

#[derive(Clone, Debug)]
pub(crate) struct Row(BTreeMap<String, Value>);

impl Row {
    pub(crate) fn value(&self, column: &str) -> &Value {
        self.0.get(column).unwrap_or_else(|| panic!("no column {column}"))
    }

    /// None: there is no such column.
    pub(crate) fn get(&self, column: &str) -> Option<&Value> {
        self.0.get(column)
    }

    /// All columns but those that are left out, for comparisons of whole rows.
    pub(crate) fn text_without(&self, is_left_out: impl Fn(&str) -> bool) -> String {
        let mut line = String::new();
        for (column, value) in self.0.iter().filter(|(column, _)| !is_left_out(column)) {
            write!(line, "{column}: {value:?}, ").unwrap();
        }
        line
    }

    pub(crate) fn text(&self, column: &str) -> &str {
        match self.value(column) {
            Value::Text(text) => text,
            Value::Null => "",
            other => panic!("{column} is {other:?}"),
        }
    }

    pub(crate) fn date(&self, column: &str) -> NaiveDate {
        let Value::Date(date) = self.value(column) else { panic!("{column} is no date") };
        *date
    }

    pub(crate) fn flag(&self, column: &str) -> bool {
        matches!(self.value(column), Value::Flag(true))
    }

    /// Null is None.
    pub(crate) fn whole(&self, column: &str) -> Option<i128> {
        match self.value(column) {
            Value::Integer(value) => Some(i128::from(*value)),
            Value::Money(value) => Some(*value),
            Value::Null => None,
            other => panic!("{column} is {other:?}"),
        }
    }

    pub(crate) fn real(&self, column: &str) -> Option<f64> {
        match self.value(column) {
            Value::Real(value) => Some(*value),
            Value::Null => None,
            other => panic!("{column} is {other:?}"),
        }
    }

    /// All values are the same; of reals, but for the order in which they were added up.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        let same = |(a, b): (&Value, &Value)| match (a, b) {
            (Value::Real(a), Value::Real(b)) => (a - b).abs() <= 1e-9 * a.abs().max(b.abs()),
            (a, b) => a == b,
        };
        self.0.len() == other.0.len() && self.0.values().zip(other.0.values()).all(same)
    }

    /// Dimension and key; of one period there is one row of each.
    pub(crate) fn name(&self) -> (String, String, String) {
        (self.text("dimension").to_owned(), self.text("kind").to_owned(), self.text("key").to_owned())
    }
}

/// Computes rows, and lets later statements read them as the table.
pub(crate) async fn publish(
    ctx: &SessionContext,
    metric: &Metric,
    from: NaiveDate,
    to: NaiveDate,
) -> Vec<Row> {
    let batches = metric.rows(ctx, from, to).await.unwrap_or_else(|error| panic!("{error}: {error:?}"));
    let batch = arrow::compute::concat_batches(&metric.table.schema(), &batches).unwrap();
    let found = rows(&batch);
    ctx.deregister_table(metric.table.name).unwrap();
    ctx.register_batch(metric.table.name, batch).unwrap();
    found
}

/// Rows of an answer.
pub(crate) fn of_batches(schema: &SchemaRef, batches: &[RecordBatch]) -> Vec<Row> {
    rows(&arrow::compute::concat_batches(schema, batches).unwrap())
}

fn rows(batch: &RecordBatch) -> Vec<Row> {
    (0..batch.num_rows())
        .map(|row| {
            let value = |at: usize| (batch.schema().field(at).name().clone(), value(batch.column(at), row));
            Row((0..batch.num_columns()).map(value).collect())
        })
        .collect()
}

fn value(column: &dyn Array, row: usize) -> Value {
    if column.is_null(row) {
        return Value::Null;
    }
    match column.data_type() {
        DataType::Utf8 => Value::Text(column.as_string::<i32>().value(row).to_owned()),
        DataType::Boolean => Value::Flag(column.as_boolean().value(row)),
        DataType::Int64 => Value::Integer(column.as_primitive::<Int64Type>().value(row)),
        DataType::Float64 => Value::Real(column.as_primitive::<Float64Type>().value(row)),
        DataType::Decimal128(38, 9) => Value::Money(column.as_primitive::<Decimal128Type>().value(row)),
        DataType::Timestamp(TimeUnit::Microsecond, _) => {
            Value::Instant(column.as_primitive::<TimestampMicrosecondType>().value(row))
        }
        DataType::Date32 => {
            let days = u64::try_from(column.as_primitive::<Date32Type>().value(row)).unwrap();
            Value::Date(NaiveDate::default().checked_add_days(Days::new(days)).unwrap())
        }
        other => panic!("a column is {other}"),
    }
}
