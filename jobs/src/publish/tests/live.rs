//! What is of now.

use bellwether_metrics::{Metric, live_by_minute};
use bellwether_warehouse::tables::attempts::AttemptRow;
use bellwether_warehouse::testing::attempt;
use bellwether_warehouse::{Change, DataFile};

use super::super::Publisher;
use super::names::answer;
use super::{add, newest, terms};
use crate::testing::{Fixture, at, us};

const NOW: &str = "2026-11-25T12:10:00Z";
const LIVE: &[Metric] = &[live_by_minute::METRIC];

/// Minutes that have requests, as the newest publication names them.
async fn busy(f: &Fixture) -> Vec<String> {
    let version = newest(f).await.versions["live_by_minute"];
    let table = f.warehouse.table(live_by_minute::METRIC.id()).await.unwrap();
    let snapshot = table.at(version).await.unwrap();
    assert_eq!((snapshot.files().len(), snapshot.files()[0].rows), (1, 65));
    let sql = "SELECT date_part('minute', minute_at), requests FROM live_by_minute WHERE requests > 0 ORDER BY minute_at";
    answer(f, snapshot, sql).await
}

fn call<'a>(id: &'a str, minute: &str) -> AttemptRow<'a> {
    AttemptRow { started_at: us(&format!("2026-11-25T12:{minute}:30Z")), ..attempt(id) }
}

#[tokio::test]
async fn minutes_are_those_of_the_attempts_that_rollups_have() {
    let mut f = Fixture::new().await;
    let mut publisher = Publisher::open_some(&f.warehouse, terms(1), LIVE).await.unwrap();
    // Before anything was folded there is nothing to agree with.
    f.append(&[call("a", "01")]).await;
    publisher.publish(at(NOW)).await.unwrap();
    assert!(busy(&f).await.is_empty());
    f.jobs.fold(at(NOW)).await.unwrap();
    publisher.publish(at(NOW)).await.unwrap();
    assert_eq!(busy(&f).await, ["1 1"]);
    // More has come than is folded.
    add(&mut f, &[call("b", "02")], NOW).await;
    f.append(&[call("c", "02")]).await;
    f.append(&[call("d", "03")]).await;
    publisher.publish(at(NOW)).await.unwrap();
    assert_eq!(busy(&f).await, ["1 1", "2 1"]);
    // Some of that was merged with what came before.
    let files: Vec<DataFile> = f.attempts.snapshot().files().to_vec();
    let rows = f.attempts.snapshot().provider_over(files.clone());
    let rows = f.warehouse.session(1).read_table(rows).unwrap().collect().await.unwrap();
    let add = f.attempts.write(&rows).await.unwrap();
    let remove = files.into_iter().map(|file| file.path).collect();
    f.attempts.commit(Change { add, remove, data_change: false, ..Change::default() }).await.unwrap();
    publisher.publish(at("2026-11-25T12:11:00Z")).await.unwrap();
    assert_eq!(busy(&f).await, ["1 1", "2 1"]);
    f.jobs.fold(at(NOW)).await.unwrap();
    publisher.publish(at("2026-11-25T12:11:00Z")).await.unwrap();
    assert_eq!(busy(&f).await, ["1 1", "2 2", "3 1"]);
}
