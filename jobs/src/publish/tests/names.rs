//! Who may be named, before it is published.

use bellwether_warehouse::{Snapshot, snapshot};

use super::super::due::Due;
use super::super::stage::Froms;
use super::super::{Publisher, Round};
use super::{NOW, add, gate, of_user, publisher};
use crate::Error;
use crate::testing::{Fixture, at, lines};

pub(super) async fn answer(f: &Fixture, snapshot: Snapshot, sql: &str) -> Vec<String> {
    let ctx = f.warehouse.session(1);
    snapshot::register(&ctx, &[snapshot]).unwrap();
    let batches = ctx.sql(sql).await.unwrap().collect().await.unwrap();
    batches.iter().flat_map(lines).collect()
}

/// What is due of the gate.
async fn begun(publisher: &mut Publisher, now: &str) -> (Round, Due) {
    publisher.look().await.unwrap();
    let round = publisher.begin(at(now)).await.unwrap();
    let due = publisher.due(0, &round, &Froms::new()).await.unwrap();
    (round, due)
}

#[tokio::test]
async fn of_two_who_decide_the_same_day_one_is_fenced_though_neither_publishes() {
    let mut f = Fixture::new().await;
    let (mut one, mut other) = (publisher(&f, 2).await, publisher(&f, 2).await);
    add(&mut f, &[of_user("a", 1, 1), of_user("b", 1, 2)], NOW).await;
    one.publish(at(NOW)).await.unwrap();
    // Nothing comes any more: each day that turns only adds rows, so no file is gone for the one that is late.
    let (round, due) = begun(&mut one, "2026-11-26T13:00:00Z").await;
    one.put(0, &due, &round, &mut Vec::new()).await.unwrap();
    let turned = "2026-11-27T13:00:00Z";
    let (late_round, late_due) = begun(&mut other, turned).await;
    let (round, due) = begun(&mut one, turned).await;
    assert_eq!(one.put(0, &due, &round, &mut Vec::new()).await.unwrap().map(|put| put.dates), Some(1));
    let late = other.put(0, &late_due, &late_round, &mut Vec::new()).await;
    assert!(late.as_ref().is_err_and(Error::is_fenced), "{late:?}");
    let sql = "SELECT date, count(*) FROM gate WHERE dimension = 'variant' GROUP BY 1 ORDER BY 1";
    let rows = answer(&f, f.snapshot(gate()).await, sql).await;
    assert_eq!(rows, ["2026-11-24 1", "2026-11-25 1", "2026-11-26 1", "2026-11-27 1"]);
}
