mod questions;

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::check::{Check, Tally, tallies};
use super::testing::{Attempt, DAY, MEASURES, PLACES, Place, World, by_key, date_of, day, text, us};
use crate::{health_by_day, health_by_window};

const NOON: &str = "2026-11-24T12:00:00Z";

type Rows = BTreeMap<(String, String), Map<String, Value>>;

/// So many attempts of one outcome.
fn many(place: Place, outcome: &str, n: usize) -> Vec<Attempt> {
    vec![Attempt::new(us(NOON), place, outcome); n]
}

async fn on_the_day(world: &World) -> Rows {
    by_key(world.rows(health_by_day::METRIC, "2026-11-24", "2026-11-24").await)
}

fn key(dimension: &str, key: &str) -> (String, String) {
    (dimension.to_owned(), key.to_owned())
}

#[tokio::test]
async fn ninety_nine_counted_attempts_make_no_uptime_and_a_hundred_make_one() {
    for (n, uptime) in [(98, None), (99, Some(0.99))] {
        let mut attempts = many(PLACES[3], "cancelled_delivered", n);
        attempts.extend(many(PLACES[3], "fault_timeout", 1));
        // Neither counts.
        attempts.extend(many(PLACES[3], "rate_limited", 50));
        attempts.extend(many(PLACES[3], "client_geo", 50));
        attempts.extend(many(PLACES[3], "cancelled", 50));
        let mut world = World::of(attempts);
        world.terms.counted_attempts = 100;
        let row = &on_the_day(&world).await[&key("endpoint", "s1")];
        assert_eq!(row["attempts"], n + 151);
        assert_eq!(row["counted"], n + 1);
        assert_eq!(row.get("uptime").and_then(Value::as_f64), uptime);
        assert_eq!(text(row, "uptime_reason"), if uptime.is_none() { "not_enough" } else { "" });
        assert_eq!(row["cancelled"], n + 50);
    }
}

#[tokio::test]
async fn ninety_nine_samples_make_no_percentile_and_a_hundred_make_one() {
    for (n, is_shown) in [(99, false), (100, true)] {
        let mut attempts = many(PLACES[3], "ok", n);
        for (at, attempt) in attempts.iter_mut().enumerate() {
            attempt.speeds[0] = Some((at + 1) as f64);
        }
        let mut world = World::of(attempts);
        world.terms.speed_requests = 100;
        let row = &on_the_day(&world).await[&key("provider", "south")];
        // Rank floor(0.5 × 99) of 1, 2, … 100.
        let median = row.get("ttft_ms_p50").and_then(Value::as_f64);
        assert_eq!(median.is_some(), is_shown);
        assert!(median.is_none_or(|median| (median - 50.0).abs() <= 0.5), "{median:?}");
        assert_eq!(text(row, "ttft_ms_reason"), if is_shown { "" } else { "not_enough" });
        assert_eq!((&row["ttft_ms_samples"], &row["duration_ms_samples"]), (&n.into(), &0.into()));
        assert_eq!(text(row, "duration_ms_reason"), "not_enough");
    }
}

#[tokio::test]
async fn what_the_catalogue_does_not_know_is_in_no_row_unless_raw_names_are_shown() {
    let world = World::random(3, 3_000, "2026-11-24T00:00:00Z", "2026-11-25T00:00:00Z");
    let rows = on_the_day(&world).await;
    let all = format!("{rows:?}");
    assert!(!all.contains("raw-three") && !all.contains("10.0.0.7"), "{all}");
    assert!(!rows.contains_key(&key("endpoint", "s3")));
    // Its author, since the catalogue has learned the name.
    assert_eq!(text(&rows[&key("model", "beta/two")], "author"), "beta");

    let mut private = world;
    private.terms.has_raw_names = true;
    let rows = on_the_day(&private).await;
    for (dimension, name) in [
        ("model", "raw-three"),
        ("provider", "host:10.0.0.7"),
        ("model_provider", "beta/two@host:10.0.0.7"),
        ("endpoint", "s3"),
        ("endpoint", "h2"),
    ] {
        assert!(rows.contains_key(&key(dimension, name)), "{name}");
    }
    assert!(!rows[&key("model", "raw-three")].contains_key("author"));
    // Attempts of a raw name are their provider's too: the sum of what this seed sent to `south`.
    let south = private.attempts.iter().filter(|attempt| attempt.place.provider == Some("south")).count();
    assert_eq!(rows[&key("provider", "south")]["attempts"], south);
}

