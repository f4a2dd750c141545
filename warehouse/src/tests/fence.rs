//! Writers that stood still while the log was cleaned up, or while vacuum took what they had staged.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use futures::FutureExt;
use tempfile::TempDir;

use super::{line, offsets, over};
use crate::log_folder::entry_name;
use crate::maintain::{CleaningRule, VacuumRule};
use crate::testing::{Aging, append};
use crate::{Advance, AppId, Change, CommitError, Location, Table, TableId, Warehouse};

const NOTHING_IN_TABLE: &str = "SELECT count(*) FROM attempts WHERE src_offset >= 1000";

struct Fixture {
    _dir: TempDir,
    store: Arc<Aging>,
    warehouse: Warehouse,
}

fn start() -> DateTime<Utc> {
    "2026-11-25T12:00:00Z".parse().unwrap()
}

impl Fixture {
    async fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let location = Location::parse(dir.path().to_str().unwrap()).unwrap();
        let store = Aging::new(start());
        let warehouse = store.warehouse(&location).await.unwrap();
        Self { _dir: dir, store, warehouse }
    }

    async fn table(&self) -> Table {
        self.warehouse.table(TableId::Attempts).await.unwrap()
    }

    /// What happens while a writer stands still before its write of `version`.
    fn before_entry<F: Future<Output = ()> + Send + 'static>(
        &self,
        version: i64,
        act: impl FnOnce(Table, Arc<Aging>) -> F + Send + 'static,
    ) {
        let (warehouse, store) = (self.warehouse.clone(), Arc::clone(&self.store));
        self.store.before_put_of(&entry_name(version), move || {
            async move {
                let table = warehouse.table(TableId::Attempts).await.unwrap();
                act(table, store).await;
            }
            .boxed()
        });
    }
}

/// Checkpoint, two days, another entry and checkpoint, clean-up of all that lies below.
async fn clean_up(table: &mut Table, store: &Aging) {
    table.checkpoint().await.unwrap();
    store.advance(TimeDelta::days(2));
    let rule = CleaningRule { before: store.now(), passed: i64::MAX, checkpoints: 1, own_entry: false };
    let cleaning = table.plan_cleaning(&rule).await.unwrap();
    assert!(cleaning.entries().files > 0);
    table.clean(cleaning).await.unwrap();
}

async fn append_some(table: &mut Table, times: i64) {
    for at in 0..times {
        append(table, &offsets(at * 10, at * 10 + 10)).await.unwrap();
    }
}

#[tokio::test]
async fn an_entry_put_after_its_name_was_cleaned_up_is_fenced_and_leaves_nothing() {
    // The checkpoint is of a later version than the writer's, and of just its version.
    for others in [3, 1] {
        let f = Fixture::new().await;
        let mut writer = f.table().await;
        f.before_entry(1, move |mut table, store| async move {
            append_some(&mut table, others).await;
            clean_up(&mut table, &store).await;
            // The entry that the checkpoint is of stays.
            if others == 1 {
                table.log().forget(1).await.unwrap();
            }
        });
        let error = append(&mut writer, &offsets(1000, 1010)).await.unwrap_err();
        assert!(matches!(error, CommitError::TooLate { table: "attempts", version: 1 }), "{error:?}");
        assert!(error.is_refusal());
        assert_eq!(writer.snapshot().version(), others);
        for table in [&writer, &f.table().await] {
            assert_eq!(line(&over(table), NOTHING_IN_TABLE).await, "0");
            assert_eq!(line(&over(table), "SELECT count(*) FROM attempts").await, (others * 10).to_string());
        }
        assert!(writer.commits(0, 1).await.is_err(), "the entry was left");
        // It can go on from what the table is.
        append(&mut writer, &offsets(1000, 1010)).await.unwrap();
        assert_eq!(line(&over(&writer), NOTHING_IN_TABLE).await, "10");
    }
}

