//! A table of the short buckets of a day is put hour by hour, a file an hour: between two rounds few buckets change, and all of
//! them are half a million rows. Which hours may be others follows from what the inputs have got since the rows that stand were
//! made; who does not know what they were made of makes all of them.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use arrow::array::{AsArray, BooleanArray, RecordBatch, TimestampMicrosecondArray};
use arrow::compute::{concat_batches, filter_record_batch};
use arrow::datatypes::TimestampMicrosecondType;
use arrow::error::ArrowError;
use bellwether_metrics::{Metric, gate};
use bellwether_warehouse::{DataFile, Snapshot, TableId};
use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use datafusion::prelude::SessionContext;

use super::changes::{self, Changed};
use super::put::Replaced;
use super::rows::{is_same, parted};
use super::{Published, PublishedTable, Publisher, Round, failed, report};
use crate::error::Error;

const HOUR_US: i64 = 3_600_000_000;
/// Hours between two that are computed, at most, which are computed with them: planning a statement takes as long.
const GAP: i64 = 2;

/// An hour, counted from 1970.
type Hour = i64;

type ByHour = BTreeMap<Hour, RecordBatch>;

/// What the rows that stand were made of.
#[derive(Debug)]
pub(super) struct Made {
    /// Version of the table itself.
    own: i64,
    inputs: BTreeMap<TableId, i64>,
    instants: Range<DateTime<Utc>>,
}

/// What is to be put of a table.
struct Asked<'a> {
    metric: &'static Metric,
    /// Of the instants that hours are told by.
    column: &'a str,
    hours: BTreeSet<Hour>,
    /// Those that the table has rows of.
    instants: Range<DateTime<Utc>>,
}

impl Publisher {
    /// As `put`.
    pub(super) async fn put_hours(
        &mut self,
        at: usize,
        column: &str,
        round: &Round,
    ) -> Result<Option<PublishedTable>, Error> {
        let Some(Published { metric, table }) = self.tables.get(at) else { return Ok(None) };
        let (name, began) = (metric.table.name, self.warehouse.world().now());
        let instants = metric.instants(round.terms.watermark);
        let inputs = self.inputs_of(metric, round);
        let files = table.snapshot().files().to_vec();
        let hours = self.hours_due(at, &instants).await?;
        let computed_hours = hours.len();
        let asked = Asked { metric, column, hours, instants };
        let met: Vec<DataFile> = files.iter().filter(|file| asked.is_met(file)).cloned().collect();
        let replaced = if asked.hours.is_empty() && met.is_empty() {
            Replaced::default()
        } else {
            let own = table.snapshot().provider_over(files);
            let ctx = self.session(round, metric, own, round.threads).await?;
            let computed = asked.compute(&ctx).await?;
            self.replace(at, &ctx, &asked, met, computed).await?
        };
        let instants = asked.instants;
        let put = self.commit(at, replaced, true, round).await?;
        if let Some(Published { table, .. }) = self.tables.get(at) {
            self.made.insert(name, Made { own: table.snapshot().version(), inputs, instants });
        }
        let seconds = self.warehouse.world().since(began).as_secs_f64();
        let put = put.map(|put| PublishedTable { seconds, ..put });
        report::tell(name, computed_hours.div_ceil(24), put.as_ref(), seconds);
        Ok(put)
    }

    /// Versions that rows are made of now.
    fn inputs_of(&self, metric: &Metric, round: &Round) -> BTreeMap<TableId, i64> {
        let version = |id: &TableId| {
            let named = round.others.iter().find(|snapshot| snapshot.table() == *id);
            let source = self.sources.snapshot(*id);
            named.or(source).map(Snapshot::version).map(|version| (*id, version))
        };
        metric.inputs.iter().filter_map(version).collect()
    }

