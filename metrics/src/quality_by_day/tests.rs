use std::collections::BTreeMap;

use bellwether_warehouse::TableId;
use chrono::{Datelike, Days, NaiveDate};
use datafusion::prelude::SessionContext;
use serde_json::{Value as Json, json};

use super::{METRIC, TABLE};
use crate::health::testing::put;
use crate::testing::{Dice, Row, World, publish};

/// Two that the list of today has, and one of another version.
const REASONS: [&str; 4] = ["malformed_json", "gap", "too_large", "of_tomorrow"];
const SOURCES: [&str; 3] = ["native", "litellm", "unknown"];
/// Id, whether the log or the catalogue gives it an author.
const MODELS: [(Option<&str>, Option<&str>, bool); 5] = [
    (Some("acme/one"), Some("acme"), true),
    // The catalogue has learned its name since.
    (Some("beta/late"), None, true),
    (Some("ruled/one"), Some("ruled"), true),
    (Some("raw-model"), None, false),
    (None, None, false),
];
/// Whether the catalogue knows them.
const PROVIDERS: [(Option<&str>, bool); 5] = [
    (Some("north"), true),
    (Some("south"), true),
    (Some("west"), false),
    (Some("host:10.0.0.1"), false),
    (None, true),
];

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

/// What is counted, by dimension `source` or `total`, key and date.
type Counts = BTreeMap<(NaiveDate, String), BTreeMap<String, i128>>;

fn add(counts: &mut Counts, date: NaiveDate, key: &str, column: &str, n: i128) {
    *counts.entry((date, key.to_owned())).or_default().entry(column.to_owned()).or_default() += n;
}

async fn session(world: &World, tables: &[(TableId, Vec<Json>)]) -> SessionContext {
    let ctx = world.session().await;
    for (table, rows) in tables {
        put(&ctx, *table, rows.clone());
    }
    put(&ctx, METRIC.id(), Vec::new());
    ctx
}

fn reject(date: NaiveDate, source: &str, reason: &str) -> Json {
    json!({
        "date": date, "received_at": date.and_hms_opt(9, 0, 0).unwrap().and_utc(), "reason": reason, "detail": "",
        "source": source, "src_topic": "events", "src_partition": 0,
    })
}

fn labels(week: &str, nl: &str, n: i64, tokens: f64) -> Json {
    let none = "none";
    json!({
        "week": week, "nl": nl, "nl_src": none, "code_in": none, "code_in_src": none, "code_out": none,
        "code_out_src": none, "cat": none, "cat_src": none, "n": n, "sum_w": 1.0, "sum_wt": tokens, "sum_wt2": 1.0,
        "sum_w_ok": 1.0,
    })
}

/// Nothing but usage.
fn nothing() -> [(TableId, Vec<Json>); 4] {
    [TableId::IntakeDaily, TableId::Rejects, TableId::HealthDaily, TableId::LabelCells]
        .map(|id| (id, Vec::new()))
}

fn one<'a>(rows: &'a [Row], date: &str, key: &str) -> &'a Row {
    let found: Vec<_> =
        rows.iter().filter(|row| row.date("date") == day(date) && row.text("key") == key).collect();
    assert_eq!(found.len(), 1, "{key} of {date}");
    found[0]
}

