//! What is still to be published is told as such, and is neither nothing nor too little.

use std::sync::Arc;

use bellwether_metrics::{health_by_day, health_by_window, rankings, usage_by_day};
use bellwether_warehouse::TableId;
use serde_json::{Value, json};

use super::addresses::open;
use super::routes::App;
use crate::data::testing::{Fixture, now};
use crate::data::{NotEnough, NotYet, Options, Profile, Scope, Span};

fn row<'a>(rows: &'a Value, field: &str, value: &str) -> &'a Value {
    rows.as_array().unwrap().iter().find(|row| row[field] == value).unwrap()
}

/// One field of the line of a table that begins with a name.
fn field(csv: &str, name: &str, column: &str) -> String {
    let mut lines = csv.lines();
    let place = lines.next().unwrap().split(',').position(|known| known == column).unwrap();
    let line = lines.find(|line| line.starts_with(&format!("{name},"))).unwrap();
    line.split(',').nth(place).unwrap().to_owned()
}

async fn text(app: &App, address: &str) -> String {
    app.get(address).await.text().replace('\u{a0}', " ")
}

#[tokio::test]
async fn windows_and_days_are_not_told_as_too_little_before_they_are_published() {
    let fixture = Fixture::filled().await;
    let options = Options::new(Profile::Public);
    fixture.publish_at(&options, now(), &[health_by_window::METRIC, health_by_day::METRIC]).await;
    let app = App::opened(Arc::new(fixture), open()).await;
    let rows = app.get("/providers.json").await.json()["data"].clone();
    let south = row(&rows, "provider", "south");
    for name in ["uptime_7d", "uptime_28d", "uptime_90d", "ttft_ms"] {
        assert_eq!(south[format!("{name}_reason")], "not_yet", "{name}: {south}");
    }
    assert_eq!((&south["uptime_28d"], &south["usage_reason"]), (&Value::Null, &Value::Null));
    // What is of now is there: six buckets of ten attempts.
    let of_now = (&south["uptime_last_30m_reason"], &south["counted_attempts_30m"]);
    assert_eq!(of_now, (&json!("not_enough"), &json!("60")));
    let withheld = south["withheld"].as_str().unwrap();
    assert!(
        withheld.contains("uptime_last_30m: n = 60, needs 100; uptime_7d: not published yet"),
        "{withheld}"
    );
    assert_eq!(field(app.get("/providers.csv").await.text(), "south", "uptime_28d_reason"), "not_yet");
    for page in ["/providers", "/status"] {
        let page = text(&app, page).await;
        assert!(page.contains("not published yet") && !page.contains("n = 0"), "{page}");
    }
    let page = text(&app, "/models/beta/two").await;
    assert!(page.contains("<dt>TTFT p50, 7 d</dt><dd><b>–</b>not published yet</dd>"), "{page}");
    let page = text(&app, "/providers/south?window=28d").await;
    assert!(page.contains("Errors in 28 d are not published yet") && page.contains("n = unknown"), "{page}");
    let file = app.get("/providers/south.json").await.json();
    let newest = file["data"].as_array().unwrap().last().unwrap();
    assert_eq!((&newest["uptime_reason"], &newest["attempts"]), (&json!("not_yet"), &Value::Null));
    assert_eq!(row(&file["speed"], "measure", "ttft_ms")["reason"], "not_yet");

    // Once they are, a provider without an attempt in them had none.
    app.fixture.publish(&options).await;
    app.site.refresh().await;
    let rows = app.get("/providers.json").await.json()["data"].clone();
    let south = row(&rows, "provider", "south");
    assert_eq!((&south["uptime_28d"], &south["uptime_28d_reason"]), (&Value::Null, &json!("not_enough")));
    assert!(south["withheld"].as_str().unwrap().contains("uptime_7d: n = 0, needs 100"), "{south}");
    let page = text(&app, "/providers").await;
    assert!(page.contains("(n = 0, needs 100)") && !page.contains("not published yet"), "{page}");
    let file = app.get("/providers/south.json").await.json();
    let newest = file["data"].as_array().unwrap().last().unwrap();
    assert_eq!((&newest["uptime_reason"], &newest["attempts"]), (&json!("not_enough"), &json!("0")));
}