    /// Hours of which some row may be another than what stands.
    pub(super) async fn hours_due(
        &self,
        at: usize,
        instants: &Range<DateTime<Utc>>,
    ) -> Result<BTreeSet<Hour>, Error> {
        let all = || hours_of(instants.clone()).collect();
        let Some(Published { metric, table }) = self.tables.get(at) else { return Ok(BTreeSet::new()) };
        let made = self
            .made
            .get(metric.table.name)
            .filter(|made| made.own == table.snapshot().version() && made.instants.end <= instants.end);
        let Some(made) = made else { return Ok(all()) };
        let mut hours: BTreeSet<Hour> = hours_of(made.instants.end..instants.end).collect();
        for input in metric.inputs {
            let after = made.inputs.get(input).copied();
            match self.changed_hours(*input, after).await? {
                Some(changed) => hours.extend(changed),
                None => return Ok(all()),
            }
        }
        hours.retain(|hour| meets(*hour, instants));
        Ok(hours)
    }

    /// None: it cannot be told.
    async fn changed_hours(
        &self,
        input: TableId,
        after: Option<i64>,
    ) -> Result<Option<BTreeSet<Hour>>, Error> {
        if input == gate::METRIC.id() {
            let gate = self.tables.iter().find(|published| published.metric.id() == input);
            let Some(gate) = gate else { return Ok(None) };
            return Ok(match changes::since(&gate.table, after, Some(gate.metric)).await? {
                Changed::Everything => None,
                Changed::Dates(dates) => Some(dates.into_iter().flat_map(hours_of_date).collect()),
            });
        }
        let (Some(table), Some(after)) = (self.sources.table(input), after) else { return Ok(None) };
        let Some(commits) = changes::news(table, after).await? else { return Ok(None) };
        let mut hours = BTreeSet::new();
        for commit in &commits {
            for file in &commit.added {
                let between = file.bounds().instant("bucket_at");
                let (Some(least), Some(most)) = (between.least, between.most) else { return Ok(None) };
                hours.extend(hour_of(least)..=hour_of(most));
            }
            for path in &commit.removed {
                let Some(date) = changes::partition_in(path) else { return Ok(None) };
                hours.extend(hours_of_date(date));
            }
        }
        Ok(Some(hours))
    }

    /// Puts computed hours in the place of what stands in the `met` files, whose other hours stay.
    async fn replace(
        &self,
        at: usize,
        ctx: &SessionContext,
        asked: &Asked<'_>,
        met: Vec<DataFile>,
        computed: ByHour,
    ) -> Result<Replaced, Error> {
        let Some(Published { table, .. }) = self.tables.get(at) else { return Ok(Replaced::default()) };
        let provider = table.snapshot().provider_over(met.clone());
        let rows = ctx.read_table(provider).map_err(failed)?.collect().await.map_err(failed)?;
        let stood = asked.divide(&rows)?;
        let mut stands = asked.of_now(&stood)?;
        stands.retain(|hour, _| !asked.hours.contains(hour));
        stands.extend(computed);
        let mut changed = BTreeSet::new();
        for hour in stood.keys().chain(stands.keys()) {
            if !changed.contains(hour) && !is_same(stood.get(hour), stands.get(hour))? {
                changed.insert(*hour);
            }
        }
        // A file an hour: what holds more, or shares its hour, is divided or joined though no row is another.
        let mut files_of: BTreeMap<Hour, usize> = BTreeMap::new();
        let first = stood.first_key_value().map_or(0, |(hour, _)| *hour);
        let end = stood.last_key_value().map_or(0, |(hour, _)| hour + 1);
        // Of a file that tells nothing of its rows, all hours that were read.
        let known = |span: Range<Hour>| span.start.max(first)..span.end.min(end);
        let spans: Vec<Range<Hour>> = met.iter().map(|file| known(asked.span(file))).collect();
        for hour in spans.iter().flat_map(Clone::clone) {
            *files_of.entry(hour).or_default() += 1;
        }
        let is_one =
            |hours: &Range<Hour>| hours.end - hours.start == 1 && files_of.get(&hours.start) == Some(&1);
        let mut replaced = Replaced::default();
        let mut written = changed.clone();
        for (file, hours) in met.into_iter().zip(spans) {
            if !is_one(&hours) || changed.contains(&hours.start) {
                written.extend(hours);
                replaced.remove.push(file.path);
            }
        }
        for hour in written {
            if let Some(rows) = stands.get(&hour) {
                let add = table.write(std::slice::from_ref(rows)).await;
                let failed = |source| Error::Write { table: table.id().name(), source };
                replaced.add.extend(add.map_err(failed)?);
            }
        }
        replaced.changed = changed.into_iter().map(|hour| start(hour).date_naive()).collect();
        Ok(replaced)
    }
}