#[tokio::test]
async fn an_entry_that_a_checkpoint_took_in_at_once_stands() {
    let f = Fixture::new().await;
    let mut writer = f.table().await;
    let mut other = f.table().await;
    // The writer has written entry 1 and not looked at the pointer yet: another writes the pointer to 1 meanwhile.
    append(&mut other, &offsets(0, 10)).await.unwrap();
    let ours = other.snapshot().files().to_vec();
    other.checkpoint().await.unwrap();
    let told = |files: Vec<crate::DataFile>| {
        let log = other.log().clone();
        async move { log.told_of(1, &files).await.unwrap() }
    };
    assert_eq!(told(ours.clone()).await, crate::log::Told::Named);
    assert_eq!(told(writer.write(&[offsets(0, 10)]).await.unwrap()).await, crate::log::Told::NotNamed);
    // A file that was removed since is told of as well.
    let remove = vec![ours[0].path.clone()];
    other.commit(Change { remove, ..Change::default() }).await.unwrap();
    other.checkpoint().await.unwrap();
    let log = other.log().clone();
    assert_eq!(log.told_of(1, &ours).await.unwrap(), crate::log::Told::Named);
    assert_eq!(log.told_of(3, &ours).await.unwrap(), crate::log::Told::NotCovered);
    writer.refresh().await.unwrap();
    assert_eq!(writer.snapshot().version(), 2);
}

#[tokio::test]
async fn a_position_that_moved_without_rows_after_clean_up_is_read_anew() {
    let f = Fixture::new().await;
    let mut writer = f.table().await;
    let app = AppId("ingest/test/events/0/0".to_owned());
    let theirs = app.clone();
    f.before_entry(1, move |mut table, store| async move {
        let advance = vec![Advance { app: theirs, from: None, to: 70 }];
        table.commit(Change { advance, ..Change::default() }).await.unwrap();
        append_some(&mut table, 2).await;
        clean_up(&mut table, &store).await;
    });
    let advance = vec![Advance { app: app.clone(), from: None, to: 5 }];
    let error = writer.commit(Change { advance, ..Change::default() }).await.unwrap_err();
    assert!(matches!(error, CommitError::TooLate { version: 1, .. }), "{error:?}");
    assert_eq!(writer.snapshot().txn(&app), Some(70));
}

#[tokio::test]
async fn a_handle_from_before_clean_up_does_not_believe_an_entry_that_came_too_late() {
    let f = Fixture::new().await;
    let mut stale = f.table().await;
    let mut table = f.table().await;
    // The entry that the checkpoint is of stays, right behind the one that comes too late.
    append_some(&mut table, 2).await;
    let late = table.storage().get(&entry_name(1)).await.unwrap().unwrap();
    clean_up(&mut table, &f.store).await;
    // What a writer that is killed before it looks at the pointer leaves behind, with rows of its own.
    let late = String::from_utf8(late.to_vec()).unwrap().replace("/part-", "/part-late-");
    table.storage().put(&entry_name(1), late.into()).await.unwrap();
    stale.refresh().await.unwrap();
    assert_eq!(stale.snapshot().version(), 2);
    assert_eq!(stale.snapshot().files(), table.snapshot().files());
}

#[tokio::test]
async fn a_file_staged_before_vacuums_instant_is_not_committed() {
    let f = Fixture::new().await;
    let mut writer = f.table().await;
    let old = writer.write(&[offsets(1000, 1010)]).await.unwrap();
    f.store.advance(TimeDelta::hours(30));
    let young = writer.write(&[offsets(1010, 1020)]).await.unwrap();
    let path = old[0].path.clone();

    // Vacuum runs while the writer stands still between its look at the log and its write.
    f.before_entry(1, |mut table, store| async move {
        let before = store.now() - TimeDelta::hours(24);
        let rule = VacuumRule { removed_before: before, unreferenced_before: before, passed: i64::MAX };
        let found = table.plan_vacuum(&rule).await.unwrap();
        assert_eq!((found.removed.files, found.unreferenced.files), (0, 1));
        assert_eq!(table.vacuum(found).await.unwrap().files, 1);
    });
    let error = writer.commit(Change { add: old, ..Change::default() }).await.unwrap_err();
    assert!(matches!(&error, CommitError::Outlived { path: told, .. } if *told == path), "{error:?}");
    writer.commit(Change { add: young, ..Change::default() }).await.unwrap();
    assert_eq!(line(&over(&writer), NOTHING_IN_TABLE).await, "10");
}

#[tokio::test]
async fn a_commit_in_doubt_is_found_in_the_checkpoint_when_its_entry_is_gone() {
    let f = Fixture::new().await;
    let mut table = f.table().await;
    append_some(&mut table, 1).await;
    let added = table.snapshot().files().to_vec();
    append_some(&mut table, 2).await;
    clean_up(&mut table, &f.store).await;
    assert_eq!(table.log().told_of(1, &added).await.unwrap(), crate::log::Told::Named);
    assert!(table.commits(0, 1).await.is_err(), "entry 1 is gone");
}
