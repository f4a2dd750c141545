//! Which number rows of a closed date get: 0 when it closes, one more each time they are replaced. How far a date is, the rows
//! of `publications` alone say; rows with a number beyond that were left by somebody who was ended before he could tell.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow::array::{AsArray, BooleanArray, Int64Array, RecordBatch};
use arrow::compute::filter_record_batch;
use arrow::datatypes::Int64Type;
use bellwether_metrics::publications::{Log, Publication};
use bellwether_metrics::revisions::{REVISION, Reason, Revised};
use bellwether_metrics::{Metric, Renamed};
use chrono::NaiveDate;

use super::due::Due;
use super::moved::is_near;
use super::rows::{ByDate, is_same};
use super::{Publisher, Round};
use crate::error::Error;

/// Of one table in one publication.
#[derive(Clone, Debug)]
pub(super) struct Judge {
    metric: &'static Metric,
    /// The first day that has not closed.
    open_from: NaiveDate,
    /// Whatever moves is shown, of all dates or of these.
    is_exact: bool,
    unnamed: BTreeSet<NaiveDate>,
    log: Arc<Log>,
    /// Dates that stood and were taken out under other terms.
    came_back: BTreeSet<NaiveDate>,
    /// Names that the catalogue tells otherwise: whatever moves of a date that holds one is shown, for this reason.
    renamed: Arc<Renamed>,
    /// Dates made of days whose logged names were read again: the same.
    remapped: BTreeSet<NaiveDate>,
}

/// What is to be written, and what is to be told.
#[derive(Debug, Default)]
pub(super) struct Verdict {
    pub changed: BTreeSet<NaiveDate>,
    /// Closed dates whose rows are others than the last publication names, with their numbers.
    pub revised: BTreeMap<NaiveDate, i64>,
    /// Why, where that is for another reason than the publication itself.
    pub reasons: BTreeMap<NaiveDate, Reason>,
}

impl Judge {
    /// Compares what stands with what was computed, and gives the latter its numbers. What may stay as it is comes out as it
    /// stands.
    pub(super) fn compare(
        &self,
        dates: &BTreeSet<NaiveDate>,
        stands: &ByDate,
        computed: &mut ByDate,
    ) -> Result<Verdict, Error> {
        let mut verdict = Verdict::default();
        for date in dates {
            let (stood, new) = (stands.get(date), computed.get(date));
            let is_closed = self.metric.is_revised() && self.metric.last_day(*date) < self.open_from;
            if let (true, Some(new)) = (is_closed, new) {
                let new = self.revise(*date, stood, new, &mut verdict)?;
                computed.insert(*date, new);
            } else if !is_same(stood, new)? {
                verdict.changed.insert(*date);
            }
        }
        Ok(verdict)
    }

    fn revise(
        &self,
        date: NaiveDate,
        stood: Option<&RecordBatch>,
        new: &RecordBatch,
        verdict: &mut Verdict,
    ) -> Result<RecordBatch, Error> {
        let told = self.log.revision(self.metric.table.name, date);
        let Some(stood) = stood else {
            let is_again = self.came_back.contains(&date);
            let revision = if is_again { told + 1 } else { told };
            verdict.changed.insert(date);
            verdict.revised.extend(is_again.then_some((date, revision)));
            return numbered(new, revision);
        };
        let Some(revision) = number_of(stood) else {
            // It has just closed.
            verdict.changed.insert(date);
            return numbered(new, told);
        };
        // Long windows end with the newest date alone: that they are listed no more is no news of it.
        let listed = of_windows(stood, new)?;
        let stood = listed.as_ref().unwrap_or(stood);
        let is_remapped = self.remapped.contains(&date);
        let is_renamed = || self.renamed.is_in(stood) || self.renamed.is_in(new);
        let reason = match is_remapped {
            true => Some(Reason::Remap),
            false => is_renamed().then_some(Reason::Catalogue),
        };
        verdict.reasons.extend(reason.map(|reason| (date, reason)));
        let may_stay = match self.is_exact || reason.is_some() || self.unnamed.contains(&date) {
            true => is_same(Some(stood), Some(&numbered(new, revision)?))?,
            false => is_near(self.metric, stood, new)?,
        };
        if may_stay {
            verdict.revised.extend((revision > told).then_some((date, revision)));
            verdict.changed.extend(listed.is_some().then_some(date));
            return Ok(stood.clone());
        }
        verdict.changed.insert(date);
        verdict.revised.insert(date, told + 1);
        numbered(new, told + 1)
    }
}

