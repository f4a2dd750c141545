//! Rows of one family at one grain: merged to coarser grains, and given out as rows of a table.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, AsArray, BinaryArray, Date32Array, RecordBatch, TimestampMicrosecondArray, UInt32Array,
};
use arrow::compute::take;
use bellwether_warehouse::TableId;
use datafusion::common::{Result, internal_err};
use datafusion::logical_expr::{EmitTo, GroupsAccumulator};

use super::sums::Sums;
use crate::keys::{Key, Names};

/// A sketch column by name, and what merges its bytes.
pub(super) type Sketch = (&'static str, fn() -> Box<dyn GroupsAccumulator>);

/// At most one entry a key; `keys`, `sums` and the sketches run in parallel.
pub(super) struct Part<S> {
    pub names: Names,
    pub keys: Vec<Key>,
    pub sums: Vec<S>,
    pub sketches: Vec<BinaryArray>,
    pub kinds: &'static [Sketch],
}

impl<S: Sums> Part<S> {
    /// The same with other keys, sorted by them; what gets one key is merged, what gets none is left out,
    /// and so is what is no row of the table.
    pub(super) fn regroup(&self, names: Names, to: impl Fn(Key) -> Option<Key>) -> Result<Self> {
        let mut order: Vec<(Key, u32)> = Vec::with_capacity(self.keys.len());
        for ((at, key), sums) in (0_u32..).zip(&self.keys).zip(&self.sums) {
            if let Some(key) = to(*key).filter(|_| sums.is_row()) {
                order.push((key, at));
            }
        }
        order.sort_unstable();
        let mut keys: Vec<Key> = Vec::new();
        let mut sums: Vec<S> = Vec::new();
        let mut groups = Vec::with_capacity(order.len());
        for (key, at) in &order {
            let own = &self.sums[*at as usize];
            match (keys.last(), sums.last_mut()) {
                (Some(last), Some(sum)) if last == key => sum.add(own),
                _ => {
                    keys.push(*key);
                    sums.push(*own);
                }
            }
            groups.push(keys.len() - 1);
        }
        let sources = UInt32Array::from_iter_values(order.iter().map(|(_, at)| *at));
        let mut sketches = Vec::new();
        for (bytes, (_, merger)) in self.sketches.iter().zip(self.kinds) {
            let sorted = take(bytes, &sources, None)?;
            // Nothing to merge: the bytes are what merging them would give.
            let merged = match keys.len() == order.len() {
                true => sorted,
                false => {
                    let mut merger = merger();
                    merger.merge_batch(&[sorted], &groups, keys.len())?;
                    merger.evaluate(EmitTo::All)?
                }
            };
            sketches.push(merged.as_binary().clone());
        }
        Ok(Self { names, keys, sums, sketches, kinds: self.kinds })
    }

    pub(super) fn to_rows(&self, table: TableId) -> Result<RecordBatch> {
        let schema = table.schema();
        let ranks = UInt32Array::from_iter_values(self.keys.iter().map(|key| key.1));
        let mut columns: Vec<ArrayRef> = Vec::with_capacity(schema.fields().len());
        for field in schema.fields() {
            let name = field.name().as_str();
            let column: ArrayRef = match name {
                "date" => Arc::new(Date32Array::from_iter_values(self.keys.iter().map(|k| k.0.day_number()))),
                "hour" | "bucket_at" => {
                    let starts = self.keys.iter().map(|key| key.0.start_us());
                    Arc::new(TimestampMicrosecondArray::from_iter_values(starts).with_timezone("UTC"))
                }
                _ => {
                    if let Some(names) = self.names.column(name, &ranks) {
                        names?
                    } else if let Some(sums) = S::column(&self.sums, name) {
                        sums
                    } else if let Some(at) = self.kinds.iter().position(|kind| kind.0 == name) {
                        Arc::new(self.sketches[at].clone())
                    } else {
                        return internal_err!("nothing is counted for `{name}` of `{}`", table.name());
                    }
                }
            };
            columns.push(column);
        }
        Ok(RecordBatch::try_new(schema, columns)?)
    }
}
