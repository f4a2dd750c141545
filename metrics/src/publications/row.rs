//! A row of `publications`, written and read.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, AsArray, Date32Array, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray,
    new_null_array,
};
use arrow::datatypes::{Date32Type, Int64Type, TimestampMicrosecondType};
use arrow::error::ArrowError;
use bellwether_warehouse::{DataFile, Snapshot};
use chrono::{DateTime, NaiveDate, Utc};
use datafusion::error::DataFusionError;
use datafusion::prelude::{DataFrame, SessionContext, col};

use crate::revisions::Revised;
use crate::{Error, Renamed};

const NEWEST: &str = include_str!("newest.sql");

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Publication {
    pub number: i64,
    /// Version of `attempts` that every rollup had; None: nothing was folded yet.
    pub attempts_version: Option<i64>,
    /// The same for the tables of the fast lane.
    pub live_attempts_version: Option<i64>,
    pub watermark: DateTime<Utc>,
    /// None: there was no event yet.
    pub newest_event_at: Option<DateTime<Utc>>,
    /// Fingerprint of what it was made under.
    pub terms: String,
    pub published_at: DateTime<Utc>,
    /// What changed and why.
    pub what: String,
    /// Of each published table.
    pub versions: BTreeMap<String, i64>,
    /// How far each rollup was read.
    pub seen: BTreeMap<String, i64>,
    /// Up to when everything in a published table had arrived.
    pub as_of: BTreeMap<String, DateTime<Utc>>,
    /// Of a published table whose older dates are still to come: the first date of those that are there.
    pub complete_from: BTreeMap<String, NaiveDate>,
    /// Of a published table of windows: the first date that late rows have moved and that is still to be computed again.
    pub late_from: BTreeMap<String, NaiveDate>,
    /// Fingerprints of the two parts of `terms`; empty: of a row from before they were told apart.
    pub catalogue: String,
    pub settings: String,
    /// Closed dates whose rows this publication replaced.
    pub revised: Vec<Revised>,
    /// Names that the catalogue tells otherwise since, whose closed dates the night will show.
    pub renamed: Renamed,
}

pub(super) fn version_column(table: &str) -> String {
    format!("{table}_version")
}

pub(super) fn seen_column(table: &str) -> String {
    format!("{table}_seen")
}

pub(super) fn as_of_column(table: &str) -> String {
    format!("{table}_as_of")
}

pub(super) fn late_from_column(table: &str) -> String {
    format!("{table}_late_from")
}

