//! What an address answers at its edges: other spellings, other settings, other methods.

use axum::body::Body;
use axum::http::{Request, StatusCode};
use bellwether_warehouse::TableId;
use serde_json::{Value, json};
use tower::ServiceExt;

use super::routes::App;
use crate::Site;
use crate::config::{Profile, RateLimit, WebConfig};
use crate::data::testing::{Fixture, label, now};
use crate::data::{Names, Options};

pub(super) fn open() -> WebConfig {
    let rate_limit = RateLimit { enabled: false, ..RateLimit::default() };
    WebConfig { rate_limit, ..WebConfig::default() }
}

#[tokio::test]
async fn other_settings_over_the_same_tables_are_another_validator() {
    let fixture = Fixture::filled().await;
    fixture.publish(&Options::new(Profile::Public)).await;
    let etag = async |config: WebConfig, names: Names| {
        let site = Site::open_at(&fixture.warehouse, config, names, now).await;
        let request = Request::get("/status").body(Body::empty()).unwrap();
        let response = crate::app(site).oneshot(request).await.unwrap();
        response.headers().get("etag").unwrap().to_str().unwrap().to_owned()
    };
    let first = etag(open(), Names::default()).await;
    assert_eq!(etag(open(), Names::default()).await, first);
    let mut config = open();
    config.thresholds.users = Some(7);
    assert_ne!(etag(config, Names::default()).await, first);
    for config in [
        WebConfig { profile: Profile::Private, ..open() },
        WebConfig { simulated: true, ..open() },
        WebConfig { base_url: Some("https://a.example".into()), ..open() },
    ] {
        assert_ne!(etag(config, Names::default()).await, first);
    }
    let mut names = Names::default();
    names.providers.insert("north".into(), "North".into());
    assert_ne!(etag(open(), names).await, first);
}

#[tokio::test]
async fn head_with_a_matching_validator_has_no_length() {
    let app = App::filled().await;
    let etag = app.get("/status").await.header("etag").to_owned();
    let request = Request::head("/status").header("if-none-match", &etag).body(Body::empty()).unwrap();
    let reply = app.send(request).await;
    assert_eq!((reply.status, reply.header("etag")), (StatusCode::NOT_MODIFIED, etag.as_str()));
    assert_eq!(reply.headers.get("content-length"), None);
}

#[tokio::test]
async fn no_304_on_the_wire_claims_a_length() {
    let app = App::filled().await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = tokio::spawn(crate::routes::serve(listener, app.site.clone(), std::future::pending()));
    let reply = tokio::task::spawn_blocking(move || {
        let mut stream = std::net::TcpStream::connect(address).unwrap();
        let ask = |method: &str| format!("{method} /status HTTP/1.1\r\nhost: a\r\nif-none-match: *\r\n\r\n");
        let last = "GET /livez HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";
        let all = [ask("HEAD"), ask("GET"), last.to_owned()].concat();
        std::io::Write::write_all(&mut stream, all.as_bytes()).unwrap();
        std::io::read_to_string(stream).unwrap()
    });
    let reply = reply.await.unwrap();
    server.abort();
    // Both leave the connection open for the next request, and only that one's answer has a length.
    assert_eq!(reply.matches("HTTP/1.1 304 Not Modified").count(), 2, "{reply}");
    assert!(reply.ends_with("ok\n"), "{reply}");
    assert_eq!(reply.matches("content-length").count(), 1, "{reply}");
    assert!(!reply.contains("transfer-encoding"), "{reply}");
}

#[tokio::test]
async fn the_api_answers_where_it_was_asked() {
    let app = App::filled().await;
    let unknown = app.get("/api/v1/models/acme/one%20two").await;
    assert_eq!((unknown.status, unknown.header("location")), (StatusCode::NOT_FOUND, ""));
    for spelling in ["/api/v1/models/acme/%6fne", "/api/v1/models/Acme/One"] {
        let reply = app.get(spelling).await;
        assert_eq!(reply.status, StatusCode::OK, "{spelling}");
        assert_eq!(reply.json()["data"], app.get("/models/acme/one.json").await.json()["data"]);
    }
}

#[tokio::test]
async fn a_variant_leads_to_its_model_with_the_same_query() {
    let app = App::filled().await;
    let reply = app.get("/models/acme/one:free?period=28d").await;
    assert_eq!(
        (reply.status, reply.header("location")),
        (StatusCode::PERMANENT_REDIRECT, "/models/acme/one?period=28d")
    );
}

