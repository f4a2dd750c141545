//! Health on pages is what is published of it. Every expected value is worked out by hand from rows of the rollups.

use std::sync::Arc;

use axum::http::StatusCode;
use bellwether_metrics::{health_by_5min, health_by_day, health_by_hour, health_by_window, health_now};
use bellwether_warehouse::TableId;
use serde_json::{Value, json};

use super::addresses::open;
use super::numbers::dataset;
use super::routes::App;
use crate::data::testing::{Fixture, GATE, day, decision, now};
use crate::data::{Dataset, Detail, NotEnough, Options, Profile, Scope, Span, Speed, State, Tally};

/// As filled, and 950 of 1,000 at north a fortnight ago.
async fn fixture() -> Fixture {
    let fixture = Fixture::filled().await;
    let older = json!({
        "date": "2026-11-11", "model_id": "acme/one", "author": "acme", "variant": "standard",
        "provider_id": "north", "endpoint_id": "north/one", "attempts": 1_000, "ok": 950, "fault": 50,
        "fault_timeout": 50,
    });
    fixture.append(TableId::HealthDaily, vec![older]).await;
    fixture
}

fn north(data: &Dataset) -> Scope {
    Scope::provider(data.dictionary.find_provider("north").unwrap())
}

fn pair(data: &Dataset) -> Scope {
    Scope { model: data.dictionary.find_model("acme/one"), ..north(data) }
}

fn close(a: f64, b: f64) -> bool {
    (a - b).abs() < 1e-9
}

fn row<'a>(rows: &'a Value, field: &str, value: &str) -> &'a Value {
    rows.as_array().unwrap().iter().find(|row| row[field] == value).unwrap()
}

#[tokio::test]
async fn figures_of_a_provider_are_those_of_its_published_rows() {
    let fixture = fixture().await;
    let data = dataset(&fixture).await;
    let scope = north(&data);
    assert_eq!(data.status(scope).state, State::Degraded);

    // Six days of 990 of 1,000 and one of 700; before them 950, and three days of 990.
    let week = data.period(scope, Span::Days7);
    assert_eq!((week.counts.success(), week.counts.counted()), (6_640, 7_000));
    assert!(close(week.counts.uptime(&data.thresholds).unwrap(), 6_640.0 / 70.0));
    assert!(close(week.uptime_before.unwrap(), 98.0));
    assert!(close(week.uptime_delta.unwrap(), 6_640.0 / 70.0 - 98.0));
    // All eleven days: 950, 700, and nine of 990.
    for span in [Span::Days28, Span::Days90] {
        assert_eq!(data.health(scope, span).uptime(&data.thresholds), Ok(96.0), "{span:?}");
    }
    // Six buckets of 47 of 50, and two more attempts in each, of which one was limited.
    let today = data.period(scope, Span::Hours24);
    assert_eq!(today.counts.uptime(&data.thresholds), Ok(94.0));
    assert!(close(today.rate_limit_rate.unwrap(), 6.0 / 312.0));
    let newest = data.health(scope, Span::Minutes5).uptime(&data.thresholds);
    assert_eq!(newest, Err(NotEnough::counts(50, 100).into()));
    let bars = data.bars(scope, 14);
    assert_eq!(bars.first().map(|bar| (bar.date, bar.uptime)), Some((day("2026-11-11"), Ok(95.0))));

    let mix = data.period(scope, Span::Minutes30).mix();
    let class = |name: &str| mix.iter().find(|class| class.class == name).unwrap();
    let (timeout, limited) = (class("timeout"), class("rate_limit"));
    assert_eq!((timeout.n, timeout.fault, limited.n, limited.fault), (18, true, 6, false));
    assert!(close(timeout.share.unwrap(), 18.0 / 312.0) && close(limited.share.unwrap(), 6.0 / 312.0));
}