/// Rows of the windows that `new` has. None: `stood` has no others.
fn of_windows(stood: &RecordBatch, new: &RecordBatch) -> Result<Option<RecordBatch>, Error> {
    let windows = |rows: &RecordBatch| {
        rows.column_by_name("window_days").and_then(|days| days.as_primitive_opt::<Int64Type>().cloned())
    };
    let (Some(days), Some(listed)) = (windows(stood), windows(new)) else { return Ok(None) };
    let listed: BTreeSet<i64> = listed.values().iter().copied().collect();
    let stays: BooleanArray = days.values().iter().map(|days| Some(listed.contains(days))).collect();
    if stays.true_count() == stood.num_rows() {
        return Ok(None);
    }
    filter_record_batch(stood, &stays).map(Some).map_err(|source| super::failed(source.into()))
}

/// None: the rows are of an open date.
fn number_of(rows: &RecordBatch) -> Option<i64> {
    let numbers = rows.column_by_name(REVISION.name)?.as_primitive_opt::<Int64Type>()?;
    numbers.iter().next().flatten()
}

fn numbered(rows: &RecordBatch, revision: i64) -> Result<RecordBatch, Error> {
    let failed = |source: arrow::error::ArrowError| super::failed(source.into());
    let schema = rows.schema();
    let at = schema.index_of(REVISION.name).map_err(failed)?;
    let mut columns = rows.columns().to_vec();
    if let Some(column) = columns.get_mut(at) {
        *column = Arc::new(Int64Array::from(vec![revision; rows.num_rows()]));
    }
    RecordBatch::try_new(schema, columns).map_err(failed)
}

impl Publisher {
    pub(super) async fn judge(
        &self,
        metric: &'static Metric,
        due: &Due,
        round: &Round,
    ) -> Result<Judge, Error> {
        let open_from = round.terms.open_from();
        let mut closed = due.dates.iter().filter(|date| metric.last_day(**date) < open_from);
        let log = match metric.is_revised() && closed.next().is_some() {
            true => round.log.get_or_try_init(async || {
                let log = Log::read(self.publications.snapshot()).await;
                log.map(Arc::new).map_err(Error::metric)
            }),
            false => return Ok(Judge::new(metric, round, Arc::default(), due)),
        };
        Ok(Judge { is_exact: round.is_afresh, ..Judge::new(metric, round, Arc::clone(log.await?), due) })
    }

    /// Under what else `last` was published.
    pub(super) fn differs_from(&self, last: &Publication) -> Reason {
        let is_same = last.settings == self.terms.settings_fingerprint();
        if is_same { Reason::Catalogue } else { Reason::Terms }
    }
}

impl Judge {
    fn new(metric: &'static Metric, round: &Round, log: Arc<Log>, due: &Due) -> Self {
        let came_back = due.came_back.as_ref().map(|(dates, _)| dates.clone()).unwrap_or_default();
        Self {
            metric,
            open_from: round.terms.open_from(),
            is_exact: false,
            unnamed: due.unnamed.clone(),
            log,
            came_back,
            renamed: Arc::clone(&round.renamed),
            remapped: round.remapped_of(metric),
        }
    }
}

/// As the row of the publication tells it.
pub(super) fn told(
    metric: &Metric,
    due: &Due,
    revised: BTreeMap<NaiveDate, i64>,
    reasons: &BTreeMap<NaiveDate, Reason>,
) -> impl Iterator<Item = Revised> + use<> {
    let usual = due.came_back.as_ref().map_or(Reason::LateRows, |(_, reason)| *reason);
    let mut by_reason: BTreeMap<Reason, Vec<(NaiveDate, i64)>> = BTreeMap::new();
    for (date, revision) in revised {
        by_reason.entry(reasons.get(&date).copied().unwrap_or(usual)).or_default().push((date, revision));
    }
    let table = metric.table.name;
    by_reason.into_iter().flat_map(move |(reason, dates)| Revised::join(table, dates, reason))
}
