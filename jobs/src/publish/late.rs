//! Rows that come late move figures of windows that have ended, of every one up to a year later. So the newest end date is
//! computed again every ten minutes at most, and older ones in one pass a night, after the rebuild. Which are put off is in the
//! row of the publication.

use std::collections::BTreeSet;

use bellwether_metrics::publications::Publication;
use bellwether_metrics::{Metric, gate};
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};

use super::Round;
use super::place::days_between;

const NEWEST_EVERY: TimeDelta = TimeDelta::minutes(10);
const OLDER_EVERY: TimeDelta = TimeDelta::days(1);
/// Hour of the night in which older dates are computed: an hour after the rebuild of closed days begins.
const OLDER_AT: TimeDelta = TimeDelta::hours(3);

/// Takes those that are put off out of `due`. `unnamed`: dates that must not stay as they stand. Returns the first one that is
/// put off now; later ones that stand are, too.
pub(super) fn put_off(
    metric: &Metric,
    due: &mut BTreeSet<NaiveDate>,
    stands: &BTreeSet<NaiveDate>,
    unnamed: &BTreeSet<NaiveDate>,
    round: &Round,
) -> Option<NaiveDate> {
    let (name, today) = (metric.table.name, round.terms.today);
    let last = round.last.as_ref()?;
    let as_of = last.as_of.get(name).copied()?;
    let has_passed = |every, at| slot(round.terms.watermark - at, every) != slot(as_of - at, every);
    if has_passed(OLDER_EVERY, OLDER_AT) {
        due.extend(all(metric, stands, round));
        return None;
    }
    let newest = today.pred_opt().unwrap_or(today);
    let is_newest_due = has_passed(NEWEST_EVERY, TimeDelta::zero());
    let turned = turned(round);
    let mut late: BTreeSet<NaiveDate> = due.range(..today).copied().collect();
    late.retain(|date| !turned.contains(date) && !unnamed.contains(date));
    late.extend(all(metric, stands, round));
    if is_newest_due && late.remove(&newest) {
        due.insert(newest);
    }
    due.retain(|date| !late.contains(date) || unnamed.contains(date) || turned.contains(date));
    late.first().copied()
}

/// Those that were put off before.
pub(super) fn all<'a>(
    metric: &Metric,
    stands: &'a BTreeSet<NaiveDate>,
    round: &Round,
) -> impl Iterator<Item = NaiveDate> + use<'a> {
    let from = round.last.as_ref().and_then(|last| last.late_from.get(metric.table.name).copied());
    let today = round.terms.today;
    from.filter(|from| *from < today).into_iter().flat_map(move |from| stands.range(from..today).copied())
}

/// Number of the stretch of time of this length that an instant lies in.
fn slot(at: DateTime<Utc>, every: TimeDelta) -> i64 {
    at.timestamp().div_euclid(every.num_seconds().max(1))
}

/// Where a day has turned since the last publication: the one that was running then, the one before, which was the newest
/// closed one, and all since.
pub(super) fn turned(round: &Round) -> BTreeSet<NaiveDate> {
    // Of a table that the slow lane alone puts.
    let ran = |last: &Publication| *last.as_of.get(gate::TABLE.name).unwrap_or(&last.published_at);
    let Some(ran) = round.last.as_ref().map(|last| ran(last).date_naive()) else {
        return BTreeSet::new();
    };
    if ran >= round.terms.today {
        return BTreeSet::new();
    }
    days_between(ran.pred_opt().unwrap_or(ran), round.terms.today).collect()
}
