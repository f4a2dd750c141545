//! Sums of money that no log should claim, but one wrong log does.

use axum::http::StatusCode;
use bellwether_warehouse::TableId;
use serde_json::{Value, json};

use super::addresses::open;
use super::routes::App;
use crate::data::testing::{Fixture, users};

/// Ten events of 999,999,999 USD each, as one fold leaves them.
fn ten_absurd_events(date: &str) -> Value {
    json!({
        "date": date, "model_id": "acme/gold", "author": "acme", "variant": "standard", "provider_id": "north",
        "requests": 10, "requests_with_user": 10, "users": users(1..=40),
        "input_tokens": 1_000, "output_tokens": 100, "cost_usd": "9999999990",
    })
}

#[tokio::test]
async fn twenty_events_of_a_billion_dollars_are_shown_with_their_sum() {
    let fixture = Fixture::empty().await;
    fixture.name(&["acme/gold"], &["north"]).await;
    // Two folds of one day: the site adds their rows, which is more nano-dollars than 64 bits hold.
    for _ in 0..2 {
        fixture.append(TableId::UsageDaily, vec![ten_absurd_events("2026-11-23")]).await;
    }
    // What a settle left of two folds of another day is one such value.
    let mut settled = ten_absurd_events("2026-11-24");
    (settled["requests"], settled["cost_usd"]) = (json!(20), json!("19999999980.5"));
    fixture.append(TableId::UsageDaily, vec![settled]).await;
    fixture.append(TableId::UsageDaily, vec![ten_absurd_events("2026-11-25")]).await;
    fixture.fold(0).await;
    let app = App::over(fixture, open()).await;

    // 20 × 999,999,999 + 19,999,999,980.5; the running day is in no window yet.
    let ranking = app.get("/rankings/models.json?metric=spend").await.json();
    assert_eq!(ranking["data"][0]["id"], "acme/gold");
    assert_eq!(ranking["data"][0]["spend_usd"], "39999999960.5");
    let daily = app.get("/models/acme/gold.json").await.json();
    let days = daily["daily"].as_array().unwrap();
    let spend = |date: &str| days.iter().find(|day| day["date"] == date).unwrap()["spend_usd"].clone();
    assert_eq!((spend("2026-11-23"), spend("2026-11-24")), (json!("19999999980"), json!("19999999980.5")));
    // Weekly sums hold the running day too.
    let share = app.get("/rankings/share.json?metric=spend&by=provider").await.json();
    let newest = share["data"].as_array().unwrap().iter().rfind(|row| row["id"] == "north").unwrap();
    assert_eq!((&newest["value"], &newest["share"]), (&json!("49999999950.5"), &json!(1.0)));
    let months = app.get("/rankings/growth.json").await.json();
    assert_eq!(months["data"][0]["spend_usd"], "49999999950.5");

    let page = app.get("/rankings/models?metric=spend").await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.text().contains("40.0"), "{}", page.text());
    for path in
        ["/", "/models/acme/gold", "/providers/north", "/authors/acme", "/rankings/providers?metric=spend"]
    {
        assert_eq!(app.get(path).await.status, StatusCode::OK, "{path}");
    }
}
