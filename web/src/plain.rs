//! Small text files at fixed addresses: robots and liveness.

use axum::http::request::Parts;

use crate::headers::Policy;
use crate::sitemap;
use crate::state::Site;

pub(crate) struct Plain {
    pub media_type: &'static str,
    pub text: String,
    pub policy: Policy,
}

pub(crate) fn find(request: &Parts, site: &Site) -> Option<Plain> {
    let (text, policy) = match request.uri.path() {
        "/robots.txt" => (robots(&sitemap::base(request, site)), Policy::Hour),
        // A proxy that kept it would report a dead site alive.
        "/livez" => ("ok\n".into(), Policy::NoStore),
        _ => return None,
    };
    Some(Plain { media_type: "text/plain; charset=utf-8", text, policy })
}

fn robots(base: &str) -> String {
    // Only an absolute address is understood here.
    let sitemap = if base.is_empty() { String::new() } else { format!("Sitemap: {base}{}\n", sitemap::PATH) };
    // Filtered views have one canonical page each; crawlers need only that.
    format!("User-agent: *\nDisallow: /*?\nDisallow: /api/\n{sitemap}")
}
