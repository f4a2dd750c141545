//! Logged names that were read again.

use std::collections::BTreeSet;
use std::sync::Arc;

use bellwether_metrics::publications::Publication;
use bellwether_metrics::revisions::Reason;
use bellwether_metrics::{Renamed, Terms, gate, rankings, usage_by_day};
use bellwether_warehouse::tables::attempts::{AttemptRow, Named};
use chrono::NaiveDate;
use tokio::sync::OnceCell;

use super::super::{Publisher, Round, late};
use super::names::answer;
use super::renamed::{NIGHT, SOON, TABLES, catalogue, log, named, slow};
use super::{NOW, add, newest, of_user, terms};
use crate::testing::{Fixture, at};
use crate::{Asked, Intent, Naming};

const ASKED: Asked = Asked { from: None, to: None, intent: Intent::Do };

/// `prod` is `acme/two`.
struct Prod;

impl Naming for Prod {
    fn name(&self, row: &AttemptRow<'_>) -> Option<Named> {
        match row.raw_model {
            Some("prod") => Some(Named {
                model_id: Some("acme/two".into()),
                author: Some("acme".into()),
                ..Named::of(row)
            }),
            _ => Some(Named::of(row)),
        }
    }

    fn price<'r>(&'r self, _: &mut AttemptRow<'r>) {}
}

/// `prod` on the 22nd and the 23rd, another model every day since the 20th.
async fn published(model: &'static str, author: Option<&'static str>) -> Fixture {
    let mut f = Fixture::new().await;
    let ids = ["a", "b", "c", "d", "e", "f"];
    let mut rows: Vec<_> = ids.iter().zip(0..).map(|(id, days_ago)| of_user(id, days_ago, 1)).collect();
    let prod = |id, days_ago| AttemptRow {
        raw_model: Some("prod"),
        model_id: Some(model),
        author,
        ..of_user(id, days_ago, 2)
    };
    rows.extend([prod("x", 3), prod("y", 2)]);
    add(&mut f, &rows, NOW).await;
    f
}

const ROWS: &str = "SELECT date_part('day', date), dimension, key, requests, tokens FROM usage_by_day \
                    WHERE date < '2026-11-25' ORDER BY date, dimension, key";

async fn usage(f: &Fixture) -> Vec<String> {
    answer(f, named(f, &usage_by_day::METRIC).await, ROWS).await
}

#[tokio::test]
async fn closed_dates_get_other_names_at_night_once_and_for_their_reason() {
    let terms = catalogue(Some(("acme", "Two")));
    let mut f = published("prod", None).await;
    slow(&f, terms.clone()).await.publish(at(NOW)).await.unwrap();
    let before = usage(&f).await;
    f.jobs.remap(ASKED, &Prod, at(SOON)).await.unwrap();
    // Each process is a new one.
    slow(&f, terms.clone()).await.publish(at(SOON)).await.unwrap();
    let row = newest(&f).await;
    assert_eq!(row.renamed.to_string(), "remapped 2026-11-22\nremapped 2026-11-23");
    assert!(row.what.contains("closed dates of some names follow at night"), "{}", row.what);
    assert_eq!(usage(&f).await, before);
    assert_eq!(slow(&f, terms.clone()).await.publish(at(SOON)).await.unwrap().number, None);

    slow(&f, terms.clone()).await.publish(at(NIGHT)).await.unwrap();
    let fresh = published("acme/two", Some("acme")).await;
    slow(&fresh, terms.clone()).await.publish(at(NIGHT)).await.unwrap();
    assert_eq!(usage(&f).await, usage(&fresh).await);
    assert_ne!(usage(&f).await, before);
    assert!(newest(&f).await.renamed.is_empty());
    for (table, dates) in [
        (usage_by_day::TABLE.name, vec!["2026-11-22", "2026-11-23"]),
        // Of seven days, too.
        (rankings::TABLE.name, vec!["2026-11-22", "2026-11-23", "2026-11-24"]),
    ] {
        for date in dates {
            assert_eq!(log(&f, table, date).await, [(1, Reason::Remap)], "{table} {date}");
        }
        for date in ["2026-11-20", "2026-11-21"] {
            assert_eq!(log(&f, table, date).await, [], "{table} {date}");
        }
    }
    let what = newest(&f).await.what;
    assert!(
        what.contains("usage_by_day: 2 closed dates replaced for logged names that were read again"),
        "{what}"
    );
    // Nothing is left, and what comes late has its own reason.
    assert_eq!(slow(&f, terms.clone()).await.publish(at(NIGHT)).await.unwrap().number, None);
    add(&mut f, &[of_user("late", 3, 3)], NIGHT).await;
    slow(&f, terms).await.publish(at("2026-11-27T03:03:00Z")).await.unwrap();
    let expected = [(1, Reason::Remap), (2, Reason::LateRows)];
    assert_eq!(log(&f, "usage_by_day", "2026-11-22").await, expected);
}