#[tokio::test]
async fn the_theme_form_tells_its_errors_like_every_page() {
    let app = App::filled().await;
    let wrong = Request::post("/theme").header("accept", "application/json").body(Body::from("theme=dark"));
    let reply = app.send(wrong.unwrap()).await;
    assert_eq!(reply.status, StatusCode::BAD_REQUEST);
    assert_eq!(reply.header("content-type"), "application/problem+json");
    assert_eq!(reply.json()["type"], "/problems/invalid-parameter");
    let get = app.get_with("/theme", &[("accept", "application/json")]).await;
    assert_eq!((get.status, get.header("allow")), (StatusCode::METHOD_NOT_ALLOWED, "POST"));
    assert_eq!(get.json()["type"], "/problems/method");
    for reply in [reply, get] {
        assert_eq!(reply.header("x-content-type-options"), "nosniff");
        assert_eq!(reply.header("content-security-policy"), crate::headers::CSP);
        assert!(!reply.header("x-request-id").is_empty());
    }
}

fn usage(date: &str, model: &str) -> Value {
    json!({
        "date": date, "model_id": model, "author": "acme", "variant": "standard", "provider_id": "Wide Net",
        "requests": 100, "requests_with_user": 100, "users": crate::data::testing::users(1..=50),
        "input_tokens": 1_000, "output_tokens": 100, "cost_usd": "0.5",
    })
}

#[tokio::test]
async fn every_link_to_a_name_leads_to_its_page() {
    let fixture = Fixture::filled().await;
    let rows = ["Acme/Mixed Case", "plain"].map(|model| usage("2026-11-24", model));
    fixture.append(TableId::UsageDaily, rows.to_vec()).await;
    fixture.name(&["Acme/Mixed Case", "plain"], &["Wide Net"]).await;
    let app = App::over(fixture, open()).await;
    let sitemap = app.get("/sitemap.xml").await;
    assert!(sitemap.text().contains("<loc>/models/acme/mixed%20case</loc>"), "{}", sitemap.text());
    assert!(sitemap.text().contains("<loc>/providers/wide%20net</loc>"), "{}", sitemap.text());
    assert!(!sitemap.text().contains("plain"));
    let paths =
        sitemap.text().split("<loc>").filter_map(|rest| rest.split_once("</loc>")).map(|(path, _)| path);
    for path in paths {
        assert_eq!(app.get(path).await.status, StatusCode::OK, "{path}");
    }
    let ranking = app.get("/rankings/models").await;
    assert!(ranking.text().contains("href=\"/models/acme/mixed%20case\""));
    assert!(!ranking.text().contains("href=\"/models/plain\""));
    assert_eq!(app.get("/models/Acme/Mixed%20Case").await.header("location"), "/models/acme/mixed%20case");
    assert_eq!(app.get("/api/v1/models/ACME/mixed%20case").await.status, StatusCode::OK);
    // Labels are lower case in the data.
    let japanese = app.get("/api/v1/languages/ja").await.json();
    assert!(!japanese["data"].as_array().unwrap().is_empty());
    assert_eq!(app.get("/api/v1/languages/JA").await.json(), japanese);
}

#[tokio::test]
async fn the_file_of_shares_follows_its_page() {
    let fixture = Fixture::filled().await;
    fixture.name(&["acme/one"], &["Wide Net"]).await;
    fixture.append(TableId::UsageDaily, vec![usage("2025-06-02", "acme/one")]).await;
    let app = App::over(fixture, open()).await;
    let users = app.get("/rankings/share.json?metric=users").await.json();
    assert_eq!(users["meta"]["unit"], "requests");
    let rows = users["data"].as_array().unwrap();
    let mut weeks: Vec<&str> = rows.iter().filter_map(|row| row["week"].as_str()).collect();
    weeks.dedup();
    // A year of complete weeks and the running one.
    assert_eq!((weeks.len(), weeks.last()), (53, Some(&"2026-11-23")));
    let value = |body: &Value, id: &str| {
        let rows = body["data"].as_array().unwrap();
        let row = rows.iter().find(|row| row["week"] == "2026-11-16" && row["id"] == id);
        row.unwrap()["value"].clone()
    };
    let by_model = |metric: &str| format!("/rankings/share.json?metric={metric}&by=model");
    let requests = app.get(&by_model("requests")).await.json();
    assert_eq!(value(&requests, "acme/one"), "1400");
    // 2 × 0.75 and 5 × 1.5 USD.
    let spend = app.get(&by_model("spend")).await.json();
    assert_eq!(value(&spend, "acme/one"), "9");
    assert_eq!(value(&spend, "acme/one:free"), Value::Null);
}

