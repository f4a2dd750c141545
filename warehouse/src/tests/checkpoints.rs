//! Checkpoints: what is known from them, and handles that the log was cleaned away under.

use std::collections::BTreeSet;
use std::path::Path;

use deltalake_core::open_table;
use futures::TryStreamExt;

use super::{attempts, line, offsets, over};
use crate::testing::append;
use crate::{Advance, AppId, Change, TableId, Warehouse};

fn app(partition: i64) -> AppId {
    AppId(format!("ingest/test/events/0/{partition}"))
}

/// As log cleanup does: entries that a checkpoint covers go.
fn clean(root: &Path, below: i64) {
    for version in 0..below {
        std::fs::remove_file(root.join(format!("attempts/_delta_log/{version:020}.json"))).unwrap();
    }
}

#[tokio::test]
async fn files_and_transactions_outlive_the_entries_that_brought_them() {
    let (dir, warehouse, mut table) = attempts().await;
    let mut early = warehouse.table(TableId::Attempts).await.unwrap();
    for partition in 0..3 {
        let add = table.write(&[offsets(partition * 10, partition * 10 + 10)]).await.unwrap();
        let advance = vec![Advance { app: app(partition), from: None, to: 10 + partition }];
        table.commit(Change { advance, add, ..Change::default() }).await.unwrap();
    }
    let gone = table.snapshot().files()[0].path.clone();
    table.commit(Change { remove: vec![gone], ..Change::default() }).await.unwrap();
    table.checkpoint().await.unwrap();
    clean(dir.path(), 4);

    let mut reopened =
        Warehouse::open(warehouse.location()).await.unwrap().table(TableId::Attempts).await.unwrap();
    assert_eq!(reopened.snapshot().version(), 4);
    assert_eq!(reopened.snapshot().files(), table.snapshot().files());
    let txns = [(app(0), 10), (app(1), 11), (app(2), 12)];
    assert_eq!(reopened.snapshot().txns("ingest/"), txns);
    assert_eq!(line(&over(&reopened), "SELECT count(*) FROM attempts").await, "20");

    // A handle from before finds its next entry missing and must not take that for the end of the log.
    let committed = append(&mut early, &offsets(100, 101)).await.unwrap();
    assert_eq!(committed.version, 5);
    assert_eq!(early.snapshot().txns("ingest/"), txns);
    assert_eq!(reopened.refresh().await.unwrap(), 5);
    assert_eq!(line(&over(&reopened), "SELECT count(*) FROM attempts").await, "21");
}

#[tokio::test]
async fn a_checkpoint_is_found_without_its_pointer() {
    let (dir, warehouse, mut table) = attempts().await;
    append(&mut table, &offsets(0, 5)).await.unwrap();
    table.checkpoint().await.unwrap();
    append(&mut table, &offsets(5, 7)).await.unwrap();
    clean(dir.path(), 1);
    std::fs::remove_file(dir.path().join("attempts/_delta_log/_last_checkpoint")).unwrap();
    let reopened = warehouse.table(TableId::Attempts).await.unwrap();
    assert_eq!(reopened.snapshot().version(), 2);
    assert_eq!(reopened.snapshot().files(), table.snapshot().files());
}

#[tokio::test]
async fn another_reader_of_the_log_sees_the_same_files_and_protocol() {
    let (dir, _warehouse, mut table) = attempts().await;
    for start in [0, 10, 20] {
        append(&mut table, &offsets(start, start + 10)).await.unwrap();
    }
    table.checkpoint().await.unwrap();
    let gone = table.snapshot().files()[1].path.clone();
    let add = table.write(&[offsets(30, 31)]).await.unwrap();
    let change = Change { add, remove: vec![gone], data_change: false, ..Change::default() };
    table.commit(change).await.unwrap();

    let url = url::Url::from_directory_path(dir.path().canonicalize().unwrap().join("attempts")).unwrap();
    let other = open_table(url).await.unwrap();
    assert_eq!(other.version(), Some(4));
    let state = other.snapshot().unwrap();
    let protocol = state.protocol();
    assert_eq!((protocol.min_reader_version(), protocol.min_writer_version()), (1, 2));
    assert!(protocol.reader_features().is_none() && protocol.writer_features().is_none());
    let files: Vec<_> =
        state.snapshot().file_views(&other.log_store(), None).try_collect::<Vec<_>>().await.unwrap();
    let theirs: BTreeSet<_> =
        files.iter().map(|f| (f.path().to_string(), f.size(), f.num_records().unwrap() as i64)).collect();
    let ours: BTreeSet<_> =
        table.snapshot().files().iter().map(|f| (f.path.clone(), f.size_bytes, f.rows)).collect();
    assert_eq!(theirs, ours);
}
