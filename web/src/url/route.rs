//! Paths: which page or file an address means.

use super::state::Param;

/// How a page is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    Html,
    Json,
    Csv,
}

impl Format {
    pub const fn suffix(self) -> &'static str {
        match self {
            Self::Html => "",
            Self::Json => ".json",
            Self::Csv => ".csv",
        }
    }
}

/// What an address shows. Ids are as written; whether they exist is the dataset's to say.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Page {
    Overview,
    Models,
    Authors,
    ProviderRanking,
    Share,
    Growth,
    Languages,
    Language(String),
    Cross {
        nl: String,
        code: String,
    },
    ModelList,
    Model(String),
    Author(String),
    Providers,
    Provider(String),
    Status,
    Uptime,
    Methodology,
    Data,
    Start,
    /// API only: what a router needs to know of a model's endpoints.
    Endpoints(String),
    /// Explanation of an error type.
    Problem(String),
}

impl Page {
    /// Parameters this page reads.
    pub const fn params(&self, format: Format) -> &'static [Param] {
        use Param::{
            Author, By, From, Limit, Metric, N, Offset, Period, Skip, Sort, To, Variants, View, Vs, Window,
        };
        match (self, format) {
            (Self::Overview, _) => &[Metric, Period],
            (Self::Models, Format::Html) => {
                &[Metric, Period, From, To, Vs, Variants, Author, Sort, View, N, Skip]
            }
            (Self::Models, _) => &[Metric, Period, From, To, Vs, Variants, Author, N, Limit, Offset],
            (Self::Authors | Self::ProviderRanking, Format::Html) => {
                &[Metric, Period, From, To, Vs, Sort, View, N, Skip]
            }
            (Self::Authors | Self::ProviderRanking, _) => &[Metric, Period, From, To, Vs, N, Limit, Offset],
            (Self::Share, _) => &[Metric, By, View, Skip],
            (Self::Languages | Self::Language(_) | Self::Cross { .. }, _) => &[Window, View],
            (Self::ModelList, _) => &[Metric, Period, Sort, N],
            (Self::Model(_), _) => &[Metric, Period, From, To, Vs, View],
            (Self::Author(_), _) => &[Metric, Period, From, To, Vs],
            (Self::Providers | Self::Status | Self::Uptime, _) => &[Sort],
            (Self::Provider(_), _) => &[Window, View],
            (
                Self::Growth
                | Self::Methodology
                | Self::Data
                | Self::Start
                | Self::Endpoints(_)
                | Self::Problem(_),
                _,
            ) => &[],
        }
    }

    /// Formats beside HTML.
    pub const fn has_files(&self) -> bool {
        matches!(
            self,
            Self::Models
                | Self::Authors
                | Self::ProviderRanking
                | Self::Share
                | Self::Growth
                | Self::Languages
                | Self::Language(_)
                | Self::Cross { .. }
                | Self::Model(_)
                | Self::Providers
                | Self::Provider(_)
                | Self::Status
                | Self::Uptime
                | Self::Endpoints(_)
        )
    }

    /// `window=` means a label window here, not a health window.
    pub const fn has_label_window(&self) -> bool {
        matches!(self, Self::Languages | Self::Language(_) | Self::Cross { .. })
    }

    /// Path of the page, without suffix. Names are lower case here, whatever the case of their ids.
    pub fn path(&self) -> String {
        match self {
            Self::Overview => "/".into(),
            Self::Models => "/rankings/models".into(),
            Self::Authors => "/rankings/authors".into(),
            Self::ProviderRanking => "/rankings/providers".into(),
            Self::Share => "/rankings/share".into(),
            Self::Growth => "/rankings/growth".into(),
            Self::Languages => "/rankings/languages".into(),
            Self::Language(code) => format!("/rankings/languages/{}", encode(code)),
            Self::Cross { nl, code } => {
                format!("/rankings/cross/nl/{}/code-out/{}", encode(nl), encode(code))
            }
            Self::ModelList => "/models".into(),
            Self::Model(id) => format!("/models/{}", encode_id(id)),
            Self::Author(id) => format!("/authors/{}", encode(id)),
            Self::Providers => "/providers".into(),
            Self::Provider(id) => format!("/providers/{}", encode(id)),
            Self::Status => "/status".into(),
            Self::Uptime => "/uptime".into(),
            Self::Methodology => "/methodology".into(),
            Self::Data => "/data".into(),
            Self::Start => "/start".into(),
            Self::Endpoints(id) => format!("/api/v1/models/{}/endpoints", encode_id(id)),
            Self::Problem(kind) => format!("/problems/{}", encode(kind)),
        }
    }

    /// Closed set, for metrics and traces.
    pub const fn route(&self) -> &'static str {
        match self {
            Self::Overview => "/",
            Self::Models => "/rankings/models",
            Self::Authors => "/rankings/authors",
            Self::ProviderRanking => "/rankings/providers",
            Self::Share => "/rankings/share",
            Self::Growth => "/rankings/growth",
            Self::Languages => "/rankings/languages",
            Self::Language(_) => "/rankings/languages/{code}",
            Self::Cross { .. } => "/rankings/cross/nl/{nl}/code-out/{code}",
            Self::ModelList => "/models",
            Self::Model(_) => "/models/{author}/{slug}",
            Self::Author(_) => "/authors/{author}",
            Self::Providers => "/providers",
            Self::Provider(_) => "/providers/{provider}",
            Self::Status => "/status",
            Self::Uptime => "/uptime",
            Self::Methodology => "/methodology",
            Self::Data => "/data",
            Self::Start => "/start",
            Self::Endpoints(_) => "/api/v1/models/{author}/{slug}/endpoints",
            Self::Problem(_) => "/problems/{type}",
        }
    }
}

