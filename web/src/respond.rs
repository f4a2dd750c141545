//! One request for a page or a data file: parse, validate, render once, send.

use std::sync::Arc;
use std::time::Instant;

use axum::body::Body;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, Response, StatusCode, header};
use bytes::Bytes;

use crate::cache::Key;
use crate::compress::{Encoding, compress};
use crate::data::Dataset;
use crate::error::{Kind, Problem};
use crate::failure::Recipient;
use crate::gate::Turn;
use crate::headers::Policy;
use crate::metrics;
use crate::pages::START;
use crate::place::{Found, Late, PageContext, PageError, Route, Stale};
use crate::state::Site;
use crate::url::{self, Format, Parsed, Theme, Why};
use crate::version::{BUILD, SOURCES};

/// Longest path and query, bytes.
const MAX_URL: usize = 4_096;

/// Header that carries the request id in both directions.
pub(crate) const REQUEST_ID: &str = "x-request-id";

/// What answered, for headers and metrics; goes with the response.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Answered {
    /// Of a closed set.
    pub label: &'static str,
    /// The body is data, for programs of other sites too.
    pub is_data: bool,
}

impl Default for Answered {
    fn default() -> Self {
        Self { label: "other", is_data: false }
    }
}

/// The page or file at a route; without one, that nothing is known there.
pub(crate) async fn place(site: Site, route: Option<Route>, request: Parts) -> Response<Body> {
    let answered = match &route {
        Some(route) => Answered { label: route.page.place().path, is_data: route.is_data() },
        None => Answered::default(),
    };
    let recipient = recipient(&request, route.as_ref(), &site);
    let outcome = match refused(&request) {
        Ok(()) => answer(&site, &request, route).await,
        Err(problem) => Err(problem),
    };
    let mut response = outcome.unwrap_or_else(|problem| problem.respond(&recipient));
    response.extensions_mut().insert(answered);
    response
}

/// What no address of the site takes.
pub(crate) fn refused(request: &Parts) -> Result<(), Arc<Problem>> {
    if request.uri.path_and_query().map_or(0, |text| text.as_str().len()) > MAX_URL {
        return Err(Arc::new(Problem::new(Kind::UriTooLong, "at most 4,096 bytes")));
    }
    if !matches!(request.method, Method::GET | Method::HEAD) {
        let detail = format!("{} is not answered at this address", request.method);
        return Err(Arc::new(Problem::new(Kind::Method, detail)));
    }
    Ok(())
}

/// What an address outside the list of places answers; refusals are told to whoever asked.
pub(crate) fn told(
    site: &Site,
    request: &Parts,
    outcome: Result<Response<Body>, Arc<Problem>>,
) -> Response<Body> {
    outcome.unwrap_or_else(|problem| problem.respond(&recipient(request, None, site)))
}

/// Who asked, for errors. An unknown path under the API is told as JSON too.
pub(crate) fn recipient(request: &Parts, route: Option<&Route>, site: &Site) -> Recipient {
    let path = request.uri.path();
    let api = match route {
        Some(route) => route.is_data(),
        None => path.starts_with("/api/") || path.ends_with(".json") || path.ends_with(".csv"),
    };
    let accept = request.headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or("");
    let wants_html = accept.contains("text/html") || !accept.contains("json");
    Recipient {
        html: if api { accept.contains("text/html") } else { wants_html },
        theme: theme(&request.headers),
        request_id: request_id(&request.headers),
        instance: path.to_owned(),
        build: BUILD,
        simulated: site.config().simulated,
    }
}

/// The caller's request id when it is a short plain word, else a new one.
pub(crate) fn request_id(headers: &HeaderMap) -> String {
    let given = headers.get(REQUEST_ID).and_then(|value| value.to_str().ok());
    let plain = |id: &&str| {
        (1..=64).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    given.filter(plain).map_or_else(|| uuid::Uuid::new_v4().simple().to_string(), str::to_owned)
}

/// Theme cookie; everything else in the header is ignored.
fn theme(headers: &HeaderMap) -> Theme {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().strip_prefix("theme="))
        .find_map(Theme::from_word)
        .unwrap_or_default()
}

async fn answer(site: &Site, request: &Parts, route: Option<Route>) -> Result<Response<Body>, Arc<Problem>> {
    let uri = &request.uri;
    let dataset = site.dataset();
    let Some(mut route) = route else { return Err(not_found(dataset.as_deref(), uri.path())) };
    let dataset = dataset.ok_or_else(unloaded)?;
    let mut parsed = url::parse(route.params(), uri.query().unwrap_or(""));
    if let Some(redirect) = redirect(&route, &parsed, uri)? {
        return Ok(redirect);
    }
    spell_author(&dataset, &mut parsed)?;
    let missing = |name: &str| not_found(Some(&dataset), name);
    match (route.page.place().find)(route.page.clone(), &dataset) {
        Found::Here(page) => route.page = page,
        Found::Moved { to, .. } if !route.api => {
            return Ok(moved(&format!("{}{}{}", to.path(), route.format.suffix(), query(&parsed))));
        }
        Found::Moved { name, .. } | Found::Nowhere(name) => return Err(missing(&name)),
    }
    page(site, request, &dataset, route, parsed).await
}

