//! Small answers at fixed addresses: robots, liveness, static files.

use axum::body::Body;
use axum::extract::State;
use axum::http::Response;
use axum::http::request::Parts;

use crate::assets;
use crate::compress::{Encoding, compress};
use crate::headers::Policy;
use crate::respond::{body, not_found, refused, told};
use crate::sitemap;
use crate::state::Site;

pub(crate) async fn robots(State(site): State<Site>, request: Parts) -> Response<Body> {
    let outcome = refused(&request)
        .map(|()| text(&request, &disallowed(&sitemap::base(&request, &site)), Policy::Hour));
    told(&site, &request, outcome)
}

pub(crate) async fn alive(State(site): State<Site>, request: Parts) -> Response<Body> {
    // A proxy that kept it would report a dead site alive.
    let outcome = refused(&request).map(|()| text(&request, "ok\n", Policy::NoStore));
    told(&site, &request, outcome)
}

pub(crate) async fn asset(State(site): State<Site>, request: Parts) -> Response<Body> {
    let outcome = refused(&request).and_then(|()| {
        let path = request.uri.path();
        let asset = assets::find(path).ok_or_else(|| not_found(site.dataset().as_deref(), path))?;
        let encoding = Encoding::negotiate(&request.headers);
        Ok(body(asset.body(encoding), asset.media_type, encoding, Policy::Immutable))
    });
    told(&site, &request, outcome)
}

fn text(request: &Parts, text: &str, policy: Policy) -> Response<Body> {
    let encoding = Encoding::negotiate(&request.headers);
    body(compress(text.as_bytes(), encoding), "text/plain; charset=utf-8", encoding, policy)
}

fn disallowed(base: &str) -> String {
    // Only an absolute address is understood here.
    let sitemap = if base.is_empty() { String::new() } else { format!("Sitemap: {base}{}\n", sitemap::PATH) };
    // Filtered views have one canonical page each; crawlers need only that.
    format!("User-agent: *\nDisallow: /*?\nDisallow: /api/\n{sitemap}")
}
