//! From Parquet files of a pinned table version to blocks in memory. Blocks are kept per partition date with
//! the set of files behind them, so a refresh reads only files that are new.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Date32Array, Decimal128Array, Float64Array, Int64Array,
    RecordBatch, StringArray, TimestampMicrosecondArray,
};
use arrow::compute::cast;
use arrow::datatypes::{
    DataType, Date32Type, Decimal128Type, Float64Type, Int64Type, TimeUnit, TimestampMicrosecondType,
};
use bellwether_warehouse::{DataFile, Snapshot};
use chrono::{Days, NaiveDate};
use datafusion::prelude::{Expr, col, lit};
use datafusion::scalar::ScalarValue;
use futures::TryStreamExt;

#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    #[error("failed to read version {version} of table `{table}`")]
    Read {
        table: &'static str,
        version: i64,
        #[source]
        source: datafusion::error::DataFusionError,
    },
    #[error("column `{column}` of table `{table}` is missing or has another type")]
    Column { table: &'static str, column: String },
    #[error("failed to compute the ranking of chosen days")]
    Chosen(#[source] bellwether_metrics::Error),
}

/// Columns of one batch, by position in the list that was asked for.
pub(super) struct Columns<'a> {
    table: &'static str,
    names: &'a [&'a str],
    batch: &'a RecordBatch,
}

