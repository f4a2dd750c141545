//! Every page answers, every link leads somewhere, and a wrong address helps.

use std::collections::{BTreeSet, VecDeque};
use std::io::{Read, Write};
use std::net::TcpStream;

use crate::support::year::Year;
use crate::support::{http, wait};

/// Enough to see every kind of page; a site of 60 models links to hundreds.
const MOST_PAGES: usize = 250;

/// Pages that must exist, whatever links to them.
pub fn pages(year: &Year) -> Vec<String> {
    let mut pages: Vec<String> = [
        "/",
        "/rankings/models",
        "/rankings/authors",
        "/rankings/providers",
        "/rankings/languages",
        "/rankings/cross/nl/ja/code-out/python",
        "/providers",
        "/methodology",
    ]
    .map(str::to_owned)
    .into();
    pages.extend(year.models().iter().take(2).map(|model| format!("/models/{model}")));
    pages.extend(year.providers().iter().take(2).map(|provider| format!("/providers/{provider}")));
    pages
}

/// Addresses of this site in `href`, without fragments.
fn links(html: &str) -> Vec<String> {
    html.split("href=\"")
        .skip(1)
        .filter_map(|after| after.split('"').next())
        .filter(|link| link.starts_with('/') && !link.starts_with("//"))
        .map(|link| link.split('#').next().unwrap_or("").replace("&amp;", "&"))
        .filter(|link| !link.is_empty())
        .collect()
}

#[test]
fn every_page_answers_with_its_headers() {
    let year = Year::shared();
    for page in pages(year) {
        let answer = year.get(&page);
        assert_eq!(answer.status, 200, "{page}: {}", answer.text());
        assert!(answer.header("content-type").starts_with("text/html"), "{page}");
        assert!(
            answer.header("content-security-policy").contains("default-src 'none'")
                || answer.header("content-security-policy").contains("default-src 'self'"),
            "{page}: {:?}",
            answer.headers
        );
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{page}");
        assert!(answer.header("cache-control").contains("max-age="), "{page}");
        let tag = answer.header("etag").to_owned();
        assert!(tag.starts_with("W/\""), "{page} has no weak ETag: {tag}");
        let again =
            http::send(http::client().get(format!("{}{page}", year.base)).header("if-none-match", &tag));
        assert_eq!(again.expect("ask again").status, 304, "{page}");
        let html = answer.text();
        assert_eq!(html.matches("<h1").count(), 1, "{page}");
        assert!(
            html.contains("<title>") && html.contains("rel=\"canonical\"") || html.contains("rel=canonical"),
            "{page}"
        );
        assert!(!html.contains(" style="), "{page} has a style attribute");
        assert!(!html.contains(">NaN") && !html.contains("Infinity") && !html.contains(">null"), "{page}");
    }
}

#[test]
fn every_link_leads_to_a_page_in_canonical_form() {
    let year = Year::shared();
    let mut open: VecDeque<(String, String)> = pages(year).into_iter().map(|p| (p, String::new())).collect();
    let mut seen: BTreeSet<String> = open.iter().map(|(page, _)| page.clone()).collect();
    let mut broken = Vec::new();
    let mut visited = 0;
    while let Some((page, from)) = open.pop_front() {
        if visited >= MOST_PAGES {
            break;
        }
        visited += 1;
        let answer = year.get(&page);
        if answer.status != 200 {
            broken.push(format!("{page} linked from {from}: {}", answer.status));
            continue;
        }
        if answer.header("content-type").starts_with("text/html") {
            for link in links(&answer.text()) {
                if seen.insert(link.clone()) {
                    open.push_back((link, page.clone()));
                }
            }
        }
    }
    assert!(broken.is_empty(), "{broken:#?}");
    assert!(visited > 30, "only {visited} pages are linked");
}

#[test]
fn unknown_model_provider_or_path_is_a_404_that_names_near_matches() {
    let year = Year::shared();
    let model = &year.models()[0];
    let provider = &year.providers()[0];
    let mut misspelt = model.clone();
    misspelt.pop();
    let mut misspelt_provider = provider.clone();
    misspelt_provider.pop();
    for (path, near) in [
        (format!("/models/{misspelt}"), format!("/models/{model}")),
        (format!("/providers/{misspelt_provider}"), format!("/providers/{provider}")),
        ("/rankings/model".to_owned(), "/rankings/models".to_owned()),
        ("/rankings/langauges".to_owned(), "/rankings/languages".to_owned()),
    ] {
        let answer = year.get(&path);
        assert_eq!(answer.status, 404, "{path}");
        let html = answer.text();
        assert!(html.contains(&format!("href=\"{near}\"")), "{path} does not name {near}: {html}");
        assert_eq!(answer.header("cache-control"), "no-store", "{path}");
    }
    let data = year.get(&format!("/models/{misspelt}.json"));
    assert_eq!(data.status, 404);
    assert!(data.header("content-type").starts_with("application/problem+json"), "{:?}", data.headers);
    assert!(data.text().contains(model), "{}", data.text());
}

#[test]
fn other_spellings_of_an_address_lead_to_the_canonical_one() {
    let year = Year::shared();
    for (given, canonical) in [
        ("/rankings/models?period=7d", "/rankings/models"),
        ("/rankings/models?utm_source=x", "/rankings/models"),
        ("/rankings/models/", "/rankings/models"),
        ("/Rankings/Models", "/rankings/models"),
    ] {
        let answer = year.get(given);
        assert_eq!(answer.status, 308, "{given}");
        assert_eq!(answer.header("location"), canonical, "{given}");
    }
    // Data is refused instead, so that a script learns of its mistake.
    let refused = year.get("/rankings/models.json?perod=7d");
    assert_eq!(refused.status, 400, "{}", refused.text());
    assert!(refused.text().contains("perod"), "{}", refused.text());
}

#[test]
fn plain_files_and_methods_behave() {
    let year = Year::shared();
    assert_eq!(year.get("/livez").status, 200);
    assert_eq!(year.get("/robots.txt").status, 200);
    let posted = http::send(http::post(&format!("{}/rankings/models", year.base)).body("x")).expect("post");
    assert_eq!(posted.status, 405);
    let head = http::send(http::client().head(format!("{}/", year.base))).expect("head");
    assert_eq!((head.status, head.body.len()), (200, 0));
}

#[test]
fn connection_that_does_not_finish_its_head_is_closed() {
    let address = Year::shared().base.trim_start_matches("http://").trim_end_matches('/');
    let mut silent = TcpStream::connect(address).expect("connect");
    silent.set_read_timeout(Some(wait::START)).expect("set a limit");
    silent.write_all(b"GET / HTTP/1.1\r\nHost: silent\r\n").expect("send half a head");
    let mut answer = Vec::new();
    silent.read_to_end(&mut answer).expect("the site to close the connection");
    assert!(!answer.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&answer));
}
