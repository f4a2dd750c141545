//! What stands in published tables, as the newest publication says: what lies outside is neither nothing nor too little, but
//! still to come. Rows say it first: where any name has one, a name without had no traffic.

use std::sync::Arc;

use bellwether_metrics::publications::Publication;
use bellwether_warehouse::TableId;
use chrono::{DateTime, Days, NaiveDate, NaiveTime, TimeDelta, Utc};

use super::Dataset;
use super::figure::NotYet;

/// After its end a day waits so long for what arrives late, see [`bellwether_metrics::Terms::open_at`].
const CLOSES_AFTER: TimeDelta = TimeDelta::hours(2);

#[derive(Clone, Debug, Default)]
pub(crate) struct Standing {
    /// None: nothing was published yet.
    newest: Option<Arc<Publication>>,
    /// First day that is told of, where those before it are still to be written or published.
    written_from: Option<NaiveDate>,
}

impl Standing {
    pub fn new(newest: Option<&Publication>, written_from: NaiveDate) -> Self {
        let written_from = Some(written_from).filter(|from| *from > NaiveDate::MIN);
        Self { newest: newest.cloned().map(Arc::new), written_from }
    }

    /// First day of a history of which older days are still to come.
    pub fn written_from(&self) -> Option<NaiveDate> {
        self.written_from
    }

    /// Whether a table has all rows of a date that there are, made when everything up to `until` had arrived.
    pub fn has(&self, table: TableId, date: NaiveDate, until: DateTime<Utc>) -> bool {
        let name = table.name();
        let has = |newest: &Publication| {
            newest.versions.contains_key(name)
                && newest.complete_from.get(name).is_none_or(|from| *from <= date)
                && newest.as_of.get(name).is_none_or(|as_of| until <= *as_of)
        };
        self.newest.as_deref().is_some_and(has)
    }

    /// The same of windows that end with a day, which are put when it has closed.
    pub fn has_windows_to(&self, table: TableId, end: NaiveDate) -> bool {
        self.has(table, end, closes_at(end))
    }

    /// The same of a day of health, when that has closed.
    pub fn has_day(&self, table: TableId, date: NaiveDate) -> bool {
        self.written_from.is_none_or(|from| from <= date) && self.has(table, date, closes_at(date))
    }

    /// Whether a table of now was put, though it has no row. Pages are opened before such tables are made: others are then
    /// said to begin with a day that has not come.
    pub fn has_now(&self, table: TableId) -> bool {
        let has = |newest: &Publication| {
            let today = newest.published_at.date_naive();
            newest.versions.contains_key(table.name())
                && newest.complete_from.values().all(|from| *from <= today)
        };
        self.newest.as_deref().is_some_and(has)
    }
}

impl Dataset {
    /// Of what is not there although everything else might be.
    pub(super) fn not_yet(&self) -> NotYet {
        NotYet::default()
    }

    /// The same of windows of days, which are not put before the first of them has closed.
    pub(super) fn no_window_yet(&self) -> NotYet {
        let first = closes_at(self.last_complete_date());
        NotYet { due_at: Some(first).filter(|at| !self.has_complete_day() && *at > self.as_of) }
    }
}

/// When a day closes.
fn closes_at(date: NaiveDate) -> DateTime<Utc> {
    let end = date.checked_add_days(Days::new(1)).unwrap_or(date).and_time(NaiveTime::MIN).and_utc();
    end.checked_add_signed(CLOSES_AFTER).unwrap_or(end)
}

#[cfg(test)]
mod tests {
    use bellwether_metrics::{Terms, health_by_day, health_now};

    use super::*;
    use crate::data::testing::{day, now};

    #[test]
    fn a_day_closes_when_publications_say_so() {
        let at = closes_at(day("2026-11-24"));
        assert_eq!(at.to_rfc3339(), "2026-11-25T02:00:00+00:00");
        assert_eq!(Terms::open_at(at), day("2026-11-25"));
        assert_eq!(Terms::open_at(at - TimeDelta::seconds(1)), day("2026-11-24"));
    }

    /// Of the two tables, as of noon of the 25th.
    fn publication(complete_from: &[(&str, &str)]) -> Publication {
        let tables = [health_by_day::TABLE.name, health_now::TABLE.name];
        Publication {
            published_at: now(),
            versions: tables.map(|name| (name.to_owned(), 1)).into(),
            as_of: tables.map(|name| (name.to_owned(), now())).into(),
            complete_from: complete_from.iter().map(|(name, from)| ((*name).to_owned(), day(from))).collect(),
            ..Publication::default()
        }
    }

    #[test]
    fn what_a_publication_lacks_is_still_to_come() {
        let (days, of_now) = (health_by_day::METRIC.id(), health_now::METRIC.id());
        let of = |publication: Option<Publication>, from| {
            let standing = Standing::new(publication.as_ref(), from);
            let days =
                ["2026-11-01", "2026-11-24", "2026-11-25"].map(|date| standing.has_day(days, day(date)));
            (days, standing.has_now(of_now))
        };
        assert_eq!(of(None, NaiveDate::MIN), ([false; 3], false), "nothing is published");
        assert_eq!(of(Some(Publication::default()), NaiveDate::MIN), ([false; 3], false), "neither table is");
        // The 25th has not closed.
        assert_eq!(of(Some(publication(&[])), NaiveDate::MIN), ([true, true, false], true));
        assert_eq!(of(Some(publication(&[])), day("2026-11-02")), ([false, true, false], true));
        let later = publication(&[("health_by_day", "2026-11-24")]);
        assert_eq!(of(Some(later), NaiveDate::MIN), ([false, true, false], true));
        let opening = publication(&[("health_by_window", "2026-11-26")]);
        assert_eq!(of(Some(opening), NaiveDate::MIN), ([true, true, false], false));
    }
}