/// Before the first dataset.
pub(crate) fn unloaded() -> Arc<Problem> {
    let problem = Problem::new(Kind::DataUnavailable, "tables are being loaded");
    Arc::new(Problem { retry_after_secs: Some(2), ..problem })
}

pub(crate) fn not_found(dataset: Option<&Dataset>, path: &str) -> Arc<Problem> {
    let decoded = percent_encoding::percent_decode_str(path).decode_utf8_lossy();
    let wanted = decoded.trim_end_matches(".json").trim_end_matches(".csv");
    let nearest = dataset.map(|dataset| dataset.nearest(wanted, 5)).unwrap_or_default();
    let problem = Problem::new(Kind::NotFound, format!("nothing is known as `{}`", short(&decoded)));
    Arc::new(Problem { nearest, ..problem })
}

/// Foreign text in a message stays short.
fn short(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(120).collect()
}

/// The one canonical address of a page that was asked for in another form. The API and the data files name
/// what they do not understand instead.
fn redirect(
    route: &Route,
    parsed: &Parsed,
    uri: &axum::http::Uri,
) -> Result<Option<Response<Body>>, Arc<Problem>> {
    let refuses = route.is_data();
    let fatal = parsed.problems.iter().find(|problem| refuses || problem.why == Why::Impossible);
    if let Some(problem) = fatal {
        return Err(Arc::new(Problem::from_parameter(problem)));
    }
    // Under the API every spelling is answered where it was asked.
    if route.api {
        return Ok(None);
    }
    let same = route.path == uri.path() && parsed.canonical == uri.query().unwrap_or("");
    if same || (refuses && route.path == uri.path()) {
        return Ok(None);
    }
    let query = query(parsed);
    Ok(Some(moved(&format!("{}{query}", route.path))))
}

/// The canonical query with its question mark; nothing for the defaults.
fn query(parsed: &Parsed) -> String {
    if parsed.canonical.is_empty() { String::new() } else { format!("?{}", parsed.canonical) }
}

fn moved(location: &str) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::PERMANENT_REDIRECT;
    if let Ok(location) = HeaderValue::from_str(location) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    Policy::Redirect.apply(response.headers_mut());
    response
}

/// Addresses are lower case, ids are as their sources write them: puts the dataset's spelling of an author in place of
/// the address's.
fn spell_author(dataset: &Dataset, parsed: &mut Parsed) -> Result<(), Arc<Problem>> {
    let Some(author) = &mut parsed.state.author else { return Ok(()) };
    match dataset.spelled_author(author) {
        Some(spelling) => *author = spelling,
        None if dataset.is_empty() => {}
        None => return Err(not_found(Some(dataset), author)),
    }
    Ok(())
}

async fn page(
    site: &Site,
    request: &Parts,
    dataset: &Arc<Dataset>,
    route: Route,
    parsed: Parsed,
) -> Result<Response<Body>, Arc<Problem>> {
    let html = route.format == Format::Html;
    let encoding = Encoding::negotiate(&request.headers);
    // A data file is the same in every theme and says its age by `as_of`.
    let theme = if html { theme(&request.headers) } else { Theme::Auto };
    let stale = site.stale(dataset).filter(|_| html);
    let address = format!("{}{}", route.path, query(&parsed));
    let versions = fingerprint(SOURCES, &site.settings(dataset), dataset);
    let etag = etag(&versions, &address, theme, stale);
    let place = route.page.place();
    if matches_etag(&request.headers, &etag) {
        metrics::page_cache("not_modified");
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        return Ok(validated(response, &etag, place.policy));
    }
    // Before the first served request there is one thing to read: how to send it.
    let is_early = html && dataset.is_empty() && !place.before_traffic;
    let page = if is_early { START.here() } else { route.page };
    let mut context = PageContext::new(page, parsed.state);
    context.theme = theme;
    context.base_url.clone_from(&site.config().base_url);
    context.stale = stale;
    let key = Key { address, versions: versions.into(), theme, stale, encoding };
    let rendering = render(site.clone(), dataset.clone(), context, route.format, place.path, encoding);
    let (bytes, hit) = site.cache().get(key, rendering).await?;
    metrics::page_cache(if hit { "hit" } else { "miss" });
    Ok(validated(body(bytes, route.format.media_type(), encoding, place.policy), &etag, place.policy))
}