#[tokio::test]
async fn every_day_counts_what_arrived_by_source_and_what_is_not_known_in_all() {
    for seed in 0..8 {
        let world = World::new(seed, day("2026-10-20"), 20, day("2026-11-08"));
        let mut dice = Dice(seed + 100);
        let mut below = |n| i64::try_from(dice.below(n)).unwrap();
        let (from, to) = (world.first + Days::new(2), world.last);
        let (mut intake, mut rejects, mut health) = (Vec::new(), Vec::new(), Vec::new());
        let mut expected = Counts::new();
        let mut count = |date: NaiveDate, key: &str, column: &str, n: i64| {
            if (from..=to).contains(&date) {
                add(&mut expected, date, key, column, i128::from(n));
            }
        };
        for at in 0..20 {
            let date = world.first + Days::new(at);
            for _ in 0..below(6) {
                let source = SOURCES[below(3) as usize];
                let [rows, duplicates, refused] = [below(900), below(30), below(9)];
                intake.push(json!({
                    "date": date, "source": source, "rows": rows, "duplicates": duplicates, "rejects": refused
                }));
                for key in [source, "total"] {
                    count(date, key, "rows_added", rows);
                    count(date, key, "duplicates", duplicates);
                    count(date, key, "rejects", refused);
                }
            }
            for _ in 0..below(9) {
                let (source, reason) = (SOURCES[below(3) as usize], REASONS[below(4) as usize]);
                rejects.push(reject(date, source, reason));
                let column = if reason == "of_tomorrow" { "other" } else { reason };
                for key in [source, "total"] {
                    count(date, key, &format!("rejects_{column}"), 1);
                }
            }
            for _ in 0..below(9) {
                let (model, author, is_known) = MODELS[below(5) as usize];
                let (provider, is_provider_known) = PROVIDERS[below(5) as usize];
                let attempts = below(500);
                health.push(json!({
                    "date": date, "model_id": model, "author": author, "provider_id": provider, "attempts": attempts
                }));
                count(date, "total", "attempts", attempts);
                count(
                    date,
                    "total",
                    "unmapped_model_attempts",
                    if model.is_some() && !is_known { attempts } else { 0 },
                );
                count(
                    date,
                    "total",
                    "unmapped_provider_attempts",
                    if is_provider_known { 0 } else { attempts },
                );
            }
        }
        for cell in &world.cells {
            for name in ["requests", "tokens", "unpriced_requests", "unpriced_tokens"] {
                count(cell.date, "total", name, cell.count(name));
            }
            count(
                cell.date,
                "total",
                "requests_without_user",
                cell.count("requests") - cell.count("requests_with_user"),
            );
            count(
                cell.date,
                "total",
                "unmapped_requests",
                if cell.author.is_none() { cell.count("requests") } else { 0 },
            );
        }
        let tables = [
            (TableId::IntakeDaily, intake),
            (TableId::Rejects, rejects),
            (TableId::HealthDaily, health),
            (TableId::LabelCells, Vec::new()),
        ];
        let found = publish(&session(&world, &tables).await, &METRIC, from, to).await;
        assert_eq!(found.len(), expected.len(), "seed {seed}");
        for row in &found {
            let (date, key) = (row.date("date"), row.text("key"));
            let counts = &expected[&(date, key.to_owned())];
            let is_total = key == "total";
            let (dimension, kind, source) =
                if is_total { ("total", "total", "") } else { ("source", "key", key) };
            assert_eq!(
                (row.text("dimension"), row.text("kind"), row.text("source")),
                (dimension, kind, source)
            );
            assert_eq!(row.date("month"), date.with_day(1).unwrap());
            assert_eq!(row.flag("is_partial"), date == world.terms.today);
            // The first seven columns are names, the last three are of labels.
            for column in &TABLE.columns[7..TABLE.columns.len() - 3] {
                let of_source = column.null.is_none();
                let n = counts.get(column.name).copied().unwrap_or(0);
                let n = (is_total || of_source).then_some(n);
                assert_eq!(row.whole(column.name), n, "seed {seed}: {} of {key} on {date}", column.name);
            }
            assert_eq!(row.whole("labelled_requests"), None);
        }
    }
}

