//! How often rows of closed dates were replaced, and why.

use bellwether_metrics::publications;
use bellwether_metrics::publications::Log;
use bellwether_metrics::revisions::Reason;
use bellwether_metrics::{Catalogue, Model, Terms};
use bellwether_warehouse::tables::attempts::AttemptRow;

use super::super::Publisher;
use super::super::scope::Scope;
use super::late::{TABLES, slow};
use super::names::answer;
use super::{add, newest, of_user, terms};
use crate::testing::{Fixture, at};

/// Requests of each of two models yesterday: one more of them is half a thousandth of its amounts.
const MANY: i64 = 2_000;
const BEGUN: &str = "2026-11-25T13:03:00Z";
/// Each in ten minutes of its own.
const NEXT: [&str; 3] = ["2026-11-25T13:12:00Z", "2026-11-25T13:22:00Z", "2026-11-25T13:32:00Z"];

fn of_model<'a>(id: &'a str, days_ago: i64, model: &'a str) -> AttemptRow<'a> {
    AttemptRow { model_id: Some(model), ..of_user(id, days_ago, 1) }
}

/// Two models with as much each yesterday, `acme/one` a little before the other; a call the day before and one today.
async fn market() -> Fixture {
    let mut f = Fixture::new().await;
    let ids: Vec<String> = (0..2 * MANY).map(|n| format!("m{n}")).collect();
    let mut rows: Vec<_> = ids
        .iter()
        .zip(0..)
        .map(|(id, n)| of_model(id, 1, if n < MANY { "acme/one" } else { "acme/two" }))
        .collect();
    rows[0].output_tokens = Some(300);
    rows.extend([of_model("old", 2, "acme/one"), of_model("new", 0, "acme/one")]);
    add(&mut f, &rows, BEGUN).await;
    // Each process is a new one: nothing is in memory alone.
    slow(&f).await.publish(at(BEGUN)).await.unwrap();
    f
}

/// Requests of a model on a day, and the revision of its row, as they are published.
async fn said(f: &Fixture, table: &str, date: &str, model: &str) -> Vec<String> {
    let metric = TABLES.iter().find(|metric| metric.table.name == table).unwrap();
    let snapshot =
        f.warehouse.table(metric.id()).await.unwrap().at(newest(f).await.versions[table]).await.unwrap();
    let of_day = match table {
        "rankings" => format!("end_date = '{date}' AND window_days = 1"),
        _ => format!("date = '{date}'"),
    };
    let sql = format!(
        "SELECT requests, revision FROM {table} WHERE {of_day} AND dimension = 'model' AND key = '{model}'"
    );
    answer(f, snapshot, &sql).await
}

/// Numbers and reasons in the log of a date.
async fn log(f: &Fixture, table: &str, date: &str) -> Vec<(i64, Reason)> {
    let log = Log::read(&f.snapshot(publications::id()).await).await.unwrap();
    log.of(table, date.parse().unwrap()).map(|one| (one.revised.revision, one.revised.reason)).collect()
}

const YESTERDAY: &str = "2026-11-24";