pub(super) fn complete_from_column(table: &str) -> String {
    format!("{table}_complete_from")
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
        Self::first_of(&batches).map_err(failed)
    }

    /// The newest one in which `table` had all dates that it is to have. None: there is none.
    ///
    /// # Errors
    /// The rows cannot be read.
    pub async fn newest_whole(publications: &Snapshot, table: &str) -> Result<Option<Self>, Error> {
        let failed = |source| Error::Publications { source: Box::new(source) };
        let ctx = publications.session(1);
        let files = publications.files().to_vec();
        ctx.register_table(super::NAME, publications.provider_over(files)).map_err(failed)?;
        let batches = async { whole(&ctx, table).await?.collect().await }.await.map_err(failed)?;
        Self::first_of(&batches).map_err(failed)
    }

    fn first_of(batches: &[RecordBatch]) -> Result<Option<Self>, DataFusionError> {
        batches.iter().find(|batch| batch.num_rows() > 0).map(Self::read).transpose()
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
        let known_instant = |name: &str| -> Result<Option<DateTime<Utc>>, DataFusionError> {
            let column = column(name)?;
            let values =
                column.as_primitive_opt::<TimestampMicrosecondType>().ok_or_else(|| missing(name))?;
            Ok(values.iter().next().flatten().and_then(DateTime::from_timestamp_micros))
        };
        let instant = |name: &str| known_instant(name)?.ok_or_else(|| missing(name));
        let date = |name: &str| -> Result<Option<NaiveDate>, DataFusionError> {
            let values = column(name)?.as_primitive_opt::<Date32Type>().ok_or_else(|| missing(name))?;
            Ok(values.iter().next().flatten().and_then(Date32Type::to_naive_date_opt))
        };
        let mut publication = Self {
            number: integer("number")?.ok_or_else(|| missing("number"))?,
            attempts_version: integer("attempts_version")?,
            live_attempts_version: integer("live_attempts_version")?,
            watermark: instant("watermark")?,
            newest_event_at: known_instant("newest_event_at")?,
            terms: text("terms")?,
            published_at: instant("published_at")?,
            what: text("what")?,
            versions: BTreeMap::new(),
            seen: BTreeMap::new(),
            as_of: BTreeMap::new(),
            complete_from: BTreeMap::new(),
            late_from: BTreeMap::new(),
            catalogue: text("catalogue")?,
            settings: text("settings")?,
            revised: text("revised")?.lines().map(str::parse).collect::<Result<_, _>>()?,
            renamed: text("renamed")?.parse().unwrap_or_default(),
        };
        for name in crate::METRICS.iter().map(|metric| metric.table.name) {
            if let Some(version) = integer(&version_column(name))? {
                publication.versions.insert(name.to_owned(), version);
            }
            if let Some(at) = known_instant(&as_of_column(name))? {
                publication.as_of.insert(name.to_owned(), at);
            }
            if let Some(from) = date(&complete_from_column(name))? {
                publication.complete_from.insert(name.to_owned(), from);
            }
        }
        for metric in crate::METRICS.iter().filter(|metric| metric.is_put_off()) {
            let name = metric.table.name;
            if let Some(from) = date(&late_from_column(name))? {
                publication.late_from.insert(name.to_owned(), from);
            }
        }
        for source in super::sources().into_iter().chain(super::shared()) {
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
            ("live_attempts_version".to_owned(), integer(self.live_attempts_version)),
            ("watermark".to_owned(), instant(self.watermark)),
            ("terms".to_owned(), text(&self.terms)),
            ("published_at".to_owned(), instant(self.published_at)),
            ("what".to_owned(), text(&self.what)),
        ]);
        let versions = self.versions.iter().map(|(table, version)| (version_column(table), *version));
        let seen = self.seen.iter().map(|(table, version)| (seen_column(table), *version));
        values.extend(versions.chain(seen).map(|(name, version)| (name, integer(Some(version)))));
        values.extend(self.newest_event_at.map(|at| ("newest_event_at".to_owned(), instant(at))));
        values.extend(self.as_of.iter().map(|(table, at)| (as_of_column(table), instant(*at))));
        let date = |date: &NaiveDate| {
            Arc::new(Date32Array::from(vec![Date32Type::from_naive_date(*date)])) as ArrayRef
        };
        let from = self.complete_from.iter();
        values.extend(from.map(|(table, from)| (complete_from_column(table), date(from))));
        values.extend(self.late_from.iter().map(|(table, from)| (late_from_column(table), date(from))));
        let revised: Vec<String> = self.revised.iter().map(ToString::to_string).collect();
        for (column, value) in [
            ("catalogue", &self.catalogue),
            ("settings", &self.settings),
            ("revised", &revised.join("\n")),
            ("renamed", &self.renamed.to_string()),
        ] {
            values.extend((!value.is_empty()).then(|| (column.to_owned(), text(value))));
        }
        let schema = super::id().schema();
        let column = |field: &arrow::datatypes::FieldRef| {
            values.remove(field.name()).unwrap_or_else(|| new_null_array(field.data_type(), 1))
        };
        let columns = schema.fields().iter().map(column).collect();
        RecordBatch::try_new(schema, columns)
    }
}

async fn whole(ctx: &SessionContext, table: &str) -> Result<DataFrame, DataFusionError> {
    let is_there = col(version_column(table)).is_not_null();
    let is_whole = col(complete_from_column(table)).is_null();
    let rows = ctx.table(super::NAME).await?.filter(is_there.and(is_whole))?;
    rows.sort(vec![col("number").sort(false, false)])?.limit(0, Some(1))
}
