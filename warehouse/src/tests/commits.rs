//! Compare-and-set: every row exactly once, whoever races and whatever the storage answers.

use serde_json::json;

use super::faulty::{Faulty, Manner};
use super::{attempts, line, offsets, over};
use crate::testing::append;
use crate::{Advance, AppId, Change, CommitError, Retry, Table, TableId, Warehouse};

fn app() -> AppId {
    AppId("ingest/test/events/0/0".to_owned())
}

/// Moves the offset on by `rows`, adding exactly those rows.
async fn step(table: &mut Table, rows: i64) -> Result<i64, CommitError> {
    let from = table.snapshot().txn(&app());
    let start = from.unwrap_or(0);
    let to = start + rows;
    let add = table.write(&[offsets(start, to)]).await.unwrap();
    let advance = vec![Advance { app: app(), from, to }];
    table.commit(Change { advance, add, ..Change::default() }).await.map(|_| to)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn three_workers_on_one_offset_write_each_row_once_without_a_gap() {
    let (_dir, warehouse, mut table) = attempts().await;
    let mut workers = tokio::task::JoinSet::new();
    for _ in 0..3 {
        let mut table = warehouse.table(TableId::Attempts).await.unwrap();
        workers.spawn(async move {
            let (mut won, mut fenced) = (0, 0);
            loop {
                if table.snapshot().txn(&app()).unwrap_or(0) >= 300 {
                    return (won, fenced);
                }
                match step(&mut table, 10).await {
                    Ok(_) => won += 1,
                    Err(CommitError::Fenced { .. }) => fenced += 1,
                    Err(error) => panic!("{error:?}"),
                }
            }
        });
    }
    let results = workers.join_all().await;
    assert_eq!(results.iter().map(|(won, _)| won).sum::<i32>(), 30);
    assert!(results.iter().any(|(_, fenced)| *fenced > 0), "nobody met anybody: {results:?}");
    assert_eq!(table.refresh().await.unwrap(), 30);
    let sql = "SELECT count(*), count(DISTINCT src_offset), min(src_offset), max(src_offset) FROM attempts";
    assert_eq!(line(&over(&table), sql).await, "300 300 0 299");
}

#[tokio::test]
async fn a_worker_with_an_old_offset_is_fenced_and_adds_nothing() {
    let (_dir, warehouse, mut first) = attempts().await;
    let mut second = warehouse.table(TableId::Attempts).await.unwrap();
    step(&mut first, 10).await.unwrap();
    let error = step(&mut second, 5).await.unwrap_err();
    assert!(
        matches!(&error, CommitError::Fenced { table: "attempts", expected: None, found: Some(10), .. }),
        "{error:?}"
    );
    assert_eq!(first.refresh().await.unwrap(), 1);
    // It saw the winner's commit and can go on from there.
    assert_eq!(step(&mut second, 5).await.unwrap(), 15);
}

#[tokio::test]
async fn writers_of_different_offsets_do_not_fence_each_other() {
    let (_dir, warehouse, mut first) = attempts().await;
    let mut second = warehouse.table(TableId::Attempts).await.unwrap();
    step(&mut first, 10).await.unwrap();
    let other = AppId("ingest/test/events/0/1".to_owned());
    let advance = vec![Advance { app: other.clone(), from: None, to: 3 }];
    let committed = second.commit(Change { advance, ..Change::default() }).await.unwrap();
    assert_eq!(committed.version, 2);
    let all = second.snapshot().txns("ingest/test/");
    assert_eq!(all, [(app(), 10), (other, 3)]);
    assert_eq!(second.snapshot().txns("fold"), []);
}

#[tokio::test]
async fn removing_a_file_that_another_removed_is_refused() {
    let (_dir, warehouse, mut first) = attempts().await;
    append(&mut first, &offsets(0, 3)).await.unwrap();
    let mut second = warehouse.table(TableId::Attempts).await.unwrap();
    let remove = vec![first.snapshot().files()[0].path.clone()];
    first.commit(Change { remove: remove.clone(), ..Change::default() }).await.unwrap();
    let add = second.write(&[offsets(0, 3)]).await.unwrap();
    let error = second.commit(Change { remove: remove.clone(), add, ..Change::default() }).await.unwrap_err();
    assert!(matches!(&error, CommitError::FileGone { path, .. } if *path == remove[0]), "{error:?}");
    assert_eq!(second.snapshot().files(), []);
}

#[tokio::test]
async fn a_commit_whose_answer_was_lost_is_found_again_and_not_doubled() {
    let (_dir, warehouse, mut plain) = attempts().await;
    let store = Faulty::new(1, Manner::LosesTheAnswer);
    let mut table = warehouse.table_over(TableId::Attempts, store.clone()).await.unwrap();
    // Without an offset nothing but the commit's own id can tell that it landed.
    let committed = append(&mut table, &offsets(0, 4)).await.unwrap();
    assert_eq!((committed.version, store.remaining()), (1, 0));
    assert_eq!(plain.refresh().await.unwrap(), 1);
    assert_eq!(table.snapshot().files(), plain.snapshot().files());
    assert_eq!(line(&over(&plain), "SELECT count(*) FROM attempts").await, "4");
}

#[tokio::test]
async fn a_commit_that_failed_before_it_was_written_is_tried_again() {
    let (_dir, warehouse, mut plain) = attempts().await;
    let store = Faulty::new(3, Manner::Fails);
    let mut table = warehouse.table_over(TableId::Attempts, store.clone()).await.unwrap();
    step(&mut table, 4).await.unwrap();
    assert_eq!(store.remaining(), 0);
    assert_eq!(plain.refresh().await.unwrap(), 1);
    assert_eq!(line(&over(&plain), "SELECT count(*) FROM attempts").await, "4");
}

#[tokio::test]
async fn a_conflict_with_nobody_ends_in_the_same_version() {
    let (_dir, warehouse, mut plain) = attempts().await;
    let store = Faulty::new(3, Manner::Conflicts);
    let mut table = warehouse.table_over(TableId::Attempts, store.clone()).await.unwrap();
    assert_eq!(step(&mut table, 4).await.unwrap(), 4);
    assert_eq!((store.remaining(), table.snapshot().version()), (0, 1));
    assert_eq!(plain.refresh().await.unwrap(), 1);
    assert_eq!(line(&over(&plain), "SELECT count(*) FROM attempts").await, "4");
}

#[tokio::test]
async fn a_conflict_that_never_ends_is_told_and_writes_nothing() {
    let (_dir, warehouse, mut plain) = attempts().await;
    let store = Faulty::new(u32::MAX, Manner::Conflicts);
    let mut table = warehouse.table_over(TableId::Attempts, store.clone()).await.unwrap();
    let error = step(&mut table, 4).await.unwrap_err();
    let CommitError::Log { source, .. } = error else { panic!("{error:?}") };
    assert_eq!(source.retry(), Retry::Later, "{source}");
    assert_eq!(plain.refresh().await.unwrap(), 0);
    // What the worker holds is not lost to it: the next try is the same commit.
    store.meet(0);
    assert_eq!(step(&mut table, 4).await.unwrap(), 4);
}

#[tokio::test]
async fn a_table_that_was_made_anew_under_a_writer_takes_nothing_from_it() {
    let (dir, warehouse, mut table) = attempts().await;
    step(&mut table, 4).await.unwrap();
    std::fs::remove_dir_all(dir.path().join("attempts")).unwrap();
    Warehouse::open_or_create(warehouse.location()).await.unwrap();
    let error = step(&mut table, 4).await.unwrap_err();
    let CommitError::Log { source, .. } = error else { panic!("{error:?}") };
    assert!(matches!(source, crate::Error::Replaced { table: "attempts", version: 1 }), "{source}");
    assert_eq!(source.retry(), Retry::WhenMended);
    let entry = |version: i64| dir.path().join("attempts").join(crate::log_folder::entry_name(version));
    assert!(entry(0).exists() && !entry(2).exists());
}

#[tokio::test]
async fn a_state_from_a_listing_with_holes_is_not_built_on() {
    let (dir, warehouse, mut table) = attempts().await;
    for _ in 0..3 {
        step(&mut table, 4).await.unwrap();
        table.checkpoint().await.unwrap();
    }
    let log = dir.path().join("attempts/_delta_log");
    for version in 0..4 {
        std::fs::remove_file(log.join(format!("{version:020}.json"))).unwrap();
    }
    std::fs::remove_file(log.join("_last_checkpoint")).unwrap();
    let inner = std::sync::Arc::new(crate::store::DurableLocal::default());
    let torn = Faulty::over(inner, 0, Manner::Hides, "00003.checkpoint");
    let mut behind = warehouse.table_over(TableId::Attempts, torn).await.unwrap();
    assert_eq!(behind.snapshot().version(), 2, "the newest checkpoint does not show");
    let error = step(&mut behind, 4).await.unwrap_err();
    assert!(
        matches!(&error, CommitError::Log { source: crate::Error::Replaced { version: 2, .. }, .. }),
        "{error:?}"
    );
    assert_eq!(warehouse.table(TableId::Attempts).await.unwrap().snapshot().version(), 3);
}

#[tokio::test]
async fn log_entries_tell_new_rows_from_rewritten_ones() {
    let (_dir, _warehouse, mut table) = attempts().await;
    step(&mut table, 10).await.unwrap();
    let old = table.snapshot().files()[0].clone();
    let add = table.write(&[offsets(0, 10)]).await.unwrap();
    let info = json!({"rows": 10, "engineInfo": "somebody else"}).as_object().unwrap().clone();
    let rewrite =
        Change { add, remove: vec![old.path.clone()], info, data_change: false, ..Change::default() };
    table.commit(rewrite).await.unwrap();

    let commits = table.commits(0, 2).await.unwrap();
    assert_eq!(commits.iter().map(|c| c.version).collect::<Vec<_>>(), [1, 2]);
    assert_eq!(commits[0].added, std::slice::from_ref(&old));
    assert_eq!(commits[0].txns, [(app(), 10)]);
    assert_eq!((commits[1].added.len(), &commits[1].removed), (0, &vec![old.path]));
    assert_eq!(commits[1].info["rows"], 10);
    assert!(commits[1].info["engineInfo"].as_str().unwrap().starts_with("bellwether/"));
    assert!(matches!(
        table.commits(1, 3).await.unwrap_err(),
        crate::Error::CommitGone { table: "attempts", version: 3 }
    ));
}

#[tokio::test]
async fn a_snapshot_keeps_its_version_while_its_table_moves_on() {
    let (_dir, _warehouse, mut table) = attempts().await;
    step(&mut table, 10).await.unwrap();
    let pinned = table.snapshot().clone();
    step(&mut table, 10).await.unwrap();
    assert_eq!((pinned.version(), pinned.files().len(), pinned.txn(&app())), (1, 1, Some(10)));
    assert_eq!((table.snapshot().version(), table.snapshot().files().len()), (2, 2));
}
