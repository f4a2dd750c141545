//! Text files at fixed addresses: robots and the sitemap.

use crate::data::Group;
use crate::state::Site;
use crate::url::Page;

pub(crate) struct Plain {
    pub media_type: &'static str,
    pub text: String,
}

/// A sitemap holds at most this many addresses.
const MAX_URLS: usize = 50_000;

pub(crate) fn find(path: &str, site: &Site) -> Option<Plain> {
    match path {
        "/robots.txt" => Some(Plain { media_type: "text/plain; charset=utf-8", text: robots(site) }),
        "/sitemap.xml" => Some(Plain { media_type: "application/xml; charset=utf-8", text: sitemap(site) }),
        "/livez" => Some(Plain { media_type: "text/plain; charset=utf-8", text: "ok\n".into() }),
        _ => None,
    }
}

fn robots(site: &Site) -> String {
    let sitemap = site.config().base_url.as_deref().map(|base| format!("Sitemap: {base}/sitemap.xml\n"));
    // Filtered views have one canonical page each; crawlers need only that.
    format!("User-agent: *\nDisallow: /*?\nDisallow: /api/\n{}", sitemap.unwrap_or_default())
}

fn sitemap(site: &Site) -> String {
    let base = site.config().base_url.as_deref().unwrap_or("");
    let fixed = [
        Page::Overview,
        Page::Models,
        Page::Authors,
        Page::ProviderRanking,
        Page::Share,
        Page::Growth,
        Page::Languages,
        Page::ModelList,
        Page::Providers,
        Page::Status,
        Page::Uptime,
        Page::Methodology,
        Page::Data,
    ];
    let mut paths: Vec<String> = fixed.iter().map(Page::path).collect();
    if let Some(dataset) = site.dataset() {
        let dictionary = &dataset.dictionary;
        let groups = dictionary
            .models()
            .map(Group::Model)
            .chain(dictionary.authors().map(Group::Author))
            .chain(dictionary.providers().map(Group::Provider));
        let mut named: Vec<String> = groups.filter_map(|group| dataset.href(group)).collect();
        named.sort();
        paths.extend(named);
    }
    let mut text = String::from(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<urlset xmlns=\"http://www.sitemaps.org/schemas/sitemap/0.9\">\n",
    );
    for path in paths.into_iter().take(MAX_URLS) {
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
