//! Tables that are read together, in every state in which folds leave them.

use super::{attempts, line, warehouse};
use crate::pinned::PinError;
use crate::tables::Kind;
use crate::testing::{append, attempt, batch};
use crate::{
    Advance, Attempts, Change, Followed, Pinned, Standing, Table, TableId, Warehouse, chain, fold_app,
};

async fn add(table: &mut Table, event_ids: &[&str]) {
    let rows: Vec<_> = event_ids.iter().map(|id| attempt(id)).collect();
    append(table, &batch(&rows)).await.unwrap();
}

/// Moves these tables to a version of `attempts`, as a fold would that found nothing to add.
async fn fold(warehouse: &Warehouse, tables: impl IntoIterator<Item = TableId>, to: i64) {
    for id in tables {
        let mut table = warehouse.table(id).await.unwrap();
        let advance = vec![Advance { app: fold_app(), from: table.snapshot().folded(), to }];
        table.commit(Change { advance, ..Change::default() }).await.unwrap();
    }
}

async fn fold_all(warehouse: &Warehouse, to: i64) {
    fold(warehouse, TableId::of(Kind::Folded), to).await;
}

async fn count(warehouse: &Warehouse, pinned: &Pinned) -> String {
    line(&pinned.session(warehouse, 2).unwrap(), "SELECT count(*) AS n FROM attempts").await
}

#[tokio::test]
async fn attempts_are_read_as_far_as_the_rollups_are_folded() {
    let (_dir, warehouse, mut table) = attempts().await;
    add(&mut table, &["a"]).await;
    let pinned = warehouse.pin(Attempts::AsFolded).await.unwrap();
    assert!(pinned.is_even, "before the first fold");
    assert_eq!((pinned.left_out, count(&warehouse, &pinned).await), (0, "1".to_owned()));

    fold_all(&warehouse, 1).await;
    add(&mut table, &["b", "c"]).await;
    let pinned = warehouse.pin(Attempts::AsFolded).await.unwrap();
    assert_eq!((pinned.left_out, count(&warehouse, &pinned).await), (2, "1".to_owned()));
    let newest = warehouse.pin(Attempts::Newest).await.unwrap();
    assert_eq!((newest.left_out, count(&warehouse, &newest).await), (0, "3".to_owned()));

    fold_all(&warehouse, 2).await;
    let pinned = warehouse.pin(Attempts::AsFolded).await.unwrap();
    assert_eq!((pinned.left_out, count(&warehouse, &pinned).await), (0, "3".to_owned()));
}

#[tokio::test]
async fn a_fold_that_is_committing_is_waited_for() {
    let (_dir, warehouse, mut table) = attempts().await;
    add(&mut table, &["a"]).await;
    let (first, rest): (Vec<_>, Vec<_>) =
        TableId::of(Kind::Folded).partition(|id| *id == TableId::UsageHourly);
    fold(&warehouse, first, 1).await;
    let cut_off = warehouse.pin_within(Attempts::AsFolded, 1).await.unwrap();
    assert!(!cut_off.is_even);
    assert_eq!(cut_off.snapshots().len(), TableId::ALL.len());
    assert_eq!(
        count(&warehouse, &cut_off).await,
        "1",
        "what is folded nowhere stays out, what is in one table does not"
    );

    let (pinned, ()) = tokio::join!(warehouse.pin(Attempts::AsFolded), fold(&warehouse, rest, 1));
    let pinned = pinned.unwrap();
    assert!(pinned.is_even);
    let folded = pinned.snapshots().iter().filter(|snapshot| snapshot.table().kind() == Kind::Folded);
    assert_eq!(folded.map(|snapshot| snapshot.folded()).collect::<Vec<_>>(), [Some(1); 12]);
}

#[tokio::test]
async fn tables_that_stand_apart_are_named_and_attempts_is_held_at_what_all_have() {
    let (_dir, warehouse, mut table) = attempts().await;
    add(&mut table, &["a"]).await;
    fold_all(&warehouse, 1).await;
    add(&mut table, &["b"]).await;
    let ahead = [TableId::UsageDaily, TableId::HealthDaily];
    fold(&warehouse, ahead, 2).await;
    let tables = Followed::open(&warehouse, &TableId::ALL).await.unwrap();
    let behind = TableId::of(Kind::Folded).filter(|table| !ahead.contains(table)).collect();
    assert_eq!(tables.standing(), Standing::Uneven { behind });
    let pinned = warehouse.pin_within(Attempts::AsFolded, 1).await.unwrap();
    assert_eq!((pinned.left_out, count(&warehouse, &pinned).await), (1, "1".to_owned()));
}

#[tokio::test]
async fn attempts_that_were_replaced_are_told() {
    let (_dir, warehouse) = warehouse().await;
    fold_all(&warehouse, 7).await;
    let error = warehouse.pin(Attempts::AsFolded).await.unwrap_err();
    assert!(matches!(error, PinError::Ahead { folded: 7, version: 0, .. }), "{error:?}");
    assert!(chain(&error).contains("was `attempts` replaced?"), "{error}");
    assert!(warehouse.pin(Attempts::Newest).await.is_ok());
}

#[tokio::test]
async fn a_version_whose_entries_were_cleaned_up_is_told() {
    let (_dir, warehouse, mut table) = attempts().await;
    add(&mut table, &["a"]).await;
    fold_all(&warehouse, 1).await;
    add(&mut table, &["b"]).await;
    add(&mut table, &["c"]).await;
    table.checkpoint().await.unwrap();
    let log = warehouse.location().folder().unwrap().join("attempts/_delta_log");
    for version in 0..3 {
        std::fs::remove_file(log.join(format!("{version:020}.json"))).unwrap();
    }
    let error = chain(&warehouse.pin(Attempts::AsFolded).await.unwrap_err());
    assert!(error.contains("version 1 of table `attempts`"), "{error}");
    let newest = warehouse.pin(Attempts::Newest).await.unwrap();
    assert_eq!(count(&warehouse, &newest).await, "3");
}
