//! Every route and layer of the public site, in one place.

use std::any::Any;
use std::future::Future;
use std::iter;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{DefaultBodyLimit, Path, Request};
use axum::http::request::Parts;
use axum::http::{Response, Uri};
use axum::middleware::{from_fn_with_state, map_response};
use axum::routing::{MethodRouter, any, post};
use futures::future::BoxFuture;
use tokio::sync::Semaphore;
use tower::ServiceExt;
use tower_http::catch_panic::CatchPanicLayer;

use crate::layers::{bounded, limited, observed, panicked, timed, without_length};
use crate::pages::PLACES;
use crate::place::{Address, Place, Route};
use crate::respond;
use crate::state::Site;
use crate::url::{Asked, Format, MAX_NAME, asked, names_of};
use crate::{openapi, plain, sitemap, theme};

/// Largest body of the theme form.
const MAX_BODY: usize = 4 << 10;

/// The public site. Serve it with `into_make_service_with_connect_info::<SocketAddr>()`, or every client
/// counts as one for the rate limit.
pub fn app(site: Site) -> Router {
    let config = site.config();
    let (hsts, limits) = (config.hsts, config.rate_limit);
    let places = Arc::new(Semaphore::new(config.max_concurrent.min(Semaphore::MAX_PERMITS)));
    let routes = routes(&site);
    let pages = limited(routes.clone(), &site, "pages", limits.pages_per_min);
    let downloads = limited(routes, &site, "downloads", limits.downloads_per_min);
    Router::new()
        .fallback(move |request: Request| {
            // Files of whole tables cost more than pages and have a limit of their own.
            let class =
                if request.uri().path().ends_with(".csv") { downloads.clone() } else { pages.clone() };
            async move { class.oneshot(request).await.unwrap_or_else(|never| match never {}) }
        })
        .layer(map_response(async |response: Response<Body>| without_length(response)))
        // Before any other work, so that refusing costs next to nothing.
        .layer(from_fn_with_state((site, places), bounded))
        // A panic in a handler is one 500, not a lost connection; it is outermost so that it sees everything.
        .layer(CatchPanicLayer::custom(move |_: Box<dyn Any + Send>| panicked(hsts)))
}

fn routes(site: &Site) -> Router {
    let pages = {
        let site = site.clone();
        doors(Arc::new(move |route, request| Box::pin(respond::place(site.clone(), route, request))))
    };
    Router::new()
        .route("/static/{*name}", any(plain::asset))
        .route("/robots.txt", any(plain::robots))
        .route("/livez", any(plain::alive))
        .route(sitemap::PATH, any(sitemap::answer))
        .route(openapi::PATH, any(openapi::answer))
        .route(theme::PATH, post(theme::set).fallback(theme::not_a_form))
        .fallback(move |request: Request| enter(pages.clone(), request))
        // A request that took too long is an answer like others: it has an id and is counted.
        .layer(from_fn_with_state(site.clone(), timed))
        .layer(from_fn_with_state(site.clone(), observed))
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .with_state(site.clone())
}

/// What answers at a place; without a route, where there is none.
type Answer = Arc<dyn Fn(Option<Route>, Parts) -> BoxFuture<'static, Response<Body>> + Send + Sync>;

/// Routes of all places: as pages, as files, and in the API.
#[derive(Clone)]
struct Doors {
    pages: Router,
    files: Router,
    api: Router,
    nothing: Router,
}

/// How a request came in, and the address that was asked for before it was brought into the form of the routes.
#[derive(Clone)]
struct Entrance {
    uri: Uri,
    whole: String,
    format: Format,
    api: bool,
}

