//! Writers against housekeeping.
//!
//! Put-if-absent tells who was first at a name only while no name becomes free again. A writer that stood still
//! between looking at the log and writing entry N + 1 (a stopped process, a paused machine) may find that others
//! wrote N + 1 long ago, that a checkpoint took it in and that it was cleaned up: then its put succeeds, and no
//! reader will ever count it. Likewise the data files that it staged may have been taken by vacuum as left behind.
//!
//! **After a won put the pointer to the newest checkpoint is read.** Entries are cleaned up only below a checkpoint
//! that the pointer names already, and the pointer never moves back. So a pointer below the entry's version says
//! that the name was never free before: the entry stands. A pointer at or above it can also mean that another
//! process wrote a checkpoint just after our put. What the checkpoint tells decides then: it holds the history up to
//! its version, as active files and as tombstones of removed ones, and the names of data files are unique. It tells
//! of a file of ours exactly when our entry is part of the history. (A tombstone is forgotten after days. A writer
//! that stood still that long *behind* its put is told "too late" although its rows came in and were rewritten
//! since; it forgets its batch and reads its position anew from the table, so that is no loss either.) A commit that
//! adds no files is called too late: its caller has nothing staged and looks at the table again.
//!
//! **Before a put the age of staged files is compared with the vacuum transaction.** Before vacuum deletes files that
//! no commit names, it commits the instant (the store's clock, ms) up to whose files it does. A writer that has read
//! that commit refuses to add a file of before that instant; one that has not finds its next version taken.

use chrono::{DateTime, Utc};
use futures::{StreamExt, TryStreamExt};

use super::{Change, CommitError};
use crate::error::Error;
use crate::log::{Log, State, Told};
use crate::transaction::AppId;

/// Files looked up at once.
const LOOK_UPS: usize = 16;

/// Value: instant (ms, the store's clock) up to whose files that no commit names vacuum deletes.
pub(crate) fn vacuum_app() -> AppId {
    AppId("vacuum".to_owned())
}

/// What became of an entry whose put succeeded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Stands,
    /// The history has another entry in its place.
    Supplanted,
    /// A checkpoint covers the version, and there is nothing by which to tell.
    Unknown,
}

pub(super) async fn judge(log: &Log, version: i64, change: &Change) -> Result<Verdict, Error> {
    Ok(match log.told_of(version, &change.add).await? {
        Told::NotCovered | Told::Named => Verdict::Stands,
        Told::NotNamed if change.add.is_empty() => Verdict::Unknown,
        Told::NotNamed => Verdict::Supplanted,
    })
}

/// Whether a commit that was in doubt at `version` came in and is told of by a checkpoint only.
pub(super) async fn is_told_of(log: &Log, version: i64, change: &Change) -> Result<bool, Error> {
    Ok(log.told_of(version, &change.add).await? == Told::Named)
}

/// Leaves the table as it is: the entry goes where it is surely none, and the state is read anew.
pub(super) async fn too_late(
    log: &Log,
    table: &'static str,
    state: &mut State,
    version: i64,
    verdict: Verdict,
) -> CommitError {
    let failed = |source| CommitError::Log { table, source };
    if verdict == Verdict::Supplanted
        && let Err(error) = log.forget(version).await
    {
        tracing::warn!(
            table,
            version,
            error = &error as &dyn std::error::Error,
            "left a log entry that came too late; readers pass over it, and clean-up takes it"
        );
    }
    match log.load().await {
        Ok(Some(loaded)) => *state = loaded,
        Ok(None) => return failed(Error::TableMissing { table }),
        Err(error) => return failed(error),
    }
    CommitError::TooLate { table, version }
}

/// Refuses files that vacuum may have taken or may be about to take.
pub(super) async fn check_staged(
    log: &Log,
    table: &'static str,
    state: &State,
    change: &Change,
) -> Result<(), CommitError> {
    let Some(taken_up_to) = state.txns.get(&vacuum_app()).copied() else {
        return Ok(());
    };
    let paths: Vec<String> = change.add.iter().map(|file| file.path.clone()).collect();
    let look_ups = paths.into_iter().map(|path| async move {
        let written_at = log.written_at(&path).await?;
        Ok((path, written_at))
    });
    let mut found = futures::stream::iter(look_ups).buffer_unordered(LOOK_UPS);
    while let Some((path, written_at)) =
        found.try_next().await.map_err(|source| CommitError::Log { table, source })?
    {
        if written_at.is_none_or(|at: DateTime<Utc>| at.timestamp_millis() <= taken_up_to) {
            return Err(CommitError::Outlived { table, path });
        }
    }
    Ok(())
}
