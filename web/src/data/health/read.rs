//! How rows of the published tables of health become what pages ask for: the only place that knows their columns.

use std::collections::BTreeMap;

use bellwether_metrics::{
    Metric, health_by_5min, health_by_day, health_by_hour, health_by_window, health_now, publications,
};
use bellwether_warehouse::tables::declared::Declaration;
use bellwether_warehouse::{DataFile, Snapshot, TableId};
use chrono::{Days, NaiveDate};
use datafusion::prelude::{Expr, col, lit};

use super::counts;
use super::period;
use super::speed;
use super::{Health, HealthDay, Now, Scope, State, Steps, Windows};
use crate::data::dictionary::{Dictionary, ModelId, ProviderId};
use crate::data::group::GroupBy;
use crate::data::keyed;
use crate::data::load::{self, Blocks, Columns, LoadError, date_at, text_at};
use crate::data::usage_day::Of;
use crate::data::whole::Whole;

const fn id(metric: &Metric) -> TableId {
    TableId::Declared(metric.table)
}

pub(crate) const NOW: TableId = id(&health_now::METRIC);
pub(crate) const WINDOWS: TableId = id(&health_by_window::METRIC);
pub(crate) const DAYS: TableId = id(&health_by_day::METRIC);
pub(crate) const STRIP: TableId = id(&health_by_5min::METRIC);
pub(crate) const HOURS: TableId = id(&health_by_hour::METRIC);
/// As the newest publication names them.
pub(crate) const TABLES: [TableId; 5] = [NOW, WINDOWS, DAYS, STRIP, HOURS];

/// Days of providers and models that are held.
const HEALTH_DAYS: u64 = 190;
/// Days of models at providers, and of speed: those of a chart, counted from the newest day, and some to spare.
const DETAILED_DAYS: u64 = 36;
/// The longest window that ends with five minutes.
const A_DAY: i64 = 1_440;

/// What was read so far.
#[derive(Debug)]
pub(crate) struct Reader {
    now: Whole<Now>,
    windows: Whole<Windows>,
    days: Blocks<HealthDay>,
    buckets: Whole<Steps>,
    hours: Whole<Steps>,
}

impl Default for Reader {
    fn default() -> Self {
        Self {
            now: Whole::default(),
            windows: Whole::default(),
            days: Blocks::of_many_days(),
            buckets: Whole::default(),
            hours: Whole::default(),
        }
    }
}

impl Reader {
    /// Reads what is new up to the `newest` day, of days that `counts`.
    pub async fn read(
        &mut self,
        published: &publications::Followed,
        dictionary: &mut Dictionary,
        newest: NaiveDate,
        counts: impl Fn(NaiveDate) -> bool,
    ) -> Result<(), LoadError> {
        let back = |days| newest.checked_sub_days(Days::new(days)).unwrap_or(NaiveDate::MIN);
        let table = |id| published.snapshot(id);
        self.now.follow(table(NOW), async |table| now(table, dictionary).await).await?;
        self.windows.follow(table(WINDOWS), async |table| windows(table, dictionary).await).await?;
        if let Some(table) = table(DAYS) {
            let (from, detailed) = (back(HEALTH_DAYS), back(DETAILED_DAYS));
            days(&mut self.days, table, dictionary, |date| from <= date && counts(date), detailed).await?;
        }
        let all = |table: &Snapshot| table.files().to_vec();
        let buckets = async |table: &Snapshot| steps(table, all(table), dictionary, "bucket_at").await;
        self.buckets.follow(table(STRIP), buckets).await?;
        let is_recent = |file: &&DataFile| file.date().is_some_and(|date| date >= back(2));
        let recent = |table: &Snapshot| table.files().iter().filter(is_recent).cloned().collect();
        let hours = async |table: &Snapshot| steps(table, recent(table), dictionary, "hour").await;
        self.hours.follow(table(HOURS), hours).await
    }

    /// End of the newest complete bucket, µs, if there is a live window.
    pub fn buckets_end(&self) -> Option<i64> {
        self.now.get().ends_at
    }

    pub fn health(&self) -> Health {
        Health {
            now: self.now.get(),
            windows: self.windows.get(),
            days: self.days.by_date(),
            buckets: self.buckets.get(),
            hours: self.hours.get(),
        }
    }
}

/// Rows of the dimensions that pages have.
fn shown() -> Expr {
    let dimensions = ["provider", "model", "model_provider"].map(lit);
    col("dimension").in_list(dimensions.to_vec(), false)
}

/// None: it has no name here.
fn scope(rows: &keyed::Rows, dictionary: &mut Dictionary, row: usize) -> Option<Scope> {
    let scope = match rows.place(dictionary, row)? {
        Of::Name(GroupBy::Model, id) => Scope::model(ModelId(id)),
        Of::Name(GroupBy::Provider, id) => Scope::provider(ProviderId(id)),
        Of::Pair(model, provider) => Scope::pair(model, provider),
        Of::Total | Of::Name(..) => return None,
    };
    let is_named =
        scope.model.is_none_or(|id| id.is_named()) && scope.provider.is_none_or(|id| id.is_named());
    is_named.then_some(scope)
}

/// Names of columns: those of a period, those of keys, and `more`.
fn names(own: impl Iterator<Item = String>, more: &[&str]) -> Vec<String> {
    own.chain(keyed::COLUMNS.iter().chain(more).map(|name| (*name).to_owned())).collect()
}

