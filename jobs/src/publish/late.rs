//! Rows that come late move figures of days that have closed, and of every window with them, up to a year later. So what closed
//! last is computed again every ten minutes at most, and what closed before in one pass a night, after the rebuild. Which are put off is in the
//! row of the publication.

use std::collections::BTreeSet;

use bellwether_metrics::publications::Publication;
use bellwether_metrics::{Metric, Terms, gate};
use chrono::{DateTime, Days, NaiveDate, TimeDelta, Utc};

use super::Round;
use super::place::days_between;

const NEWEST_EVERY: TimeDelta = TimeDelta::minutes(10);
const OLDER_EVERY: TimeDelta = TimeDelta::days(1);
/// Hour of the night in which older dates are computed: an hour after the rebuild of closed days begins.
const OLDER_AT: TimeDelta = TimeDelta::hours(3);

/// Days after which rows do not come late any more, but are history that somebody writes: they are shown at once, but for
/// windows, of which a day moves a year.
const LATE_DAYS: Days = Days::new(28);

/// Takes those that are put off out of `due`. `stays`: dates that must not stay as they stand. Returns the first one that is put
/// off now; later ones that stand are, too.
pub(super) fn put_off(
    metric: &Metric,
    due: &mut BTreeSet<NaiveDate>,
    stands: &BTreeSet<NaiveDate>,
    stays: &BTreeSet<NaiveDate>,
    round: &Round,
) -> Option<NaiveDate> {
    let last = round.last.as_ref()?;
    last.as_of.get(metric.table.name)?;
    let as_of = ran(last);
    if round.is_night {
        due.extend(all(metric, stands, round));
        return None;
    }
    let open_from = round.terms.open_from();
    // Some of what a date is made of may be named otherwise already, and some not: the night shows it as a whole. Once it has
    // begun it does so no more, and rows that come late are put off as any are.
    let held = if round.renamed.is_begun { BTreeSet::new() } else { round.remapped_of(metric) };
    let is_held = |date: &NaiveDate| held.contains(date) && metric.last_day(*date) < open_from;
    due.retain(|date| !is_held(date) || !stands.contains(date) || stays.contains(date));
    let is_late = |date: &NaiveDate| {
        let day = metric.last_day(*date);
        let is_recent = day.checked_add_days(LATE_DAYS).is_none_or(|end| end >= open_from);
        day < open_from && (metric.is_of_windows() || (is_recent && stands.contains(date)))
    };
    let mut late: BTreeSet<NaiveDate> =
        due.iter().filter(|date| is_late(date) && !stays.contains(date)).copied().collect();
    late.extend(all(metric, stands, round));
    if slot(round.terms.watermark, NEWEST_EVERY) != slot(as_of, NEWEST_EVERY) {
        let is_newest = |date: &NaiveDate| metric.last_day(*date).succ_opt() == Some(open_from);
        due.extend(late.extract_if(.., is_newest));
    }
    due.retain(|date| !late.contains(date) || stays.contains(date));
    late.first().copied()
}

/// Whether its hour has passed since the last publication.
pub(super) fn is_night(last: &Publication, watermark: DateTime<Utc>) -> bool {
    slot(watermark - OLDER_AT, OLDER_EVERY) != slot(ran(last) - OLDER_AT, OLDER_EVERY)
}

/// Those that were put off before.
pub(super) fn all<'a>(
    metric: &'a Metric,
    stands: &'a BTreeSet<NaiveDate>,
    round: &Round,
) -> impl Iterator<Item = NaiveDate> + use<'a> {
    let from = round.last.as_ref().and_then(|last| last.late_from.get(metric.table.name).copied());
    let open_from = round.terms.open_from();
    let dates = from.filter(|from| *from < open_from).into_iter();
    dates
        .flat_map(move |from| stands.range(from..open_from).copied())
        .filter(move |date| metric.last_day(*date) < open_from)
}

/// Number of the stretch of time of this length that an instant lies in.
fn slot(at: DateTime<Utc>, every: TimeDelta) -> i64 {
    at.timestamp().div_euclid(every.num_seconds().max(1))
}

/// Up to when everything had arrived as the slow lane last ran: of a table that it alone puts.
fn ran(last: &Publication) -> DateTime<Utc> {
    *last.as_of.get(gate::TABLE.name).unwrap_or(&last.published_at)
}

/// Where a day has turned or closed since the last publication: those that were open then, the one before, which was the newest
/// closed one, and all since.
pub(super) fn turned(round: &Round) -> BTreeSet<NaiveDate> {
    let Some(ran) = round.last.as_ref().map(ran) else { return BTreeSet::new() };
    let (day, open) = (ran.date_naive(), Terms::open_at(ran));
    if day >= round.terms.today && open >= round.terms.open_from() {
        return BTreeSet::new();
    }
    let first = day.min(open);
    days_between(first.pred_opt().unwrap_or(first), round.terms.today).collect()
}
