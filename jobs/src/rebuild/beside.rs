//! Rebuilding while others work on the same warehouse.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bellwether_warehouse::tables::attempts::AttemptRow;
use bellwether_warehouse::testing::{DAY_US, NOON_US, append, attempt, batch};
use bellwether_warehouse::{Change, Table, TableId};
use futures::future::BoxFuture;
use tokio::sync::Mutex;

use super::{Batch, Folding, RebuildReport, rebuild_batch, rebuild_beside, tables};
use crate::testing::{Fixture, at};
use crate::{Error, Jobs, Settling};

const NOW: &str = "2026-11-25T13:00:00Z";
const REQUESTS: &str = "SELECT date, sum(requests) FROM usage_daily GROUP BY date ORDER BY date";

/// Another process on the same warehouse.
struct Other {
    attempts: Table,
    jobs: Jobs,
}

/// How often a batch was computed.
type Count = Arc<AtomicUsize>;

async fn other(f: &Fixture) -> Arc<Mutex<Other>> {
    let attempts = f.warehouse.table(TableId::Attempts).await.unwrap();
    Arc::new(Mutex::new(Other { attempts, jobs: Jobs::open(&f.warehouse).await.unwrap() }))
}

fn days_ago(id: &str, days: i64) -> AttemptRow<'_> {
    AttemptRow { started_at: NOON_US - days * DAY_US, ..attempt(id) }
}

async fn append_copies(f: &mut Fixture, days: &[i64]) {
    for days in days {
        f.append(&[days_ago("e", *days), days_ago("e", *days)]).await;
    }
}

/// Rebuilds the week before while `act` runs whenever a batch was computed and is about to be committed.
async fn rebuild_while(
    f: &mut Fixture,
    act: impl Fn(usize) -> BoxFuture<'static, ()> + Send,
) -> (RebuildReport, usize) {
    let count = Count::default();
    let counted = Arc::clone(&count);
    let mut computed = move || act(counted.fetch_add(1, Ordering::SeqCst));
    let (from, to) = ("2026-11-18".parse().unwrap(), "2026-11-24".parse().unwrap());
    let report = rebuild_beside(&mut f.jobs, from, to, at(NOW), &mut computed).await.unwrap();
    (report, count.load(Ordering::SeqCst))
}

#[tokio::test]
async fn a_rebuild_gets_through_beside_folds_that_move_on_at_each_batch() {
    let mut f = Fixture::new().await;
    append_copies(&mut f, &[2, 4, 6]).await;
    let other = other(&f).await;
    // Today's traffic, folded by another process, and a late row of the date that is being rebuilt.
    let (report, computed) = rebuild_while(&mut f, move |round| {
        let other = Arc::clone(&other);
        Box::pin(async move {
            let Other { attempts, jobs } = &mut *other.lock().await;
            let late = days_ago("late", 6 - 2 * round as i64);
            append(attempts, &batch(&[days_ago("today", 0), late])).await.unwrap();
            jobs.fold(at(NOW)).await.unwrap();
        })
    })
    .await;
    assert_eq!((report.dates, computed), (3, 3));
    let expected = ["2026-11-19 2", "2026-11-21 2", "2026-11-23 2", "2026-11-25 3"];
    assert_eq!(f.query(REQUESTS).await, expected);
    f.jobs.run_once(at(NOW)).await;
    assert_eq!(f.query(REQUESTS).await, expected);
    assert_eq!(
        f.query("SELECT date, sum(attempts) FROM health_hourly GROUP BY date ORDER BY date").await,
        expected
    );
    assert_eq!(
        f.query("SELECT date, sum(attempts) FROM routing_hourly GROUP BY date ORDER BY date").await,
        ["2026-11-19 2", "2026-11-21 2", "2026-11-23 2", "2026-11-25 1"],
        "routing leaves out copies wherever it computes again"
    );
}

#[tokio::test]
async fn a_batch_that_another_rebuild_overtook_is_begun_again_and_adds_nothing() {
    let mut f = Fixture::new().await;
    append_copies(&mut f, &[2]).await;
    f.jobs.fold(at(NOW)).await.unwrap();
    // Without files no missing file can tell what happened.
    for folded in &mut f.jobs.folded {
        let remove = folded.table.snapshot().files().iter().map(|file| file.path.clone()).collect();
        folded.table.commit(Change { remove, ..Change::default() }).await.unwrap();
    }
    let other = other(&f).await;
    let (report, computed) = rebuild_while(&mut f, move |round| {
        let other = Arc::clone(&other);
        Box::pin(async move {
            if round == 0 {
                let date = "2026-11-23".parse().unwrap();
                other.lock().await.jobs.rebuild(date, date, at(NOW)).await.unwrap();
            }
        })
    })
    .await;
    assert_eq!((report.dates, report.attempts, computed), (1, 2, 2));
    assert_eq!(f.query(REQUESTS).await, ["2026-11-23 1"]);
    for table in ["health_5m", "health_hourly", "health_daily", "routing_hourly"] {
        assert_eq!(f.query(&format!("SELECT sum(attempts) FROM {table}")).await, ["1"], "{table}");
    }
}

#[tokio::test]
async fn a_batch_whose_files_were_settled_meanwhile_is_begun_again() {
    let mut f = Fixture::new().await;
    append_copies(&mut f, &[2]).await;
    f.jobs.fold(at(NOW)).await.unwrap();
    append_copies(&mut f, &[2]).await;
    let other = other(&f).await;
    let (report, computed) = rebuild_while(&mut f, move |round| {
        let other = Arc::clone(&other);
        Box::pin(async move {
            if round == 0 {
                let settled = other.lock().await.jobs.settle(Settling::Closed, at(NOW)).await.unwrap();
                assert_eq!(settled.dates, 9);
            }
        })
    })
    .await;
    assert_eq!(computed, 2);
    let drift = report.drift.iter().find(|drift| drift.table == "usage_daily").unwrap();
    assert_eq!((drift.rows_before, drift.rows_after, drift.measures["requests"]), (1, 1, -3));
    assert_eq!(f.query(REQUESTS).await, ["2026-11-23 1"]);
}

#[tokio::test]
async fn a_rebuild_that_does_not_fold_itself_waits_for_rows_of_its_dates_only() {
    let mut f = Fixture::new().await;
    append_copies(&mut f, &[2]).await;
    f.jobs.fold(at(NOW)).await.unwrap();
    append_copies(&mut f, &[1]).await;
    let dates = |date: &str| BTreeSet::from([date.parse().unwrap()]);
    let mut none = || -> BoxFuture<'static, ()> { Box::pin(async {}) };
    let tables: BTreeSet<TableId> = tables(&f.jobs).collect();
    let batch = |dates| Batch { dates, tables: tables.clone(), now: at(NOW), folding: Folding::Elsewhere };
    let (unfolded, folded) = (dates("2026-11-24"), dates("2026-11-23"));
    let error = rebuild_batch(&mut f.jobs, batch(&unfolded), &mut none).await;
    assert!(matches!(error, Err(Error::Unfolded { .. })), "{error:?}");
    rebuild_batch(&mut f.jobs, batch(&folded), &mut none).await.unwrap();
    assert_eq!(f.query(REQUESTS).await, ["2026-11-23 1"]);
    f.jobs.fold(at(NOW)).await.unwrap();
    assert_eq!(f.query(REQUESTS).await, ["2026-11-23 1", "2026-11-24 2"]);
}
