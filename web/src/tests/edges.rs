//! Numbers at their edges: small bases, nothing, days outside the history, clocks that are years wrong.

use bellwether_warehouse::TableId;
use serde_json::{Value, json};

use super::addresses::open;
use super::numbers::dataset;
use super::routes::App;
use crate::data::testing::{Fixture, day, users};

fn row(date: &str, model: &str, requests: u64, tokens: u64, cost_usd: &str) -> Value {
    json!({
        "date": date, "model_id": model, "author": model.split('/').next(), "variant": "standard",
        "provider_id": "north", "requests": requests, "requests_with_user": requests, "users": users(1..=40),
        "input_tokens": tokens, "cost_usd": cost_usd,
    })
}

async fn site(variants: &[&str], rows: Vec<Value>) -> App {
    let fixture = Fixture::filled().await;
    fixture.name(variants, &[]).await;
    fixture.append(TableId::UsageDaily, rows).await;
    App::over(fixture, open()).await
}

fn find<'a>(body: &'a Value, id: &str) -> &'a Value {
    body["data"].as_array().unwrap().iter().find(|row| row["id"] == id).unwrap()
}

#[tokio::test]
async fn a_mover_from_next_to_nothing_has_no_rate() {
    // Ten requests of a hundred tokens a window before, then five million tokens; and one that doubled from enough.
    let mut rows = vec![row("2026-11-24", "delta/burst", 4_000, 5_000_000, "1")];
    rows.push(row("2026-11-24", "delta/double", 4_000, 4_000_000, "1"));
    for before in ["2026-11-21", "2026-11-22", "2026-11-23"] {
        rows.push(row(before, "delta/burst", 10, 100, "1"));
        rows.push(row(before, "delta/double", 2_000, 2_000_000, "1"));
    }
    let app = site(&["delta/burst", "delta/double"], rows).await;
    let page = app.get("/?period=1d").await;
    let movers = page.text().split("Movers").last().unwrap().to_owned();
    assert!(movers.contains("n = 10, needs 1,000"), "{movers}");
    assert!(!movers.contains("4,999,900"), "{movers}");
    assert!(movers.contains("+100.0"), "{movers}");
}

#[tokio::test]
async fn what_costs_nothing_keeps_its_rank_and_is_not_new_each_week() {
    let days = ["2026-11-13", "2026-11-20"];
    let free = days.map(|date| row(date, "delta/gratis", 2_000, 1_000_000, "0"));
    let app = site(&["delta/gratis"], free.to_vec()).await;
    let body = app.get("/rankings/models.json?metric=spend").await.json();
    let free = find(&body, "delta/gratis");
    // Nothing is known of a spend without prices, so that row has no rank and takes none from this one.
    assert_eq!(
        (&free["rank"], &free["rank_before"], &free["spend_usd"]),
        (&json!(3), &json!(3), &json!("0"))
    );
    assert_eq!(find(&body, "acme/one:free")["rank"], Value::Null);
    let page = app.get("/rankings/models?metric=spend").await;
    let line =
        page.text().split("<tr").find(|line| line.contains("/models/delta/gratis")).unwrap().to_owned();
    assert!(!line.contains(">new<"), "{line}");
}

#[tokio::test]
async fn an_unknown_spend_is_in_no_chart_as_nought() {
    let mut unpriced = row("2026-11-17", "delta/unpriced", 2_000, 1_000_000, "0");
    unpriced["unpriced_requests"] = json!(2_000);
    let app = site(&["delta/unpriced"], vec![unpriced]).await;
    for address in ["/rankings/share?metric=spend&by=model", "/?metric=spend"] {
        let page = app.get(address).await;
        let charts: Vec<&str> =
            page.text().split("<figure").skip(1).filter_map(|rest| rest.split("</figure>").next()).collect();
        assert!(charts.iter().all(|chart| !chart.contains(">unpriced")), "{address}: {charts:?}");
    }
    let page = app.get("/models/delta/unpriced?metric=spend").await;
    assert!(page.text().contains("No request of it has a price."), "{}", page.text());
}

#[tokio::test]
async fn a_window_outside_the_history_is_empty_and_says_why() {
    let app = App::filled().await;
    for (dates, why) in [
        ("from=2019-01-01&to=2019-12-31", "the history begins on 11 Nov 2026"),
        ("from=2027-01-01&to=2027-01-31", "these days have not begun"),
    ] {
        for page in ["/rankings/models", "/models/acme/one", "/authors/acme"] {
            let html = app.get(&format!("{page}?{dates}")).await;
            assert!(html.text().contains(why), "{page}?{dates}: {}", html.text());
            assert!(!html.text().contains("still running"), "{page}?{dates}");
        }
        let body = app.get(&format!("/rankings/models.json?{dates}")).await.json();
        assert_eq!(body["data"], json!([]), "{dates}");
        assert_eq!((&body["meta"]["partial"], &body["meta"]["clamped"]), (&json!(false), &json!(false)));
        assert!(body["meta"]["empty_because"].as_str().unwrap().contains(why), "{body}");
        let model = app.get(&format!("/models/acme/one.json?{dates}")).await.json();
        assert_eq!(model["daily"], json!([]), "{dates}");
    }
    // A day of both is one that exists.
    let body = app.get("/rankings/models.json?from=2026-11-25&to=2026-11-30").await.json();
    assert_eq!((&body["meta"]["end_date"], &body["meta"]["partial"]), (&json!("2026-11-25"), &json!(true)));
}

#[tokio::test]
async fn one_event_of_a_wrong_clock_makes_no_history() {
    let fixture = Fixture::filled().await;
    fixture.append(TableId::UsageDaily, vec![row("2020-01-02", "acme/one", 1, 100, "0.1")]).await;
    let data = dataset(&fixture).await;
    assert_eq!(data.first_date(), day("2026-11-11"));
    assert_eq!(data.months().len(), 1);
    let app = App::over(fixture, open()).await;
    // 28 days reach back before the history, so nothing is compared with them.
    let body = app.get("/rankings/models.json?period=28d").await.json();
    assert_eq!((&body["meta"]["start_date"], &body["meta"]["clamped"]), (&json!("2026-11-11"), &json!(true)));
}

#[tokio::test]
async fn a_long_pause_after_real_traffic_is_a_part_of_the_history() {
    let fixture = Fixture::filled().await;
    // 200 of 5,401 requests, half a year before the rest.
    fixture.append(TableId::UsageDaily, vec![row("2026-05-02", "acme/one", 200, 100, "0.1")]).await;
    assert_eq!(dataset(&fixture).await.first_date(), day("2026-05-02"));
}
