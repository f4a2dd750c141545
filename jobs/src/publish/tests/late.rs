//! Rows that come late for windows that have ended.

use bellwether_metrics::{Metric, gate, rankings, usage_by_day, users_by_window};

use super::super::Publisher;
use super::super::scope::Scope;
use super::names::answer;
use super::{add, newest, of_user, terms};
use crate::testing::{Fixture, at};

pub(super) const TABLES: &[Metric] =
    &[gate::METRIC, usage_by_day::METRIC, users_by_window::METRIC, rankings::METRIC];

pub(super) async fn slow(f: &Fixture) -> Publisher {
    Publisher::open_scope(&f.warehouse, terms(0), Scope::Slow, TABLES).await.unwrap()
}

/// Requests of the end dates of windows of one day, newest first, as they are published.
async fn ranked(f: &Fixture) -> Vec<String> {
    let version = newest(f).await.versions["rankings"];
    let snapshot = f.warehouse.table(rankings::METRIC.id()).await.unwrap().at(version).await.unwrap();
    let sql =
        "SELECT requests FROM rankings WHERE window_days = 1 AND dimension = 'total' ORDER BY end_date DESC";
    answer(f, snapshot, sql).await
}

async fn late_from(f: &Fixture) -> Option<String> {
    newest(f).await.late_from.get("rankings").map(ToString::to_string)
}

#[tokio::test]
async fn the_newest_end_date_is_computed_again_after_ten_minutes_and_older_ones_at_night() {
    let mut f = Fixture::new().await;
    let begun = "2026-11-25T13:03:00Z";
    add(&mut f, &[of_user("a", 3, 1), of_user("b", 2, 1), of_user("c", 1, 1), of_user("d", 0, 1)], begun)
        .await;
    // Each process is a new one: nothing is in memory alone.
    slow(&f).await.publish(at(begun)).await.unwrap();
    assert_eq!(ranked(&f).await, ["1", "1", "1"]);
    assert_eq!(late_from(&f).await, None);

    // Late rows of yesterday and the day before.
    add(&mut f, &[of_user("e", 1, 2), of_user("f", 2, 2)], begun).await;
    slow(&f).await.publish(at("2026-11-25T13:04:00Z")).await.unwrap();
    assert_eq!(ranked(&f).await, ["1", "1", "1"], "the watermark has passed no ten minutes");
    assert_eq!(late_from(&f).await.as_deref(), Some("2026-11-23"));
    // So are the days themselves.
    let days = f.warehouse.table(usage_by_day::METRIC.id()).await.unwrap();
    let days = days.at(newest(&f).await.versions["usage_by_day"]).await.unwrap();
    let sql = "SELECT requests FROM usage_by_day WHERE dimension = 'total' ORDER BY date DESC";
    assert_eq!(answer(&f, days, sql).await, ["1", "1", "1", "1"]);
    // Nothing more comes; the newest one follows all the same.
    slow(&f).await.publish(at("2026-11-25T13:12:00Z")).await.unwrap();
    assert_eq!(ranked(&f).await, ["2", "1", "1"]);
    assert_eq!(late_from(&f).await.as_deref(), Some("2026-11-23"));
    add(&mut f, &[of_user("g", 1, 3)], begun).await;
    slow(&f).await.publish(at("2026-11-25T13:13:00Z")).await.unwrap();
    assert_eq!(ranked(&f).await, ["2", "1", "1"]);
    slow(&f).await.publish(at("2026-11-25T13:22:00Z")).await.unwrap();
    assert_eq!(ranked(&f).await, ["3", "1", "1"]);

    // A day closes two hours after its end, is computed at once then, and what is late still waits for the night.
    add(&mut f, &[of_user("h", -1, 1)], "2026-11-26T00:05:00Z").await;
    for now in ["2026-11-26T00:05:00Z", "2026-11-26T02:00:30Z"] {
        slow(&f).await.publish(at(now)).await.unwrap();
        assert_eq!(ranked(&f).await, ["3", "1", "1"], "{now}");
    }
    slow(&f).await.publish(at("2026-11-26T02:01:30Z")).await.unwrap();
    assert_eq!(ranked(&f).await, ["1", "3", "1", "1"]);
    slow(&f).await.publish(at("2026-11-26T03:00:00Z")).await.unwrap();
    assert_eq!(ranked(&f).await, ["1", "3", "1", "1"]);
    slow(&f).await.publish(at("2026-11-26T03:01:00Z")).await.unwrap();
    assert_eq!(ranked(&f).await, ["1", "3", "2", "1"]);
    assert_eq!(late_from(&f).await, None);
    assert_eq!(slow(&f).await.publish(at("2026-11-26T03:03:00Z")).await.unwrap().number, None);

    // By hand nothing is put off, neither now nor from before.
    add(&mut f, &[of_user("i", 2, 4)], "2026-11-26T03:04:00Z").await;
    slow(&f).await.publish(at("2026-11-26T03:04:00Z")).await.unwrap();
    assert_eq!((late_from(&f).await.as_deref(), ranked(&f).await[2].as_str()), (Some("2026-11-23"), "2"));
    let mut by_hand = Publisher::open_some(&f.warehouse, terms(0), TABLES).await.unwrap();
    by_hand.publish(at("2026-11-26T03:05:00Z")).await.unwrap();
    assert_eq!((late_from(&f).await, ranked(&f).await[2].as_str()), (None, "3"));
}