impl Asked<'_> {
    /// Whether a file has rows of these hours, or some that lie before now.
    fn is_met(&self, file: &DataFile) -> bool {
        let starts_at = file.bounds().instant(self.column).least;
        self.hours.range(self.span(file)).next().is_some()
            || starts_at.is_none_or(|at| at < self.instants.start)
    }

    /// Hours that rows of a file can have.
    fn span(&self, file: &DataFile) -> Range<Hour> {
        let between = file.bounds().instant(self.column);
        match (between.least, between.most) {
            (Some(least), Some(most)) => hour_of(least)..hour_of(most) + 1,
            _ => Hour::MIN..Hour::MAX,
        }
    }

    async fn compute(&self, ctx: &SessionContext) -> Result<ByHour, Error> {
        let Self { metric, instants, .. } = self;
        let mut computed = ByHour::new();
        for run in runs(&self.hours) {
            let asked = start(run.start).max(instants.start)..start(run.end).min(instants.end);
            let rows = metric.rows_between(ctx, asked).await.map_err(Error::metric)?;
            computed.extend(self.divide(&rows)?);
        }
        computed.retain(|hour, _| self.hours.contains(hour));
        Ok(computed)
    }

    fn divide(&self, rows: &[RecordBatch]) -> Result<ByHour, Error> {
        let divided = || {
            let all = concat_batches(&self.metric.table.schema(), rows)?;
            let hours = self.times(&all)?.values().iter().map(|at| at.div_euclid(HOUR_US));
            parted(&all, hours)
        };
        divided().map_err(|source| failed(source.into()))
    }

    /// Without rows that lie before now: of the first hour a part may.
    fn of_now(&self, stood: &ByHour) -> Result<ByHour, Error> {
        let now = || -> Result<ByHour, ArrowError> {
            let mut now: ByHour = stood.clone();
            now.retain(|hour, _| meets(*hour, &self.instants));
            if let Some(rows) = now.get_mut(&hour_of(self.instants.start)) {
                let from = self.instants.start.timestamp_micros();
                let stays: BooleanArray =
                    self.times(rows)?.values().iter().map(|at| Some(*at >= from)).collect();
                *rows = filter_record_batch(rows, &stays)?;
            }
            now.retain(|_, rows| rows.num_rows() > 0);
            Ok(now)
        };
        now().map_err(|source| failed(source.into()))
    }

    fn times<'a>(&self, rows: &'a RecordBatch) -> Result<&'a TimestampMicrosecondArray, ArrowError> {
        let at = rows.column_by_name(self.column);
        let at = at.and_then(|at| at.as_primitive_opt::<TimestampMicrosecondType>());
        at.ok_or_else(|| ArrowError::SchemaError(format!("there is no column `{}` of instants", self.column)))
    }
}

/// Neighbours, or nearly.
fn runs(hours: &BTreeSet<Hour>) -> Vec<Range<Hour>> {
    let mut runs: Vec<Range<Hour>> = Vec::new();
    for hour in hours {
        match runs.last_mut() {
            Some(run) if *hour - run.end <= GAP => run.end = hour + 1,
            _ => runs.push(*hour..hour + 1),
        }
    }
    runs
}

fn hour_of(at: DateTime<Utc>) -> Hour {
    at.timestamp_micros().div_euclid(HOUR_US)
}

fn start(hour: Hour) -> DateTime<Utc> {
    DateTime::from_timestamp_micros(hour.saturating_mul(HOUR_US)).unwrap_or_default()
}

fn meets(hour: Hour, instants: &Range<DateTime<Utc>>) -> bool {
    start(hour) < instants.end && instants.start < start(hour + 1)
}

/// Those that have some of the instants.
fn hours_of(instants: Range<DateTime<Utc>>) -> impl Iterator<Item = Hour> {
    let hours = hour_of(instants.start)..=hour_of(instants.end);
    hours.filter(move |hour| !instants.is_empty() && meets(*hour, &instants))
}

fn hours_of_date(date: NaiveDate) -> Range<Hour> {
    let first = hour_of(date.and_time(NaiveTime::MIN).and_utc());
    first..first + 24
}