#[tokio::test]
async fn each_reason_for_a_reject_has_a_column_of_its_own() {
    // One of the first, two of the second and so on.
    const IN_ORDER: [&str; 12] = [
        "malformed_json",
        "wrong_type",
        "missing_field",
        "missing_identity",
        "invalid_value",
        "time_out_of_range",
        "too_large",
        "not_utf8",
        "truncated",
        "unknown_format",
        "gap",
        "of_tomorrow",
    ];
    let world = World::new(1, day("2026-11-01"), 3, day("2026-11-04"));
    let mut tables = nothing();
    for (reason, n) in IN_ORDER.into_iter().zip(1..) {
        for at in 0..n {
            let source = if at == 0 { "litellm" } else { "native" };
            tables[1].1.push(reject(day("2026-11-02"), source, reason));
        }
    }
    let found = publish(&session(&world, &tables).await, &METRIC, day("2026-11-02"), day("2026-11-02")).await;
    for (reason, n) in IN_ORDER.into_iter().zip(1..) {
        let column = format!("rejects_{}", if reason == "of_tomorrow" { "other" } else { reason });
        assert_eq!(one(&found, "2026-11-02", "total").whole(&column), Some(n), "{column}");
        assert_eq!(one(&found, "2026-11-02", "native").whole(&column), Some(n - 1), "{column}");
        assert_eq!(one(&found, "2026-11-02", "litellm").whole(&column), Some(1), "{column}");
    }
    let columns = TABLE.columns.iter().filter(|column| column.name.starts_with("rejects_"));
    assert_eq!(columns.count(), IN_ORDER.len());
}

#[tokio::test]
async fn labels_of_a_week_are_told_on_the_day_that_they_are_frozen_and_stay() {
    let world = World::new(1, day("2026-11-01"), 24, day("2026-11-25"));
    let mut tables = nothing();
    tables[3].1 = vec![
        labels("2026-11-09", "ja", 3, 30.0),
        labels("2026-11-09", "und", 2, 10.0),
        // The week after it is not over for 48 hours yet.
        labels("2026-11-16", "ja", 7, 0.0),
    ];
    let ctx = session(&world, &tables).await;
    let found = publish(&ctx, &METRIC, day("2026-11-14"), day("2026-11-24")).await;
    let told: Vec<_> = found.iter().filter(|row| row.whole("labelled_requests").is_some()).collect();
    assert_eq!(told.len(), 1);
    let row = one(&found, "2026-11-18", "total");
    assert_eq!((row.date("labels_week"), row.whole("labelled_requests")), (day("2026-11-09"), Some(5)));
    assert_eq!(row.real("labels_coverage"), Some(0.75));
    // On the next day, the rows of the former week are gone with their epoch, and some have come to it late.
    put(
        &ctx,
        TableId::LabelCells,
        vec![labels("2026-11-09", "ja", 1, 30.0), labels("2026-11-16", "ja", 7, 0.0)],
    );
    let found = publish(&ctx, &METRIC, day("2026-11-14"), day("2026-11-25")).await;
    assert_eq!(one(&found, "2026-11-18", "total").whole("labelled_requests"), Some(5));
    let row = one(&found, "2026-11-25", "total");
    assert_eq!((row.date("labels_week"), row.whole("labelled_requests")), (day("2026-11-16"), Some(7)));
    assert_eq!(row.real("labels_coverage"), None);
    // What a week is told on is among the dates that its rows touch.
    assert!((METRIC.touched)(day("2026-11-09")).contains(&day("2026-11-18")));
}

#[tokio::test]
async fn counts_that_do_not_fit_are_an_error_and_no_cut_value() {
    let world = World::new(1, day("2026-11-01"), 2, day("2026-11-03"));
    let mut tables = nothing();
    let most = json!({"date": "2026-11-02", "source": "native", "rows": i64::MAX});
    tables[0].1 = vec![most.clone()];
    let found = publish(&session(&world, &tables).await, &METRIC, day("2026-11-02"), day("2026-11-02")).await;
    assert_eq!(one(&found, "2026-11-02", "native").whole("rows_added"), Some(i128::from(i64::MAX)));
    tables[0].1 = vec![most.clone(), most];
    let ctx = session(&world, &tables).await;
    assert!(METRIC.rows(&ctx, day("2026-11-02"), day("2026-11-02")).await.is_err());
}