#[tokio::test]
async fn rows_carry_their_ids_apart_and_a_name() {
    let world = World::random(5, 3_000, "2026-11-24T00:00:00Z", "2026-11-25T00:00:00Z");
    let rows = on_the_day(&world).await;
    for (dimension, name, plain, display_name) in [
        ("model", "acme/one", ["acme/one", "", "acme", "", "", ""], "One"),
        ("provider", "south", ["", "", "", "south", "", ""], "South Cloud"),
        ("model_provider", "acme/one@north", ["acme/one", "", "acme", "north", "", ""], "One at North"),
        ("endpoint", "n1@us", ["acme/one", "standard", "acme", "north", "n1", "us"], "One at North, us"),
        ("endpoint", "n1f:free", ["acme/one", "free", "acme", "north", "n1f", ""], "One (free) at North"),
        (
            "endpoint",
            "beta/two@south",
            ["beta/two", "standard", "beta", "south", "", ""],
            "Two at South Cloud",
        ),
    ] {
        let row = &rows[&key(dimension, name)];
        let ids = ["model", "variant", "author", "provider", "endpoint", "region"].map(|id| text(row, id));
        assert_eq!(ids, plain, "{name}");
        assert_eq!((text(row, "display_name"), text(row, "kind")), (display_name, "key"));
    }
}

/// acme/one at north, 1,997 of 2,500 counted attempts a success, and 20 of them free; the gate says whatever is asked.
async fn gated(users: u32, gate: &[(&str, &'static str, &'static str, bool)]) -> Rows {
    let mut attempts = many(PLACES[0], "ok", 1_977);
    attempts.extend(many(PLACES[2], "ok", 20));
    attempts.extend(many(PLACES[0], "fault_overloaded", 503));
    attempts[0].count("billed_output_tokens_cancelled", 77);
    let mut world = World::of(attempts);
    world.terms.users = users;
    world.gate = gate.iter().map(|(date, of, key, is_public)| (day(date), *of, *key, *is_public)).collect();
    on_the_day(&world).await
}

#[tokio::test]
async fn without_a_threshold_of_users_all_counts_are_exact() {
    for row in gated(0, &[]).await.values() {
        assert_eq!(row["counts_are_bands"], false, "{row:?}");
        assert!(row.contains_key("billed_output_tokens_cancelled"));
    }
}

#[tokio::test]
async fn counts_of_what_is_not_public_are_bands_and_its_shares_are_cut() {
    let date = "2026-11-24";
    let (standard, free, north) = ("acme/one", "acme/one:free", "north");
    for (gate, has_bands) in [
        // No decision, that of another day, and one part that is not public.
        (vec![], [true, true]),
        (
            vec![("2026-11-23", "variant", standard, true), ("2026-11-23", "variant", free, true)],
            [true, true],
        ),
        (vec![(date, "variant", standard, true), (date, "variant", free, false)], [true, true]),
        (vec![(date, "variant", standard, true), (date, "variant", free, true)], [false, true]),
        (
            vec![
                (date, "variant", standard, true),
                (date, "variant", free, true),
                (date, "provider", north, true),
            ],
            [false, false],
        ),
        (vec![(date, "variant", standard, true), (date, "provider", north, true)], [true, true]),
    ] {
        let rows = gated(20, &gate).await;
        for (id, has_bands) in [key("model", standard), key("provider", north)].iter().zip(has_bands) {
            let row = &rows[id];
            assert_eq!(row["counts_are_bands"], has_bands, "{id:?} with {gate:?}");
            let counts = ["attempts", "counted", "success", "fault", "fault_overloaded", "rate_limited"];
            let expected = if has_bands {
                [1_000, 1_000, 1_000, 100, 100, 0]
            } else {
                [2_500, 2_500, 1_997, 503, 503, 0]
            };
            assert_eq!(counts.map(|count| row[count].as_i64().unwrap()), expected);
            // 0.7988
            assert_eq!(row["uptime"], if has_bands { 0.798 } else { 0.7988 });
            let billed = row.get("billed_output_tokens_cancelled");
            assert_eq!(billed.is_none(), has_bands);
            let reason = text(row, "billed_output_tokens_cancelled_reason");
            assert_eq!(reason, if has_bands { "private" } else { "" });
        }
        // Pairs have no decision of their own.
        assert_eq!(rows[&key("model_provider", "acme/one@north")]["counts_are_bands"], true);
        assert_eq!(rows[&key("endpoint", "n1@eu")]["counts_are_bands"], true);
        let few = &rows[&key("endpoint", "n1f:free")];
        assert_eq!(few["attempts"], 0);
        assert_eq!(few["uptime"], 1.0);
    }
}