#[tokio::test]
async fn a_publication_by_hand_shows_them_at_once_and_another_catalogue_beside_them_has_its_own_reason() {
    let mut f = published("prod", None).await;
    let first = catalogue(Some(("acme", "Two")));
    Publisher::open_some(&f.warehouse, first, TABLES).await.unwrap().publish(at(NOW)).await.unwrap();
    f.jobs.remap(ASKED, &Prod, at(SOON)).await.unwrap();
    // `acme/one` is on every day, and by another author now.
    let mut other = catalogue(Some(("acme", "Two")));
    other.catalogue.models[0].name = "Uno".into();
    Publisher::open_some(&f.warehouse, other, TABLES).await.unwrap().publish(at(SOON)).await.unwrap();
    for (date, reason) in [
        ("2026-11-21", Reason::Catalogue),
        ("2026-11-22", Reason::Remap),
        ("2026-11-23", Reason::Remap),
        ("2026-11-24", Reason::Catalogue),
    ] {
        assert_eq!(log(&f, "usage_by_day", date).await, [(1, reason)], "{date}");
    }
    assert!(newest(&f).await.renamed.is_empty());
    let two = "SELECT date_part('day', date), requests FROM usage_by_day WHERE key = 'acme/two' AND dimension = 'model' \
               ORDER BY date";
    assert_eq!(answer(&f, named(&f, &usage_by_day::METRIC).await, two).await, ["22 1", "23 1"]);
    let gate = named(&f, &gate::METRIC).await;
    let told = "SELECT count(*) > 0 FROM gate WHERE key = 'acme/two'";
    assert_eq!(answer(&f, gate, told).await, ["true"]);
}

#[test]
fn rows_that_come_late_while_the_night_goes_on_wait_for_the_next_one() {
    let metric = &usage_by_day::METRIC;
    let date: NaiveDate = "2026-11-22".parse().unwrap();
    let stands = BTreeSet::from([date]);
    for (is_begun, late) in [(false, None), (true, Some(date))] {
        let now = at("2026-11-26T03:04:00Z");
        let mut last = Publication { published_at: now, ..Publication::default() };
        for table in [gate::TABLE.name, metric.table.name] {
            last.as_of.insert(table.to_owned(), now);
        }
        let round = Round {
            last: Some(last),
            number: 2,
            attempts_version: None,
            is_afresh: false,
            takes_over: false,
            renamed: Arc::new(Renamed { remapped: stands.clone(), is_begun, ..Renamed::default() }),
            is_night: false,
            is_opening: false,
            terms: Terms { watermark: now, today: now.date_naive(), ..terms(0) },
            now,
            threads: 1,
            others: Vec::new(),
            log: OnceCell::new(),
        };
        let mut due = stands.clone();
        // A name that is held shows it when the night comes; when that has been, nothing but this does.
        assert_eq!(late::put_off(metric, &mut due, &stands, &BTreeSet::new(), &round), late, "{is_begun}");
        assert!(due.is_empty(), "{is_begun}");
    }
}
