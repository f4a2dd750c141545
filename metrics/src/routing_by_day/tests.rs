use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::METRIC;
use crate::health::testing::{Attempt, DAY, HOUR, PLACES, World, by_key, date_of, day, text, us};
use crate::routing::testing::{Sums, check, routed};
use crate::{routing_by_hour, routing_now};

const FROM: &str = "2026-10-20T00:00:00Z";

fn world(seed: u64) -> World {
    let mut world = World::random(seed, 9_000, FROM, "2026-11-25T12:00:00Z");
    world.routing = routed(seed, us(FROM), us("2026-11-25T13:00:00Z"));
    world
}

/// Sums of named models, and of all rows, over rows that are asked for.
fn sums(world: &World, is_in: impl Fn(i64) -> bool) -> BTreeMap<String, Sums> {
    let mut sums: BTreeMap<String, Sums> = BTreeMap::new();
    for row in world.routing.iter().filter(|row| is_in(us(row["hour"].as_str().unwrap()))) {
        sums.entry("total".to_owned()).or_default().add(row);
        if let Some(model) = row["model_id"].as_str().filter(|model| *model != "raw-three") {
            sums.entry(model.to_owned()).or_default().add(row);
        }
    }
    sums
}

/// Provider and uptime: the best of a model's with 20 counted attempts, over attempts that are asked for.
fn best(world: &World, model: &str, is_in: impl Fn(i64) -> bool) -> Option<(String, f64)> {
    let mut found: Option<(String, f64, i64)> = None;
    for provider in ["north", "south"] {
        let (mut success, mut counted) = (0, 0);
        for attempt in &world.attempts {
            let place = attempt.place;
            if place.model == Some(model) && place.provider == Some(provider) && is_in(attempt.at) {
                let count = |column: &str| {
                    attempt.counts[crate::health::testing::COUNTS.iter().position(|c| *c == column).unwrap()]
                };
                let ok = count("ok") + count("cancelled_delivered");
                success += ok;
                counted += ok + count("fault");
            }
        }
        let uptime = success as f64 / counted as f64;
        if counted >= 20 && found.as_ref().is_none_or(|best| (uptime, counted) > (best.1, best.2)) {
            found = Some((provider.to_owned(), uptime, counted));
        }
    }
    found.map(|(provider, uptime, _)| (provider, uptime))
}

fn check_best(row: &Map<String, Value>, routed: Option<f64>, best: Option<(String, f64)>) {
    assert_eq!(row.get("best_provider").and_then(Value::as_str), best.as_ref().map(|best| best.0.as_str()));
    let is_total = text(row, "dimension") == "total";
    assert_eq!(text(row, "best_provider_reason").is_empty(), best.is_some() || is_total);
    let found = row.get("boost_over_best_points").and_then(Value::as_f64);
    let expected = routed.zip(best).map(|(routed, best)| (routed - best.1) * 100.0);
    let is_equal = found.zip(expected).is_none_or(|(found, expected)| (found - expected).abs() < 1e-9);
    assert!(is_equal && found.is_some() == expected.is_some(), "{found:?} is not {expected:?} in {row:?}");
    assert_eq!(text(row, "boost_over_best_points_reason").is_empty(), found.is_some() || is_total);
}

#[tokio::test]
async fn days_say_what_their_hours_and_attempts_add_up_to() {
    let world = world(71);
    let rows = world.rows(METRIC, "2026-11-20", "2026-11-25").await;
    let mut seen = 0;
    for back in 0..6 {
        let date = date_of(us("2026-11-25T00:00:00Z") - back * DAY);
        for (model, sums) in sums(&world, |at| date_of(at) == date) {
            let of = |row: &&Map<String, Value>| {
                text(row, "date") == date.to_string() && text(row, "key") == model
            };
            let row = rows.iter().find(of).unwrap();
            check(row, &sums, 20);
            check_best(row, sums.routed(20), best(&world, &model, |at| date_of(at) == date));
            assert_eq!(row["is_partial"], back == 0);
            seen += 1;
        }
    }
    assert_eq!(rows.len(), seen);
    assert!(!format!("{rows:?}").contains("raw-three"));
}

#[tokio::test]
async fn hours_say_what_they_hold() {
    let world = world(72);
    let rows = world.rows(routing_by_hour::METRIC, "2026-11-25", "2026-11-25").await;
    let mut seen = 0;
    for hour in 0..13 {
        let from = us("2026-11-25T00:00:00Z") + hour * HOUR;
        for (model, sums) in sums(&world, |at| at == from) {
            let of = |row: &&Map<String, Value>| us(text(row, "hour")) == from && text(row, "key") == model;
            let row = rows.iter().find(of).unwrap();
            check(row, &sums, 20);
            assert_eq!(row["is_partial"], hour == 12);
            seen += 1;
        }
    }
    assert_eq!(rows.len(), seen);
}

