//! Statuses, headers, validators and bodies of every kind of address.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode};
use serde_json::Value;
use tower::ServiceExt;

use crate::Site;
use crate::config::{RateLimit, WebConfig};
use crate::data::testing::{Fixture, now};
use crate::data::{Names, Options};

pub(super) struct Reply {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Reply {
    pub(super) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub(super) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub(super) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }
}

pub(super) struct App {
    pub site: Site,
    router: Router,
    pub fixture: Arc<Fixture>,
}

fn names() -> Names {
    let mut names = Names::default();
    names.models.insert("acme/one".into(), "=Acme One".into());
    names
}

impl App {
    pub(super) async fn over(fixture: Fixture, config: WebConfig) -> Self {
        fixture.publish(&Options::of(&config, names())).await;
        Self::opened(Arc::new(fixture), config).await
    }

    /// Another process over the same tables with the same settings.
    pub(super) async fn again(of: &Self) -> Self {
        Self::opened(of.fixture.clone(), of.site.config().clone()).await
    }

    /// Over what is published of it.
    pub(super) async fn opened(fixture: Arc<Fixture>, config: WebConfig) -> Self {
        let site = Site::open_at(&fixture.warehouse, config, names(), now).await;
        Self { router: crate::app(site.clone()), site, fixture }
    }

    pub(super) async fn filled() -> Self {
        let rate_limit = RateLimit { enabled: false, ..RateLimit::default() };
        Self::over(Fixture::filled().await, WebConfig { rate_limit, ..WebConfig::default() }).await
    }

    pub(super) async fn send(&self, request: Request<Body>) -> Reply {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = axum::body::to_bytes(body, usize::MAX).await.unwrap().to_vec();
        Reply { status: parts.status, headers: parts.headers, body }
    }

    pub(super) async fn get(&self, address: &str) -> Reply {
        self.send(Request::get(address).body(Body::empty()).unwrap()).await
    }

    pub(super) async fn get_with(&self, address: &str, headers: &[(&str, &str)]) -> Reply {
        let mut request = Request::get(address);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.send(request.body(Body::empty()).unwrap()).await
    }
}

const PAGES: [&str; 20] = [
    "/",
    "/rankings/models",
    "/rankings/authors",
    "/rankings/providers",
    "/rankings/share",
    "/rankings/growth",
    "/rankings/languages",
    "/rankings/languages/ja",
    "/rankings/cross/nl/ja/code-out/python",
    "/models",
    "/models/acme/one",
    "/authors/acme",
    "/providers",
    "/providers/north",
    "/status",
    "/uptime",
    "/methodology",
    "/data",
    "/start",
    "/problems/not-found",
];

#[tokio::test]
async fn every_page_answers_with_its_headers() {
    let app = App::filled().await;
    for page in PAGES {
        let reply = app.get(page).await;
        assert_eq!(reply.status, StatusCode::OK, "{page}: {}", reply.text());
        assert_eq!(reply.header("content-type"), "text/html; charset=utf-8", "{page}");
        assert_eq!(
            reply.header("content-security-policy"),
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; \
             connect-src 'self'; form-action 'self'; base-uri 'none'; object-src 'none'; frame-ancestors 'none'; \
             require-trusted-types-for 'script'; trusted-types 'none'"
        );
        assert_eq!(reply.header("x-content-type-options"), "nosniff");
        assert_eq!(reply.header("vary"), "Accept-Encoding, Cookie");
        assert_eq!(
            reply.header("cache-control"),
            "public, max-age=10, stale-while-revalidate=20, stale-if-error=86400"
        );
        assert!(reply.header("etag").starts_with("W/\""), "{page}");
        assert_eq!(reply.header("cross-origin-resource-policy"), "same-origin");
        assert_eq!(reply.header("access-control-allow-origin"), "");
        assert!(!reply.header("x-request-id").is_empty());
    }
}

#[tokio::test]
async fn a_validator_answers_before_any_work() {
    let app = App::filled().await;
    let first = app.get("/rankings/models").await;
    let etag = first.header("etag").to_owned();
    let renders = app.site.renders();
    assert!(renders > 0);
    let again = app.get_with("/rankings/models", &[("if-none-match", &etag)]).await;
    assert_eq!(again.status, StatusCode::NOT_MODIFIED);
    assert_eq!((again.header("etag"), again.body.len()), (etag.as_str(), 0));
    assert_eq!(again.header("vary"), "Accept-Encoding, Cookie");
    // The same for another encoding: the validator is weak and knows none.
    let packed = [("if-none-match", etag.as_str()), ("accept-encoding", "br")];
    assert_eq!(app.get_with("/rankings/models", &packed).await.status, StatusCode::NOT_MODIFIED);
    assert_eq!(app.site.renders(), renders);

    let dark =
        app.get_with("/rankings/models", &[("cookie", "a=b; theme=dark"), ("if-none-match", &etag)]).await;
    assert_eq!(dark.status, StatusCode::OK);
    let other = app.get_with("/rankings/authors", &[("if-none-match", &etag)]).await;
    assert_eq!(other.status, StatusCode::OK);
}