#[tokio::test]
async fn percentiles_are_published_ones() {
    let fixture = fixture().await;
    let data = dataset(&fixture).await;
    let scope = north(&data);
    let near = |value: f64, exact: f64| (value / exact - 1.0).abs() <= 0.01;
    // Seven times 1 to 1,000 ms: ranks floor(q × 6,999) are 3,499, 5,249, 6,299 and 6,929.
    let week = data.speed(scope, Span::Days7, Speed::Ttft).unwrap();
    assert_eq!((week.n, week.p10), (Tally::Exact(7_000), None));
    let exact = [(week.p50, 500.0), (week.p75, 750.0), (week.p90, 900.0), (week.p99, 990.0)];
    assert!(exact.iter().all(|(value, exact)| near(*value, *exact)), "{week:?}");
    let daily = data.speed_daily(scope, 14, Speed::Ttft);
    let of = |date: &str| daily.iter().find(|(known, _)| *known == day(date)).unwrap().1;
    assert!(near(of("2026-11-20").unwrap().p50, 500.0));
    // Nothing was measured on the 11th, and nothing tried on the 12th.
    for date in ["2026-11-11", "2026-11-12"] {
        assert_eq!(of(date), Err(NotEnough::counts(0, 100).into()), "{date}");
    }
    assert_eq!(data.speed(scope, Span::Days7, Speed::TokensDecode), Err(NotEnough::counts(0, 100).into()));
    // A model at a provider has its percentiles exactly, and its requests by their size.
    let of_pair = data.speed(pair(&data), Span::Days7, Speed::Ttft).unwrap();
    assert_eq!((of_pair.n, of_pair.p50), (Tally::Band(Some(1_000)), week.p50));
}

#[tokio::test]
async fn pages_and_files_say_the_same() {
    let app = App::over(fixture().await, open()).await;
    let rows = app.get("/providers.json").await.json()["data"].clone();
    let north = row(&rows, "provider", "north");
    assert_eq!((&north["state"], &north["uptime_last_30m"]), (&json!("degraded"), &json!(94.0)));
    assert_eq!((&north["uptime_last_1d"], &north["uptime_28d"]), (&json!(94.0), &json!(96.0)));
    // 6,640 of 7,000 to nine digits, and 3,920 of 4,000.
    assert_eq!((&north["uptime_7d"], &north["uptime_7d_before"]), (&json!(94.8571429), &json!(98.0)));
    assert_eq!((&north["counted_attempts_30m"], &north["rate_limit_rate_7d"]), (&json!("300"), &json!(0.0)));
    assert!(app.get("/status").await.text().contains("3.14"), "94.86 against 98.00");
    // Of five minutes too few to tell, of hours enough: 235 of 250 from eleven to twelve.
    let page = app.get("/providers/north").await.text().replace('\u{a0}', " ");
    assert!(page.contains("Uptime per 60 minutes, %, 24 h to"), "{page}");
    assert!(page.contains("1 of 1 hours below 95 %"), "{page}");
    let file = app.get("/providers/north.json").await.json();
    let newest = file["strip_24h"].as_array().unwrap().last().unwrap().clone();
    assert_eq!((&newest["at"], &newest["counted_attempts"]), (&json!("2026-11-25T12:00:00Z"), &json!("50")));
    let hours = app.site.dataset().unwrap();
    let hours = hours.hours(hours.dictionary.find_provider("north").unwrap());
    let eleven = hours.last().unwrap();
    assert_eq!((eleven.at.to_rfc3339().as_str(), eleven.uptime), ("2026-11-25T11:00:00+00:00", Ok(94.0)));
    assert_eq!((hours.len(), hours.iter().filter(|hour| hour.is_busy).count()), (24, 1));
}

#[tokio::test]
async fn a_model_at_a_provider_is_told_in_bands_wherever_users_are_asked_for() {
    let fixture = fixture().await;
    for profile in [Profile::Public, Profile::Demo] {
        let data = fixture.dataset(Options::new(profile)).await;
        let week = data.period(pair(&data), Span::Days7);
        assert_eq!(week.counts.detail, Detail::Banded, "{profile:?}");
        // 7,000 of which 360 failed; 94.857… is cut.
        let counts = (week.counts.attempts, week.counts.counted(), week.counts.fault);
        assert_eq!((counts, week.counts.uptime(&data.thresholds)), ((1_000, 1_000, 100), Ok(94.8)));
        assert!(week.mix().iter().all(|class| class.class == "rate_limit" || class.share.is_none()));
    }
    let data = fixture.dataset(Options::new(Profile::Private)).await;
    let week = data.health(pair(&data), Span::Days7);
    assert_eq!((week.detail, week.counted(), week.fault), (Detail::Exact, 7_000, 360));

    let app = App::over(fixture, open()).await;
    let rows = app.get("/api/v1/models/acme/one/endpoints").await.json()["data"].clone();
    let north = row(&rows, "provider", "north");
    for field in ["counted_attempts_30m", "attempts_1d"] {
        assert_eq!(north[field], "100+", "{field}");
    }
    // 6 of 312 are 0.01923.
    assert_eq!((&north["rate_limit_rate_1d"], &north["uptime_28d"]), (&json!(0.019), &json!(96.0)));
    let file = app.get("/providers/north.json").await.json();
    let one = row(&file["models"], "model", "acme/one");
    assert_eq!((&one["counted_attempts_7d"], &one["uptime_7d"]), (&json!("1000+"), &json!(94.8)));
    for address in ["/models/acme/one", "/models/acme/one.csv", "/api/v1/models/acme/one/endpoints"] {
        let reply = app.get(address).await;
        for exact in ["7,000", "7000", "6,640", "6640", "282", "312"] {
            assert!(!reply.text().contains(&format!(">{exact}<")), "{address} {exact}");
            assert!(!reply.text().contains(&format!(",{exact},")), "{address} {exact}");
        }
    }
}

