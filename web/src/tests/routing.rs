//! What fallback added, worked out by hand from rows of `routing_hourly` and `health_daily`, through what is published.

use std::sync::Arc;

use bellwether_metrics::{live_by_minute, routing_now};
use bellwether_warehouse::TableId;
use serde_json::{Value, json};

use super::addresses::open;
use super::routes::App;
use crate::data::testing::{Fixture, day, now};
use crate::data::{Dataset, Names, NotEnough, NotYet, Options, Profile, Tally, Window};

fn close(a: f64, b: f64) -> bool {
    (a - b).abs() < 1e-9
}

/// Requests of an hour, those of them whose first attempt counts, and of these those that ended ok and that did so at once.
fn routed(hour: &str, model: Option<&str>, counts: [u64; 5]) -> Value {
    let [all, attempts, requests, routed, first] = counts;
    json!({
        "date": hour[..10], "hour": hour, "model_id": model, "author": model.and_then(|model| model.split('/').next()),
        "all_requests": all, "attempts": attempts, "requests": requests, "routed_ok": routed, "first_ok": first,
        "requests_with_rate_limits": requests, "routed_ok_with_rate_limits": routed, "first_ok_with_rate_limits": first,
    })
}

fn tried(provider: &str, attempts: u64, ok: u64) -> Value {
    json!({
        "date": "2026-11-24", "model_id": "acme/one", "author": "acme", "variant": "standard", "provider_id": provider,
        "endpoint_id": provider, "attempts": attempts, "ok": ok, "fault": attempts - ok, "fault_timeout": attempts - ok,
    })
}

/// Beside acme/one, of which 990 of 1,000 ended ok and 950 at once: beta/two on the day before, and what nobody maps.
async fn fixture() -> Fixture {
    let fixture = Fixture::filled().await;
    let rows = vec![
        routed("2026-11-23T09:00:00Z", Some("beta/two"), [420, 630, 400, 300, 200]),
        routed("2026-11-24T11:00:00Z", None, [600, 600, 600, 450, 450]),
    ];
    fixture.append(TableId::RoutingHourly, rows).await;
    // North has 990 of 1,000 on that day, and 700 on one of the week; fifty are too few to be the best.
    let providers = vec![tried("south", 500, 497), tried("east", 50, 50)];
    fixture.append(TableId::HealthDaily, providers).await;
    fixture
}

/// As a site knows it whose catalogue names these providers: what it does not know is the best of nothing.
async fn dataset(fixture: &Fixture, providers: &[&str]) -> Arc<Dataset> {
    let mut names = Names::default();
    names.providers.extend(providers.iter().map(|id| ((*id).to_owned(), (*id).to_owned())));
    let options = Options { names: Arc::new(names), ..Options::new(Profile::Public) };
    fixture.dataset(options).await
}

#[tokio::test]
async fn routing_gives_both_pairs_and_the_best_pinned() {
    let fixture = fixture().await;
    let data = dataset(&fixture, &["north", "south", "east"]).await;
    let one = data.dictionary.find_model("acme/one").unwrap();
    let routing = data.routing(one, 1);
    let boost = routing.boost.unwrap();
    assert_eq!((boost.n, boost.routed, boost.without_routing), (Tally::Exact(1_000), 99.0, 95.0));
    assert!(close(boost.boost, 4.0));
    let limited = routing.boost_with_rate_limits.unwrap();
    assert_eq!((limited.n, limited.routed), (Tally::Exact(1_100), 95.0));
    assert!(close(limited.without_routing, 950.0 / 11.0) && close(limited.boost, 95.0 - 950.0 / 11.0));
    assert_eq!(routing.all_requests, Some(Tally::Exact(1_100)));
    assert!(close(routing.attempts_per_request.unwrap(), 1.2));
    // 497 of 500 against 990 of 1,000.
    let best = routing.best_pinned.unwrap();
    assert_eq!(data.dictionary.provider(best.provider), "south");
    assert!(close(best.uptime, 99.4) && close(routing.over_best.unwrap(), -0.4), "{routing:?}");

    // 990 × 6 and 700 of 7,000 in the week are 94.857…, of a pair in tenths.
    let of_north = dataset(&fixture, &["north", "east"]).await.routing(one, 7);
    let best = of_north.best_pinned.unwrap();
    assert_eq!(data.dictionary.provider(best.provider), "north");
    assert!(close(best.uptime, 94.8) && close(of_north.over_best.unwrap(), 4.2), "{of_north:?}");

    let two = data.dictionary.find_model("beta/two").unwrap();
    assert_eq!(data.routing(two, 1).boost, Err(NotEnough::counts(0, 100).into()));
    assert_eq!(data.routing(two, 1).requests, Some(Tally::Exact(0)));
    let boost = data.routing(two, 7).boost.unwrap();
    assert_eq!((boost.routed, boost.without_routing, boost.boost), (75.0, 50.0, 25.0));
    assert_eq!((data.routing(two, 7).best_pinned, data.routing(two, 7).over_best), (None, None));
    assert_eq!(data.routed_models(1), [one]);
    assert_eq!(data.routed_models(28), [one, two]);
    assert_eq!(data.routing_window(7), Window { start: day("2026-11-18"), end: day("2026-11-24") });
}

