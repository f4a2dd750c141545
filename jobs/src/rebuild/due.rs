//! Which dates the nightly rebuild is about.

use std::collections::{BTreeMap, BTreeSet};

use bellwether_warehouse::{Snapshot, TableId};
use chrono::{DateTime, Days, NaiveDate, Timelike, Utc};

use crate::dates::{dates_of, days_before};
use crate::error::Error;
use crate::jobs::Jobs;
use crate::mark;

/// Days back that a date which was never rebuilt is still made up for. More: a warehouse with a long history,
/// imported or older than these marks, has more of it read a second time; `jobs rebuild` takes any date.
const CATCH_UP_DAYS: u64 = 31;

/// A night begins at this hour and belongs to the day on which it begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Nightly {
    /// Of the day, UTC.
    pub hour: u32,
    /// Nights in which a date is rebuilt after it closed. More: later copies are met, and more work each night.
    pub nights: u64,
}

impl Nightly {
    fn night(self, at: DateTime<Utc>) -> NaiveDate {
        let today = at.date_naive();
        if at.hour() >= self.hour { today } else { today.pred_opt().unwrap_or(today) }
    }

    /// The night since which `date` should have been rebuilt; None: it has not closed.
    fn wanted(self, date: NaiveDate, now: DateTime<Utc>) -> Option<NaiveDate> {
        let last = date.checked_add_days(Days::new(self.nights)).unwrap_or(NaiveDate::MAX);
        let night = self.night(now).min(last);
        (night > date).then_some(night)
    }
}

/// Closed dates of `attempts`, and the tables that have not been rebuilt for them since the night they should
/// have been.
pub(crate) async fn due(
    jobs: &mut Jobs,
    nightly: Nightly,
    now: DateTime<Utc>,
) -> Result<BTreeMap<NaiveDate, BTreeSet<TableId>>, Error> {
    jobs.refresh().await?;
    let first_caught_up = days_before(now, CATCH_UP_DAYS);
    let mut due = BTreeMap::new();
    for date in dates_of(jobs.attempts.snapshot())? {
        let Some(wanted) = nightly.wanted(date, now) else {
            continue;
        };
        let keeping = jobs.rebuilt().filter(|(rollup, _)| date >= rollup.level.first_kept(now.date_naive()));
        let tables = keeping.map(|(_, table)| table.snapshot());
        let is_done = |snapshot: &&Snapshot| {
            mark::rebuilt_at(snapshot, date).is_some_and(|at| nightly.night(at) >= wanted)
        };
        let (done, left): (Vec<_>, Vec<_>) = tables.partition(is_done);
        // A table that was made anew has the copies again that the others are rid of.
        if !left.is_empty() && (date >= first_caught_up || !done.is_empty()) {
            due.insert(date, left.into_iter().map(Snapshot::table).collect());
        }
    }
    Ok(due)
}

#[cfg(test)]
mod tests {
    use super::Nightly;
    use crate::testing::at;

    #[test]
    fn a_date_is_wanted_in_each_of_the_nights_after_it_closed() {
        let nightly = Nightly { hour: 2, nights: 2 };
        let date = "2026-11-24".parse().unwrap();
        for (now, wanted) in [
            ("2026-11-24T23:00:00Z", None),
            ("2026-11-25T01:59:59Z", None),
            ("2026-11-25T02:00:00Z", Some("2026-11-25")),
            ("2026-11-26T01:59:59Z", Some("2026-11-25")),
            ("2026-11-26T02:00:00Z", Some("2026-11-26")),
            ("2026-12-24T02:00:00Z", Some("2026-11-26")),
        ] {
            assert_eq!(nightly.wanted(date, at(now)), wanted.map(|night| night.parse().unwrap()), "{now}");
        }
    }
}
