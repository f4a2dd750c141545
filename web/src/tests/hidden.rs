//! What too few users, a raw name or a running day keep from being shown.

use axum::http::StatusCode;
use bellwether_warehouse::TableId;
use serde_json::{Value, json};

use super::addresses::open;
use super::numbers::dataset;
use super::routes::App;
use crate::data::testing::{Fixture, GATE, day, decision, users};
use crate::data::{
    Change, Dataset, Filter, Group, GroupBy, Metric, Options, Profile, Ranking, RankingQuery, Window,
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
        filter: Filter::All,
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
    let decided = [("2026-11-13", false), ("2026-11-20", true)];
    let decided = decided.map(|(date, is_public)| decision(date, "variant", "delta/grown", is_public));
    fixture.append(GATE, decided.to_vec()).await;
    let data = dataset(&fixture).await;
    let ranking = ranking(&data, "2026-11-18", "2026-11-24").await;
    let [grown, one, ..] = ranking.rows.as_slice() else { panic!("{ranking:?}") };
    assert_eq!(data.key(grown.group), "delta/grown");
    assert_eq!((grown.before, grown.rank_before, grown.share_before), (None, None, None));
    assert_eq!(grown.change, Change::Unknown);
    assert!(grown.hidden_before && !one.hidden_before);
    // It held most tokens then, but takes no rank.
    assert_eq!(one.rank_before, Some(1));
    let page = App::over(fixture, open()).await.get("/rankings/models.json").await.json();
    assert_eq!(page["data"][0]["id"], "delta/grown");
    for field in ["rank_before", "share_before", "growth"] {
        assert_eq!(page["data"][0][field], Value::Null, "{field}");
    }
    assert_eq!(page["data"][0]["growth_state"], "hidden_before");
}

#[tokio::test]
async fn a_row_that_lost_all_its_traffic_keeps_its_rank_before_and_falls_most() {
    let fixture = Fixture::filled().await;
    let rows = ["2026-11-21", "2026-11-22", "2026-11-23"].map(|date| busy(date, "delta/gone", 1..=40));
    fixture.append(TableId::UsageDaily, rows.to_vec()).await;
    fixture.name(&["delta/gone"], &[]).await;
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
    fixture.name(&["delta/running"], &[]).await;
    let data = dataset(&fixture).await;
    let ranking = ranking(&data, "2026-11-25", "2026-11-25").await;
    assert_eq!(keys(&data, ranking.rows.iter().map(|row| row.group)), ["delta/running"]);
    let row = ranking.rows.first().unwrap();
    assert_eq!((row.change, row.rank_before, row.before), (Change::Unknown, None, None));
    assert_eq!((ranking.total_before, ranking.total_change), (None, Change::Unknown));
}

/// 1,234 attempts of a day, 1,230 of them well.
fn attempts(model: &str, provider: &str) -> Value {
    json!({
        "date": "2026-11-24", "model_id": model, "author": model.split('/').next(), "variant": "standard",
        "provider_id": provider, "endpoint_id": "e", "attempts": 1_234, "ok": 1_230, "fault": 4, "fault_timeout": 4,
    })
}

#[tokio::test]
async fn a_hidden_model_keeps_its_health_and_withholds_its_use() {
    let fixture = Fixture::filled().await;
    fixture.append(TableId::HealthDaily, vec![attempts("gamma/tiny", "south")]).await;
    let app = App::over(fixture, open()).await;
    for address in ["/models/gamma/tiny.json", "/api/v1/models/gamma/tiny/endpoints"] {
        let body = app.get(address).await.json();
        let row = &body["data"][0];
        assert_eq!(row["provider"], "south", "{address}: {body}");
        for field in ["requests", "tokens", "input_tokens", "output_tokens", "spend_usd", "token_share"] {
            assert_eq!(row[field], Value::Null, "{address} {field}");
        }
        // 1,230 of 1,234 are 99.675…
        assert_eq!(row["uptime_28d"], 99.6, "{address}");
        assert!(row["withheld"].as_str().unwrap().contains("usage: needs 20 users"), "{address}: {row}");
    }
    let daily = app.get("/models/gamma/tiny.json").await.json()["daily"].clone();
    assert!(daily.as_array().unwrap().iter().all(|day| day["requests"] == Value::Null), "{daily}");
    let page = app.get("/models/gamma/tiny").await;
    assert_eq!(page.text().matches("Its use is not shown: that needs 20 users in 28 days.").count(), 3);
    assert!(!page.text().contains("tokens in the newest"), "{}", page.text());
    // 8.4 M tokens and 1,400 requests, of which a model at one provider tells the size.
    let row = app.get("/models/acme/one.json").await.json()["data"][0].clone();
    assert_eq!(
        (&row["requests"], &row["tokens"], &row["token_share"]),
        (&json!("1000+"), &json!("1000000+"), &json!(1.0))
    );
    assert_eq!(row["spend_usd"], "<100");
}

