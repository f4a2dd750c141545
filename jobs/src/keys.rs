//! Keys as small numbers: a bucket of time and a tuple of names.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::Arc;

use arrow::array::{ArrayRef, UInt32Array};
use arrow::compute::{SortColumn, SortOptions, lexsort_to_indices, partition, take};
use arrow::datatypes::Schema;
use bellwether_warehouse::tables::rollup::{Grain, Key as Column};
use chrono::NaiveDate;
use datafusion::common::Result;
use datafusion::logical_expr::EmitTo;
use datafusion::physical_plan::aggregates::group_values::{GroupValues, new_group_values};
use datafusion::physical_plan::aggregates::order::GroupOrdering;

/// Length of the finest bucket; all others are multiples.
const FINEST_US: i64 = 300_000_000;
const PER_HOUR: i64 = 12;
const PER_DAY: i64 = 24 * PER_HOUR;

/// Start of a bucket in units of the finest, since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Bucket(i32);

impl Bucket {
    /// The five minutes that hold an instant. Instants outside some 20,000 years end at the edge.
    #[inline]
    pub(crate) fn of(instant_us: i64) -> Self {
        let at = instant_us.div_euclid(FINEST_US);
        Self(i32::try_from(at).unwrap_or(if at < 0 { i32::MIN / 2 } else { i32::MAX / 2 }))
    }

    /// The bucket of a grain that holds one of the finest.
    pub(crate) fn at(grain: Grain) -> fn(Self) -> Self {
        match grain {
            Grain::FiveMinutes => |bucket| bucket,
            Grain::Hour => Self::hour,
            Grain::Day => Self::date,
            Grain::Week => |bucket| bucket.day_of(Grain::Week),
            Grain::Month => |bucket| bucket.day_of(Grain::Month),
        }
    }

    #[inline]
    pub(crate) fn hour(self) -> Self {
        Self(self.0 - self.0.rem_euclid(PER_HOUR as i32))
    }

    #[inline]
    pub(crate) fn date(self) -> Self {
        Self(self.0 - self.0.rem_euclid(PER_DAY as i32))
    }

    /// The first day of the weeks and months that begin on days.
    fn day_of(self, grain: Grain) -> Self {
        let day = self.day_number();
        let first = NaiveDate::from_epoch_days(day).map_or(day, |date| grain.date(date).to_epoch_days());
        Self(first.saturating_mul(PER_DAY as i32))
    }

    /// Days since 1970.
    #[inline]
    pub(crate) fn day_number(self) -> i32 {
        self.0.div_euclid(PER_DAY as i32)
    }

    /// Ordered as buckets are.
    pub(crate) fn ordinal(self) -> u32 {
        self.0.cast_unsigned() ^ (1 << 31)
    }

    pub(crate) fn start_us(self) -> i64 {
        i64::from(self.0) * FINEST_US
    }
}

/// Number of a tuple of names, in their sort order.
pub(crate) type Rank = u32;

/// Bucket and names; ordered as the rows of a table are.
pub(crate) type Key = (Bucket, Rank);

/// Numbers tuples of names as they come.
pub(crate) struct NameInterner {
    columns: &'static [Column],
    names: Box<dyn GroupValues>,
}

impl NameInterner {
    /// `columns` of the tuple.
    pub(crate) fn new(columns: &'static [Column]) -> Result<Self> {
        let fields = columns.iter().map(|column| column.field().with_nullable(true));
        let schema = Schema::new(fields.collect::<Vec<_>>());
        let names = new_group_values(Arc::new(schema), &GroupOrdering::None)?;
        Ok(Self { columns, names })
    }

    /// Bytes held.
    pub(crate) fn size(&self) -> usize {
        self.names.size()
    }

    /// Puts the number of each row into `numbers`.
    pub(crate) fn intern(&mut self, rows: &[ArrayRef], numbers: &mut Vec<usize>) -> Result<()> {
        self.names.intern(rows, numbers)
    }

    /// The names by rank, and the rank of each number.
    pub(crate) fn finish(mut self) -> Result<(Names, Vec<Rank>)> {
        let values = self.names.emit(EmitTo::All)?;
        // As the tables are sorted: text by its bytes, unknown last.
        let options = Some(SortOptions { descending: false, nulls_first: false });
        let by_name: Vec<SortColumn> =
            values.iter().map(|column| SortColumn { values: Arc::clone(column), options }).collect();
        let sorted = lexsort_to_indices(&by_name, None)?;
        let mut rank_of = vec![0; sorted.len()];
        for (rank, number) in (0_u32..).zip(sorted.values()) {
            rank_of[*number as usize] = rank;
        }
        let values = values.iter().map(|column| take(column, &sorted, None)).collect::<Result<_, _>>()?;
        Ok((Names::sorted(self.columns, values), rank_of))
    }
}

/// Tuples of names by rank.
#[derive(Clone, Debug)]
pub(crate) struct Names {
    columns: &'static [Column],
    values: Vec<ArrayRef>,
}

impl Names {
    /// `values`: a column each, of tuples that are sorted.
    pub(crate) fn sorted(columns: &'static [Column], values: Vec<ArrayRef>) -> Self {
        Self { columns, values }
    }

    /// None when the tuples have no such name.
    pub(crate) fn column(&self, name: &str, ranks: &UInt32Array) -> Option<Result<ArrayRef>> {
        let at = self.columns.iter().position(|column| column.name == name)?;
        Some(take(self.values.get(at)?, ranks, None).map_err(Into::into))
    }

    /// The first `count` names of the tuples, and the rank there of each rank here. Sorted tuples stay
    /// sorted when their last names go.
    pub(crate) fn first(&self, count: usize) -> Result<(Self, Vec<Rank>)> {
        let (columns, values) = (&self.columns[..count], &self.values[..count]);
        let partition = partition(values)?;
        let mut coarser = Vec::new();
        let mut starts = Vec::new();
        for (rank, range) in (0_u32..).zip(partition.ranges()) {
            starts.push(range.start as u32);
            coarser.resize(range.end, rank);
        }
        let starts = UInt32Array::from(starts);
        let values = values.iter().map(|column| take(column, &starts, None)).collect::<Result<_, _>>()?;
        Ok((Self { columns, values }, coarser))
    }
}

/// Numbers buckets and numbered names together, as they come.
#[derive(Debug, Default)]
pub(crate) struct Groups {
    groups: HashMap<(Bucket, u32), usize, BuildHasherDefault<Mixer>>,
    keys: Vec<(Bucket, u32)>,
}

impl Groups {
    pub(crate) fn len(&self) -> usize {
        self.keys.len()
    }

    #[inline]
    pub(crate) fn group(&mut self, bucket: Bucket, names: usize) -> usize {
        let key = (bucket, names as u32);
        let next = self.keys.len();
        let group = *self.groups.entry(key).or_insert(next);
        if group == next {
            self.keys.push(key);
        }
        group
    }

    /// The key of each group.
    pub(crate) fn finish(&self, rank_of: &[Rank]) -> Vec<Key> {
        self.keys.iter().map(|(bucket, names)| (*bucket, rank_of[*names as usize])).collect()
    }
}

/// Spreads two small numbers; the keys are ours, so nobody aims at it.
#[derive(Debug, Default)]
pub(crate) struct Mixer(u64);

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