/// What a path stands for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Route {
    pub page: Page,
    pub format: Format,
    /// Under `/api/v1`: problems are never redirected or rendered as HTML.
    pub api: bool,
    /// The path in its one canonical form; when it differs from what was asked, the answer is a redirect (not
    /// under the API).
    pub path: String,
}

/// `None`: no such page. `path` is still percent-encoded.
pub fn parse_path(path: &str) -> Option<Route> {
    let decoded = percent_encoding::percent_decode_str(path).decode_utf8().ok()?;
    if decoded.contains("//") || decoded.chars().any(char::is_control) {
        return None;
    }
    if let Some(rest) = decoded.strip_prefix("/api/v1/") {
        return api_route(rest);
    }
    let lower = decoded.to_lowercase();
    let trimmed = if lower.len() > 1 { lower.trim_end_matches('/') } else { &lower };
    let (stem, format) = split_suffix(trimmed);
    let page = page(stem)?;
    let format = if page.has_files() { format } else { Format::Html };
    // A suffix that the page does not offer is part of its last name.
    let page = if format == Format::Html && stem != trimmed { self::page(trimmed)? } else { page };
    let path = format!("{}{}", page.path(), format.suffix());
    Some(Route { page, format, api: false, path })
}

fn split_suffix(path: &str) -> (&str, Format) {
    for format in [Format::Json, Format::Csv] {
        if let Some(stem) = path.strip_suffix(format.suffix()) {
            return (stem, format);
        }
    }
    (path, Format::Html)
}

fn page(path: &str) -> Option<Page> {
    let parts: Vec<&str> = path.strip_prefix('/')?.split('/').collect();
    Some(match parts.as_slice() {
        [""] => Page::Overview,
        ["rankings"] => Page::Models,
        ["rankings", "models"] => Page::Models,
        ["rankings", "authors"] => Page::Authors,
        ["rankings", "providers"] => Page::ProviderRanking,
        ["rankings", "share"] => Page::Share,
        ["rankings", "growth"] => Page::Growth,
        ["rankings", "languages"] => Page::Languages,
        ["rankings", "languages", code] => Page::Language(slug(code)?),
        ["rankings", "cross"] => Page::Languages,
        ["rankings", "cross", "nl", nl, "code-out", code] => Page::Cross { nl: slug(nl)?, code: slug(code)? },
        // The other order of the same cross.
        ["rankings", "cross", "code-out", code, "nl", nl] => Page::Cross { nl: slug(nl)?, code: slug(code)? },
        ["models"] => Page::ModelList,
        ["models", author, name] => Page::Model(format!("{}/{}", slug(author)?, slug(name)?)),
        ["authors"] => Page::Authors,
        ["authors", id] => Page::Author(slug(id)?),
        ["providers"] => Page::Providers,
        ["providers", id] => Page::Provider(slug(id)?),
        ["status"] => Page::Status,
        ["uptime"] => Page::Uptime,
        ["methodology"] => Page::Methodology,
        ["data"] => Page::Data,
        ["start"] => Page::Start,
        ["problems", kind] => Page::Problem(slug(kind)?),
        _ => return None,
    })
}

fn api_route(rest: &str) -> Option<Route> {
    let parts: Vec<&str> = rest.split('/').collect();
    let page = match parts.as_slice() {
        ["rankings", "models"] => Page::Models,
        ["rankings", "authors"] => Page::Authors,
        ["rankings", "providers"] => Page::ProviderRanking,
        ["share"] => Page::Share,
        ["growth"] => Page::Growth,
        ["languages"] => Page::Languages,
        ["languages", code] => Page::Language(slug(&code.to_lowercase())?),
        ["cross", "nl", nl, "code-out", code] => {
            Page::Cross { nl: slug(&nl.to_lowercase())?, code: slug(&code.to_lowercase())? }
        }
        ["models", author, name] => Page::Model(format!("{}/{}", slug(author)?, slug(name)?)),
        ["models", author, name, "endpoints"] => {
            Page::Endpoints(format!("{}/{}", slug(author)?, slug(name)?))
        }
        ["providers"] => Page::Providers,
        ["providers", id] => Page::Provider(slug(id)?),
        ["status"] => Page::Status,
        ["uptime"] => Page::Uptime,
        _ => return None,
    };
    Some(Route {
        page,
        format: Format::Json,
        api: true,
        path: format!("/api/v1/{}", parts.into_iter().map(escape).collect::<Vec<_>>().join("/")),
    })
}

/// A name in a path. Providers known by host only carry a colon and a port.
fn slug(text: &str) -> Option<String> {
    (!text.is_empty() && text.len() <= 200).then(|| text.to_owned())
}

const KEPT: &percent_encoding::AsciiSet = &percent_encoding::NON_ALPHANUMERIC
    .remove(b'.')
    .remove(b'_')
    .remove(b':')
    .remove(b'-')
    .remove(b'~')
    .remove(b'@');

/// A name as one path segment.
fn encode(text: &str) -> String {
    escape(&text.to_lowercase())
}

/// Text as it may stand in a path or a query.
pub(super) fn escape(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, KEPT).to_string()
}

/// `author/slug`: the slash stays.
fn encode_id(id: &str) -> String {
    id.split('/').map(encode).collect::<Vec<_>>().join("/")
}