#[tokio::test]
async fn a_provider_with_too_few_users_keeps_its_health_and_withholds_its_use() {
    let fixture = Fixture::filled().await;
    let mut rare = busy("2026-11-24", "acme/one", 1..=3);
    rare["provider_id"] = json!("rare");
    fixture.append(TableId::UsageDaily, vec![rare]).await;
    fixture.append(TableId::HealthDaily, vec![attempts("acme/one", "rare")]).await;
    fixture.append(GATE, vec![decision("2026-11-24", "provider", "rare", false)]).await;
    let app = App::over(fixture, open()).await;
    for address in ["/providers.json", "/status.json"] {
        let body = app.get(address).await.json();
        let row =
            body["data"].as_array().unwrap().iter().find(|row| row["provider"] == "rare").unwrap().clone();
        for field in ["requests_7d", "tokens_7d", "token_share_7d"] {
            assert_eq!(row[field], Value::Null, "{address} {field}");
        }
        assert!(row["withheld"].as_str().unwrap().starts_with("usage: needs 20 users"), "{row}");
        assert_eq!((&row["uptime_7d"], &row["counted_attempts_30m"]), (&json!(99.6), &json!("<100")));
    }
    let row = app.get("/providers/rare.json").await.json()["data"][89].clone();
    assert_eq!((&row["counted_attempts"], &row["fault"]), (&json!("1000+"), &json!("<100")));
    let page = app.get("/providers/rare").await;
    assert!(page.text().contains("Its use is not shown") && !page.text().contains("It carries"));
    assert!(!page.text().contains("1,234") && !page.text().contains("1,230"), "{}", page.text());
    // Its 20 M tokens are the model's, and hidden among providers with the 77 k that are hidden everywhere.
    let hidden = async |address: &str| {
        let body = app.get(address).await.json();
        body["data"].as_array().unwrap().iter().find(|row| row["id"] == "hidden").unwrap()["tokens"].clone()
    };
    assert_eq!(hidden("/rankings/providers.json").await, "20077000");
    for address in
        ["/rankings/models.json", "/rankings/models.json?variants=folded", "/rankings/authors.json"]
    {
        assert_eq!(hidden(address).await, "77000", "{address}");
    }
}

#[tokio::test]
async fn weekly_shares_name_nothing_hidden_however_far_they_are_walked() {
    let app = App::filled().await;
    for by in ["model", "author", "provider"] {
        for metric in ["tokens", "requests", "spend", "users"] {
            for skip in [0, 1, 2, 3, 9] {
                let address = format!("/rankings/share.json?by={by}&metric={metric}&skip={skip}");
                assert!(!app.get(&address).await.text().contains("gamma"), "{address}");
            }
        }
    }
    let body = app.get("/rankings/share.json?by=model&metric=requests").await.json();
    let week = |id: &str| {
        let rows = body["data"].as_array().unwrap();
        rows.iter().find(|row| row["id"] == id && row["week"] == "2026-11-16").unwrap()["value"].clone()
    };
    // Ten requests of gamma/tiny and one of a raw name a day.
    assert_eq!((week("acme/one"), week("other")), (json!("1400"), json!("77")));
}

#[tokio::test]
async fn a_filter_leaves_nothing_hidden_to_be_told_apart() {
    let fixture = Fixture::filled().await;
    fixture.append(TableId::HealthDaily, vec![attempts("gamma/tiny", "south")]).await;
    let app = App::over(fixture, open()).await;
    for (author, ids) in [("acme", vec!["acme/one", "acme/one:free"]), ("gamma", Vec::new())] {
        let body = app.get(&format!("/rankings/models.json?author={author}")).await.json();
        let rows = body["data"].as_array().unwrap();
        assert_eq!(rows.iter().map(|row| row["id"].as_str().unwrap()).collect::<Vec<_>>(), ids);
    }
    let page = app.get("/authors/gamma").await;
    assert_eq!(page.status, StatusCode::OK);
    assert_eq!(page.text().matches("Its use is not shown: that needs 20 users in 28 days.").count(), 2);
    assert!(!page.text().contains("in the newest complete week"), "{}", page.text());
}

