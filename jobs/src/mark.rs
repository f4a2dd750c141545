//! When each date of a table was rebuilt last: its `rebuilt/<date>` transaction, in ms since 1970.
//!
//! It moves in the same commit as the rows and always onwards, so of two workers at one date one is fenced, and
//! a worker that starts later knows what is left to do.
//!
//! A date whose names were read again has a mark of its own, `remapped/<date>`: in `attempts` it moves with the rows, and a
//! rollup gets the same one in the commit by which its rows are made of those. As long as the two differ, it is to be rebuilt.

use std::collections::{BTreeMap, BTreeSet};

use bellwether_warehouse::{Advance, AppId, Snapshot};
use chrono::{DateTime, NaiveDate, Utc};

const REMAPPED: &str = "remapped/";

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
    dates.into_iter().map(|date| onwards(snapshot, app(*date), now)).collect()
}

fn onwards(snapshot: &Snapshot, app: AppId, now: DateTime<Utc>) -> Advance {
    let from = snapshot.txn(&app);
    let to = from.map_or(now.timestamp_millis(), |from| now.timestamp_millis().max(from + 1));
    Advance { app, from, to }
}

/// Takes every mark back: what was left out of the dates is in them again.
pub(crate) fn forget(snapshot: &Snapshot) -> Vec<Advance> {
    let marks = snapshot.txns("rebuilt/").into_iter().filter(|(_, at)| *at > 0);
    marks.map(|(app, at)| Advance { app, from: Some(at), to: 0 }).collect()
}

fn remapped_app(date: NaiveDate) -> AppId {
    AppId(format!("{REMAPPED}{date}"))
}

/// Marks that names of `date` were read again at `now`.
pub(crate) fn remap(attempts: &Snapshot, date: NaiveDate, now: DateTime<Utc>) -> Advance {
    onwards(attempts, remapped_app(date), now)
}

/// Dates whose names were read again since the rows of `table` were made.
pub(crate) fn remapped(attempts: &Snapshot, table: &Snapshot) -> BTreeSet<NaiveDate> {
    let made: BTreeMap<AppId, i64> = table.txns(REMAPPED).into_iter().collect();
    let is_new = |(app, at): &(AppId, i64)| made.get(app) != Some(at);
    let date = |(app, _): (AppId, i64)| app.0.strip_prefix(REMAPPED).and_then(|date| date.parse().ok());
    attempts.txns(REMAPPED).into_iter().filter(is_new).filter_map(date).collect()
}

/// Marks that rows of `table` are made of the names of now, on those of `dates` where they were not.
pub(crate) fn read<'a>(
    attempts: &Snapshot,
    table: &Snapshot,
    dates: impl IntoIterator<Item = &'a NaiveDate>,
) -> Vec<Advance> {
    let apps = dates.into_iter().map(|date| remapped_app(*date));
    let moved = apps.filter_map(|app| {
        let (from, to) = (table.txn(&app), attempts.txn(&app)?);
        (from != Some(to)).then_some(Advance { app, from, to })
    });
    moved.collect()
}

/// The dates of such marks.
pub(crate) fn remapped_by(marks: &[Advance]) -> BTreeSet<NaiveDate> {
    marks.iter().filter_map(|mark| mark.app.0.strip_prefix(REMAPPED)?.parse().ok()).collect()
}

/// Marks for rows that are made of all of `attempts`.
pub(crate) fn read_all(attempts: &Snapshot, table: &Snapshot) -> Vec<Advance> {
    read(attempts, table, &remapped(attempts, table))
}
