//! Every route and layer of the public site, in one place.

use std::any::Any;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::rejection::FormRejection;
use axum::extract::{DefaultBodyLimit, Form, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderValue, Response, StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::post;
use serde::Deserialize;
use tokio::sync::Semaphore;
use tower::ServiceExt;
use tower_governor::GovernorError;
use tower_governor::GovernorLayer;
use tower_governor::governor::GovernorConfigBuilder;
use tower_http::catch_panic::CatchPanicLayer;

use crate::error::{Kind, Problem, Recipient};
use crate::headers::{self, Policy};
use crate::metrics;
use crate::rate_limit::ClientKey;
use crate::respond;
use crate::state::{BUILD, Site};
use crate::url::Theme;

/// Largest body of the theme form.
const MAX_BODY: usize = 4 << 10;

/// The public site. Serve it with `into_make_service_with_connect_info::<SocketAddr>()`, or every client
/// counts as one for the rate limit.
pub fn app(site: Site) -> Router {
    let hsts = site.config().hsts;
    let places = Arc::new(Semaphore::new(site.config().max_concurrent.min(Semaphore::MAX_PERMITS)));
    let pages = limited(site.clone(), "pages", site.config().rate_limit.pages_per_min);
    let downloads = limited(site.clone(), "downloads", site.config().rate_limit.downloads_per_min);
    Router::new()
        .fallback(move |request: Request| {
            // Files of whole tables cost more than pages and have a limit of their own.
            let class =
                if request.uri().path().ends_with(".csv") { downloads.clone() } else { pages.clone() };
            // A visitor who is told at once may come again; one who waits without a bound holds memory for nothing.
            let place = Arc::clone(&places).try_acquire_owned();
            async move {
                let Ok(_place) = place else { return busy(hsts) };
                let response = class.oneshot(request).await.unwrap_or_else(|never| match never {});
                without_length(response)
            }
        })
        // A panic in a handler is one 500, not a lost connection; it is outermost so that it sees everything.
        .layer(CatchPanicLayer::custom(move |_: Box<dyn Any + Send>| panicked(hsts)))
}

/// The router adds `content-length: 0` to an empty body, but a length in a 304 is that of the page it stands for.
/// A body of unknown length gets none.
fn without_length(mut response: Response<Body>) -> Response<Body> {
    if response.status() == StatusCode::NOT_MODIFIED {
        response.headers_mut().remove(header::CONTENT_LENGTH);
        let nothing = futures::stream::empty::<Result<bytes::Bytes, std::convert::Infallible>>();
        *response.body_mut() = Body::from_stream(nothing);
    }
    response
}

fn limited(site: Site, class: &'static str, per_min: u32) -> Router {
    let router = Router::new()
        .route("/theme", post(set_theme).fallback(not_a_form))
        .fallback(timed)
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .with_state(site.clone());
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

async fn timed(State(site): State<Site>, request: Request) -> Response<Body> {
    let timeout = site.config().timeout;
    let (request, _) = request.into_parts();
    let recipient = respond::recipient(&request, None, &site);
    let hsts = site.config().hsts;
    match tokio::time::timeout(timeout, respond::handle(site, request)).await {
        Ok(response) => response,
        Err(_) => {
            let problem = Problem::new(Kind::Timeout, format!("no answer within {} s", timeout.as_secs()));
            let mut response = Problem { retry_after_secs: Some(5), ..problem }.respond(&recipient);
            headers::secure(response.headers_mut(), false, hsts);
            response
        }
    }
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

fn panicked(hsts: bool) -> Response<Body> {
    // The panic hook has logged the message; visitors get none of it.
    let mut response = Problem::new(Kind::Internal, "the request failed").respond(&plain_recipient());
    headers::secure(response.headers_mut(), false, hsts);
    response
}

#[derive(Deserialize)]
struct ThemeForm {
    theme: String,
    #[serde(default)]
    back: String,
}

/// Remembers the theme and returns to the page it was set on.
async fn set_theme(
    State(site): State<Site>,
    request: Parts,
    form: Result<Form<ThemeForm>, FormRejection>,
) -> Response<Body> {
    let form = match form {
        Ok(Form(form)) => form,
        Err(rejection) => {
            tracing::debug!(error = &rejection as &dyn std::error::Error, "a theme form cannot be read");
            let detail = "a form of at most 4 KiB with the field `theme` is needed";
            return refused(&site, &request, &Problem::new(Kind::InvalidParameter, detail));
        }
    };
    let theme = Theme::from_word(&form.theme).unwrap_or_default();
    let cookie = match theme {
        Theme::Auto => "theme=; Path=/; Max-Age=0; SameSite=Lax; HttpOnly".to_owned(),
        theme => format!("theme={}; Path=/; Max-Age=31536000; SameSite=Lax; HttpOnly", theme.word()),
    };
    let mut response = StatusCode::SEE_OTHER.into_response();
    let headers = response.headers_mut();
    if let (Ok(back), Ok(cookie)) =
        (HeaderValue::from_str(own_path(&form.back)), HeaderValue::from_str(&cookie))
    {
        headers.insert(header::LOCATION, back);
        headers.insert(header::SET_COOKIE, cookie);
    }
    Policy::NoStore.apply(headers);
    headers::secure(headers, false, site.config().hsts);
    response
}

/// Any other method at the theme form's address.
async fn not_a_form(State(site): State<Site>, request: Parts) -> Response<Body> {
    let detail = format!("{} is not answered at this address, which takes a form", request.method);
    let mut response = refused(&site, &request, &Problem::new(Kind::Method, detail));
    response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("POST"));
    response
}

fn refused(site: &Site, request: &Parts, problem: &Problem) -> Response<Body> {
    let recipient = respond::recipient(request, None, site);
    let mut response = problem.respond(&recipient);
    headers::secure(response.headers_mut(), false, site.config().hsts);
    if let Ok(id) = HeaderValue::from_str(&recipient.request_id) {
        response.headers_mut().insert(respond::REQUEST_ID, id);
    }
    response
}

/// A path of this site, or its front page: the form must not send anyone elsewhere.
fn own_path(back: &str) -> &str {
    let own = back.starts_with('/')
        && !back.starts_with("//")
        && back.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\')
        && back.len() <= 2_048;
    if own { back } else { "/" }
}

/// Serves the site on a bound listener until `shutdown` completes.
///
/// # Errors
/// When the listener fails.
pub async fn serve(
    listener: tokio::net::TcpListener,
    site: Site,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    let service = app(site).into_make_service_with_connect_info::<SocketAddr>();
    axum::serve(listener, service).with_graceful_shutdown(shutdown).await
}

#[cfg(test)]
mod tests {
    use super::own_path;

    #[test]
    fn the_theme_form_returns_to_this_site_only() {
        assert_eq!(own_path("/models/acme/one?period=28d"), "/models/acme/one?period=28d");
        for elsewhere in
            ["https://evil.example/", "//evil.example", "/\\evil.example", "models", "", "/a\r\nb"]
        {
            assert_eq!(own_path(elsewhere), "/", "{elsewhere:?}");
        }
    }
}
