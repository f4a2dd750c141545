//! What too few users, a raw name or a running day keep from being shown.

use axum::http::StatusCode;
use bellwether_warehouse::TableId;
use serde_json::{Value, json};

use super::addresses::open;
use super::numbers::dataset;
use super::routes::App;
use crate::data::testing::{Fixture, day, users};
use crate::data::{
    Change, Dataset, Filter, Group, GroupBy, Metric, Options, Profile, Ranking, RankingQuery, Refreshed,
    Refresher, Window,
};

/// 2,000 requests and 20 M tokens of a day.
fn busy(date: &str, model: &str, keys: std::ops::RangeInclusive<i64>) -> Value {
    json!({
        "date": date, "model_id": model, "author": "delta", "variant": "standard", "provider_id": "south",
        "requests": 2_000, "requests_with_user": 2_000, "users": users(keys),
        "input_tokens": 20_000_000, "cost_usd": "1",
    })
}

async fn ranking(data: &Dataset, start: &str, end: &str) -> Ranking {
    let window = Window { start: day(start), end: day(end) };
    let query = RankingQuery {
        by: GroupBy::Series,
        metric: Metric::Tokens,
        window,
        before: Some(window.previous()),
        filter: Filter::default(),
    };
    data.load_users(&query.users()).await.unwrap();
    data.ranking(query)
}

fn keys(data: &Dataset, groups: impl IntoIterator<Item = Group>) -> Vec<String> {
    groups.into_iter().map(|group| data.key(group)).collect()
}

#[tokio::test]
async fn a_row_hidden_in_the_window_before_shows_nothing_of_it() {
    let fixture = Fixture::filled().await;
    let rows = vec![busy("2026-11-20", "delta/grown", 1..=30), busy("2026-11-13", "delta/grown", 1..=5)];
    fixture.append(TableId::UsageDaily, rows).await;
    let data = dataset(&fixture).await;
    let ranking = ranking(&data, "2026-11-18", "2026-11-24").await;
    let [grown, one, ..] = ranking.rows.as_slice() else { panic!("{ranking:?}") };
    assert_eq!(data.key(grown.group), "delta/grown");
    assert_eq!((grown.before, grown.rank_before, grown.share_before), (None, None, None));
    assert_eq!(grown.change, Change::Unknown);
    assert!(grown.hidden_before && !one.hidden_before);
    // It held most tokens then, but takes no publishable rank.
    assert_eq!(one.rank_before, Some(1));
    let page = App::over(fixture, open()).await.get("/rankings/models.json").await.json();
    assert_eq!(page["data"][0]["id"], "delta/grown");
    for field in ["rank_before", "share_before", "growth"] {
        assert_eq!(page["data"][0][field], Value::Null, "{field}");
    }
}

#[tokio::test]
async fn a_row_that_lost_all_its_traffic_keeps_its_rank_before_and_falls_most() {
    let fixture = Fixture::filled().await;
    let rows = ["2026-11-21", "2026-11-22", "2026-11-23"].map(|date| busy(date, "delta/gone", 1..=40));
    fixture.append(TableId::UsageDaily, rows.to_vec()).await;
    let data = dataset(&fixture).await;
    let ranking = ranking(&data, "2026-11-24", "2026-11-24").await;
    let before: Vec<Option<u32>> = ranking.rows.iter().map(|row| row.rank_before).collect();
    assert_eq!(before, [Some(2), Some(3), Some(4)]);
    assert_eq!(keys(&data, ranking.gone.iter().map(|(group, _)| *group)), ["delta/gone"]);
    let page = App::over(fixture, open()).await.get("/?period=1d").await;
    assert!(page.text().contains("gone loses most"), "{}", page.text());
    assert!(page.text().contains("1, gone"), "{}", page.text());
}

#[tokio::test]
async fn a_running_day_is_not_compared_with_a_whole_one() {
    let fixture = Fixture::filled().await;
    let rows = ["2026-11-24", "2026-11-25"].map(|date| busy(date, "delta/running", 1..=40));
    fixture.append(TableId::UsageDaily, rows.to_vec()).await;
    let data = dataset(&fixture).await;
    let ranking = ranking(&data, "2026-11-25", "2026-11-25").await;
    assert_eq!(keys(&data, ranking.rows.iter().map(|row| row.group)), ["delta/running"]);
    let row = ranking.rows.first().unwrap();
    assert_eq!((row.change, row.rank_before, row.before), (Change::Unknown, None, None));
    assert_eq!((ranking.total_before, ranking.total_change), (None, Change::Unknown));
}