#[tokio::test]
async fn windows_and_variants_differ_by_nothing_that_is_hidden() {
    let fixture = Fixture::filled().await;
    // The standard variant loses its users on the 23rd; the free one never had enough.
    fixture.append(GATE, vec![decision("2026-11-23", "variant", "acme/one", false)]).await;
    let free = (11..=25).map(|day| decision(&format!("2026-11-{day}"), "variant", "acme/one:free", false));
    fixture.append(GATE, free.collect()).await;
    let app = App::over(fixture, open()).await;
    let tokens = async |query: &str, id: &str| {
        let body = app.get(&format!("/rankings/models.json?{query}")).await.json();
        let rows = body["data"].as_array().unwrap();
        rows.iter().find(|row| row["id"] == id).unwrap()["tokens"].clone()
    };
    // 18 to 22: five days of 1.2 M; the 23rd is hidden, the 24th again named.
    assert_eq!(tokens("from=2026-11-18&to=2026-11-22", "acme/one").await, "6000000");
    assert_eq!(tokens("from=2026-11-18&to=2026-11-23", "acme/one").await, "6000000");
    assert_eq!(tokens("from=2026-11-18&to=2026-11-24", "acme/one").await, "7200000");
    assert_eq!(tokens("from=2026-11-18&to=2026-11-24&variants=folded", "acme/one").await, "7200000");
    // The 23rd, seven free days of 0.1 M, 7 k of gamma/tiny, 70 k of raw names.
    assert_eq!(tokens("from=2026-11-18&to=2026-11-24", "hidden").await, "1977000");
    let daily = app.get("/models/acme/one.json").await.json()["daily"].clone();
    let day = |date: &str| daily.as_array().unwrap().iter().find(|day| day["date"] == date).unwrap().clone();
    assert_eq!(
        (&day("2026-11-22")["tokens"], &day("2026-11-23")["tokens"]),
        (&json!("1200000"), &Value::Null)
    );
}

#[tokio::test]
async fn ids_of_users_in_a_row_decide_nothing_beside_the_gate() {
    let fixture = Fixture::filled().await;
    // Without any id of a user, and with one; the gate has let both pass.
    let [mut none, mut one] = ["delta/none", "delta/single"].map(|model| busy("2026-11-24", model, 1..=1));
    none.as_object_mut().unwrap().remove("users");
    (none["requests_with_user"], one["requests_with_user"]) = (json!(0), json!(1));
    fixture.append(TableId::UsageDaily, vec![none, one]).await;
    fixture.name(&["delta/none", "delta/single"], &[]).await;
    let app = App::over(fixture, open()).await;
    let body = app.get("/rankings/models.json").await.json();
    for (place, id) in ["delta/none", "delta/single"].iter().enumerate() {
        let row = &body["data"][place];
        // One user is fewer than may be told.
        assert_eq!(
            (&row["id"], &row["tokens"], &row["users"]),
            (&json!(id), &json!("20000000"), &Value::Null)
        );
    }
    // Nor is a row ranked by users that it does not tell.
    let body = app.get("/rankings/models.json?metric=users").await.json();
    let row = body["data"].as_array().unwrap().iter().find(|row| row["id"] == "delta/single").unwrap();
    assert_eq!((&row["rank"], &row["users"]), (&Value::Null, &Value::Null));
}

#[tokio::test]
async fn a_spend_that_nobody_knows_is_null() {
    let fixture = Fixture::filled().await;
    let mut row = busy("2026-11-24", "delta/unpriced", 1..=40);
    (row["cost_usd"], row["unpriced_requests"]) = (json!("0"), json!(2_000));
    fixture.append(TableId::UsageDaily, vec![row]).await;
    fixture.name(&["delta/unpriced"], &[]).await;
    let app = App::over(fixture, open()).await;
    let body = app.get("/models/delta/unpriced.json").await.json();
    assert_eq!(
        (&body["data"][0]["requests"], &body["data"][0]["spend_usd"]),
        (&json!("1000+"), &Value::Null)
    );
    // Nor is it nought in a share, in a rank or in a chart.
    let body = app.get("/rankings/models.json?metric=spend").await.json();
    let row = body["data"].as_array().unwrap().iter().find(|row| row["id"] == "delta/unpriced").unwrap();
    for field in ["rank", "spend_usd", "share", "growth"] {
        assert_eq!(row[field], Value::Null, "{field}");
    }
}