#[tokio::test]
async fn windows_end_with_yesterday() {
    let world = world(73);
    // The bounds do not matter.
    let rows = world.rows(routing_now::METRIC, "2020-01-01", "2020-01-01").await;
    let end = us("2026-11-25T00:00:00Z");
    let mut seen = 0;
    for days in [1, 7, 28] {
        let is_in = |at| at < end && at >= end - days * DAY;
        for (model, sums) in sums(&world, is_in) {
            let of = |row: &&Map<String, Value>| row["window_days"] == days && text(row, "key") == model;
            let row = rows.iter().find(of).unwrap();
            check(row, &sums, 20);
            check_best(row, sums.routed(20), best(&world, &model, is_in));
            assert_eq!(text(row, "end_date"), "2026-11-24");
            seen += 1;
        }
    }
    assert_eq!(rows.len(), seen);
}

/// 2,500 requests of acme/one on one day, 1,997 of them ok at once and 2,345 in the end: its row, and that of everything.
async fn one_day(n: i64, users: u32, is_public: Option<bool>) -> [Map<String, Value>; 2] {
    let noon = us("2026-11-24T12:00:00Z");
    let mut world = World::of(vec![Attempt::new(noon, PLACES[3], "ok"); 150]);
    world.terms.users = users;
    world.terms.counted_attempts = 100;
    world.gate = is_public.into_iter().map(|is| (day("2026-11-24"), "variant", "acme/one", is)).collect();
    let part = |share: i64| n * share / 2_500;
    world.routing = vec![json!({
        "date": "2026-11-24", "hour": "2026-11-24T12:00:00Z", "model_id": "acme/one", "author": "acme",
        "all_requests": n, "attempts": n * 2, "requests": n, "routed_ok": part(2_345), "first_ok": part(1_997),
        "requests_with_rate_limits": n, "routed_ok_with_rate_limits": part(2_345), "first_ok_with_rate_limits": part(1_997),
    })];
    let mut rows = by_key(world.rows(METRIC, "2026-11-24", "2026-11-24").await);
    assert_eq!(rows.len(), 2);
    [("model", "acme/one"), ("total", "total")]
        .map(|(dimension, key)| rows.remove(&(dimension.to_owned(), key.to_owned())).unwrap())
}

#[tokio::test]
async fn models_that_are_not_public_have_bands() {
    for (users, is_public, has_bands) in
        [(0, None, false), (20, Some(true), false), (20, Some(false), true), (20, None, true)]
    {
        let [row, total] = one_day(2_500, users, is_public).await;
        assert_eq!(
            (&row["counts_are_bands"], &total["counts_are_bands"]),
            (&json!(has_bands), &json!(false))
        );
        let counts = ["all_requests", "attempts", "requests", "routed_ok", "first_ok"];
        let exact = [2_500, 5_000, 2_500, 2_345, 1_997];
        let expected = if has_bands { [1_000; 5] } else { exact };
        assert_eq!(counts.map(|count| row[count].as_i64().unwrap()), expected);
        assert_eq!(counts.map(|count| total[count].as_i64().unwrap()), exact);
        assert_eq!((text(&total, "kind"), text(&total, "display_name")), ("total", "All"));
        let real = |column: &str| row[column].as_f64().unwrap();
        // 0.938, 0.7988 and their difference.
        assert_eq!(real("without_routing"), if has_bands { 0.798 } else { 0.7988 });
        let boost = if has_bands { 14.0 } else { 13.92 };
        assert!((real("boost_points") - boost).abs() < 1e-9);
        assert!((real("boost_over_best_points") + 6.2).abs() < 1e-9);
        // Of a pair.
        assert_eq!(row["best_provider_counted"], if users > 0 { 100 } else { 150 });
    }
}

#[tokio::test]
async fn ninety_nine_requests_make_no_boost_and_a_hundred_make_one() {
    for (n, reason) in [(99, "not_enough"), (100, "")] {
        let [row, _] = one_day(n, 0, None).await;
        for column in
            ["routed", "without_routing", "boost_points", "routed_with_rate_limits", "boost_over_best_points"]
        {
            assert_eq!(text(&row, &format!("{column}_reason")), reason, "{column}");
            assert_eq!(row.contains_key(column), reason.is_empty(), "{column}");
        }
        assert_eq!(row["attempts_per_request"], 2.0);
    }
}