#[tokio::test]
async fn a_hidden_model_keeps_its_health_and_withholds_its_use() {
    let app = App::over(Fixture::filled().await, open()).await;
    for address in ["/models/gamma/tiny.json", "/api/v1/models/gamma/tiny/endpoints"] {
        let body = app.get(address).await.json();
        let row = &body["data"][0];
        assert_eq!(row["provider"], "south", "{address}: {body}");
        for field in ["requests", "tokens", "input_tokens", "output_tokens", "spend_usd", "token_share"] {
            assert_eq!(row[field], Value::Null, "{address} {field}");
        }
        assert!(row["withheld"].as_str().unwrap().contains("usage: "), "{address}");
        assert!(row["withheld"].as_str().unwrap().contains("20 users"), "{address}: {row}");
    }
    assert_eq!(app.get("/models/gamma/tiny.json").await.json()["daily"], json!([]));
    assert_eq!(app.get("/models/acme/one.json").await.json()["data"][0]["requests"], "1750");
    let page = app.get("/models/gamma/tiny").await;
    assert_eq!(page.text().matches("Its use is withheld: fewer than 20 users.").count(), 3);
    assert!(!page.text().contains("tokens in the newest"), "{}", page.text());
}

#[tokio::test]
async fn a_spend_that_nobody_knows_is_null() {
    let fixture = Fixture::filled().await;
    let mut row = busy("2026-11-24", "delta/unpriced", 1..=40);
    (row["cost_usd"], row["unpriced_requests"]) = (json!("0"), json!(2_000));
    fixture.append(TableId::UsageDaily, vec![row]).await;
    let app = App::over(fixture, open()).await;
    let body = app.get("/models/delta/unpriced.json").await.json();
    assert_eq!((&body["data"][0]["requests"], &body["data"][0]["spend_usd"]), (&json!("2000"), &Value::Null));
}

/// A raw model at a host, and a raw model at a named provider.
async fn raw() -> Fixture {
    let fixture = Fixture::filled().await;
    let rows = [("my-team/llama", "host:10.0.0.7:8000"), ("other", "south")].map(|(model, provider)| {
        let mut row = busy("2026-11-24", model, 1..=40);
        row["provider_id"] = json!(provider);
        row.as_object_mut().unwrap().remove("author");
        row
    });
    fixture.append(TableId::UsageDaily, rows.to_vec()).await;
    fixture
}

#[tokio::test]
async fn a_public_site_has_one_row_of_unmapped_models_and_one_of_unlisted_providers() {
    let app = App::over(raw().await, open()).await;
    for address in ["/rankings/models", "/rankings/authors", "/rankings/providers", "/providers", "/models"] {
        let page = app.get(address).await;
        assert_eq!(page.status, StatusCode::OK);
        assert!(!page.text().contains("my-team") && !page.text().contains("10.0.0.7"), "{address}");
    }
    let rows = app.get("/rankings/models.json").await.json();
    let unmapped = rows["data"].as_array().unwrap().iter().find(|row| row["id"] == "unmapped").unwrap();
    // Two days of 20 M and the fixture's own 70 k.
    assert_eq!(unmapped["tokens"], "40070000");
    assert!(app.get("/rankings/providers").await.text().contains("Unlisted providers (1)"));
    for address in ["/providers/host:10.0.0.7:8000", "/models/my-team/llama", "/authors/my-team"] {
        assert_eq!(app.get(address).await.status, StatusCode::NOT_FOUND, "{address}");
    }
}

#[tokio::test]
async fn a_private_site_lists_raw_names_without_inventing_their_authors() {
    let fixture = raw().await;
    let options = Options::new(Profile::Private);
    let mut refresher = Refresher::open(&fixture.warehouse, options).await.unwrap();
    let now = crate::data::testing::now();
    let Refreshed::New(data) = refresher.refresh(now).await.unwrap() else { panic!("no dataset") };
    let ranking = ranking(&data, "2026-11-18", "2026-11-24").await;
    let models = keys(&data, ranking.rows.iter().map(|row| row.group));
    assert!(models.contains(&"my-team/llama".to_owned()) && models.contains(&"other".to_owned()));
    assert_eq!(data.dictionary.find_author("my-team"), None);
    // 4,000 raw ones and 7 without any name, of 2,527 and these.
    let share = data.quality.unmapped.unwrap();
    assert!((share - 4_007.0 / 6_527.0).abs() < 1e-9, "{share}");
}
