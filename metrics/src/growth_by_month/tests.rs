use std::collections::{BTreeMap, BTreeSet};

use chrono::{Datelike, Months, NaiveDate};

use super::METRIC;
use crate::testing::{Cell, DIMENSIONS, Row, World, publish};
use crate::usage_by_day;

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn month_of(date: NaiveDate) -> NaiveDate {
    date.with_day(1).unwrap()
}

async fn growth(world: &World) -> Vec<Row> {
    let ctx = world.session().await;
    publish(&ctx, &usage_by_day::METRIC, world.first, world.last).await;
    publish(&ctx, &METRIC, month_of(world.first), world.last).await
}

#[track_caller]
fn close(found: Option<f64>, expected: Option<f64>, what: &str) {
    match (found, expected) {
        (Some(found), Some(expected)) => {
            assert!(
                (found - expected).abs() <= 1e-9 * expected.abs().max(1.0),
                "{what}: {found}, not {expected}"
            );
        }
        (found, expected) => assert_eq!(found, expected, "{what}"),
    }
}

/// Tokens and requests of rows by (month, dimension, kind, key).
type Sums = BTreeMap<(NaiveDate, &'static str, String, String), (i64, i64)>;

fn sums(world: &World) -> Sums {
    let mut sums = Sums::new();
    for dimension in DIMENSIONS {
        for ((kind, key), cell) in world.told(dimension, &(world.first..=world.last)) {
            let sum = sums.entry((month_of(cell.date), dimension, kind, key)).or_default();
            sum.0 += cell.count("tokens");
            sum.1 += cell.count("requests");
        }
    }
    sums
}

#[tokio::test]
async fn months_hold_what_loops_over_the_cells_find() {
    for seed in 40..44 {
        // The first month is not whole, the last is still running.
        let mut world = World::new(seed, day("2026-02-10"), 270, day("2026-11-06"));
        // Nothing happened in April: no growth from it.
        world.cells.retain(|cell| month_of(cell.date) != day("2026-04-01"));
        let found = growth(&world).await;
        let sums = sums(&world);
        assert_eq!(found.len(), sums.len());
        let total = |month: NaiveDate| {
            sums.get(&(month, "total", "total".to_owned(), "total".to_owned())).copied().unwrap_or_default()
        };
        for row in &found {
            let month = row.date("month");
            let (dimension, kind, key) = row.name();
            let dimension = DIMENSIONS.into_iter().find(|known| **known == dimension).unwrap();
            let what = format!("{key} in {dimension}, {month}, seed {seed}");
            let own = sums[&(month, dimension, kind.clone(), key)];
            assert_eq!(row.whole("tokens"), Some(own.0.into()), "{what}");
            assert_eq!(row.whole("requests"), Some(own.1.into()), "{what}");
            close(row.real("tokens_share"), Some(own.0 as f64 / total(month).0 as f64), &what);
            close(row.real("requests_share"), Some(own.1 as f64 / total(month).1 as f64), &what);
            assert_eq!(
                row.flag("is_partial"),
                [day("2026-02-01"), day("2026-11-01")].contains(&month),
                "{what}"
            );
            let columns = ["active_models", "active_models_100", "new_models"];
            if dimension == "total" {
                check_total(&world, row, month, &sums, total);
            } else {
                assert!(columns.iter().all(|column| row.whole(column).is_none()), "{what}");
                assert!(
                    ["author_hhi", "tokens_growth", "tokens_growth_6m"]
                        .iter()
                        .all(|column| row.real(column).is_none())
                );
                assert_eq!(row.text("tokens_growth_reason"), "", "{what}");
            }
        }
    }
}

fn check_total(
    world: &World,
    row: &Row,
    month: NaiveDate,
    sums: &Sums,
    total: impl Fn(NaiveDate) -> (i64, i64),
) {
    let what = month.to_string();
    let of = |dimension: &'static str| {
        sums.iter().filter(move |((of, known, kind, _), _)| {
            (*of, *known, kind.as_str()) == (month, dimension, "key")
        })
    };
    let active = |least: i64| of("model").filter(|(_, sum)| sum.1 >= least).count() as i128;
    assert_eq!(row.whole("active_models"), Some(active(1)), "{what}");
    assert_eq!(row.whole("active_models_100"), Some(active(100)), "{what}");
    let is_older =
        |key: &str| world.cells.iter().any(|cell| cell.model == Some(key) && month_of(cell.date) < month);
    let new = of("model").filter(|((.., key), _)| !is_older(key)).count() as i128;
    assert_eq!(row.whole("new_models"), (month > day("2026-02-01")).then_some(new), "{what}");
    for (column, dimension) in [("author_hhi", "author"), ("provider_hhi", "provider")] {
        let share = |sum: &(i64, i64)| sum.0 as f64 / total(month).0 as f64;
        let hhi: f64 = of(dimension).map(|(_, sum)| share(sum) * share(sum) * 10_000.0).sum();
        assert!((row.real(column).unwrap() - hhi).abs() < 1e-6, "{what}: {column} is not {hhi}");
    }
    let grown = |months: u32| {
        let before = month - Months::new(months);
        let reason = if before < world.first {
            "no_history"
        } else if month == day("2026-11-01") || total(before).0 == 0 {
            "not_enough"
        } else {
            ""
        };
        let ratio = |now: i64, then: i64| {
            reason.is_empty().then(|| (now as f64 / then as f64).powf(1.0 / f64::from(months)) - 1.0)
        };
        (reason, ratio(total(month).0, total(before).0), ratio(total(month).1, total(before).1))
    };
    for (suffix, months) in [("", 1), ("_6m", 6)] {
        let (reason, tokens, requests) = grown(months);
        assert_eq!(row.text(&format!("tokens_growth{suffix}_reason")), reason, "{what}");
        assert_eq!(row.text(&format!("requests_growth{suffix}_reason")), reason, "{what}");
        close(row.real(&format!("tokens_growth{suffix}")), tokens, &what);
        close(row.real(&format!("requests_growth{suffix}")), requests, &what);
    }
}

