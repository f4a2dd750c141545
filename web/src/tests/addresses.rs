//! What an address answers at its edges: other spellings, other settings, other methods.

use axum::body::Body;
use axum::http::{Request, StatusCode};
use tower::ServiceExt;

use super::routes::App;
use crate::Site;
use crate::config::{Profile, RateLimit, WebConfig};
use crate::data::Names;
use crate::data::testing::{Fixture, now};

fn open() -> WebConfig {
    let rate_limit = RateLimit { enabled: false, ..RateLimit::default() };
    WebConfig { rate_limit, ..WebConfig::default() }
}

#[tokio::test]
async fn other_settings_over_the_same_tables_are_another_validator() {
    let fixture = Fixture::filled().await;
    let etag = async |config: WebConfig, names: Names| {
        let site = Site::open_at(&fixture.warehouse, config, names, now).await.unwrap();
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
