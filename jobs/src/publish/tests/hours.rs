//! Tables that the fast lane puts hour by hour.

use std::collections::{BTreeMap, BTreeSet};

use bellwether_metrics::{Catalogue, Metric, Named, Terms, gate, health_by_5min};
use bellwether_warehouse::tables::attempts::AttemptRow;
use bellwether_warehouse::testing::attempt;
use bellwether_warehouse::{Change, Snapshot};

use super::super::Publisher;
use super::super::scope::Scope;
use super::names::answer;
use super::{add, newest, terms};
use crate::testing::{Fixture, at, us};

const TABLES: &[Metric] = &[gate::METRIC, health_by_5min::METRIC];
const NOW: &str = "2026-11-25T13:00:00Z";
const ROWS: &str = "SELECT date_part('day', bucket_at), date_part('hour', bucket_at), date_part('minute', bucket_at), attempts
    FROM health_by_5min WHERE dimension = 'provider' ORDER BY bucket_at";

async fn lane(f: &Fixture, scope: Scope) -> Publisher {
    let providers = vec![Named { id: "north".into(), name: "North".into() }];
    let catalogue = Catalogue { providers, ..Catalogue::default() };
    Publisher::open_scope(&f.warehouse, Terms { catalogue, ..terms(0) }, scope, TABLES).await.unwrap()
}

fn call<'a>(id: &'a str, time: &str) -> AttemptRow<'a> {
    AttemptRow { started_at: us(&format!("2026-11-{time}:00Z")), ..attempt(id) }
}

/// As the newest publication names it.
async fn strip(f: &Fixture) -> Snapshot {
    let version = newest(f).await.versions["health_by_5min"];
    f.warehouse.table(health_by_5min::METRIC.id()).await.unwrap().at(version).await.unwrap()
}

async fn rows(f: &Fixture) -> Vec<String> {
    answer(f, strip(f).await, ROWS).await
}

/// Paths of files by their first hour; each has rows of that hour alone.
async fn files(f: &Fixture) -> BTreeMap<String, String> {
    let of = |snapshot: Snapshot| {
        let file = |file: &bellwether_warehouse::DataFile| {
            let between = file.bounds().instant("bucket_at");
            let [first, last] =
                [between.least, between.most].map(|at| at.unwrap().format("%d %H").to_string());
            assert_eq!(first, last);
            (first, file.path.clone())
        };
        snapshot.files().iter().map(file).collect::<Vec<_>>()
    };
    let files = of(strip(f).await);
    let by_hour: BTreeMap<_, _> = files.iter().cloned().collect();
    assert_eq!(by_hour.len(), files.len(), "{files:?}");
    by_hour
}

/// Hours whose files are others than before.
fn moved(before: &BTreeMap<String, String>, now: &BTreeMap<String, String>) -> Vec<String> {
    let hours: BTreeSet<&String> = before.keys().chain(now.keys()).collect();
    hours.into_iter().filter(|hour| before.get(*hour) != now.get(*hour)).cloned().collect()
}

/// Hours of the day that are due, as numbers of days and hours.
async fn due(publisher: &mut Publisher, now: &str) -> Vec<String> {
    publisher.look().await.unwrap();
    let round = publisher.begin(at(now)).await.unwrap();
    let instants = health_by_5min::METRIC.instants(round.terms.watermark);
    let hours = publisher.hours_due(1, &instants).await.unwrap();
    let told =
        |hour: i64| chrono::DateTime::from_timestamp(hour * 3_600, 0).unwrap().format("%d %H").to_string();
    hours.into_iter().map(told).collect()
}

async fn started() -> (Fixture, Publisher) {
    let mut f = Fixture::new().await;
    let calls =
        [("a", "24T14:10"), ("b", "24T14:20"), ("c", "25T09:10"), ("d", "25T11:10"), ("e", "25T12:10")];
    add(&mut f, &calls.map(|(id, time)| call(id, time)), NOW).await;
    let mut slow = lane(&f, Scope::Slow).await;
    let mut fast = lane(&f, Scope::Fast).await;
    slow.publish(at(NOW)).await.unwrap();
    fast.publish(at(NOW)).await.unwrap();
    (f, fast)
}

