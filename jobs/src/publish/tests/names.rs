//! Who may be named, ahead of publication.

use bellwether_metrics::publications::{self, Publication};
use bellwether_warehouse::{Snapshot, snapshot};

use super::super::stage::Froms;
use super::{NOW, add, dates_of_gate, gate, of_user, published, publisher};
use crate::Error;
use crate::testing::{Fixture, at, lines};

pub(super) async fn answer(f: &Fixture, snapshot: Snapshot, sql: &str) -> Vec<String> {
    let ctx = f.warehouse.session(1);
    snapshot::register(&ctx, &[snapshot]).unwrap();
    let batches = ctx.sql(sql).await.unwrap().collect().await.unwrap();
    batches.iter().flat_map(lines).collect()
}

#[tokio::test]
async fn names_are_decided_before_anything_is_published_and_the_next_publication_names_what_they_became() {
    let mut f = Fixture::new().await;
    let mut first = publisher(&f, 2).await;
    let count = "SELECT count(*) FILTER (WHERE is_public), count(*) FROM gate WHERE dimension = 'variant'";
    add(&mut f, &[of_user("a", 2, 1), of_user("b", 1, 2), of_user("c", 0, 3)], NOW).await;
    let report = first.decide(at(NOW)).await.unwrap();
    assert_eq!((report.number, dates_of_gate(&report)), (None, 3));
    assert!(Publication::newest(&f.snapshot(publications::id()).await).await.unwrap().is_none());
    // What was decided is not computed again, though nothing was published in between.
    first.look().await.unwrap();
    let round = first.begin_deciding(at(NOW)).await.unwrap();
    assert_eq!(first.due(0, &round, &Froms::new()).await.unwrap().dates.len(), 0);
    add(&mut f, &[of_user("d", 1, 4)], NOW).await;
    let report = first.decide(at(NOW)).await.unwrap();
    assert_eq!((report.number, dates_of_gate(&report)), (None, 2));
    // Another hand publishes: the same decisions, which then belong to a publication.
    let report = publisher(&f, 2).await.publish(at(NOW)).await.unwrap();
    assert_eq!((report.number, dates_of_gate(&report)), (Some(0), 0));
    assert_eq!(published(&f, count).await, ["2 3"]);
}

#[tokio::test]
async fn of_two_who_decide_the_same_day_one_is_fenced_though_neither_publishes() {
    let mut f = Fixture::new().await;
    let (mut one, mut other) = (publisher(&f, 2).await, publisher(&f, 2).await);
    add(&mut f, &[of_user("a", 1, 1), of_user("b", 1, 2)], NOW).await;
    one.publish(at(NOW)).await.unwrap();
    // Nothing comes any more: each day that turns only adds rows, so no file is gone for the one that is late.
    one.decide(at("2026-11-26T13:00:00Z")).await.unwrap();
    let turned = at("2026-11-27T13:00:00Z");
    other.look().await.unwrap();
    let round = other.begin(turned).await.unwrap();
    let due = other.due(0, &round, &Froms::new()).await.unwrap();
    assert_eq!(dates_of_gate(&one.decide(turned).await.unwrap()), 1);
    let late = other.put(0, &due, &round).await;
    assert!(late.as_ref().is_err_and(Error::is_fenced), "{late:?}");
    let sql = "SELECT date, count(*) FROM gate WHERE dimension = 'variant' GROUP BY 1 ORDER BY 1";
    let rows = answer(&f, f.snapshot(gate()).await, sql).await;
    assert_eq!(rows, ["2026-11-24 1", "2026-11-25 1", "2026-11-26 1", "2026-11-27 1"]);
}
