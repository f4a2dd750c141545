//! A row of `publications`, written and read.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, AsArray, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray, new_null_array,
};
use arrow::datatypes::{Int64Type, TimestampMicrosecondType};
use arrow::error::ArrowError;
use bellwether_warehouse::{DataFile, Snapshot};
use chrono::{DateTime, Utc};
use datafusion::error::DataFusionError;

use crate::Error;

const NEWEST: &str = include_str!("newest.sql");

#[derive(Clone, Debug, PartialEq)]
pub struct Publication {
    pub number: i64,
    /// Version of `attempts` that every rollup had; None: nothing was folded yet.
    pub attempts_version: Option<i64>,
    pub watermark: DateTime<Utc>,
    /// Fingerprint of what it was made under.
    pub terms: String,
    pub published_at: DateTime<Utc>,
    /// What changed and why.
    pub what: String,
    /// Of each published table.
    pub versions: BTreeMap<String, i64>,
    /// How far each rollup was read.
    pub seen: BTreeMap<String, i64>,
}

pub(super) fn version_column(table: &str) -> String {
    format!("{table}_version")
}

pub(super) fn seen_column(table: &str) -> String {
    format!("{table}_seen")
}

impl Publication {
    /// The newest one that `publications` holds. None: nothing was published yet.
    ///
    /// # Errors
    /// Its row cannot be read.
    pub async fn newest(publications: &Snapshot) -> Result<Option<Self>, Error> {
        let failed = |source| Error::Publications { source: Box::new(source) };
        let number = |file: &&DataFile| file.bounds().number("number").most;
        let Some(file) = publications.files().iter().max_by_key(number) else { return Ok(None) };
        let ctx = publications.session(1);
        let table = publications.provider_over(vec![file.clone()]);
        ctx.register_table(super::NAME, table).map_err(failed)?;
        let batches = ctx.sql(NEWEST).await.map_err(failed)?.collect().await.map_err(failed)?;
        let row = batches.iter().find(|batch| batch.num_rows() > 0);
        row.map(|row| Self::read(row).map_err(failed)).transpose()
    }

    /// Of a published table, or how far a rollup was read.
    pub fn version_of(&self, table: &str) -> Option<i64> {
        self.versions.get(table).or_else(|| self.seen.get(table)).copied()
    }

    /// The first row of `batch`.
    fn read(batch: &RecordBatch) -> Result<Self, DataFusionError> {
        let missing = |name: &str| DataFusionError::Execution(format!("`publications` has no `{name}`"));
        let column = |name: &str| batch.column_by_name(name).ok_or_else(|| missing(name));
        let integer = |name: &str| -> Result<Option<i64>, DataFusionError> {
            let column = column(name)?;
            let values = column.as_primitive_opt::<Int64Type>().ok_or_else(|| missing(name))?;
            Ok(values.iter().next().flatten())
        };
        let text = |name: &str| -> Result<String, DataFusionError> {
            let values = column(name)?.as_string_opt::<i32>().ok_or_else(|| missing(name))?;
            Ok(values.iter().next().flatten().unwrap_or_default().to_owned())
        };
        let instant = |name: &str| -> Result<DateTime<Utc>, DataFusionError> {
            let column = column(name)?;
            let values =
                column.as_primitive_opt::<TimestampMicrosecondType>().ok_or_else(|| missing(name))?;
            let micros = values.iter().next().flatten().ok_or_else(|| missing(name))?;
            DateTime::from_timestamp_micros(micros).ok_or_else(|| missing(name))
        };
        let mut publication = Self {
            number: integer("number")?.ok_or_else(|| missing("number"))?,
            attempts_version: integer("attempts_version")?,
            watermark: instant("watermark")?,
            terms: text("terms")?,
            published_at: instant("published_at")?,
            what: text("what")?,
            versions: BTreeMap::new(),
            seen: BTreeMap::new(),
        };
        for metric in crate::METRICS {
            if let Some(version) = integer(&version_column(metric.table.name))? {
                publication.versions.insert(metric.table.name.to_owned(), version);
            }
        }
        for source in super::sources() {
            if let Some(version) = integer(&seen_column(source.name()))? {
                publication.seen.insert(source.name().to_owned(), version);
            }
        }
        Ok(publication)
    }

    /// The row, with the columns of the table.
    ///
    /// # Errors
    /// A column has no value.
    pub fn row(&self) -> Result<RecordBatch, Error> {
        self.to_batch().map_err(|source| Error::Publications { source: Box::new(source.into()) })
    }

    fn to_batch(&self) -> Result<RecordBatch, ArrowError> {
        let integer = |value: Option<i64>| Arc::new(Int64Array::from(vec![value])) as ArrayRef;
        let text = |value: &str| Arc::new(StringArray::from(vec![value])) as ArrayRef;
        let instant = |at: DateTime<Utc>| {
            let micros = TimestampMicrosecondArray::from(vec![at.timestamp_micros()]);
            Arc::new(micros.with_timezone("UTC")) as ArrayRef
        };
        let mut values = BTreeMap::from([
            ("number".to_owned(), integer(Some(self.number))),
            ("attempts_version".to_owned(), integer(self.attempts_version)),
            ("watermark".to_owned(), instant(self.watermark)),
            ("terms".to_owned(), text(&self.terms)),
            ("published_at".to_owned(), instant(self.published_at)),
            ("what".to_owned(), text(&self.what)),
        ]);
        let versions = self.versions.iter().map(|(table, version)| (version_column(table), *version));
        let seen = self.seen.iter().map(|(table, version)| (seen_column(table), *version));
        values.extend(versions.chain(seen).map(|(name, version)| (name, integer(Some(version)))));
        let schema = super::id().schema();
        let column = |field: &arrow::datatypes::FieldRef| {
            values.remove(field.name()).unwrap_or_else(|| new_null_array(field.data_type(), 1))
        };
        let columns = schema.fields().iter().map(column).collect();
        RecordBatch::try_new(schema, columns)
    }
}
