//! Rows that come late move figures of windows that have ended, of every one up to a year later. So the newest end date is
//! computed again every ten minutes at most, and older ones in one pass a night, after the rebuild. Which are put off is in the
//! row of the publication.

use std::collections::BTreeSet;

use bellwether_metrics::publications::Publication;
use bellwether_metrics::{Metric, Terms, gate};
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
    let name = metric.table.name;
    let last = round.last.as_ref()?;
    let as_of = last.as_of.get(name).copied()?;
    let has_passed = |every, at| slot(round.terms.watermark - at, every) != slot(as_of - at, every);
    if has_passed(OLDER_EVERY, OLDER_AT) {
        due.extend(all(metric, stands, round));
        return None;
    }
    let open_from = round.terms.open_from();
    let newest = open_from.pred_opt().unwrap_or(open_from);
    let is_newest_due = has_passed(NEWEST_EVERY, TimeDelta::zero());
    let turned = turned(round);
    let mut late: BTreeSet<NaiveDate> = due.range(..open_from).copied().collect();
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

/// Where a day has turned or closed since the last publication: those that were open then, the one before, which was the newest
/// closed one, and all since.
pub(super) fn turned(round: &Round) -> BTreeSet<NaiveDate> {
    // Of a table that the slow lane alone puts.
    let ran = |last: &Publication| *last.as_of.get(gate::TABLE.name).unwrap_or(&last.published_at);
    let Some(ran) = round.last.as_ref().map(ran) else {
        return BTreeSet::new();
    };
    let (day, open) = (ran.date_naive(), Terms::open_at(ran));
    if day >= round.terms.today && open >= round.terms.open_from() {
        return BTreeSet::new();
    }
    let first = day.min(open);
    days_between(first.pred_opt().unwrap_or(first), round.terms.today).collect()
}