#[tokio::test]
async fn an_hour_is_made_alone_where_no_other_can_be_another() {
    let (mut f, mut fast) = started().await;
    let first = files(&f).await;
    assert_eq!(first.keys().collect::<Vec<_>>(), ["24 14", "25 09", "25 11", "25 12"]);
    assert_eq!(rows(&f).await, ["24 14 10 1", "24 14 20 1", "25 9 10 1", "25 11 10 1", "25 12 10 1"]);
    assert_eq!(due(&mut fast, NOW).await, [""; 0]);

    // What comes late is of its hour.
    add(&mut f, &[call("f", "25T11:12"), call("g", "25T11:40")], NOW).await;
    assert_eq!(due(&mut fast, NOW).await, ["25 11"]);
    fast.publish(at(NOW)).await.unwrap();
    let second = files(&f).await;
    assert_eq!(moved(&first, &second), ["25 11"]);
    let late = ["24 14 10 1", "24 14 20 1", "25 9 10 1", "25 11 10 2", "25 11 40 1", "25 12 10 1"];
    assert_eq!(rows(&f).await, late);

    // Time goes on: what was not complete before, and one bucket that is a day old.
    let later = "2026-11-25T14:18:00Z";
    assert_eq!(due(&mut fast, later).await, ["25 12", "25 13", "25 14"]);
    fast.publish(at(later)).await.unwrap();
    let third = files(&f).await;
    assert_eq!(moved(&second, &third), ["24 14"]);
    assert_eq!(rows(&f).await, late[1..]);
    // The whole hour is a day old.
    fast.publish(at("2026-11-25T15:18:00Z")).await.unwrap();
    assert_eq!(moved(&third, &files(&f).await), ["24 14"]);
    assert_eq!(rows(&f).await, late[2..]);
}

#[tokio::test]
async fn who_does_not_know_what_rows_were_made_of_makes_all_of_them() {
    let (f, mut fast) = started().await;
    let (stood, before) = (rows(&f).await, files(&f).await);
    // A process of its own.
    let mut other = lane(&f, Scope::Fast).await;
    assert_eq!(due(&mut other, NOW).await.len(), 25);
    other.publish(at(NOW)).await.unwrap();
    assert_eq!(files(&f).await, before, "nothing was another");
    assert_eq!(due(&mut other, NOW).await, [""; 0]);

    // Somebody took a file away.
    let mut table = f.warehouse.table(health_by_5min::METRIC.id()).await.unwrap();
    let remove = vec![before["25 09"].clone()];
    table.commit(Change { remove, ..Change::default() }).await.unwrap();
    assert_eq!(due(&mut fast, NOW).await.len(), 25);
    fast.publish(at(NOW)).await.unwrap();
    assert_eq!(moved(&before, &files(&f).await), ["25 09"]);
    assert_eq!(rows(&f).await, stood);
}

#[tokio::test]
async fn files_of_several_hours_are_divided() {
    let (f, mut fast) = started().await;
    let stood = rows(&f).await;
    let mut table = f.warehouse.table(health_by_5min::METRIC.id()).await.unwrap();
    let old = table.snapshot().files().to_vec();
    let provider = table.snapshot().provider_over(old.clone());
    let all = f.warehouse.session(1).read_table(provider).unwrap().collect().await.unwrap();
    let add = table.write(&all).await.unwrap();
    assert_eq!(add.len(), 2, "a file a date");
    let remove = old.into_iter().map(|file| file.path).collect();
    table.commit(Change { add, remove, data_change: false, ..Change::default() }).await.unwrap();
    fast.publish(at(NOW)).await.unwrap();
    assert_eq!(files(&f).await.keys().collect::<Vec<_>>(), ["24 14", "25 09", "25 11", "25 12"]);
    assert_eq!(rows(&f).await, stood);
}