impl<'a> Columns<'a> {
    pub fn new(table: &'static str, names: &'a [&'a str], batch: &'a RecordBatch) -> Self {
        Self { table, names, batch }
    }

    pub fn rows(&self) -> usize {
        self.batch.num_rows()
    }

    fn column(&self, name: &str, wanted: &DataType) -> Result<ArrayRef, LoadError> {
        let error = || LoadError::Column { table: self.table, column: name.to_owned() };
        let position = self.names.iter().position(|known| *known == name).ok_or_else(error)?;
        let column = self.batch.columns().get(position).ok_or_else(error)?;
        if column.data_type() == wanted {
            return Ok(column.clone());
        }
        cast(column, wanted).map_err(|_| error())
    }

    pub fn text(&self, name: &str) -> Result<StringArray, LoadError> {
        Ok(self.column(name, &DataType::Utf8)?.as_string::<i32>().clone())
    }

    pub fn int(&self, name: &str) -> Result<Int64Array, LoadError> {
        Ok(self.column(name, &DataType::Int64)?.as_primitive::<Int64Type>().clone())
    }

    pub fn flag(&self, name: &str) -> Result<BooleanArray, LoadError> {
        Ok(self.column(name, &DataType::Boolean)?.as_boolean().clone())
    }

    pub fn float(&self, name: &str) -> Result<Float64Array, LoadError> {
        Ok(self.column(name, &DataType::Float64)?.as_primitive::<Float64Type>().clone())
    }

    pub fn date(&self, name: &str) -> Result<Date32Array, LoadError> {
        Ok(self.column(name, &DataType::Date32)?.as_primitive::<Date32Type>().clone())
    }

    pub fn instant(&self, name: &str) -> Result<TimestampMicrosecondArray, LoadError> {
        let micros = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
        Ok(self.column(name, &micros)?.as_primitive::<TimestampMicrosecondType>().clone())
    }

    /// Additive measures.
    pub fn counts(&self, names: &[&str]) -> Result<Vec<CountColumn>, LoadError> {
        names.iter().map(|name| self.int(name).map(CountColumn)).collect()
    }

    /// An amount of money.
    pub fn money(&self, name: &str) -> Result<MoneyColumn, LoadError> {
        let column = self.column(name, &DataType::Decimal128(38, 9))?;
        Ok(MoneyColumn(column.as_primitive::<Decimal128Type>().clone()))
    }
}

pub(super) struct CountColumn(Int64Array);

impl CountColumn {
    /// Negative and unknown values count as nothing.
    pub fn value(&self, row: usize) -> u64 {
        if self.0.is_valid(row) { u64::try_from(self.0.value(row)).unwrap_or(0) } else { 0 }
    }
}

pub(super) struct MoneyColumn(Decimal128Array);

impl MoneyColumn {
    /// 10⁻⁹ USD; negative and unknown values count as nothing.
    pub fn value(&self, row: usize) -> u128 {
        if self.0.is_valid(row) { u128::try_from(self.0.value(row)).unwrap_or(0) } else { 0 }
    }
}

/// `None` for NULL.
pub(super) fn text_at(array: &StringArray, row: usize) -> Option<&str> {
    array.is_valid(row).then(|| array.value(row))
}

/// `None` for NULL.
pub(super) fn real_at(array: &Float64Array, row: usize) -> Option<f64> {
    array.is_valid(row).then(|| array.value(row))
}

/// A ratio in percent. The point is moved, since a product makes less than 57 of 0.57.
pub(super) fn percent(ratio: f64) -> f64 {
    format!("{ratio}e2").parse().unwrap_or(ratio * 100.0)
}

pub(super) fn date_at(array: &Date32Array, row: usize) -> Option<NaiveDate> {
    let days = array.is_valid(row).then(|| array.value(row))?;
    let epoch = NaiveDate::from_ymd_opt(1970, 1, 1)?;
    if days >= 0 {
        epoch.checked_add_days(Days::new(u64::from(days.unsigned_abs())))
    } else {
        epoch.checked_sub_days(Days::new(u64::from(days.unsigned_abs())))
    }
}

/// A date in a filter.
pub(super) fn date(date: NaiveDate) -> Expr {
    lit(ScalarValue::Date32(Some(Date32Type::from_naive_date(date))))
}

/// Reads columns of some files, batch by batch.
pub(super) async fn scan(
    snapshot: &Snapshot,
    files: Vec<DataFile>,
    names: &[&str],
    filter: Option<Expr>,
    mut absorb: impl FnMut(&Columns<'_>) -> Result<(), LoadError>,
) -> Result<(), LoadError> {
    if files.is_empty() {
        return Ok(());
    }
    let table = snapshot.table().name();
    let read = |source| LoadError::Read { table, version: snapshot.version(), source };
    let ctx = snapshot.session(2);
    let mut frame = ctx.read_table(snapshot.provider_over(files)).map_err(read)?;
    if let Some(filter) = filter {
        frame = frame.filter(filter).map_err(read)?;
    }
    let frame = frame.select(names.iter().map(|name| col(*name)).collect::<Vec<_>>()).map_err(read)?;
    let mut stream = frame.execute_stream().await.map_err(read)?;
    while let Some(batch) = stream.try_next().await.map_err(read)? {
        absorb(&Columns { table, names, batch: &batch })?;
    }
    Ok(())
}

/// One table's blocks by date.
#[derive(Debug)]
pub(super) struct Blocks<B> {
    held: BTreeMap<NaiveDate, Held<B>>,
    days: DaysOf,
}

/// Dates of which a file may hold rows.
type DaysOf = fn(&DataFile) -> Vec<NaiveDate>;

/// That of its partition.
fn partition(file: &DataFile) -> Vec<NaiveDate> {
    file.date().into_iter().collect()
}

/// All between the first and the last of its rows, by its statistics.
pub(super) fn between(file: &DataFile) -> Vec<NaiveDate> {
    let dates = file.bounds().date("date");
    let (Some(first), Some(last)) = (dates.least, dates.most) else { return Vec::new() };
    first.iter_days().take_while(|date| *date <= last).collect()
}

#[derive(Debug)]
struct Held<B> {
    files: BTreeSet<String>,
    stamp: u64,
    fingerprint: u64,
    block: Arc<B>,
}

impl<B> Default for Blocks<B> {
    fn default() -> Self {
        Self { held: BTreeMap::new(), days: partition }
    }
}

impl<B> Blocks<B> {
    /// Of a table whose partitions hold many days.
    pub fn of_many_days() -> Self {
        Self { days: between, ..Self::default() }
    }
}

/// Files to read for one date, and what they are added to.
pub(super) struct Change<B> {
    pub date: NaiveDate,
    pub files: Vec<DataFile>,
    pub block: B,
    all: BTreeSet<String>,
    stamp: u64,
}

impl<B: Default + Clone> Blocks<B> {
    /// Dates whose set of files is not the one in memory. A date that only gained files starts from its block;
    /// any other is read again from nothing, as is one whose `stamp` is another: what the rows were made of beside
    /// the files. Dates that left the snapshot or `keep` are dropped.
    pub fn changes(
        &mut self,
        snapshot: &Snapshot,
        keep: impl Fn(NaiveDate) -> bool,
        stamp: impl Fn(NaiveDate) -> u64,
    ) -> Vec<Change<B>> {
        let mut now: BTreeMap<NaiveDate, Vec<&DataFile>> = BTreeMap::new();
        for file in snapshot.files() {
            for date in (self.days)(file).into_iter().filter(|date| keep(*date)) {
                now.entry(date).or_default().push(file);
            }
        }
        self.held.retain(|date, _| now.contains_key(date));
        now.into_iter()
            .filter_map(|(date, files)| {
                let all: BTreeSet<String> = files.iter().map(|file| file.path.clone()).collect();
                let stamp = stamp(date);
                let held = self.held.get(&date).filter(|held| held.stamp == stamp);
                if held.is_some_and(|held| held.files == all) {
                    return None;
                }
                let base = held.filter(|held| held.files.is_subset(&all));
                let fresh = |file: &&&DataFile| base.is_none_or(|held| !held.files.contains(&file.path));
                let files = files.iter().filter(fresh).map(|file| (*file).clone()).collect();
                let block = base.map(|held| held.block.as_ref().clone()).unwrap_or_default();
                Some(Change { date, files, block, all, stamp })
            })
            .collect()
    }

    /// Keeps the blocks just read. True when there were any.
    pub fn put(&mut self, changes: Vec<Change<B>>) -> bool {
        let changed = !changes.is_empty();
        for Change { date, block, all: files, stamp, .. } in changes {
            let mut hasher = DefaultHasher::new();
            (&files, stamp).hash(&mut hasher);
            let (fingerprint, block) = (hasher.finish(), Arc::new(block));
            self.held.insert(date, Held { files, stamp, fingerprint, block });
        }
        changed
    }

    /// Replaces blocks in place where `change` gives a new one, without reading anything.
    pub fn update(&mut self, change: impl Fn(NaiveDate, &B) -> Option<B>) {
        for (date, held) in &mut self.held {
            if let Some(block) = change(*date, &held.block) {
                held.block = Arc::new(block);
            }
        }
    }

    pub fn by_date(&self) -> BTreeMap<NaiveDate, Arc<B>> {
        self.held.iter().map(|(date, held)| (*date, held.block.clone())).collect()
    }

    pub fn fingerprints(&self) -> BTreeMap<NaiveDate, u64> {
        self.held.iter().map(|(date, held)| (*date, held.fingerprint)).collect()
    }
}

/// The blocks that rows of one scan belong to.
pub(super) struct Targets<'a, B> {
    changes: &'a mut [Change<B>],
    places: HashMap<NaiveDate, usize>,
}

impl<B> Targets<'_, B> {
    pub fn at(&mut self, date: NaiveDate) -> Option<&mut B> {
        let place = self.places.get(&date)?;
        self.changes.get_mut(*place).map(|change| &mut change.block)
    }
}

/// Reads every change of one table in one scan; `absorb` adds each batch to the blocks of its rows' dates.
pub(super) async fn fill<B>(
    snapshot: &Snapshot,
    changes: &mut [Change<B>],
    names: &[&str],
    filter: Option<Expr>,
    mut absorb: impl FnMut(&Columns<'_>, &mut Targets<'_, B>) -> Result<(), LoadError>,
) -> Result<(), LoadError> {
    // A file of many days is to be read for each of them, but once.
    let files: BTreeMap<&str, &DataFile> =
        changes.iter().flat_map(|change| &change.files).map(|file| (file.path.as_str(), file)).collect();
    let files: Vec<DataFile> = files.into_values().cloned().collect();
    let places = changes.iter().enumerate().map(|(place, change)| (change.date, place)).collect();
    let mut targets = Targets { changes, places };
    scan(snapshot, files, names, filter, |columns| absorb(columns, &mut targets)).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percent_moves_the_point_alone() {
        assert_eq!(percent(0.57), 57.0);
        assert_eq!(percent(0.999), 99.9);
        assert_eq!((percent(0.0), percent(1.0), percent(1e-7)), (0.0, 100.0, 1e-5));
        assert_eq!(percent(282.0 / 300.0), 94.0);
    }
}
