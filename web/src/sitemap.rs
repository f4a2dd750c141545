//! The list of pages for crawlers: the fixed ones, and those of names whose usage may be shown.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{ConnectInfo, State};
use axum::http::request::Parts;
use axum::http::uri::Authority;
use axum::http::{Response, header};

use crate::cache::Key;
use crate::compress::{Encoding, compress};
use crate::data::{Dataset, Filter, GroupBy, Metric, RankingQuery};
use crate::error::Problem;
use crate::headers::Policy;
use crate::pages::PLACES;
use crate::rate_limit::ClientKey;
use crate::respond::{body, internal, refused, told, turn, unloaded};
use crate::state::Site;
use crate::url::Theme;
use crate::version::SOURCES;

pub(crate) const PATH: &str = "/sitemap.xml";

/// A sitemap holds at most this many addresses.
const MAX_URLS: usize = 50_000;
/// Names with traffic in these days are listed.
const DAYS: u64 = 28;

pub(crate) async fn answer(State(site): State<Site>, request: Parts) -> Response<Body> {
    let outcome = match refused(&request) {
        Ok(()) => list(&site, &request).await,
        Err(problem) => Err(problem),
    };
    told(&site, &request, outcome)
}

async fn list(site: &Site, request: &Parts) -> Result<Response<Body>, Arc<Problem>> {
    let dataset = site.dataset().ok_or_else(unloaded)?;
    let encoding = Encoding::negotiate(&request.headers);
    let base = base(request, site);
    let key = Key {
        address: format!("{base}{PATH}"),
        versions: day(site, &dataset).into(),
        theme: Theme::Auto,
        stale: None,
        encoding,
    };
    let (bytes, _) = site.cache().get(key, render(site.clone(), dataset, base, encoding)).await?;
    Ok(body(bytes, "application/xml; charset=utf-8", encoding, Policy::Hour))
}

/// Scheme and host under which the site is known, without a slash at the end: as configured, else as the client asked;
/// empty when neither says.
pub(crate) fn base(request: &Parts, site: &Site) -> String {
    if let Some(base) = &site.config().base_url {
        return base.clone();
    }
    let given = request.headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let host = request.uri.authority().cloned().or_else(|| given?.parse::<Authority>().ok());
    // A name before the host would be a user's.
    let Some(host) = host.filter(|host| !host.as_str().contains('@')) else { return String::new() };
    let scheme = if is_encrypted(request, site) { "https" } else { "http" };
    format!("{scheme}://{host}")
}

/// TLS ends before this process, so only a setting or a proxy that is believed can tell.
fn is_encrypted(request: &Parts, site: &Site) -> bool {
    let peer = request.extensions.get::<ConnectInfo<SocketAddr>>().map(|peer| peer.0.ip());
    let is_proxy = peer.is_some_and(|peer| ClientKey::new(&site.config().trusted_proxies).trusts(peer));
    let said = request.headers.get("x-forwarded-proto").and_then(|proto| proto.to_str().ok());
    site.config().hsts || (is_proxy && said == Some("https"))
}

/// Complete days decide what is listed, so one list serves until the day ends; on the first day every look at the
/// tables may bring new names.
fn day(site: &Site, dataset: &Dataset) -> String {
    let day = dataset.last_complete_date();
    let version = if dataset.has_complete_day() { 0 } else { dataset.folded };
    format!("{SOURCES}-{}-{day}-{version}", site.settings(dataset))
}

async fn render(
    site: Site,
    dataset: Arc<Dataset>,
    base: String,
    encoding: Encoding,
) -> Result<bytes::Bytes, Arc<Problem>> {
    let queries = [GroupBy::Model, GroupBy::Author, GroupBy::Provider].map(|by| RankingQuery {
        by,
        metric: Metric::Tokens,
        window: dataset.trailing(DAYS),
        before: None,
        filter: Filter::All,
    });
    let turn = turn(&site).await?;
    let rendered = tokio::task::spawn_blocking(move || {
        let _turn = turn;
        compress(text(&base, &dataset, &queries).as_bytes(), encoding)
    });
    rendered.await.map_err(|error| internal(&error, "/sitemap.xml"))
}

fn text(base: &str, dataset: &Dataset, queries: &[RankingQuery]) -> String {
    // Rows of a ranking are those that may be named: a name that is hidden there is not told here.
    let mut named: Vec<String> = queries
        .iter()
        .flat_map(|query| dataset.ranking(*query).rows)
        .filter_map(|row| dataset.href(row.group))
        .collect();
    named.sort();
    let mut text = String::from(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<urlset xmlns=\"http://www.sitemaps.org/schemas/sitemap/0.9\">\n",
    );
    let fixed = PLACES.iter().filter(|place| place.in_sitemap).map(|place| place.path.to_owned());
    for path in fixed.chain(named).take(MAX_URLS) {
        text.push_str("<url><loc>");
        text.push_str(&escape(&format!("{base}{path}")));
        text.push_str("</loc></url>\n");
    }
    text.push_str("</urlset>\n");
    text
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