/// Every place on the router, answered by one function.
fn doors(answer: Answer) -> Doors {
    let (mut pages, mut files, mut api) = (Router::new(), Router::new(), Router::new());
    for place in PLACES {
        let patterns =
            place.page.iter().flat_map(|_| iter::once(place.path).chain(place.aliases.iter().copied()));
        for pattern in patterns {
            pages = pages.route(pattern, door(place, &answer));
            if place.file.is_some() {
                files = files.route(pattern, door(place, &answer));
            }
        }
        if let Some(pattern) = place.api {
            api = api.route(pattern, door(place, &answer));
        }
    }
    let nothing = Router::new().fallback(move |mut request: Request| {
        if let Some(entrance) = request.extensions_mut().remove::<Entrance>() {
            *request.uri_mut() = entrance.uri;
        }
        answer(None, request.into_parts().0)
    });
    let pages = pages.fallback_service(nothing.clone());
    // A suffix that the page does not offer is part of its last name.
    let whole = pages.clone();
    let files = files.fallback(move |mut request: Request| {
        if let Some(entrance) = request.extensions_mut().get_mut::<Entrance>() {
            entrance.format = Format::Html;
            let whole = entrance.whole.clone();
            lead(&mut request, &whole);
        }
        whole.clone().oneshot(request)
    });
    Doors { pages, files, api: api.fallback_service(nothing.clone()), nothing }
}

fn door(place: &'static Place, answer: &Answer) -> MethodRouter {
    let answer = Arc::clone(answer);
    any(move |Path(names): Path<Vec<(String, String)>>, mut request: Request| {
        let entrance = request.extensions_mut().remove::<Entrance>();
        let path = request.uri().path().to_owned();
        let route = entrance.as_ref().and_then(|entrance| route(place, entrance, path, &names));
        if let Some(entrance) = entrance {
            *request.uri_mut() = entrance.uri;
        }
        answer(route, request.into_parts().0)
    })
}

/// `None`: a name is longer than any.
fn route(
    place: &'static Place,
    entrance: &Entrance,
    path: String,
    names: &[(String, String)],
) -> Option<Route> {
    if names.iter().any(|(_, name)| name.len() > MAX_NAME) {
        return None;
    }
    // Another path that leads here may have the same names in another order.
    let name = |wanted| names.iter().find(|(key, _)| key == wanted).map(|(_, name)| name.as_str());
    let page = Address::new(place, names_of(place.path).filter_map(name));
    // Under the API every spelling is answered where it was asked.
    let path = if entrance.api { path } else { format!("{}{}", page.path(), entrance.format.suffix()) };
    Some(Route { page, format: entrance.format, api: entrance.api, path })
}

/// Brings the path into the form that routes have, and goes in.
async fn enter(doors: Doors, mut request: Request) -> Response<Body> {
    let uri = request.uri().clone();
    let (router, path, whole, format, api) = match asked(uri.path()) {
        None => (doors.nothing, String::new(), String::new(), Format::Html, false),
        Some(Asked::Api(path)) => (doors.api, path, String::new(), Format::Json, true),
        Some(Asked::Site { whole, stem: None }) => (doors.pages, whole, String::new(), Format::Html, false),
        Some(Asked::Site { whole, stem: Some((stem, format)) }) => (doors.files, stem, whole, format, false),
    };
    request.extensions_mut().insert(Entrance { uri, whole, format, api });
    lead(&mut request, &path);
    router.oneshot(request).await.unwrap_or_else(|never| match never {})
}

/// To a path of the routes; an empty one leaves the request as it is.
fn lead(request: &mut Request, path: &str) {
    if let Ok(uri) = path.parse::<Uri>() {
        *request.uri_mut() = uri;
    }
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

/// Where a path leads.
#[cfg(test)]
pub(crate) fn find(path: &str) -> Option<Route> {
    static DOORS: std::sync::LazyLock<Doors> = std::sync::LazyLock::new(|| {
        doors(Arc::new(|route, _| {
            let mut response = Response::new(Body::empty());
            response.extensions_mut().insert(route);
            Box::pin(std::future::ready(response))
        }))
    });
    let request = Request::get(path).body(Body::empty()).ok()?;
    let response = futures::executor::block_on(enter(DOORS.clone(), request));
    response.extensions().get::<Option<Route>>().cloned().flatten()
}