#[tokio::test]
async fn days_before_those_that_are_complete_are_still_to_come() {
    let fixture = Fixture::filled().await;
    let options = Options::new(Profile::Public);
    fixture.publish(&options).await;
    let lacking = [usage_by_day::METRIC, rankings::METRIC].map(|metric| (metric, "2026-11-18"));
    fixture.lack(&lacking).await;
    let app = App::opened(Arc::new(fixture), open()).await;
    // The 18th to the 24th are there, the week before is not.
    let rows = app.get("/rankings/models.json").await.json()["data"].clone();
    let one = row(&rows, "id", "acme/one");
    assert_eq!((&one["growth"], &one["growth_state"]), (&Value::Null, &json!("not_yet")));
    assert_eq!(
        field(app.get("/rankings/models.csv?period=28d").await.text(), "1,acme/one", "growth_state"),
        "not_yet"
    );
    assert!(text(&app, "/rankings/models?metric=requests").await.contains("not published yet"));
    let dates = "from=2026-11-11&to=2026-11-12";
    let meta = app.get(&format!("/rankings/models.json?{dates}")).await.json()["meta"].clone();
    assert_eq!(meta["empty_reason"], "not_yet", "{meta}");
    let page = text(&app, &format!("/rankings/models?{dates}")).await;
    assert!(page.contains("these days are not published yet; what is there begins on 18 Nov 2026"), "{page}");
    // South had no attempt on any day of either week.
    let file = app.get("/providers/south.json").await.json();
    let reason = |date| row(&file["data"], "date", date)["uptime_reason"].clone();
    assert_eq!(["2026-11-17", "2026-11-18"].map(reason), ["not_yet", "not_enough"]);
    // The newest week of labels begins on the 16th.
    let meta = app.get("/rankings/languages.json").await.json()["meta"].clone();
    assert_eq!(meta["not_enough_data"]["reason"], "not_yet", "{meta}");
    assert!(text(&app, "/rankings/languages").await.contains("Languages: not published yet"));

    app.fixture.publish(&options).await;
    app.site.refresh().await;
    let rows = app.get("/rankings/models.json").await.json()["data"].clone();
    assert_eq!(row(&rows, "id", "acme/one")["growth_state"], "ok");
    let meta = app.get(&format!("/rankings/models.json?{dates}")).await.json()["meta"].clone();
    assert_eq!(meta.get("empty_reason"), None);
    let before = "from=2026-10-11&to=2026-10-12";
    let meta = app.get(&format!("/rankings/models.json?{before}")).await.json()["meta"].clone();
    assert_eq!(meta["empty_reason"], "no_history");
    let file = app.get("/providers/south.json").await.json();
    assert_eq!(row(&file["data"], "date", "2026-11-17")["uptime_reason"], "not_enough");
}

#[tokio::test]
async fn the_first_day_says_when_it_closes() {
    let fixture = Fixture::empty().await;
    let today = json!({
        "date": "2026-11-25", "model_id": "acme/one", "author": "acme", "variant": "standard", "provider_id": "north",
        "requests": 200, "input_tokens": 1_000, "output_tokens": 100,
    });
    fixture.append(TableId::UsageDaily, vec![today]).await;
    let tried = json!({
        "date": "2026-11-25", "bucket_at": "2026-11-25T11:50:00Z", "model_id": "acme/one", "author": "acme",
        "variant": "standard", "provider_id": "north", "endpoint_id": "north/one", "attempts": 200, "ok": 200,
    });
    fixture.append(TableId::Health5m, vec![tried]).await;
    let options = Options::new(Profile::Private);
    fixture.publish(&options).await;
    let config = crate::config::WebConfig { profile: crate::config::Profile::Private, ..open() };
    let app = App::opened(Arc::new(fixture), config).await;
    let due = "not published yet: the first day closes at 26 Nov 2026, 02:00 UTC";
    for (page, what) in [
        ("/providers/north", due),
        ("/models/acme/one", due),
        ("/uptime", "What routing adds is not published yet: the first day closes at"),
    ] {
        let page = text(&app, page).await;
        assert!(page.contains(what), "{what}: {page}");
    }
    let data = app.site.dataset().unwrap();
    let north = Scope::provider(data.dictionary.find_provider("north").unwrap());
    assert_eq!(data.health(north, Span::Minutes30).uptime(&data.thresholds), Ok(100.0));
    let due_at = Some("2026-11-26T02:00:00Z".parse().unwrap());
    assert_eq!(data.health(north, Span::Days7).uptime(&data.thresholds), Err(NotYet { due_at }.into()));

    // At three in the night it has closed, and had no whole day of health.
    let later = "2026-11-26T03:00:00Z".parse().unwrap();
    app.fixture.publish_at(&options, later, &[]).await;
    let data = app.fixture.shown(options, later).await;
    let north = Scope::provider(data.dictionary.find_provider("north").unwrap());
    let none = Err(NotEnough::counts(0, 20).into());
    assert_eq!(data.health(north, Span::Days7).uptime(&data.thresholds), none);
    assert_eq!(data.routing_of_all(7).boost, Err(NotEnough::counts(0, 20).into()));
}
