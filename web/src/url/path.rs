//! Paths: how names are written in them, and what is asked for whichever way a path is spelled.

/// How a page is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    Html,
    Json,
    Csv,
}

impl Format {
    /// Those beside the page itself.
    pub const FILES: [Self; 2] = [Self::Json, Self::Csv];

    pub const fn suffix(self) -> &'static str {
        match self {
            Self::Html => "",
            Self::Json => ".json",
            Self::Csv => ".csv",
        }
    }

    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Html => "text/html; charset=utf-8",
            Self::Json => "application/json",
            Self::Csv => "text/csv; charset=utf-8; header=present",
        }
    }
}

/// Where every address of the API begins.
pub const API: &str = "/api/v1/";

/// Longest name in a path, bytes.
pub const MAX_NAME: usize = 200;

/// A path as routes know it: each segment encoded in the one way that [`fill`] has too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asked {
    /// Answered as it is asked: names in their own case, no suffix, no slash at the end.
    Api(String),
    /// Lower case. A suffix belongs to the last name where the page has no such file.
    Site { whole: String, stem: Option<(String, Format)> },
}

/// `None`: no page has such a path. `path` is still percent-encoded.
pub fn asked(path: &str) -> Option<Asked> {
    let decoded = percent_encoding::percent_decode_str(path).decode_utf8().ok()?;
    if decoded.contains("//") || decoded.chars().any(char::is_control) {
        return None;
    }
    let encoded = |path: &str| path.split('/').map(escape).collect::<Vec<_>>().join("/");
    if decoded.starts_with(API) {
        return Some(Asked::Api(encoded(&decoded)));
    }
    let lower = decoded.to_lowercase();
    let trimmed = if lower.len() > 1 { lower.trim_end_matches('/') } else { &lower };
    let stem = Format::FILES
        .into_iter()
        .find_map(|format| trimmed.strip_suffix(format.suffix()).map(|stem| (stem, format)));
    // A suffix without a name before it says nothing.
    if stem.is_some_and(|(stem, _)| stem.ends_with('/')) {
        return None;
    }
    Some(Asked::Site { whole: encoded(trimmed), stem: stem.map(|(stem, format)| (encoded(stem), format)) })
}

/// The names that a pattern such as `/models/{author}/{slug}` asks for, in order.
pub fn names_of(pattern: &'static str) -> impl Iterator<Item = &'static str> {
    pattern.split('/').filter_map(name_of)
}

fn name_of(segment: &'static str) -> Option<&'static str> {
    segment.strip_prefix('{')?.strip_suffix('}')
}

/// The path of a pattern with these names. Names are lower case here, whatever the case of their ids.
pub fn fill(pattern: &'static str, names: &[String]) -> String {
    let mut names = names.iter();
    let written = |name: &String| escape(&name.to_lowercase());
    let mut segments: Vec<String> = pattern
        .split('/')
        .map(|segment| match name_of(segment) {
            Some(_) => names.next().map(written).unwrap_or_default(),
            None => segment.to_owned(),
        })
        .collect();
    // More names than the pattern has lead nowhere, rather than to something else.
    segments.extend(names.map(written));
    segments.join("/")
}

/// Whether a path can hold a name and lead back to it.
pub fn is_sayable(name: &str) -> bool {
    let is_suffix = Format::FILES.iter().any(|format| format.suffix() == name.to_lowercase());
    let is_plain = !name.contains('/') && !name.chars().any(char::is_control);
    !name.is_empty() && name.len() <= MAX_NAME && is_plain && !is_suffix
}

const KEPT: &percent_encoding::AsciiSet = &percent_encoding::NON_ALPHANUMERIC
    .remove(b'.')
    .remove(b'_')
    .remove(b':')
    .remove(b'-')
    .remove(b'~')
    .remove(b'@');

/// Text as it may stand in a path or a query.
pub(super) fn escape(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, KEPT).to_string()
}
