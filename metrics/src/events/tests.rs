use bellwether_warehouse::TableId;
use bellwether_warehouse::session::without_files;
use serde_json::{Value as Json, json};

use super::METRIC;
use crate::testing::{Row, date, publish, stand_in, terms};
use crate::{Terms, models, prices};

/// Models by first public date, prices by key and first day.
#[derive(Clone, Default)]
struct Told {
    models: Vec<(&'static str, Option<&'static str>)>,
    prices: Vec<(&'static str, Option<&'static str>, &'static str)>,
    /// What stands.
    events: Vec<Json>,
}

/// The history begins on the first of August, or not at all.
async fn found(told: &Told, terms: &Terms, first: Option<&str>) -> Vec<Row> {
    let ctx = without_files(2);
    stand_in(&ctx, TableId::UsageDaily, first.map(|date| json!({"date": date})).into_iter().collect());
    let rows = told.models.iter().map(|(model, first)| {
        json!({"key": model, "model": model, "author": "acme", "display_name": model, "first_date": first})
    });
    stand_in(&ctx, models::METRIC.id(), rows.collect());
    let rows = told.prices.iter().map(|(key, from, input)| {
        let (model, provider) = key.split_once('@').map_or((*key, None), |(model, of)| (model, Some(of)));
        json!({
            "key": key, "model": model, "provider": provider, "display_name": key, "valid_from": from,
            "input_price": input,
        })
    });
    stand_in(&ctx, prices::METRIC.id(), rows.collect());
    stand_in(&ctx, METRIC.id(), told.events.clone());
    crate::register(&ctx, terms).await.unwrap();
    publish(&ctx, &METRIC, terms.today, terms.today).await
}

fn lines(rows: &[Row], event: &str) -> Vec<String> {
    let of_event = rows.iter().filter(|row| row.text("event") == event);
    let mut lines: Vec<String> = of_event
        .map(|row| {
            let names = ["dimension", "key", "provider", "old_value", "new_value"];
            format!("{} {}", row.date("date"), names.map(|name| row.text(name).to_owned()).join("|"))
        })
        .collect();
    lines.sort();
    lines
}

#[tokio::test]
async fn a_launch_is_the_first_public_day_of_a_model_but_for_the_first_31_days_of_the_history() {
    let told = Told {
        models: vec![
            ("acme/old", Some("2026-08-01")),
            // The 31st day, and the one after it.
            ("acme/last", Some("2026-08-31")),
            ("acme/new", Some("2026-09-01")),
            ("acme/quiet", None),
        ],
        ..Told::default()
    };
    let rows = found(&told, &terms(), Some("2026-08-01")).await;
    assert_eq!(lines(&rows, "launch"), ["2026-09-01 model|acme/new|||"]);
    assert_eq!(lines(&rows, "price"), [""; 0]);
}

#[tokio::test]
async fn a_price_that_differs_from_the_one_before_is_an_event_of_its_first_day() {
    let told = Told {
        prices: vec![
            ("acme/one@north", None, "1.5"),
            ("acme/one@north", Some("2026-10-01"), "1.5"),
            ("acme/one@north", Some("2026-11-25"), "0.25"),
            // Not yet.
            ("acme/one@north", Some("2026-11-26"), "3"),
            ("acme/one", Some("2026-01-01"), "1"),
            ("acme/one", Some("2026-02-01"), "2"),
            ("acme/one@south", Some("2026-02-01"), "9"),
        ],
        ..Told::default()
    };
    let rows = found(&told, &terms(), Some("2026-08-01")).await;
    assert_eq!(
        lines(&rows, "price"),
        [
            "2026-02-01 variant|acme/one||input 1.000000000|input 2.000000000",
            "2026-11-25 model_provider|acme/one@north|north|input 1.500000000|input 0.250000000",
        ]
    );
}

fn method(row: &Row) -> Json {
    let text = |name: &str| Some(row.text(name)).filter(|text| !text.is_empty()).map(str::to_owned);
    json!({
        "date": row.date("date"), "event": "method", "dimension": "total", "key": "total", "display_name": "All",
        "old_value": text("old_value"), "new_value": text("new_value"),
    })
}

#[tokio::test]
async fn other_terms_are_a_break_in_method_of_the_day_that_they_begin_and_of_no_other() {
    let on = |day: &str, users| Terms { today: date(day), users, ..terms() };
    let print = |users| Terms { users, ..terms() }.fingerprint();
    let mut told = Told::default();
    // Before there is anything, nothing happens.
    assert!(found(&told, &on("2026-11-20", 20), None).await.is_empty());
    let (a, b, c) = (print(20), print(10), print(5));
    for (day, users, expected) in [
        ("2026-11-20", 20, vec![format!("2026-11-20 total|total|||{a}")]),
        ("2026-11-20", 20, vec![format!("2026-11-20 total|total|||{a}")]),
        ("2026-11-21", 20, vec![format!("2026-11-20 total|total|||{a}")]),
        (
            "2026-11-22",
            10,
            vec![format!("2026-11-20 total|total|||{a}"), format!("2026-11-22 total|total||{a}|{b}")],
        ),
        // Twice on a day: what has become of it.
        (
            "2026-11-22",
            5,
            vec![format!("2026-11-20 total|total|||{a}"), format!("2026-11-22 total|total||{a}|{c}")],
        ),
        ("2026-11-22", 20, vec![format!("2026-11-20 total|total|||{a}")]),
        (
            "2026-11-24",
            5,
            vec![format!("2026-11-20 total|total|||{a}"), format!("2026-11-24 total|total||{a}|{c}")],
        ),
        (
            "2026-11-25",
            5,
            vec![format!("2026-11-20 total|total|||{a}"), format!("2026-11-24 total|total||{a}|{c}")],
        ),
    ] {
        let rows = found(&told, &on(day, users), Some("2026-08-01")).await;
        assert_eq!(lines(&rows, "method"), expected, "{day}");
        told.events = rows.iter().map(method).collect();
    }
}