#[tokio::test]
async fn many_misses_on_one_page_are_one_render() {
    let app = App::filled().await;
    let before = app.site.renders();
    let replies = futures::future::join_all((0..100).map(|_| app.get("/rankings/models.json"))).await;
    assert!(replies.iter().all(|reply| reply.status == StatusCode::OK));
    assert_eq!(app.site.renders(), before + 1);
    app.get("/rankings/models.json").await;
    assert_eq!(app.site.renders(), before + 1);
}

#[tokio::test]
async fn other_forms_of_an_address_are_sent_to_the_canonical_one() {
    let app = App::filled().await;
    for (asked, canonical) in [
        ("/rankings", "/rankings/models"),
        ("/rankings/models/", "/rankings/models"),
        ("/Models/Acme/One", "/models/acme/one"),
        ("/rankings/models?sort=-growth&metric=spend", "/rankings/models?metric=spend&sort=-growth"),
        ("/rankings/models?period=7d", "/rankings/models"),
        ("/rankings/models?colour=red", "/rankings/models"),
        ("/rankings/models?metric=money&vs=none", "/rankings/models?vs=none"),
        ("/models/acme/one:free", "/models/acme/one"),
        ("/rankings/cross/code-out/python/nl/ja", "/rankings/cross/nl/ja/code-out/python"),
    ] {
        let reply = app.get(asked).await;
        assert_eq!(
            (reply.status, reply.header("location")),
            (StatusCode::PERMANENT_REDIRECT, canonical),
            "{asked}"
        );
        assert_eq!(reply.header("cache-control"), "public, max-age=3600");
        assert_eq!(app.get(canonical).await.status, StatusCode::OK, "{canonical}");
    }
}

#[tokio::test]
async fn the_api_names_what_it_does_not_understand() {
    let app = App::filled().await;
    let reply = app.get("/api/v1/rankings/models?metric=money").await;
    assert_eq!(reply.status, StatusCode::BAD_REQUEST);
    assert_eq!(reply.header("content-type"), "application/problem+json");
    assert_eq!(reply.header("cache-control"), "no-store");
    let problem = reply.json();
    assert_eq!(problem["type"], "/problems/invalid-parameter");
    assert_eq!(problem["param"], "metric");
    assert_eq!(problem["allowed"], serde_json::json!(["tokens", "requests", "spend", "users"]));
    assert_eq!(problem["status"], 400);
    assert_eq!(problem["request_id"], reply.header("x-request-id"));

    let unknown = app.get("/rankings/models.json?colour=red").await;
    assert_eq!(
        (unknown.status, unknown.json()["type"].clone()),
        (StatusCode::BAD_REQUEST, "/problems/unknown-parameter".into())
    );
    let dates = app.get("/rankings/models?from=2026-11-24&to=2026-11-01").await;
    assert_eq!(dates.status, StatusCode::BAD_REQUEST);
    assert_eq!(dates.header("content-type"), "text/html; charset=utf-8");
}

