//! The columns of `attempts` that rollups are made of, and one row of them.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, ArrowPrimitiveType, AsArray, BooleanArray, Decimal128Array, Int32Array, Int64Array,
    PrimitiveArray, RecordBatch, TimestampMicrosecondArray,
};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int32Type, TimestampMicrosecondType};
use bellwether_warehouse::tables::attempts::{ErrorClass, FinishReason, Outcome};
use bellwether_warehouse::tables::rollup::{Family, Key};
use datafusion::common::{Result, internal_datafusion_err};

use super::context;

macro_rules! inputs {
    (
        words { $($word:ident: $list:ident;)+ }
        values { $($column:ident: $array:ty as $value:ty, $get:ident;)+ }
    ) => {
        /// Columns of one batch.
        pub(super) struct Input {
            batch: RecordBatch,
            started_at: TimestampMicrosecondArray,
            $($word: Words<$list>,)+
            $($column: $array,)+
        }

        /// One attempt; words outside their closed lists are no error, they count nowhere.
        #[derive(Clone, Copy)]
        pub(super) struct Attempt {
            $(pub $word: Option<$list>,)+
            $(pub $column: Option<$value>,)+
        }

        /// Columns that are read beside the keys.
        const COLUMNS: &[&str] = &["started_at", $(stringify!($word),)+ $(stringify!($column),)+];

        impl Input {
            pub(super) fn new(batch: &RecordBatch) -> Result<Self> {
                let batch = with_lists(batch)?;
                let column = |name: &str| {
                    let column = batch.column_by_name(name);
                    column.cloned().ok_or_else(|| internal_datafusion_err!("`attempts` has no column `{name}`"))
                };
                let wrong = |name: &str| internal_datafusion_err!("`{name}` of `attempts` has another type");
                Ok(Self {
                    started_at: column("started_at")?
                        .as_primitive_opt::<TimestampMicrosecondType>()
                        .cloned()
                        .ok_or_else(|| wrong("started_at"))?,
                    $($word: Words::of(&column(stringify!($word))?, $list::parse)
                        .ok_or_else(|| wrong(stringify!($word)))?,)+
                    $($column: column(stringify!($column))?
                        .as_any()
                        .downcast_ref::<$array>()
                        .cloned()
                        .ok_or_else(|| wrong(stringify!($column)))?,)+
                    batch,
                })
            }

            #[inline]
            fn row(&self, at: usize) -> Attempt {
                Attempt {
                    $($word: self.$word.at(at),)+
                    $($column: $get(&self.$column, at),)+
                }
            }
        }
    };
}

inputs! {
    words {
        outcome: Outcome;
        error_class: ErrorClass;
        finish_reason: FinishReason;
    }
    values {
        gateway_cache_hit: BooleanArray as bool, flag;
        streamed: BooleanArray as bool, flag;
        user_key: Int64Array as i64, number;
        input_tokens: Int64Array as i64, number;
        cached_input_tokens: Int64Array as i64, number;
        cache_write_tokens: Int64Array as i64, number;
        output_tokens: Int64Array as i64, number;
        reasoning_tokens: Int64Array as i64, number;
        billed_output_tokens: Int64Array as i64, number;
        cost_usd: Decimal128Array as i128, number;
        input_images: Int32Array as i32, number;
        input_audio: Int32Array as i32, number;
        input_video: Int32Array as i32, number;
        output_images: Int32Array as i32, number;
        tool_calls: Int32Array as i32, number;
        tool_call_errors: Int32Array as i32, number;
        tools_offered: Int32Array as i32, number;
        web_searches: Int32Array as i32, number;
        structured_requested: BooleanArray as bool, flag;
        structured_valid: BooleanArray as bool, flag;
        refused: BooleanArray as bool, flag;
        overhead_us: Int32Array as i32, number;
        ttft_ms: Int32Array as i32, number;
        duration_ms: Int32Array as i32, number;
    }
}

/// A key that is worked out of another column.
const CONTEXT_BUCKET: &str = "context_bucket";

/// Every column that is read for these families.
pub(super) fn columns(families: &[&Family]) -> Vec<&'static str> {
    let keys = families.iter().flat_map(|family| family.keys).map(|key| key.name);
    let keys = keys.filter(|name| *name != CONTEXT_BUCKET);
    let columns: BTreeSet<&str> = keys.chain(COLUMNS.iter().copied()).collect();
    columns.into_iter().collect()
}

impl Input {
    /// Columns of names, texts as numbers in a list of them.
    pub(super) fn names(&self, keys: &[Key]) -> Result<Vec<ArrayRef>> {
        let column = |key: &Key| match key.name {
            CONTEXT_BUCKET => Some(self.context_buckets()),
            name => self.batch.column_by_name(name).cloned(),
        };
        let named = |key: &Key| {
            column(key).ok_or_else(|| internal_datafusion_err!("`attempts` has no column `{}`", key.name))
        };
        keys.iter().map(named).collect()
    }

    /// Puts every row into `attempts`.
    pub(super) fn rows(&self, attempts: &mut Vec<Attempt>) {
        attempts.clear();
        attempts.extend((0..self.batch.num_rows()).map(|row| self.row(row)));
    }

    fn context_buckets(&self) -> ArrayRef {
        let tokens = (0..self.input_tokens.len()).map(|row| number(&self.input_tokens, row));
        Arc::new(tokens.map(|tokens| tokens.map(context::bucket)).collect::<Int64Array>())
    }

    pub(super) fn started_at(&self) -> &[i64] {
        self.started_at.values()
    }
}

#[inline]
fn number<T: ArrowPrimitiveType>(array: &PrimitiveArray<T>, at: usize) -> Option<T::Native> {
    array.is_valid(at).then(|| array.value(at))
}

#[inline]
fn flag(array: &BooleanArray, at: usize) -> Option<bool> {
    array.is_valid(at).then(|| array.value(at))
}

/// Texts that come as such, as numbers in a list of those that occur.
fn with_lists(batch: &RecordBatch) -> Result<RecordBatch> {
    let is_text = |column: &ArrayRef| *column.data_type() == DataType::Utf8;
    if !batch.columns().iter().any(is_text) {
        return Ok(batch.clone());
    }
    let list = DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8));
    let columns = batch.columns().iter().map(|column| match is_text(column) {
        true => cast(column, &list),
        false => Ok(Arc::clone(column)),
    });
    let columns: Vec<ArrayRef> = columns.collect::<std::result::Result<_, _>>()?;
    let schema = batch.schema();
    let named = schema.fields().iter().zip(columns).map(|(field, column)| (field.name(), column));
    Ok(RecordBatch::try_from_iter(named)?)
}

/// A column of words, each of which is looked up once in their closed list.
struct Words<T> {
    numbers: Int32Array,
    listed: Vec<Option<T>>,
}

impl<T: Copy> Words<T> {
    /// None: these are no texts.
    fn of(column: &ArrayRef, parse: fn(&str) -> Option<T>) -> Option<Self> {
        let column = column.as_dictionary_opt::<Int32Type>()?;
        let texts = column.values().as_string_opt::<i32>()?;
        let listed = texts.iter().map(|text| text.and_then(parse)).collect();
        Some(Self { numbers: column.keys().clone(), listed })
    }

    #[inline]
    fn at(&self, row: usize) -> Option<T> {
        let listed = number(&self.numbers, row)?;
        *self.listed.get(listed as usize)?
    }
}
