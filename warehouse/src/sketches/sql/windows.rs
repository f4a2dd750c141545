//! `hll_windows(users, date, end_dates, window_days, steps)`: distinct users of windows of days, estimated, as a list of
//! (end_date, window_days, step, users). One that ends with each of the dates, of each of the lengths, is step 0; steps 1 and
//! on are the equal ones right before it, under the same date. Windows without any user are left out. The last three are the same in all rows.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, BinaryArray, Date32Array, Int64Array, ListArray, StructArray};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{DataType, Field, FieldRef, Fields};
use datafusion::common::cast::{as_binary_array, as_date32_array, as_int64_array, as_list_array};
use datafusion::common::{DataFusionError, Result, ScalarValue, exec_err, plan_err};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::{AggregateOrderSensitivity, format_state_name};
use datafusion::logical_expr::{Accumulator, AggregateUDFImpl, Signature, Volatility};

use crate::sketches::hll::Windows;

#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct HllWindows {
    signature: Signature,
}

impl HllWindows {
    pub(super) fn new() -> Self {
        Self { signature: Signature::user_defined(Volatility::Immutable) }
    }
}

fn window_fields() -> Fields {
    let field = |name: &str, of: DataType| Field::new(name, of, false);
    Fields::from(vec![
        field("end_date", DataType::Date32),
        field("window_days", DataType::Int64),
        field("step", DataType::Int64),
        field("users", DataType::Int64),
    ])
}

fn item() -> FieldRef {
    Arc::new(Field::new_list_field(DataType::Struct(window_fields()), true))
}

impl AggregateUDFImpl for HllWindows {
    fn name(&self) -> &str {
        "hll_windows"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, arg_types: &[DataType]) -> Result<Vec<DataType>> {
        if arg_types.len() != 5 {
            return plan_err!(
                "`hll_windows` takes a sketch, a date, a list of dates, a list of lengths in days and a number of steps, not {} arguments",
                arg_types.len()
            );
        }
        Ok(vec![
            DataType::Binary,
            DataType::Date32,
            DataType::new_list(DataType::Date32, true),
            DataType::new_list(DataType::Int64, true),
            DataType::Int64,
        ])
    }

    fn return_type(&self, _arg_types: &[DataType]) -> Result<DataType> {
        Ok(DataType::List(item()))
    }

    fn accumulator(&self, _args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        Ok(Box::new(Found::default()))
    }

    fn state_fields(&self, args: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        let field = |name: &str, of| Arc::new(Field::new(format_state_name(args.name, name), of, true));
        Ok(vec![
            field("end_dates", DataType::new_list(DataType::Date32, true)),
            field("window_days", DataType::new_list(DataType::Int64, true)),
            field("steps", DataType::Int64),
            field("days", DataType::new_list(DataType::Date32, true)),
            field("sketches", DataType::new_list(DataType::Binary, true)),
        ])
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        AggregateOrderSensitivity::Insensitive
    }
}

/// Of one group.
#[derive(Debug, Default)]
struct Found {
    asked: Option<Asked>,
    windows: Windows,
}

#[derive(Debug)]
struct Asked {
    ends: Vec<i32>,
    lengths: Vec<i64>,
    steps: i64,
}

impl Found {
    /// Takes what is asked for from the first row.
    fn begin(&mut self, ends: &ArrayRef, lengths: &ArrayRef, steps: &ArrayRef) -> Result<()> {
        if self.asked.is_some() || ends.is_empty() {
            return Ok(());
        }
        let (ends, lengths, steps) = (as_list_array(ends)?, as_list_array(lengths)?, as_int64_array(steps)?);
        if ends.is_null(0) || lengths.is_null(0) || steps.is_null(0) {
            return exec_err!("`hll_windows` has to be told the ends, the lengths and the number of windows");
        }
        let (ends, lengths) = (ends.value(0), lengths.value(0));
        let ends: Vec<i32> = as_date32_array(&ends)?.iter().flatten().collect();
        let lengths: Vec<i64> = as_int64_array(&lengths)?.iter().flatten().collect();
        // What is longer than numbers of days go begins with no day.
        let days: Vec<i32> = lengths.iter().filter_map(|days| i32::try_from(*days).ok()).collect();
        self.windows = Windows::new(&ends, &days, steps.value(0));
        self.asked = Some(Asked { ends, lengths, steps: steps.value(0) });
        Ok(())
    }