#[tokio::test]
async fn a_site_of_too_few_users_says_so_on_every_page_and_what_to_do() {
    let few = |model: &str, keys| {
        let mut row = busy("2026-11-24", model, keys);
        row["requests"] = json!(12);
        row
    };
    let site = async |variants: &[&str], users: std::ops::RangeInclusive<i64>| {
        let fixture = Fixture::empty().await;
        fixture.name(variants, &[]).await;
        // Eight of them use both.
        let rows = vec![few("delta/one", 1..=8), few("delta/two", users)];
        fixture.append(TableId::UsageDaily, rows).await;
        fixture.append(TableId::HealthDaily, vec![attempts("delta/one", "south")]).await;
        fixture.fold(0).await;
        App::over(fixture, open()).await
    };
    let line = "<b>Usage needs 20 users, you have 15.</b>";
    let app = site(&[], 1..=15).await;
    for page in ["/", "/rankings/models", "/rankings/share", "/models/delta/one", "/status", "/methodology"] {
        let reply = app.get(page).await;
        assert!(reply.text().contains(line), "{page}: {}", reply.text());
        assert!(reply.text().contains("profile = \"private\""), "{page}");
    }
    // Totals and health are there.
    let rows = app.get("/rankings/models.json").await.json()["data"].clone();
    assert_eq!((&rows[0]["id"], &rows[0]["requests"]), (&json!("hidden"), &json!("24")));
    assert_eq!(app.get("/providers.json").await.json()["data"][0]["uptime_7d"], 99.6);
    // With a name, or with enough people who are spread over names, there is nothing to be said.
    for app in [site(&["delta/one"], 1..=15).await, site(&[], 1..=40).await] {
        assert!(!app.get("/").await.text().contains("Usage needs"));
    }
}

#[tokio::test]
async fn labels_name_no_model_that_usage_may_not() {
    let fixture = Fixture::filled().await;
    fixture.append(GATE, vec![decision("2026-11-22", "variant", "beta/two", false)]).await;
    let app = App::over(fixture, open()).await;
    let body = app.get("/rankings/cross/nl/ja/code-out/python.json").await.json();
    let rows = body["data"].as_array().unwrap();
    let shares: Vec<_> =
        rows.iter().map(|row| (row["id"].as_str().unwrap(), row["share"].as_f64().unwrap())).collect();
    assert_eq!(shares, [("acme/one", 0.6), ("other", 0.4)]);
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
async fn a_public_site_hides_raw_models_and_hosts_with_the_rest() {
    let fixture = raw().await;
    let mut unheard = attempts("mystery-9b", "south");
    unheard.as_object_mut().unwrap().remove("author");
    fixture.append(TableId::HealthDaily, vec![unheard]).await;
    let app = App::over(fixture, open()).await;
    for address in [
        "/rankings/models",
        "/rankings/authors",
        "/rankings/providers",
        "/providers",
        "/models",
        "/methodology",
    ] {
        let page = app.get(address).await;
        assert_eq!(page.status, StatusCode::OK);
        assert!(!page.text().contains("my-team") && !page.text().contains("10.0.0.7"), "{address}");
    }
    let rows = app.get("/rankings/models.json").await.json();
    let hidden = rows["data"].as_array().unwrap().iter().find(|row| row["id"] == "hidden").unwrap();
    // Twice 20 M, the fixture's own 70 k, and gamma/tiny.
    assert_eq!(hidden["tokens"], "40077000");
    let page = app.get("/methodology").await;
    assert!(page.text().contains("1,234 attempts named a model") && !page.text().contains("mystery-9b"));
    for address in ["/providers/host:10.0.0.7:8000", "/models/my-team/llama", "/authors/my-team"] {
        assert_eq!(app.get(address).await.status, StatusCode::NOT_FOUND, "{address}");
    }
}

#[tokio::test]
async fn a_private_site_lists_raw_names_without_inventing_their_authors() {
    let fixture = raw().await;
    let data = fixture.dataset(Options::new(Profile::Private)).await;
    let ranking = ranking(&data, "2026-11-18", "2026-11-24").await;
    let models = keys(&data, ranking.rows.iter().map(|row| row.group));
    assert!(models.contains(&"my-team/llama".to_owned()) && models.contains(&"other".to_owned()));
    assert_eq!(data.dictionary.find_author("my-team"), None);
    // 4,000 raw ones and 7 without any name, of 2,527 and these.
    let share = data.quality.unmapped.unwrap();
    assert!((share - 4_007.0 / 6_527.0).abs() < 1e-9, "{share}");
}
