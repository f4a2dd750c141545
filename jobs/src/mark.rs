//! When each date of a table was rebuilt last: its `rebuilt/<date>` transaction, in ms since 1970.
//!
//! It moves in the same commit as the rows and always onwards, so of two workers at one date one is fenced, and
//! a worker that starts later knows what is left to do.

use bellwether_warehouse::{Advance, AppId, Snapshot};
use chrono::{DateTime, NaiveDate, Utc};

fn app(date: NaiveDate) -> AppId {
    AppId(format!("rebuilt/{date}"))
}

pub(crate) fn rebuilt_at(snapshot: &Snapshot, date: NaiveDate) -> Option<DateTime<Utc>> {
    snapshot.txn(&app(date)).and_then(DateTime::from_timestamp_millis)
}

/// Marks `dates` as rebuilt at `now`, or a moment after they were last where the clock stands before that.
pub(crate) fn advance<'a>(
    snapshot: &Snapshot,
    dates: impl IntoIterator<Item = &'a NaiveDate>,
    now: DateTime<Utc>,
) -> Vec<Advance> {
    let mark = |date: &NaiveDate| {
        let app = app(*date);
        let from = snapshot.txn(&app);
        let to = from.map_or(now.timestamp_millis(), |from| now.timestamp_millis().max(from + 1));
        Advance { app, from, to }
    };
    dates.into_iter().map(mark).collect()
}

/// Takes every mark back: what was left out of the dates is in them again.
pub(crate) fn forget(snapshot: &Snapshot) -> Vec<Advance> {
    let marks = snapshot.txns("rebuilt/").into_iter().filter(|(_, at)| *at > 0);
    marks.map(|(app, at)| Advance { app, from: Some(at), to: 0 }).collect()
}