#[tokio::test]
async fn an_unknown_spend_is_not_nought() {
    let app = App::filled().await;
    let body = app.get("/rankings/models.json").await.json();
    let row = body["data"].as_array().unwrap().iter().find(|row| row["id"] == "acme/one:free").unwrap();
    assert_eq!((&row["tokens"], &row["spend_usd"]), (&json!("700000"), &Value::Null));
}

#[tokio::test]
async fn labelled_traffic_is_told_without_counts() {
    let fixture = Fixture::filled().await;
    let few = (201..=203).map(|user| label("de", "none", "acme/one", user));
    fixture.append(TableId::LabelCells, few.collect()).await;
    let app = App::over(fixture, open()).await;
    let cross = app.get("/rankings/cross/nl/ja/code-out/python.json").await.json();
    let row = &cross["data"][0];
    // 76 / 120 / 0.8 is near 0.7917; German has moved it a little.
    assert_eq!((&row["id"], &row["lift"]), (&json!("acme/one"), &json!(0.79)));
    assert_eq!(row["withheld"], "growth: needs n = 30 and 10 users");
    let german = app.get("/rankings/languages/de.json").await.json();
    assert_eq!(
        german["meta"]["not_enough_data"],
        json!({ "reason": "not_enough", "n": null, "needs": 100, "needs_users": 20 })
    );
    // German is the only withheld language, so Japanese is a part of "other" and its page tells no share either.
    let japanese = app.get("/rankings/languages/ja").await;
    assert!(!japanese.text().contains("Share of labelled tokens"));
    assert!(app.get("/rankings/languages/en").await.text().contains("Share of labelled tokens"));
}

#[tokio::test]
async fn the_description_of_the_api_names_what_is_answered() {
    let app = App::filled().await;
    let reply = app.get("/api/v1/openapi.json").await;
    assert_eq!((reply.status, reply.header("content-type")), (StatusCode::OK, "application/json"));
    assert_eq!(reply.header("access-control-allow-origin"), "*");
    assert!(app.get("/data").await.text().contains("href=\"/api/v1/openapi.json\""));
    let document = reply.json();
    assert_eq!(document["openapi"], "3.1.0");
    let (mut bodies, mut values) = (0, 0);
    for (path, item) in document["paths"].as_object().unwrap() {
        let parameters = item["get"]["parameters"].as_array().cloned().unwrap_or_default();
        let mut filled = path.clone();
        for (name, value) in [
            ("{author}", "acme"),
            ("{slug}", "one"),
            ("{provider}", "north"),
            ("{nl}", "ja"),
            ("{code}", if path.contains("{nl}") { "python" } else { "ja" }),
        ] {
            let is_told = parameters.iter().any(|told| {
                told["in"] == "path" && format!("{{{}}}", told["name"].as_str().unwrap()) == name
            });
            assert_eq!(path.contains(name), is_told, "{path} {name}");
            filled = filled.replace(name, value);
        }
        let reply = app.get(&filled).await;
        assert_eq!(reply.status, StatusCode::OK, "{filled}");
        let told = item["get"]["responses"]["200"]["content"].as_object().unwrap();
        assert!(told.contains_key(reply.header("content-type")), "{filled}: {told:?}");
        bodies += 1;
        // Every value that is named is understood, and a parameter that is not named is refused.
        for parameter in parameters.iter().filter(|told| told["in"] == "query") {
            for value in parameter["schema"]["enum"].as_array().into_iter().flatten() {
                let (name, value) = (parameter["name"].as_str().unwrap(), value.as_str().unwrap());
                let asked = format!("{filled}?{name}={value}");
                assert_eq!(app.get(&asked).await.status, StatusCode::OK, "{asked}");
                values += 1;
            }
        }
        let unknown = app.get(&format!("{filled}?colour=red")).await;
        assert_eq!(unknown.status, StatusCode::BAD_REQUEST, "{filled}");
        let answer = item["get"]["responses"]["400"]["$ref"].as_str().unwrap();
        let problem = &document.pointer(answer.trim_start_matches('#')).unwrap()["content"];
        assert!(problem.get(unknown.header("content-type")).is_some(), "{problem}");
        let told = document["components"]["schemas"]["Problem"]["properties"].as_object().unwrap();
        for member in unknown.json().as_object().unwrap().keys() {
            assert!(told.contains_key(member), "{member}");
        }
    }
    // 14 addresses in the API, and JSON and CSV of the 13 of them that are pages.
    assert_eq!(bodies, 14 + 2 * 13);
    assert!(values > 200, "{values}");
}