#[tokio::test]
async fn what_moves_by_less_than_a_thousandth_stays_and_what_moves_by_more_is_a_revision() {
    let mut f = market().await;
    for table in ["usage_by_day", "rankings"] {
        assert_eq!(said(&f, table, YESTERDAY, "acme/one").await, ["2000 0"], "{table}");
    }
    // A day that is still open has no number.
    assert_eq!(said(&f, "usage_by_day", "2026-11-25", "acme/one").await, ["1 -"]);

    add(&mut f, &[of_model("late0", 1, "acme/one")], BEGUN).await;
    slow(&f).await.publish(at(NEXT[0])).await.unwrap();
    for table in ["usage_by_day", "rankings"] {
        assert_eq!(said(&f, table, YESTERDAY, "acme/one").await, ["2000 0"], "{table}");
        assert_eq!(log(&f, table, YESTERDAY).await, []);
    }
    // Four together are two thousandths of what is published.
    let ids = ["late1", "late2", "late3"];
    add(&mut f, &ids.map(|id| of_model(id, 1, "acme/one")), BEGUN).await;
    slow(&f).await.publish(at(NEXT[1])).await.unwrap();
    for table in ["usage_by_day", "rankings"] {
        assert_eq!(said(&f, table, YESTERDAY, "acme/one").await, ["2004 1"], "{table}");
        assert_eq!(said(&f, table, YESTERDAY, "acme/two").await, ["2000 1"], "{table}");
        assert_eq!(log(&f, table, YESTERDAY).await, [(1, Reason::LateRows)]);
    }
    let what = newest(&f).await.what;
    assert!(what.contains("rankings: 1 closed date replaced for rows that came late or twice"), "{what}");
    assert_eq!(said(&f, "rankings", "2026-11-23", "acme/one").await, ["1 0"]);
    // Nothing more comes.
    slow(&f).await.publish(at(NEXT[2])).await.unwrap();
    assert_eq!(said(&f, "rankings", YESTERDAY, "acme/one").await, ["2004 1"]);
    assert_eq!(log(&f, "rankings", YESTERDAY).await.len(), 1);
}

#[tokio::test]
async fn a_place_that_changes_is_a_revision_however_little_moves() {
    let mut f = market().await;
    add(&mut f, &[of_model("late", 1, "acme/two")], BEGUN).await;
    slow(&f).await.publish(at(NEXT[0])).await.unwrap();
    assert_eq!(said(&f, "rankings", YESTERDAY, "acme/two").await, ["2001 1"]);
    assert_eq!(log(&f, "rankings", YESTERDAY).await, [(1, Reason::LateRows)]);
    // Places are made of its rows.
    assert_eq!(said(&f, "usage_by_day", YESTERDAY, "acme/two").await, ["2001 1"]);
}

#[tokio::test]
async fn rows_within_ten_minutes_are_one_revision_and_those_of_a_final_day_wait_for_the_night() {
    let mut f = Fixture::new().await;
    let begun = "2026-11-25T03:10:00Z";
    add(&mut f, &[of_user("a", 2, 1), of_user("b", 1, 1)], begun).await;
    slow(&f).await.publish(at(begun)).await.unwrap();
    // Of noon on the 24th, and of the 23rd, thirty hours after its 21:00.
    for (id, days_ago, now) in [
        ("c", 1, "2026-11-25T03:11:00Z"),
        ("d", 1, "2026-11-25T03:11:30Z"),
        ("e", 2, "2026-11-25T03:11:40Z"),
        ("f", 1, "2026-11-25T03:12:00Z"),
    ] {
        let mut row = of_user(id, days_ago, 1);
        row.started_at += if days_ago == 2 { 9 * 3_600_000_000 } else { 0 };
        add(&mut f, &[row], now).await;
        if id != "f" {
            slow(&f).await.publish(at(now)).await.unwrap();
            for table in ["usage_by_day", "rankings"] {
                assert_eq!(said(&f, table, YESTERDAY, "acme/one").await, ["1 0"], "{table} {now}");
            }
        }
    }
    slow(&f).await.publish(at("2026-11-25T03:12:00Z")).await.unwrap();
    for now in
        ["2026-11-25T03:22:00Z", "2026-11-25T12:00:00Z", "2026-11-26T01:00:00Z", "2026-11-26T03:01:00Z"]
    {
        slow(&f).await.publish(at(now)).await.unwrap();
        for table in ["usage_by_day", "rankings"] {
            assert_eq!(said(&f, table, YESTERDAY, "acme/one").await, ["4 1"], "{table} {now}");
            assert_eq!(log(&f, table, YESTERDAY).await, [(1, Reason::LateRows)]);
            assert_eq!(said(&f, table, "2026-11-23", "acme/one").await, ["1 0"], "{table} {now}");
        }
    }
    slow(&f).await.publish(at("2026-11-26T03:03:00Z")).await.unwrap();
    for table in ["usage_by_day", "rankings"] {
        assert_eq!(said(&f, table, "2026-11-23", "acme/one").await, ["2 1"], "{table}");
        assert_eq!(log(&f, table, "2026-11-23").await, [(1, Reason::LateRows)]);
    }
}