#[tokio::test]
async fn behind_a_band_of_zero_there_is_no_share_either() {
    let mut attempts = many(PLACES[3], "ok", 99);
    for attempt in &mut attempts[..30] {
        attempt.count("tool_finishes", 1);
    }
    attempts[0].count("tool_error_requests", 1);
    let mut world = World::of(attempts);
    world.terms.counted_attempts = 100;
    let exact = on_the_day(&world).await;
    assert_eq!(exact[&key("provider", "south")]["tool_error_rate"], 1.0 / 30.0);
    world.terms.users = 20;
    let banded = on_the_day(&world).await;
    for column in ["tool_error_rate", "rate_limit_rate", "cancel_rate"] {
        assert!(!banded[&key("provider", "south")].contains_key(column), "{column}");
        assert_eq!(text(&banded[&key("provider", "south")], &format!("{column}_reason")), "not_enough");
    }
}

#[tokio::test]
async fn a_window_whose_parts_were_not_all_public_has_bands() {
    let attempts: Vec<_> =
        (0..7).flat_map(|back| vec![Attempt::new(us(NOON) - back * DAY, PLACES[3], "ok"); 30]).collect();
    let mut world = World::of(attempts);
    world.terms.users = 20;
    world.gate = (18..=24).map(|at| (day(&format!("2026-11-{at}")), "variant", "acme/one", true)).collect();
    let window = |rows: Vec<_>| {
        by_key(rows.into_iter().filter(|row: &Map<_, _>| row["window_days"] == 7))[&key("model", "acme/one")]
            .clone()
    };
    let row = window(world.rows(health_by_window::METRIC, "2026-11-24", "2026-11-24").await);
    assert_eq!((&row["counts_are_bands"], &row["attempts"]), (&false.into(), &210.into()));
    world.gate[3].3 = false;
    let row = window(world.rows(health_by_window::METRIC, "2026-11-24", "2026-11-24").await);
    assert_eq!((&row["counts_are_bands"], &row["attempts"]), (&true.into(), &100.into()));
}

#[tokio::test]
async fn changes_of_shares_that_are_cut_are_whole_tenths() {
    let mut world = World::random(11, 4_000, "2026-11-23T00:00:00Z", "2026-11-25T00:00:00Z");
    world.terms.users = 20;
    let rows = on_the_day(&world).await;
    let row = &rows[&key("model", "acme/one")];
    let real = |column: &str| row[column].as_f64().unwrap();
    let tenths = |x: f64| (x * 1_000.0).round();
    assert_eq!(real("uptime_delta_points") * 10.0, tenths(real("uptime")) - tenths(real("uptime_before")));
    let tally =
        &tallies(&world.attempts, |at| date_of(at) == day("2026-11-24"))[&("model", "acme/one".to_owned())];
    assert_eq!(real("uptime"), (tally.success() * 1_000 / tally.counted()) as f64 / 1_000.0);
    // Speed tells of nobody.
    Check { row: &exact_samples(row, tally), now: tally, before: None, least: 20 }.speeds();
}

/// The row with the numbers of samples that its bands hide.
fn exact_samples(row: &Map<String, Value>, tally: &Tally) -> Map<String, Value> {
    let mut row = row.clone();
    for (measure, values) in MEASURES.iter().zip(&tally.speeds) {
        let column = format!("{measure}_samples");
        assert!(row[&column].as_i64().unwrap() <= values.len() as i64);
        row.insert(column, values.len().into());
    }
    row
}
