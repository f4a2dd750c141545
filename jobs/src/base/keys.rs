//! Keys as small numbers: a bucket of time and an endpoint.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, UInt32Array};
use arrow::compute::{SortColumn, SortOptions, lexsort_to_indices, take};
use arrow::datatypes::{DataType, Field, Schema};
use datafusion::common::Result;
use datafusion::logical_expr::EmitTo;
use datafusion::physical_plan::aggregates::group_values::{GroupValues, new_group_values};
use datafusion::physical_plan::aggregates::order::GroupOrdering;

use super::input::KEYS;

/// Length of the finest bucket; all others are multiples.
const FINEST_US: i64 = 300_000_000;
const PER_HOUR: i64 = 12;
const PER_DAY: i64 = 24 * PER_HOUR;

/// Start of a bucket in units of the finest, since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Bucket(i32);

impl Bucket {
    /// The five minutes that hold an instant. Instants outside some 20,000 years end at the edge.
    #[inline]
    pub(super) fn of(instant_us: i64) -> Self {
        let at = instant_us.div_euclid(FINEST_US);
        Self(i32::try_from(at).unwrap_or(if at < 0 { i32::MIN / 2 } else { i32::MAX / 2 }))
    }

    #[inline]
    pub(super) fn hour(self) -> Self {
        Self(self.0 - self.0.rem_euclid(PER_HOUR as i32))
    }

    #[inline]
    pub(super) fn date(self) -> Self {
        Self(self.0 - self.0.rem_euclid(PER_DAY as i32))
    }

    /// Days since 1970.
    #[inline]
    pub(super) fn day_number(self) -> i32 {
        self.0.div_euclid(PER_DAY as i32)
    }

    pub(super) fn start_us(self) -> i64 {
        i64::from(self.0) * FINEST_US
    }
}

/// Number of an endpoint (or, coarser, of what usage is counted by), in the sort order of its names.
pub(super) type Rank = u32;

/// Bucket and endpoint; ordered as the rows of a table are.
pub(super) type Key = (Bucket, Rank);

/// Numbers keys as they come.
pub(super) struct Interner {
    endpoints: Box<dyn GroupValues>,
    endpoint_of_row: Vec<usize>,
    groups: HashMap<(Bucket, u32), usize, BuildHasherDefault<Mixer>>,
    keys: Vec<(Bucket, u32)>,
}

impl Interner {
    pub(super) fn new() -> Result<Self> {
        let fields = KEYS.map(|name| Field::new(name, DataType::Utf8, true));
        let endpoints = new_group_values(Arc::new(Schema::new(fields.to_vec())), &GroupOrdering::None)?;
        Ok(Self { endpoints, endpoint_of_row: Vec::new(), groups: HashMap::default(), keys: Vec::new() })
    }

    pub(super) fn len(&self) -> usize {
        self.keys.len()
    }

    /// Puts the group of each row into `groups`.
    pub(super) fn intern(
        &mut self,
        endpoints: &[ArrayRef],
        buckets: impl Iterator<Item = Bucket>,
        groups: &mut Vec<usize>,
    ) -> Result<()> {
        self.endpoints.intern(endpoints, &mut self.endpoint_of_row)?;
        groups.clear();
        for (bucket, endpoint) in buckets.zip(&self.endpoint_of_row) {
            let key = (bucket, *endpoint as u32);
            let next = self.keys.len();
            let group = *self.groups.entry(key).or_insert(next);
            if group == next {
                self.keys.push(key);
            }
            groups.push(group);
        }
        Ok(())
    }

    /// The key of each group, and the names behind the ranks.
    pub(super) fn finish(mut self) -> Result<(Vec<Key>, Names)> {
        let columns = self.endpoints.emit(EmitTo::All)?;
        // As the tables are sorted: text by its bytes, unknown last.
        let options = Some(SortOptions { descending: false, nulls_first: false });
        let by_name: Vec<SortColumn> =
            columns.iter().map(|column| SortColumn { values: Arc::clone(column), options }).collect();
        let sorted = lexsort_to_indices(&by_name, None)?;
        let mut rank_of = vec![0; sorted.len()];
        for (rank, endpoint) in (0_u32..).zip(sorted.values()) {
            rank_of[*endpoint as usize] = rank;
        }
        let columns = columns.iter().map(|column| take(column, &sorted, None)).collect::<Result<_, _>>()?;
        let keys =
            self.keys.iter().map(|(bucket, endpoint)| (*bucket, rank_of[*endpoint as usize])).collect();
        Ok((keys, Names { columns }))
    }
}

/// Columns of the endpoints' keys by rank.
#[derive(Clone, Debug)]
pub(super) struct Names {
    columns: Vec<ArrayRef>,
}

impl Names {
    pub(super) fn column(&self, name: &str, ranks: &UInt32Array) -> Option<Result<ArrayRef>> {
        let at = KEYS.iter().position(|key| *key == name)?;
        let column = self.columns.get(at)?;
        Some(take(column, ranks, None).map_err(Into::into))
    }

    /// The names without endpoint and region, and the rank there of each rank here. Sorted names stay
    /// sorted when their last columns go.
    pub(super) fn without_endpoint(&self) -> Result<(Self, Vec<Rank>)> {
        let columns = &self.columns[..4];
        let partition = arrow::compute::partition(columns)?;
        let mut coarser = Vec::with_capacity(columns.first().map_or(0, |column| column.len()));
        let mut first = Vec::new();
        for (rank, range) in (0_u32..).zip(partition.ranges()) {
            first.push(range.start as u32);
            coarser.resize(range.end, rank);
        }
        let first = UInt32Array::from(first);
        let columns = columns.iter().map(|column| take(column, &first, None)).collect::<Result<_, _>>()?;
        Ok((Self { columns }, coarser))
    }
}

/// Spreads two small numbers; the keys are ours, so nobody aims at it.
#[derive(Default)]
struct Mixer(u64);

impl Hasher for Mixer {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.write_u64(u64::from(*byte)));
    }

    fn write_i32(&mut self, value: i32) {
        self.write_u64(u64::from(value as u32));
    }

    fn write_u32(&mut self, value: u32) {
        self.write_u64(u64::from(value));
    }

    fn write_u64(&mut self, value: u64) {
        let mixed = (self.0.rotate_left(29) ^ value).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        self.0 = mixed ^ (mixed >> 32);
    }
}