#[tokio::test]
async fn one_that_is_ended_before_it_tells_a_revision_neither_skips_nor_repeats_its_number() {
    let mut f = Fixture::new().await;
    add(&mut f, &[of_user("a", 1, 1)], BEGUN).await;
    slow(&f).await.publish(at(BEGUN)).await.unwrap();
    let ended = async |f: &Fixture, now: &str| {
        let mut publisher = slow(f).await;
        publisher.look().await.unwrap();
        let round = publisher.begin(at(now)).await.unwrap();
        let stage = publisher.put_all(&round).await.unwrap();
        assert!(
            stage.revised.iter().any(|revised| (revised.table.as_str(), revised.revision) == ("rankings", 1))
        );
    };
    add(&mut f, &[of_user("b", 1, 1)], BEGUN).await;
    ended(&f, NEXT[0]).await;
    assert_eq!(said(&f, "rankings", YESTERDAY, "acme/one").await, ["1 0"]);
    // Once more with nothing new, and once more with something.
    ended(&f, NEXT[0]).await;
    add(&mut f, &[of_user("c", 1, 1)], BEGUN).await;
    ended(&f, NEXT[1]).await;
    assert_eq!(log(&f, "rankings", YESTERDAY).await, []);
    slow(&f).await.publish(at(NEXT[1])).await.unwrap();
    for table in ["usage_by_day", "rankings"] {
        assert_eq!(said(&f, table, YESTERDAY, "acme/one").await, ["3 1"], "{table}");
        assert_eq!(log(&f, table, YESTERDAY).await, [(1, Reason::LateRows)], "{table}");
    }
    add(&mut f, &[of_user("d", 1, 1)], BEGUN).await;
    slow(&f).await.publish(at(NEXT[2])).await.unwrap();
    assert_eq!(said(&f, "rankings", YESTERDAY, "acme/one").await, ["4 2"]);
    assert_eq!(log(&f, "rankings", YESTERDAY).await.len(), 2);
}

#[tokio::test]
async fn what_is_published_under_says_why_rows_were_replaced_and_what_stays_equal_keeps_its_number() {
    let mut f = Fixture::new().await;
    let old = of_model("b", 60, "acme/two");
    add(&mut f, &[of_user("a", 1, 1), old], BEGUN).await;
    let publish = async |f: &Fixture, terms: Terms, now: &str| {
        let publisher = Publisher::open_scope(&f.warehouse, terms, Scope::Slow, TABLES).await;
        publisher.unwrap().publish(at(now)).await.unwrap();
    };
    publish(&f, terms(0), BEGUN).await;
    let model = Model { id: "acme/one".into(), author: "acme".into(), name: "One".into() };
    let catalogue = Catalogue { models: vec![model], ..Catalogue::default() };
    let named = Terms { catalogue, ..terms(0) };
    publish(&f, named.clone(), BEGUN).await;
    assert_eq!(log(&f, "usage_by_day", YESTERDAY).await, [(1, Reason::Catalogue)]);
    assert_eq!(said(&f, "usage_by_day", YESTERDAY, "acme/one").await, ["1 1"]);
    publish(&f, Terms { users: 3, ..named.clone() }, BEGUN).await;
    assert_eq!(log(&f, "usage_by_day", YESTERDAY).await, [(1, Reason::Catalogue), (2, Reason::Terms)]);
    assert!(said(&f, "usage_by_day", YESTERDAY, "acme/one").await.is_empty());
    // What nothing of yesterday asks for.
    publish(&f, Terms { speed_requests: 9, users: 3, ..named }, BEGUN).await;
    assert_eq!(log(&f, "usage_by_day", YESTERDAY).await.len(), 2);
    // Rows of long ago were taken out each time, and came back.
    let old = log(&f, "usage_by_day", "2026-09-26").await;
    assert_eq!(old, [(1, Reason::Catalogue), (2, Reason::Terms), (3, Reason::Terms)]);
}
