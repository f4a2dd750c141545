//! Markup of every page: one heading, names escaped, no script, no inline style, ids unique, tables named.

use std::collections::BTreeMap;

use crate::data::testing::Fixture;
use crate::data::{Names, Profile};
use crate::routes::find;

use super::{addresses, dataset, page};

const HOSTILE: &str = "<script>alert('x')</script>\" & <b>";

fn hostile_names() -> Names {
    let of = |id: &str| BTreeMap::from([(id.to_owned(), format!("{HOSTILE}{id}"))]);
    Names { models: of("acme/one"), authors: of("acme"), providers: of("north") }
}

fn attributes<'a>(html: &'a str, name: &str) -> Vec<&'a str> {
    let start = format!(" {name}=\"");
    html.match_indices(&start).filter_map(|(at, _)| html[at + start.len()..].split('"').next()).collect()
}

fn assert_sound(address: &str, html: &str) {
    assert_eq!(html.matches("<h1").count(), 1, "{address}: one h1");
    for forbidden in
        ["<script", " style=", "NaN", ">null<", "javascript:", "alert('x')<", " onclick", "http://example"]
    {
        assert!(!html.contains(forbidden), "{address}: `{forbidden}`");
    }
    let mut ids = attributes(html, "id");
    let all = ids.len();
    ids.sort_unstable();
    let twice: Vec<_> =
        ids.windows(2).filter(|pair| pair[0] == pair[1]).map(|pair| pair[0].to_owned()).collect();
    ids.dedup();
    assert_eq!(ids.len(), all, "{address}: ids twice: {twice:?}");
    for target in attributes(html, "aria-labelledby").iter().flat_map(|value| value.split(' ')) {
        assert!(ids.contains(&target), "{address}: no element `{target}`");
    }
    assert_eq!(html.matches("<table").count(), html.matches("<caption").count(), "{address}: captions");
    assert_eq!(html.matches("<svg").count(), html.matches("</svg>").count(), "{address}: svg");
    for tag in ["section", "div", "table", "tbody", "tr", "td", "ul", "li", "p", "dl", "figure", "details"] {
        let opened = html.matches(&format!("<{tag}>")).count() + html.matches(&format!("<{tag} ")).count();
        assert_eq!(opened, html.matches(&format!("</{tag}>")).count(), "{address}: <{tag}>");
    }
    for svg in html.split("<svg").skip(1) {
        let open = svg.split('>').next().unwrap();
        assert!(
            open.contains("aria-hidden") || open.contains("aria-labelledby"),
            "{address}: unnamed drawing {open}"
        );
    }
}

/// Links lead to pages, files or anchors that exist, in canonical form.
fn assert_links(address: &str, html: &str) {
    for href in attributes(html, "href").into_iter().filter(|href| href.starts_with('/')) {
        let href = href.replace("&amp;", "&").replace("&#38;", "&");
        let path = href.split(['?', '#']).next().unwrap();
        if path.starts_with("/static/") || path == "/api/v1/openapi.json" {
            continue;
        }
        let route = find(path).unwrap_or_else(|| panic!("{address}: no page at {href}"));
        assert_eq!(route.path, path, "{address}: {href} would redirect");
        if let Some((_, query)) = href.split_once('?') {
            let query = query.split('#').next().unwrap();
            let parsed = crate::url::parse(route.params(), query);
            assert_eq!(parsed.canonical, query, "{address}: {href} would redirect");
        }
    }
    for anchor in attributes(html, "href").into_iter().filter_map(|href| href.strip_prefix("/methodology#")) {
        let known = include_str!("../../../templates/methodology.html").contains(&format!("id=\"{anchor}\""));
        assert!(known, "{address}: no definition `{anchor}`");
    }
}

#[tokio::test]
async fn every_page_is_sound_with_hostile_names() {
    let fixture = Fixture::filled().await;
    let data = dataset(&fixture, Profile::Demo, hostile_names()).await;
    for address in addresses("acme/one", "north") {
        let html = page(&data, &address).await;
        assert_sound(&address, &html);
        assert_links(&address, &html);
    }
}

#[tokio::test]
async fn every_page_of_an_empty_site_is_sound() {
    let fixture = Fixture::empty().await;
    let data = dataset(&fixture, Profile::Public, Names::default()).await;
    for address in addresses("acme/one", "north") {
        if let Ok(html) = super::try_page(&data, &address).await {
            assert_sound(&address, &html);
            assert_links(&address, &html);
        }
    }
}

#[tokio::test]
async fn hostile_names_appear_escaped() {
    let fixture = Fixture::filled().await;
    let data = dataset(&fixture, Profile::Public, hostile_names()).await;
    let html = page(&data, "/").await;
    assert!(html.contains("&lt;script&gt;") || html.contains("&#60;script&#62;"), "the name is on the page");
}

#[tokio::test]
async fn the_current_place_is_marked_in_navigation_and_pickers() {
    let fixture = Fixture::filled().await;
    let data = dataset(&fixture, Profile::Public, Names::default()).await;
    let html = page(&data, "/rankings/models?metric=spend&period=28d").await;
    assert!(html.contains("<a href=\"/rankings/models\" aria-current=\"page\">Rankings</a>"));
    let current: Vec<_> =
        html.split("aria-current=\"true\"").skip(1).filter_map(|rest| rest.split('<').next()).collect();
    assert!(
        current.iter().any(|text| text.ends_with("spend")) && current.iter().any(|text| text.contains("28")),
        "{current:?}"
    );
}