    fn add(&mut self, days: &Date32Array, sketches: &BinaryArray) -> Result<()> {
        for (day, sketch) in days.iter().zip(sketches) {
            if let (Some(day), Some(sketch)) = (day, sketch) {
                self.windows.add(day, sketch).map_err(|error| DataFusionError::External(Box::new(error)))?;
            }
        }
        Ok(())
    }
}

impl Accumulator for Found {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let [sketches, days, ends, lengths, steps] = values else {
            return datafusion::common::internal_err!("`hll_windows` got {} arguments", values.len());
        };
        self.begin(ends, lengths, steps)?;
        self.add(as_date32_array(days)?, as_binary_array(sketches)?)
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        let found: Vec<_> = self.windows.estimates().collect();
        let whole = |value: fn(&(crate::sketches::hll::Window, f64)) -> i64| -> ArrayRef {
            Arc::new(found.iter().map(|found| Some(value(found))).collect::<Int64Array>())
        };
        let columns: Vec<ArrayRef> = vec![
            Arc::new(found.iter().map(|(window, _)| Some(window.asked_end)).collect::<Date32Array>()),
            whole(|(window, _)| i64::from(window.days)),
            whole(|(window, _)| window.step),
            // A float casts to the nearest integer in range.
            whole(|(_, estimate)| estimate.round() as i64),
        ];
        let rows = StructArray::try_new(window_fields(), columns, None)?;
        Ok(ScalarValue::List(Arc::new(one(item(), Arc::new(rows))?)))
    }

    fn size(&self) -> usize {
        let asked = self.asked.as_ref().map_or(0, |asked| {
            asked.ends.capacity() * size_of::<i32>() + asked.lengths.capacity() * size_of::<i64>()
        });
        size_of::<Self>() + asked + self.windows.held_bytes()
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let list = |of: DataType, values: ArrayRef| -> Result<ScalarValue> {
            Ok(ScalarValue::List(Arc::new(one(Arc::new(Field::new_list_field(of, true)), values)?)))
        };
        let asked = self.asked.as_ref();
        let ends = asked.map_or(Vec::new(), |asked| asked.ends.clone());
        let lengths = asked.map_or(Vec::new(), |asked| asked.lengths.clone());
        let (days, sketches): (Vec<i32>, Vec<Vec<u8>>) = self.windows.sketches().unzip();
        Ok(vec![
            list(DataType::Date32, Arc::new(Date32Array::from(ends)))?,
            list(DataType::Int64, Arc::new(Int64Array::from(lengths)))?,
            ScalarValue::Int64(asked.map(|asked| asked.steps)),
            list(DataType::Date32, Arc::new(Date32Array::from(days)))?,
            list(DataType::Binary, Arc::new(BinaryArray::from_iter_values(sketches)))?,
        ])
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let [ends, lengths, steps, days, sketches] = states else {
            return datafusion::common::internal_err!("`hll_windows` got {} states", states.len());
        };
        let (days, sketches) = (as_list_array(days)?, as_list_array(sketches)?);
        for row in (0..steps.len()).filter(|row| steps.is_valid(*row)) {
            self.begin(&ends.slice(row, 1), &lengths.slice(row, 1), &steps.slice(row, 1))?;
            self.add(as_date32_array(&days.value(row))?, as_binary_array(&sketches.value(row))?)?;
        }
        Ok(())
    }
}

/// A list of these values.
fn one(item: FieldRef, values: ArrayRef) -> Result<ListArray> {
    Ok(ListArray::try_new(item, OffsetBuffer::from_lengths([values.len()]), values, None)?)
}