#[tokio::test]
async fn routing_of_everything_holds_what_has_no_name() {
    let fixture = fixture().await;
    let data = dataset(&fixture, &[]).await;
    // 1,000 and 600 requests; with the 400 of the day before.
    for (days, n, routed, first) in [(1, 1_600, 1_440.0, 1_400.0), (7, 2_000, 1_740.0, 1_600.0)] {
        let boost = data.routing_of_all(days).boost.unwrap();
        let whole = f64::from(n);
        assert_eq!(boost.n, Tally::Exact(u64::try_from(n).unwrap()));
        assert!(close(boost.routed, routed / whole * 100.0), "{days}: {boost:?}");
        assert!(close(boost.without_routing, first / whole * 100.0), "{days}: {boost:?}");
        assert!(close(boost.boost, (routed - first) / whole * 100.0), "{days}: {boost:?}");
    }
    let day = data.routing_of_all(1);
    assert_eq!((day.all_requests, day.best_pinned), (Some(Tally::Exact(1_700)), None));
    assert!(close(day.attempts_per_request.unwrap(), 1_920.0 / 1_700.0));

    let app = App::over(fixture, open()).await;
    let page = app.get("/uptime").await.text().replace('\u{a0}', " ");
    assert!(page.contains("from 80.00 % to 87.00 %; two models gain a point or more"), "{page}");
    let page = app.get("/").await.text().replace('\u{a0}', " ");
    assert!(
        page.contains("87.00 %")
            && page.contains("<b>7.00 pp above</b> first attempts alone<br>of 2,000 requests"),
        "{page}"
    );
}

#[tokio::test]
async fn a_model_that_is_not_public_has_bands_and_comes_last() {
    let fixture = fixture().await;
    let row = routed("2026-11-24T11:00:00Z", Some("gamma/tiny"), [12_345, 12_345, 12_000, 11_999, 11_000]);
    fixture.append(TableId::RoutingHourly, vec![row]).await;
    let app = App::over(fixture, open()).await;
    let rows = app.get("/uptime.json").await.json()["data"].clone();
    let models: Vec<&str> =
        rows.as_array().unwrap().iter().map(|row| row["model"].as_str().unwrap()).collect();
    assert_eq!(
        models[..9],
        ["acme/one"; 3].iter().chain(&["beta/two"; 3]).chain(&["gamma/tiny"; 3]).copied().collect::<Vec<_>>()
    );
    // 99.99… and 91.66… are cut to tenths, and their difference is taken then.
    let row = &rows[6];
    assert_eq!((&row["requests"], &row["routed"]), (&json!("10000+"), &json!(99.9)));
    assert_eq!((&row["without_routing"], &row["boost_pp"]), (&json!(91.6), &json!(8.3)));
    let page = app.get("/uptime").await;
    assert!(page.text().contains("10,000+") && !page.text().contains("12,345"), "{}", page.text());
}

#[tokio::test]
async fn pages_stand_before_routing_and_the_last_hour_are_published() {
    let fixture = Fixture::filled().await;
    let options = Options::new(Profile::Public);
    fixture.publish_at(&options, now(), &[routing_now::METRIC, live_by_minute::METRIC]).await;
    let data = fixture.shown(options.clone(), now()).await;
    let one = data.dictionary.find_model("acme/one").unwrap();
    let routing = data.routing(one, 7);
    // Nobody knows yet how many there are.
    assert_eq!((routing.requests, routing.all_requests, routing.best_pinned), (None, None, None));
    assert_eq!(routing.boost, Err(NotYet::default().into()));
    assert_eq!(data.last_hour.minutes.len(), 0);

    let app = App::opened(Arc::new(fixture), open()).await;
    for page in ["/", "/uptime", "/models/acme/one", "/status", "/uptime.csv", "/models/acme/one.json"] {
        assert_eq!(app.get(page).await.status, axum::http::StatusCode::OK, "{page}");
    }
    let page = app.get("/uptime").await;
    for part in ["What routing adds is not published yet", "Not published yet."] {
        assert!(page.text().contains(part), "{part}: {}", page.text());
    }
    assert!(!app.get("/").await.text().contains("Last 60 minutes<span>"));
    assert!(app.get("/models/acme/one").await.text().contains("Acme One is not published yet"));
    let row = app.get("/models/acme/one.json").await.json()["routing"][0].clone();
    assert_eq!(
        (&row["requests"], &row["routed"], &row["routed_reason"], &row["window"]),
        (&Value::Null, &Value::Null, &json!("not_yet"), &json!("1d"))
    );
    assert_eq!(app.get("/uptime.json").await.json()["data"], json!([]));

    // The next publication brings both.
    app.fixture.publish(&options).await;
    app.site.refresh().await;
    assert!(app.get("/").await.text().contains("Last 60 minutes<span>"));
    assert!(app.get("/models/acme/one").await.text().contains("Fallback lifts"));
}