#[tokio::test]
async fn unknown_names_are_told_with_their_neighbours() {
    let app = App::filled().await;
    let reply = app.get("/models/acme/on").await;
    assert_eq!(
        (reply.status, reply.header("content-type")),
        (StatusCode::NOT_FOUND, "text/html; charset=utf-8")
    );
    let reply = app.get("/models/acme/on.json").await;
    assert_eq!(reply.status, StatusCode::NOT_FOUND);
    assert_eq!(reply.json()["nearest"][0], "/models/acme/one");
    assert_eq!(app.get("/providers/nroth.json").await.json()["nearest"][0], "/providers/north");
    let nowhere = app.get("/nowhere/at/all").await;
    assert_eq!((nowhere.status, nowhere.header("cache-control")), (StatusCode::NOT_FOUND, "no-store"));
    assert_eq!(app.get("/api/v1/nowhere").await.json()["type"], "/problems/not-found");
    assert_eq!(app.get("/problems/nonsense").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn rankings_as_json_hold_the_numbers_of_the_tables() {
    let app = App::filled().await;
    let reply = app.get("/rankings/models.json").await;
    assert_eq!(reply.header("content-type"), "application/json");
    assert_eq!(reply.header("access-control-allow-origin"), "*");
    assert_eq!(reply.header("cross-origin-resource-policy"), "cross-origin");
    let body = reply.json();
    let rows = body["data"].as_array().unwrap();
    let ids: Vec<&str> = rows.iter().map(|row| row["id"].as_str().unwrap()).collect();
    assert_eq!(ids, ["acme/one", "beta/two", "acme/one:free", "hidden"]);
    assert_eq!(rows[0]["tokens"], "8400000");
    assert_eq!(rows[0]["spend_usd"], "10.5");
    assert_eq!(rows[0]["users"], "30");
    assert_eq!(rows[0]["growth"], 1.0);
    assert_eq!(
        (rows[1]["growth"].clone(), rows[1]["growth_state"].clone()),
        (Value::Null, "not_enough_data".into())
    );
    assert_eq!(rows[2]["growth_state"], "new");
    // Exactly what 4.2 M of 13.377 M are, to nine digits.
    assert_eq!(rows[1]["share"], 0.313971743);
    let meta = &body["meta"];
    assert_eq!(meta["as_of"], "2026-11-25T12:05:30Z");
    assert_eq!(
        (meta["start_date"].as_str(), meta["end_date"].as_str()),
        (Some("2026-11-18"), Some("2026-11-24"))
    );
    assert_eq!(meta["unit"], "tokens");
    assert!(meta["delta_version"]["usage_by_day"].as_i64().unwrap() > 0);
    assert_eq!(meta["canonical_url"], "/rankings/models.json");

    let api = app.get("/api/v1/rankings/models").await;
    assert_eq!(api.json(), body);
}

#[tokio::test]
async fn the_rest_is_one_row_and_stays_in_the_sum() {
    let app = App::filled().await;
    let body = app.get("/api/v1/rankings/models?limit=1&offset=1").await.json();
    let rows = body["data"].as_array().unwrap();
    let ids: Vec<&str> = rows.iter().map(|row| row["id"].as_str().unwrap()).collect();
    assert_eq!(ids, ["beta/two", "hidden", "other"]);
    assert_eq!(rows[0]["rank"], 2);
    assert_eq!(rows[2]["tokens"], "9100000");
    let sum: f64 = rows.iter().map(|row| row["share"].as_f64().unwrap()).sum();
    assert!((sum - 1.0).abs() < 1e-8);
}

#[tokio::test]
async fn csv_holds_the_same_values_and_defuses_formulas() {
    let app = App::filled().await;
    let reply = app.get("/rankings/models.csv").await;
    assert_eq!(reply.header("content-type"), "text/csv; charset=utf-8; header=present");
    let lines: Vec<&str> = reply.text().split("\r\n").collect();
    assert!(lines[0].starts_with("rank,id,name,author,variant,rank_before,tokens,"));
    assert!(
        lines[1].starts_with("1,acme/one,'=Acme One,acme,,1,8400000,7000000,1400000,1400,10.5,30,"),
        "{}",
        lines[1]
    );
    assert_eq!(lines.len(), 6);
    assert_eq!(lines[5], "");
}

#[tokio::test]
async fn a_router_gets_live_figures_of_every_endpoint() {
    let app = App::filled().await;
    let body = app.get("/api/v1/models/acme/one/endpoints").await.json();
    let row = &body["data"][0];
    assert_eq!(row["provider"], "north");
    assert_eq!(row["state"], "degraded");
    assert_eq!(row["uptime_last_30m"], 94.0);
    assert_eq!(row["uptime_last_5m"], Value::Null);
    assert!(row["withheld"].as_str().unwrap().contains("uptime_last_5m: needs n = 100"));
    assert_eq!(body["routing"][0]["boost_pp"], 4.0);
}

#[tokio::test]
async fn files_of_every_other_view_answer_in_both_formats() {
    let app = App::filled().await;
    for page in [
        "/rankings/authors",
        "/rankings/providers",
        "/rankings/share",
        "/rankings/growth",
        "/rankings/languages",
        "/rankings/languages/ja",
        "/rankings/cross/nl/ja/code-out/python",
        "/models/acme/one",
        "/providers",
        "/providers/north",
        "/status",
        "/uptime",
    ] {
        let json = app.get(&format!("{page}.json")).await;
        assert_eq!(json.status, StatusCode::OK, "{page}");
        let body = json.json();
        let rows = body["data"].as_array().unwrap().len();
        assert!(rows > 0, "{page}");
        let csv = app.get(&format!("{page}.csv")).await;
        assert_eq!(csv.status, StatusCode::OK, "{page}");
        assert_eq!(csv.text().matches("\r\n").count(), rows + 1, "{page}");
    }
    let missing = app.get("/rankings/cross/nl/de/code-out/python.json").await;
    assert_eq!(missing.status, StatusCode::OK);
    assert_eq!(missing.json()["meta"]["not_enough_data"]["needs_users"], 50);
}

#[tokio::test]
async fn head_is_get_without_its_body() {
    let app = App::filled().await;
    let get = app.get("/status").await;
    let head = app.send(Request::head("/status").body(Body::empty()).unwrap()).await;
    assert_eq!((head.status, head.body.len()), (StatusCode::OK, 0));
    assert_eq!(head.header("etag"), get.header("etag"));
    assert_eq!(head.header("content-length"), get.body.len().to_string());
    let post = app.send(Request::post("/status").body(Body::empty()).unwrap()).await;
    assert_eq!((post.status, post.header("allow")), (StatusCode::METHOD_NOT_ALLOWED, "GET, HEAD"));
}

#[tokio::test]
async fn pages_travel_compressed() {
    let app = App::filled().await;
    let plain = app.get("/rankings/models.json").await;
    let packed = app.get_with("/rankings/models.json", &[("accept-encoding", "gzip")]).await;
    assert_eq!(packed.header("content-encoding"), "gzip");
    let mut unpacked = Vec::new();
    std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(packed.body.as_slice()), &mut unpacked)
        .unwrap();
    assert_eq!(unpacked, plain.body);
}

#[tokio::test]
async fn the_theme_is_a_cookie_and_the_only_one() {
    let app = App::filled().await;
    let form = |text: &'static str| {
        Request::post("/theme")
            .header("content-type", "application/x-www-form-urlencoded")
            .body(Body::from(text))
            .unwrap()
    };
    let reply = app.send(form("theme=dark&back=%2Fstatus")).await;
    assert_eq!((reply.status, reply.header("location")), (StatusCode::SEE_OTHER, "/status"));
    assert_eq!(reply.header("set-cookie"), "theme=dark; Path=/; Max-Age=31536000; SameSite=Lax; HttpOnly");
    let away = app.send(form("theme=dark&back=%2F%2Fevil.example")).await;
    assert_eq!(away.header("location"), "/");
    let auto = app.send(form("theme=auto&back=%2F")).await;
    assert!(auto.header("set-cookie").contains("Max-Age=0"));
    // It is answered like every other address: with the caller's id, and counted under its own.
    let recorder = metrics_exporter_prometheus::PrometheusBuilder::new().build_recorder();
    let counted = recorder.handle();
    let _guard = ::metrics::set_default_local_recorder(&recorder);
    let named =
        Request::post("/theme").header("x-request-id", "abc-1").body(Body::from("theme=dark")).unwrap();
    assert_eq!(app.send(named).await.header("x-request-id"), "abc-1");
    assert!(counted.render().contains("route=\"/theme\",method=\"POST\""), "{}", counted.render());
    assert_eq!((auto.header("x-content-type-options"), auto.header("x-request-id").len()), ("nosniff", 32));
}