async fn render(
    site: Site,
    dataset: Arc<Dataset>,
    context: PageContext,
    format: Format,
    label: &'static str,
    encoding: Encoding,
) -> Result<Bytes, Arc<Problem>> {
    let queries = context.users(&dataset, format);
    let turn = turn(&site).await?;
    dataset.load_users(&queries).await.map_err(|error| internal(&error, label))?;
    site.count_render();
    let rendered = tokio::task::spawn_blocking(move || {
        // The work goes on when the visitor has left, so the turn ends with the work.
        let _turn = turn;
        let started = Instant::now();
        let text = context.body(&dataset, format)?;
        let bytes = compress(text.as_bytes(), encoding);
        metrics::rendered(label, started.elapsed());
        Ok::<_, PageError>(bytes)
    });
    match rendered.await {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(PageError::NotFound(name))) => {
            Err(Arc::new(Problem::new(Kind::NotFound, format!("nothing is known as `{}`", short(&name)))))
        }
        Ok(Err(error @ PageError::UsersNotLoaded)) => {
            Err(Arc::new(Problem::new(Kind::DataUnavailable, error.to_string())))
        }
        Ok(Err(error)) => Err(internal(&error, label)),
        // A panic in a page is caught here and logged by its own hook.
        Err(error) => Err(internal(&error, label)),
    }
}

/// Waits for a turn to make a page.
pub(crate) async fn turn(site: &Site) -> Result<Turn, Arc<Problem>> {
    site.gate().enter().await.ok_or_else(|| {
        metrics::shed("renders");
        Arc::new(Problem::busy())
    })
}

pub(crate) fn internal(error: &(dyn std::error::Error + 'static), label: &'static str) -> Arc<Problem> {
    tracing::error!(error, page = label, "a page cannot be rendered");
    Arc::new(Problem::new(Kind::Internal, "the page could not be made"))
}

/// Build, settings and table versions in one short word.
fn fingerprint(sources: &str, settings: &str, dataset: &Dataset) -> String {
    let mut hasher = blake3::Hasher::new();
    hasher.update(sources.as_bytes());
    hasher.update(settings.as_bytes());
    for (table, version) in &dataset.versions {
        hasher.update(table.as_bytes());
        hasher.update(&version.to_le_bytes());
    }
    // Nor does a table that is the same say up to when everything has arrived.
    hasher.update(&dataset.as_of.timestamp_micros().to_le_bytes());
    // After a restart the same versions may come with another word on the time that is left.
    if let Some(history) = dataset.history {
        hasher.update(history.sentence().as_bytes());
    }
    let hash = hasher.finalize().to_hex();
    format!("{BUILD}-{}", hash.get(..12).unwrap_or_default())
}

/// Weak: one validator for all encodings of the same page.
fn etag(versions: &str, address: &str, theme: Theme, stale: Option<Stale>) -> String {
    let mut hasher = blake3::Hasher::new();
    hasher.update(address.as_bytes());
    hasher.update(&[0]);
    hasher.update(theme.word().as_bytes());
    let late = match stale.map(|stale| stale.late) {
        None => 0,
        Some(Late::Events) => 1,
        Some(Late::Published) => 2,
    };
    hasher.update(&[0, late]);
    let hash = hasher.finalize().to_hex();
    format!("W/\"{versions}-{}\"", hash.get(..12).unwrap_or_default())
}

fn matches_etag(headers: &HeaderMap, etag: &str) -> bool {
    let weak = |text: &str| text.trim().trim_start_matches("W/").to_owned();
    let own = weak(etag);
    headers
        .get_all(header::IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|candidate| candidate.trim() == "*" || weak(candidate) == own)
}

fn validated(mut response: Response<Body>, etag: &str, policy: Policy) -> Response<Body> {
    if let Ok(etag) = HeaderValue::from_str(etag) {
        response.headers_mut().insert(header::ETAG, etag);
    }
    policy.apply(response.headers_mut());
    response
}

pub(crate) fn body(
    bytes: Bytes,
    media_type: &'static str,
    encoding: Encoding,
    policy: Policy,
) -> Response<Body> {
    let mut response = Response::new(Body::from(bytes));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    if encoding != Encoding::Identity {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding.word()));
    }
    policy.apply(headers);
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::testing::Fixture;
    use crate::tests::numbers::dataset;

    #[tokio::test]
    async fn another_build_of_the_same_version_has_another_validator() {
        let data = dataset(&Fixture::filled().await).await;
        assert_eq!(fingerprint("a", "settings", &data), fingerprint("a", "settings", &data));
        assert_ne!(fingerprint("a", "settings", &data), fingerprint("b", "settings", &data));
        assert_eq!(SOURCES.len(), 16);
        assert!(SOURCES.bytes().all(|byte| byte.is_ascii_hexdigit()));
    }
}
