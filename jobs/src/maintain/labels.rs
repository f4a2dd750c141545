//! Label rows go by epochs. An epoch's rows and its keys are destroyed together, within the week after its end, so
//! that no row of a user gets older than 35 days.

use arrow::datatypes::Date32Type;
use bellwether_warehouse::tables::label_cells::{destroyed_app, epoch_of_day, first_day_after};
use bellwether_warehouse::{Advance, Change, DataFile, Table};
use chrono::{DateTime, TimeDelta, Utc};

use super::{Action, Intent, Step, TableReport};
use crate::dates::date_of;
use crate::error::Error;

/// Days from the end of an epoch to its destruction: its last week is published after two. It must be done by the
/// seventh.
const DESTROYED_AFTER_DAYS: i64 = 6;
const OVERDUE_AFTER_DAYS: i64 = 7;

/// Newest epoch that is to be destroyed by `now`.
pub(super) fn due(now: DateTime<Utc>) -> i64 {
    ended_before(now, DESTROYED_AFTER_DAYS)
}

fn ended_before(now: DateTime<Utc>, days: i64) -> i64 {
    let day = i64::from(Date32Type::from_naive_date((now - TimeDelta::days(days)).date_naive()));
    // The epoch of that day has not ended by it.
    epoch_of_day(day) - 1
}

/// Removes the rows of destroyed epochs and says in the same commit that they are destroyed, so that none comes back.
/// True: files were removed.
pub(super) async fn drop_weeks(
    table: &mut Table,
    intent: Intent,
    now: DateTime<Utc>,
    found: &mut TableReport,
) -> Result<bool, Error> {
    let name = table.id().name();
    let due = due(now);
    let stands = table.snapshot().txn(&destroyed_app());
    found.destroyed_epoch = stands;
    let files = files_up_to(table, due)?;
    if files.is_empty() && stands.is_some_and(|stands| stands >= due) {
        return Ok(false);
    }
    if overdue(table, now)? > 0 {
        tracing::error!(table = name, "label rows of users are older than they may get; removing them");
    }
    let bytes = files.iter().map(|file| file.size_bytes).sum::<i64>().unsigned_abs();
    let why = format!("epochs up to {due} ended {DESTROYED_AFTER_DAYS} days ago or earlier");
    let (count, has_files) = (files.len() as u64, !files.is_empty());
    if intent == Intent::Do {
        let info = [
            ("bellwether".to_owned(), "destroy".into()),
            ("job".to_owned(), "destroy".into()),
            ("destroyed_at".to_owned(), now.timestamp_millis().into()),
        ];
        let change = Change {
            advance: vec![Advance { app: destroyed_app(), from: stands, to: stands.unwrap_or(due).max(due) }],
            remove: files.into_iter().map(|file| file.path).collect(),
            info: info.into_iter().collect(),
            ..Change::default()
        };
        match table.commit(change).await {
            Ok(_) => found.destroyed_epoch = Some(due),
            // Rows came meanwhile, or another maintainer is at it.
            Err(error) if error.is_refusal() => return Ok(false),
            Err(source) => return Err(Error::Commit { table: name, source }),
        }
    }
    if has_files {
        found.push(Step::Destroy, Action { files: count, bytes, why });
    }
    Ok(has_files)
}

/// Files of rows that are older than they may get: maintenance failed, or nobody ran it.
pub(super) fn overdue(table: &Table, now: DateTime<Utc>) -> Result<u64, Error> {
    Ok(files_up_to(table, ended_before(now, OVERDUE_AFTER_DAYS))?.len() as u64)
}

/// Files of weeks of epochs up to `epoch`.
fn files_up_to(table: &Table, epoch: i64) -> Result<Vec<DataFile>, Error> {
    let first_kept = first_day_after(epoch);
    let mut files = Vec::new();
    for file in table.snapshot().files() {
        let week = date_of(table.id(), file)?;
        if i64::from(Date32Type::from_naive_date(week)) < first_kept {
            files.push(file.clone());
        }
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::at;

    #[test]
    fn an_epoch_is_destroyed_from_the_sixth_day_after_its_end_on() {
        // Epoch 741 ended with Sunday 2026-11-22.
        assert_eq!(due(at("2026-11-28T23:59:59Z")), 740);
        assert_eq!(due(at("2026-11-29T00:00:00Z")), 741);
        assert_eq!(ended_before(at("2026-11-29T23:59:59Z"), OVERDUE_AFTER_DAYS), 740);
        assert_eq!(ended_before(at("2026-11-30T00:00:00Z"), OVERDUE_AFTER_DAYS), 741);
    }
}
