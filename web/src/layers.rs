//! What stands around every answer: request ids, metrics, headers, time-outs, limits, panics.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, HttpBody};
use axum::extract::{Request, State};
use axum::http::{HeaderValue, Method, Response, StatusCode, header};
use axum::middleware::Next;
use tokio::sync::Semaphore;
use tower_governor::GovernorError;
use tower_governor::GovernorLayer;
use tower_governor::governor::GovernorConfigBuilder;

use crate::compress::Encoding;
use crate::error::{Kind, Problem};
use crate::failure::Recipient;
use crate::headers;
use crate::metrics::{self, Answer};
use crate::rate_limit::ClientKey;
use crate::respond::{self, Answered, REQUEST_ID};
use crate::state::Site;
use crate::url::Theme;
use crate::version::BUILD;

/// Gives the request its id, the answer the headers that all have, and counts both.
pub(crate) async fn observed(State(site): State<Site>, mut request: Request, next: Next) -> Response<Body> {
    let started = Instant::now();
    let method = request.method().clone();
    let encoding = Encoding::negotiate(request.headers());
    // Whoever tells the id further on finds it where the caller's would be.
    let id = HeaderValue::from_str(&respond::request_id(request.headers())).ok();
    if let Some(id) = &id {
        request.headers_mut().insert(REQUEST_ID, id.clone());
    }
    let mut response = next.run(request).await;
    let answered = response.extensions().get::<Answered>().copied().unwrap_or_default();
    headers::secure(response.headers_mut(), answered.is_data, site.config().hsts);
    if let Some(id) = id {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    let bytes = body_size(&response);
    metrics::answered(&Answer {
        route: answered.label,
        method: method_label(&method),
        status: response.status().as_u16(),
        encoding: metrics::encoding_label(encoding),
        bytes,
        took: started.elapsed(),
    });
    if method == Method::HEAD {
        response.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from(bytes));
        *response.body_mut() = Body::empty();
    }
    response
}

fn method_label(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        _ => "other",
    }
}

/// Of a body that the router has taken away already, what it was.
fn body_size(response: &Response<Body>) -> u64 {
    let told =
        response.headers().get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    told.or_else(|| response.body().size_hint().exact()).unwrap_or(0)
}

/// A visitor who waits without a bound holds memory for nothing.
pub(crate) async fn timed(State(site): State<Site>, request: Request, next: Next) -> Response<Body> {
    let timeout = site.config().timeout;
    let (parts, body) = request.into_parts();
    let recipient = respond::recipient(&parts, None, &site);
    let request = Request::from_parts(parts, body);
    match tokio::time::timeout(timeout, next.run(request)).await {
        Ok(response) => response,
        Err(_) => {
            let problem = Problem::new(Kind::Timeout, format!("no answer within {} s", timeout.as_secs()));
            Problem { retry_after_secs: Some(5), ..problem }.respond(&recipient)
        }
    }
}

/// Requests at work at once; who is told so may come again.
pub(crate) async fn bounded(
    State((site, places)): State<(Site, Arc<Semaphore>)>,
    request: Request,
    next: Next,
) -> Response<Body> {
    let Ok(_place) = places.try_acquire_owned() else { return busy(site.config().hsts) };
    next.run(request).await
}

/// The router adds `content-length: 0` to an empty body, but a length in a 304 is that of the page it stands for.
/// A body of unknown length gets none.
pub(crate) fn without_length(mut response: Response<Body>) -> Response<Body> {
    if response.status() == StatusCode::NOT_MODIFIED {
        response.headers_mut().remove(header::CONTENT_LENGTH);
        let nothing = futures::stream::empty::<Result<bytes::Bytes, std::convert::Infallible>>();
        *response.body_mut() = Body::from_stream(nothing);
    }
    response
}

/// Routes under the limit of requests of one client.
pub(crate) fn limited(router: Router, site: &Site, class: &'static str, per_min: u32) -> Router {
    let limits = site.config().rate_limit;
    if !limits.enabled {
        return router;
    }
    let key = ClientKey::new(&site.config().trusted_proxies);
    let config = GovernorConfigBuilder::default()
        .period(Duration::from_secs(60) / per_min.max(1))
        .burst_size(per_min.max(1))
        .key_extractor(key)
        .finish();
    let Some(config) = config else { return router };
    // Clients that have been quiet for long need no memory.
    let limiter = Arc::downgrade(config.limiter());
    if let Ok(runtime) = tokio::runtime::Handle::try_current() {
        runtime.spawn(async move {
            let mut ticks = tokio::time::interval(Duration::from_secs(60));
            loop {
                ticks.tick().await;
                // The site has been dropped: nothing is left to tidy.
                let Some(limiter) = limiter.upgrade() else { return };
                limiter.retain_recent();
            }
        });
    }
    let hsts = site.config().hsts;
    router.layer(GovernorLayer::new(config).error_handler(move |error| too_many(&error, class, hsts)))
}

fn plain_recipient() -> Recipient {
    Recipient {
        html: false,
        theme: Theme::Auto,
        request_id: uuid::Uuid::new_v4().simple().to_string(),
        instance: String::new(),
        build: BUILD,
        simulated: false,
    }
}

fn too_many(error: &GovernorError, class: &'static str, hsts: bool) -> Response<Body> {
    metrics::rate_limited(class);
    let wait = match error {
        GovernorError::TooManyRequests { wait_time, .. } => *wait_time,
        _ => 1,
    };
    let wait = wait.max(1);
    let problem = Problem::new(Kind::RateLimited, format!("try again in {wait} s"));
    let mut response = Problem { retry_after_secs: Some(wait), ..problem }.respond(&plain_recipient());
    if let Ok(limit) = HeaderValue::from_str(&format!("\"{class}\";r=0;t={wait}")) {
        response.headers_mut().insert("ratelimit", limit);
    }
    headers::secure(response.headers_mut(), false, hsts);
    response
}

fn busy(hsts: bool) -> Response<Body> {
    metrics::shed("requests");
    let mut response = Problem::busy().respond(&plain_recipient());
    headers::secure(response.headers_mut(), false, hsts);
    response
}

pub(crate) fn panicked(hsts: bool) -> Response<Body> {
    // The panic hook has logged the message; visitors get none of it.
    let mut response = Problem::new(Kind::Internal, "the request failed").respond(&plain_recipient());
    headers::secure(response.headers_mut(), false, hsts);
    response
}