#[tokio::test]
async fn a_class_below_the_first_band_is_not_told_as_none() {
    let fixture = fixture().await;
    let rare = json!({
        "date": "2026-11-24", "model_id": "acme/one", "author": "acme", "variant": "standard", "provider_id": "rare",
        "endpoint_id": "e", "attempts": 1_234, "ok": 1_230, "fault": 4, "fault_timeout": 4,
    });
    fixture.append(TableId::HealthDaily, vec![rare]).await;
    fixture.append(GATE, vec![decision("2026-11-24", "provider", "rare", false)]).await;
    let app = App::over(fixture, open()).await;
    let page = app.get("/providers/rare?window=7d").await.text().replace('\u{a0}', " ");
    assert!(page.contains("No class of faults reaches 100 in 7 d"), "{page}");
    assert!(
        page.contains("Under 100 attempts of any class failed") && !page.contains("No fault in"),
        "{page}"
    );
    let errors = app.get("/providers/rare.json?window=7d").await.json()["errors"].clone();
    let timeout = row(&errors, "error_class", "timeout");
    assert_eq!((&timeout["attempts"], &timeout["share_of_attempts"]), (&json!("<100"), &Value::Null));
}

#[tokio::test]
async fn health_pages_answer_before_any_health_is_published() {
    let fixture = fixture().await;
    let health = [
        health_by_day::METRIC,
        health_by_window::METRIC,
        health_by_hour::METRIC,
        health_by_5min::METRIC,
        health_now::METRIC,
    ];
    fixture.publish_at(&Options::new(Profile::Public), now(), &health).await;
    let app = App::opened(Arc::new(fixture), open()).await;
    let data = app.site.dataset().unwrap();
    // Where the newest event is: 12:06:30.
    assert_eq!(data.buckets_end.to_rfc3339(), "2026-11-25T12:05:00+00:00");
    let scope = north(&data);
    assert_eq!((data.status(scope).state, data.bars(scope, 90).len()), (State::NoData, 90));
    for page in ["/", "/providers", "/status", "/uptime", "/providers/north", "/models/acme/one"] {
        for format in ["", ".json", ".csv"] {
            if page == "/" && !format.is_empty() {
                continue;
            }
            let reply = app.get(&format!("{page}{format}")).await;
            assert_eq!(reply.status, StatusCode::OK, "{page}{format}");
            assert!(!reply.text().contains("NaN"), "{page}{format}");
        }
    }
    let page = app.get("/providers/north").await;
    assert!(page.text().contains("No data") && page.text().contains("not published yet"), "{}", page.text());
    let rows = app.get("/providers.json").await.json()["data"].clone();
    let north = row(&rows, "provider", "north");
    assert_eq!((&north["state"], &north["uptime_7d"]), (&json!("no_data"), &Value::Null));
    // Usage is there, and ends with the 24th: 0.6 M on the 17th, and six days of 1.3 M.
    assert_eq!(north["tokens_7d"], "8400000");

    // Once it is, the next look takes it in.
    app.fixture.publish(&Options::new(Profile::Public)).await;
    app.site.refresh().await;
    let rows = app.get("/providers.json").await.json()["data"].clone();
    assert_eq!(row(&rows, "provider", "north")["state"], "degraded");
}