#[tokio::test]
async fn assets_are_kept_forever_under_their_hash() {
    let app = App::filled().await;
    let reply = app.get(&crate::assets::href("style.css")).await;
    assert_eq!((reply.status, reply.header("content-type")), (StatusCode::OK, "text/css; charset=utf-8"));
    assert_eq!(reply.header("cache-control"), "public, max-age=31536000, immutable");
    assert_eq!(app.get("/static/000000000000/style.css").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn plain_files_and_liveness_answer() {
    let app = App::filled().await;
    assert!(app.get("/robots.txt").await.text().contains("Disallow: /*?"));
    let alive = app.get("/livez").await;
    assert_eq!((alive.text(), alive.header("cache-control")), ("ok\n", "no-store"));
    let long = format!("/models?{}", "a".repeat(4_200));
    assert_eq!(app.get(&long).await.status, StatusCode::URI_TOO_LONG);
}

#[tokio::test]
async fn too_many_requests_of_one_client_are_refused_and_others_go_on() {
    let rate_limit = RateLimit { enabled: true, pages_per_min: 3, downloads_per_min: 1 };
    let app = App::over(Fixture::filled().await, WebConfig { rate_limit, ..WebConfig::default() }).await;
    for _ in 0..3 {
        assert_eq!(
            app.get_with("/status", &[("x-forwarded-for", "198.51.100.1")]).await.status,
            StatusCode::OK
        );
    }
    // A forged address does not help: the peer is no trusted proxy.
    let refused = app.get_with("/status", &[("x-forwarded-for", "198.51.100.2")]).await;
    assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(refused.header("content-type"), "application/problem+json");
    assert!(refused.header("retry-after").parse::<u64>().unwrap() >= 1);
    // Files have a limit of their own.
    assert_eq!(app.get("/status.csv").await.status, StatusCode::OK);
    assert_eq!(app.get("/status.csv").await.status, StatusCode::TOO_MANY_REQUESTS);
}

#[tokio::test]
async fn an_empty_warehouse_shows_how_to_begin() {
    let app = App::over(Fixture::empty().await, WebConfig::default()).await;
    assert_eq!(app.get("/").await.status, StatusCode::OK);
    assert_eq!(app.get("/rankings/models").await.status, StatusCode::OK);
    let body = app.get("/rankings/models.json").await.json();
    assert_eq!(body["data"], serde_json::json!([]));
}
