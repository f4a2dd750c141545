//! What crawlers are told.

use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{Request, StatusCode};
use std::net::SocketAddr;

use super::addresses::open;
use super::routes::App;
use crate::config::WebConfig;
use crate::data::testing::Fixture;

fn locations(text: &str) -> Vec<&str> {
    text.split("<loc>").skip(1).filter_map(|rest| rest.split("</loc>").next()).collect()
}

#[tokio::test]
async fn names_whose_usage_is_hidden_are_not_listed() {
    let app = App::filled().await;
    let reply = app.get_with("/sitemap.xml", &[("host", "rankings.example.org")]).await;
    assert_eq!(reply.status, StatusCode::OK);
    assert_eq!(reply.header("content-type"), "application/xml; charset=utf-8");
    assert_eq!(reply.header("cache-control"), "public, max-age=3600");
    let all = locations(reply.text());
    for path in
        ["/", "/rankings/models", "/models/acme/one", "/models/beta/two", "/authors/acme", "/providers/north"]
    {
        let absolute = format!("http://rankings.example.org{path}");
        assert!(all.contains(&absolute.as_str()), "{path} is missing in {all:?}");
    }
    // Five users of one model of one author.
    assert!(!reply.text().contains("gamma"), "{}", reply.text());
}

#[tokio::test]
async fn the_list_is_made_once_for_a_host_and_its_encoding() {
    let app = App::filled().await;
    let host = [("host", "a.example")];
    let first = app.get_with("/sitemap.xml", &host).await;
    // With every turn taken and the line full, only what is in memory can be answered.
    let full = app.site.gate().fill();
    assert_eq!(app.get_with("/sitemap.xml", &host).await.body, first.body);
    assert_eq!(
        app.get_with("/sitemap.xml", &[("host", "b.example")]).await.status,
        StatusCode::SERVICE_UNAVAILABLE
    );
    drop(full);
    assert!(
        app.get_with("/sitemap.xml", &[("host", "b.example")]).await.text().contains("http://b.example/")
    );
}

#[tokio::test]
async fn addresses_are_those_under_which_the_site_is_known() {
    let first = async |config: WebConfig, headers: &[(&str, &str)], peer: &str| {
        let app = App::over(Fixture::filled().await, config).await;
        let peer: SocketAddr = format!("{peer}:4711").parse().unwrap();
        let mut request = Request::get("/robots.txt").extension(ConnectInfo(peer));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let reply = app.send(request.body(Body::empty()).unwrap()).await;
        reply.text().lines().find_map(|line| line.strip_prefix("Sitemap: ")).unwrap_or("").to_owned()
    };
    let asked = [("host", "a.example"), ("x-forwarded-proto", "https")];
    // Anyone can write the header.
    assert_eq!(first(open(), &asked, "203.0.113.7").await, "http://a.example/sitemap.xml");
    let proxy = WebConfig { trusted_proxies: vec!["10.0.0.0/8".into()], ..open() };
    assert_eq!(first(proxy, &asked, "10.0.0.1").await, "https://a.example/sitemap.xml");
    let hsts = WebConfig { hsts: true, ..open() };
    assert_eq!(first(hsts, &asked[..1], "203.0.113.7").await, "https://a.example/sitemap.xml");
    let known = WebConfig { base_url: Some("https://known.example".into()), ..open() };
    assert_eq!(first(known, &asked, "203.0.113.7").await, "https://known.example/sitemap.xml");
    // No host, or none that could be one: no address at all rather than a wrong one.
    assert_eq!(first(open(), &[], "203.0.113.7").await, "");
    assert_eq!(first(open(), &[("host", "me@a.example")], "203.0.113.7").await, "");
}