#[tokio::test]
async fn concentration_is_of_named_shares_of_everything() {
    let mut world = World::new(9, day("2026-09-30"), 10, day("2026-12-01"));
    world.last = day("2026-11-30");
    world.terms.users = 20;
    world.terms.has_raw_names = false;
    let cell = |date, model, author, tokens, user| {
        let mut cell = Cell {
            date: day(date),
            model,
            author,
            logged_author: author,
            variant: None,
            provider: Some("north"),
            users: BTreeSet::from([user]),
            ..world.cells[0].clone()
        };
        cell.counts.insert("input_tokens".to_owned(), tokens);
        cell.counts.insert("output_tokens".to_owned(), 0);
        cell.counts.insert("requests".to_owned(), tokens);
        cell
    };
    world.cells = vec![
        cell("2026-09-30", Some("solo/one"), Some("solo"), 7, 1),
        cell("2026-10-05", Some("acme/one"), Some("acme"), 40, 1),
        cell("2026-10-06", Some("acme/two"), Some("acme"), 20, 2),
        cell("2026-10-07", Some("beta/one"), Some("beta"), 30, 2),
        // Hidden: part of the whole alone.
        cell("2026-10-08", Some("solo/one"), Some("solo"), 10, 3),
        // Named at last, but not new: its first request was hidden.
        cell("2026-11-02", Some("solo/one"), Some("solo"), 100, 3),
        cell("2026-11-02", Some("beta/late"), Some("beta"), 100, 4),
    ];
    world.public = ["acme/one", "acme/two", "beta/one", "beta/late"]
        .iter()
        .flat_map(|key| world.cells.iter().map(|cell| ("variant", (*key).to_owned(), cell.date)))
        .chain([("variant", "solo/one".to_owned(), day("2026-11-02"))])
        .collect();
    let found = growth(&world).await;
    let total = |month: &str| {
        found
            .iter()
            .find(|row| row.text("kind") == "total" && row.date("month") == day(month))
            .unwrap()
            .clone()
    };
    let october = total("2026-10-01");
    // 0.6² + 0.3² = 0.45; no provider is named.
    close(october.real("author_hhi"), Some(4_500.0), "authors");
    close(october.real("provider_hhi"), Some(0.0), "providers");
    assert_eq!((october.whole("active_models"), october.whole("active_models_100")), (Some(3), Some(0)));
    // The third user has used nothing but what is hidden.
    assert_eq!((october.whole("new_models"), october.whole("users")), (Some(3), Some(2)));
    let november = total("2026-11-01");
    // 0.5² + 0.5².
    close(november.real("author_hhi"), Some(5_000.0), "authors");
    assert_eq!((november.whole("active_models"), november.whole("active_models_100")), (Some(2), Some(2)));
    assert_eq!(november.whole("new_models"), Some(1));
    close(november.real("tokens_growth"), Some(1.0), "200 after 100");
    assert_eq!(total("2026-09-01").whole("new_models"), None);
    let users = |dimension: &str, key: &str| {
        let of = |row: &&Row| row.text("dimension") == dimension && row.text("key") == key;
        found.iter().filter(of).find(|row| row.date("month") == day("2026-10-01")).unwrap().clone()
    };
    assert_eq!(users("author", "acme").whole("users"), Some(2));
    let hidden = users("author", "hidden");
    assert_eq!((hidden.whole("users"), hidden.text("users_reason")), (None, "private"));
}

#[test]
fn a_day_moves_its_month_and_those_after() {
    let moved = (METRIC.touched)(day("2026-11-29"));
    assert_eq!((*moved.start(), *moved.end()), (day("2026-11-01"), day("2036-11-01")));
}
