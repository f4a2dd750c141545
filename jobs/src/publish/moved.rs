//! Whether rows of a date are worth replacing: what came late moves most figures a little.

use arrow::array::{Array, ArrayRef, AsArray, Float64Array, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type};
use arrow::error::ArrowError;
use arrow::row::{RowConverter, Rows, SortField};
use bellwether_metrics::Metric;
use bellwether_metrics::revisions::REVISION;
use bellwether_warehouse::tables::declared::{Column, Type, Unit};

use crate::error::Error;

/// Part of a published amount by which it may be off. More: pages of past dates are further from what a rebuild gives; less: few
/// late rows replace everything.
const NEAR: f64 = 0.001;

/// Amounts by which names are ranked.
const RANKED: [&str; 3] = ["tokens", "requests", "spend_usd"];

/// What a difference is a part of.
#[derive(Clone, Copy, Debug)]
enum Measured {
    /// The amount that is published.
    ByItself,
    /// Fixed: of ratios and points, which are parts of something already.
    By(f64),
    /// A difference of amounts of tokens, which may be near 0 itself.
    ByTokens,
}

/// None: a name, a place or another thing that is the same or not.
fn measured(column: &Column) -> Option<Measured> {
    match (column.of, column.unit) {
        (Type::Integer, Unit::Tokens | Unit::Requests | Unit::Attempts | Unit::Users | Unit::Items)
        | (Type::Money, _) => Some(Measured::ByItself),
        (Type::Real, Unit::Ratio) => Some(Measured::By(1.0)),
        (Type::Real, Unit::Points) => Some(Measured::By(100.0)),
        (Type::Real, Unit::Tokens) => Some(Measured::ByTokens),
        (Type::Real, _) => Some(Measured::ByItself),
        _ => None,
    }
}

/// Whether no amount of `new` is further from `published` than a thousandth, and all else is the same but the revision.
pub(super) fn is_near(metric: &Metric, published: &RecordBatch, new: &RecordBatch) -> Result<bool, Error> {
    let near = || -> Result<bool, ArrowError> {
        if published.num_rows() != new.num_rows() {
            return Ok(false);
        }
        let (amounts, names): (Vec<&Column>, Vec<&Column>) =
            metric.table.columns.iter().partition(|column| measured(column).is_some());
        let names: Vec<_> = names.into_iter().filter(|column| column.name != REVISION.name).collect();
        let [one, other] = rows_of(&names, [published, new])?;
        let (order, new_order) = (order(&one), order(&other));
        if order.iter().zip(&new_order).any(|(at, new_at)| one.row(*at) != other.row(*new_at)) {
            return Ok(false);
        }
        // Rankings are made of such rows, and give each name the place that it has by them.
        let has_places = metric.table.columns.iter().any(|column| column.unit == Unit::Rank);
        for column in RANKED.into_iter().filter(|_| !has_places) {
            if places(published, column, &order)? != places(new, column, &new_order)? {
                return Ok(false);
            }
        }
        let tokens = number(published, "tokens")?;
        for column in amounts {
            let Some(measured) = measured(column) else { continue };
            let (Some(before), Some(after)) = (number(published, column.name)?, number(new, column.name)?)
            else {
                return Ok(false);
            };
            let is_near = |(at, new_at): (&usize, &usize)| {
                let (was, is) = (value(&before, *at), value(&after, *new_at));
                let (Some(was), Some(is)) = (was, is) else { return was == is };
                let whole = match measured {
                    Measured::ByItself => was.abs(),
                    // Growth is no part of anything.
                    Measured::By(whole) => whole.max(was.abs()),
                    Measured::ByTokens => {
                        tokens.as_ref().and_then(|all| value(all, *at)).unwrap_or(was).abs()
                    }
                };
                (is - was).abs() <= NEAR * whole
            };
            if !order.iter().zip(&new_order).all(is_near) {
                return Ok(false);
            }
        }
        Ok(true)
    };
    near().map_err(|source| super::failed(source.into()))
}

fn rows_of(columns: &[&Column], batches: [&RecordBatch; 2]) -> Result<[Rows; 2], ArrowError> {
    let fields = columns.iter().map(|column| SortField::new(column.of.data_type()));
    let converter = RowConverter::new(fields.collect())?;
    let rows = |batch: &RecordBatch| {
        let arrays = columns.iter().map(|column| {
            let missing = || ArrowError::SchemaError(format!("there is no column `{}`", column.name));
            batch.column_by_name(column.name).cloned().ok_or_else(missing)
        });
        converter.convert_columns(&arrays.collect::<Result<Vec<ArrayRef>, _>>()?)
    };
    Ok([rows(batches[0])?, rows(batches[1])?])
}

/// Numbers of the rows, sorted.
fn order(rows: &Rows) -> Vec<usize> {
    let mut order: Vec<usize> = (0..rows.num_rows()).collect();
    order.sort_unstable_by(|one, other| rows.row(*one).cmp(&rows.row(*other)));
    order
}

/// Names by the amount that they have, the most first within a dimension; of equal ones the first by name is before. Empty where
/// there is nothing of the kind. `order`: that of the names.
fn places(batch: &RecordBatch, column: &str, order: &[usize]) -> Result<Vec<usize>, ArrowError> {
    let texts = |name: &str| batch.column_by_name(name).and_then(|texts| texts.as_string_opt::<i32>());
    let amounts = number(batch, column)?;
    let (Some(amounts), Some(dimensions), Some(kinds)) = (amounts, texts("dimension"), texts("kind")) else {
        return Ok(Vec::new());
    };
    let is_name = |(_, at): &(usize, &usize)| kinds.value(**at) == "key";
    let named = order.iter().enumerate().filter(is_name);
    let mut places: Vec<(usize, usize)> = named.map(|(name, at)| (name, *at)).collect();
    places.sort_by(|(one, at), (other, other_at)| {
        let amount = |at: usize| value(&amounts, at).unwrap_or(f64::NEG_INFINITY);
        let by_dimension = dimensions.value(*at).cmp(dimensions.value(*other_at));
        by_dimension.then(amount(*other_at).total_cmp(&amount(*at))).then(one.cmp(other))
    });
    Ok(places.into_iter().map(|(name, _)| name).collect())
}

fn number(batch: &RecordBatch, column: &str) -> Result<Option<Float64Array>, ArrowError> {
    let Some(column) = batch.column_by_name(column) else { return Ok(None) };
    let numbers = cast(column, &DataType::Float64)?;
    Ok(numbers.as_primitive_opt::<Float64Type>().cloned())
}

fn value(numbers: &Float64Array, at: usize) -> Option<f64> {
    numbers.is_valid(at).then(|| numbers.value(at))
}