async fn scan(
    snapshot: &Snapshot,
    files: Vec<DataFile>,
    names: &[String],
    filter: Expr,
    absorb: impl FnMut(&Columns<'_>) -> Result<(), LoadError>,
) -> Result<(), LoadError> {
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    load::scan(snapshot, files, &names, Some(filter), absorb).await
}

async fn now(snapshot: &Snapshot, dictionary: &mut Dictionary) -> Result<Now, LoadError> {
    let table: &'static Declaration = health_now::METRIC.table;
    let names = names(period::Rows::names(table), &["window_minutes", "ends_at", "state"]);
    let mut now = Now::default();
    scan(snapshot, snapshot.files().to_vec(), &names, shown(), |columns| {
        let (keys, periods) = (keyed::Rows::of(columns)?, period::Rows::of(columns, table)?);
        let (minutes, ends) = (columns.int("window_minutes")?, columns.instant("ends_at")?);
        let states = columns.text("state")?;
        for row in 0..columns.rows() {
            let length = minutes.value(row);
            if length <= A_DAY {
                now.ends_at = now.ends_at.max(Some(ends.value(row)));
            }
            let Some(scope) = scope(&keys, dictionary, row) else { continue };
            now.windows.entry(length).or_default().insert(scope, periods.at(row));
            if let Some(state) = text_at(&states, row).and_then(State::parse) {
                now.states.insert(scope, state);
            }
        }
        Ok(())
    })
    .await?;
    Ok(now)
}

/// Those of the newest end date.
async fn windows(snapshot: &Snapshot, dictionary: &mut Dictionary) -> Result<Windows, LoadError> {
    let table: &'static Declaration = health_by_window::METRIC.table;
    let most = |file: &DataFile| file.bounds().date("end_date").most;
    let Some(newest) = snapshot.files().iter().filter_map(most).max() else { return Ok(Windows::new()) };
    let files = snapshot.files().iter().filter(|file| most(file) == Some(newest)).cloned().collect();
    let names = names(period::Rows::names(table), &["window_days"]);
    let mut windows = Windows::new();
    let filter = shown().and(col("end_date").eq(load::date(newest)));
    scan(snapshot, files, &names, filter, |columns| {
        let (keys, periods) = (keyed::Rows::of(columns)?, period::Rows::of(columns, table)?);
        let days = columns.int("window_days")?;
        for row in 0..columns.rows() {
            if let Some(scope) = scope(&keys, dictionary, row) {
                windows.entry(days.value(row)).or_default().insert(scope, periods.at(row));
            }
        }
        Ok(())
    })
    .await?;
    Ok(windows)
}

/// What is told from `detailed` on alone is dropped once a day is older.
async fn days(
    blocks: &mut Blocks<HealthDay>,
    snapshot: &Snapshot,
    dictionary: &mut Dictionary,
    keep: impl Fn(NaiveDate) -> bool,
    detailed: NaiveDate,
) -> Result<(), LoadError> {
    let table: &'static Declaration = health_by_day::METRIC.table;
    let mut changes = blocks.changes(snapshot, keep, |_| 0);
    let names = names(counts::Rows::names().chain(speed::Rows::names(table)), &["date"]);
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    load::fill(snapshot, &mut changes, &names, Some(shown()), |columns, targets| {
        let (keys, dates) = (keyed::Rows::of(columns)?, columns.date("date")?);
        let (counts, speeds) = (counts::Rows::of(columns)?, speed::Rows::of(columns, table)?);
        for row in 0..columns.rows() {
            let Some(date) = date_at(&dates, row) else { continue };
            let (Some(day), Some(scope)) = (targets.at(date), scope(&keys, dictionary, row)) else {
                continue;
            };
            let (is_pair, counts) = (scope.model.is_some() && scope.provider.is_some(), counts.at(row));
            if date >= detailed || !is_pair {
                day.counts.insert(scope, counts);
            }
            if date >= detailed && !is_pair {
                day.speeds.insert(scope, speeds.at(row, counts.detail));
            }
        }
        Ok(())
    })
    .await?;
    blocks.put(changes);
    blocks.update(|date, day| (date < detailed && !day.speeds.is_empty()).then(|| day.coarse()));
    Ok(())
}

impl HealthDay {
    /// Without what is told of newer days alone.
    fn coarse(&self) -> Self {
        let is_pair = |scope: &Scope| scope.model.is_some() && scope.provider.is_some();
        let counts = self.counts.iter().filter(|(scope, _)| !is_pair(scope));
        Self { counts: counts.map(|(scope, counts)| (*scope, *counts)).collect(), speeds: BTreeMap::new() }
    }
}

/// Providers alone.
async fn steps(
    snapshot: &Snapshot,
    files: Vec<DataFile>,
    dictionary: &mut Dictionary,
    start: &str,
) -> Result<Steps, LoadError> {
    let names = names(counts::Rows::names(), &[start]);
    let mut steps = Steps::new();
    scan(snapshot, files, &names, col("dimension").eq(lit("provider")), |columns| {
        let (keys, starts) = (keyed::Rows::of(columns)?, columns.instant(start)?);
        let counts = counts::Rows::of(columns)?;
        for row in 0..columns.rows() {
            if let Some(provider) = scope(&keys, dictionary, row).and_then(|scope| scope.provider) {
                steps.entry(starts.value(row)).or_default().insert(provider, counts.at(row));
            }
        }
        Ok(())
    })
    .await?;
    Ok(steps)
}
