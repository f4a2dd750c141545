//! What stands around a model's slug in a raw name: providers, clouds, regions, accounts and authors.

use super::explain::{Step, Steps};
use super::hosts;
use super::spellings::Spellings;

/// Segments in front of a slug that name no author: kinds of calls, regions, offers, qualities of pictures.
const PASSED: [&str; 31] = [
    "models",
    "responses",
    "chat",
    "converse",
    "converse_like",
    "invoke",
    "@cf",
    "@hf",
    "@oi",
    "pro",
    "ps",
    "tee",
    "claude_platform",
    "stealth",
    "public",
    "ranking",
    "us",
    "us-gov",
    "eu",
    "apac",
    "ap",
    "global",
    "jp",
    "au",
    "ca",
    "uk",
    "global-standard",
    "datazone",
    "data-zone",
    "*",
    "hd",
];
/// Who hands out what others have trained, converted or quantised and under its own name, and trains nothing.
const REPACKERS: [&str; 5] = ["unsloth", "thebloke", "bartowski", "lmstudio-community", "mlx-community"];
const QUALITIES: [&str; 4] = ["standard", "low", "medium", "high"];

/// Regions in front of a name at Bedrock.
const REGIONS: [&str; 12] =
    ["us.", "us-gov.", "eu.", "apac.", "ap.", "global.", "jp.", "au.", "ca.", "uk.", "in.", "sa."];

/// Hosts' own marks in front of a slug, behind which a model of any author may stand.
const MARKS: [&str; 8] =
    ["databricks-", "fw-", "zai-", "system.ai.", "cerebras-", "groq-", "alibaba-", "azure-"];

#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Parsed {
    /// Slug of the author that stands in front.
    pub author: Option<String>,
    /// Whether that name may as well say who serves.
    pub is_host: bool,
    /// Lower case, without a region.
    pub slug: String,
    /// The first provider that the name names.
    pub provider: Option<String>,
}

/// None: somebody's own name, behind which nothing is looked for.
pub(super) fn parse(raw: &str, spellings: &Spellings, steps: &mut Steps) -> Option<Parsed> {
    let lower = raw.trim().to_ascii_lowercase();
    if let Some(rest) = lower.strip_prefix("ft:") {
        let base = rest.split(':').next().unwrap_or_default();
        steps.note(|| Step::FineTuned { base: base.to_owned() });
        return None;
    }
    let mut segments: Vec<&str> = lower.split('/').filter(|segment| !segment.is_empty()).collect();
    let slug = segments.pop()?;
    let mut parsed = Parsed::default();
    let account = match segments.as_slice() {
        [.., "accounts", _, "models" | "routers"] => true,
        [.., "publishers", author, "models"] => {
            parsed.author = spellings.author(author).map(str::to_owned);
            true
        }
        // Clarifai's, where an author has apps.
        [.., author, _, "models"] => {
            parsed.author = spellings.author(author).map(str::to_owned);
            parsed.author.is_some()
        }
        _ => false,
    };
    if account {
        steps.note(|| Step::Passed { segment: segments[segments.len() - 3..].join("/") });
        segments.truncate(segments.len() - 3);
    }
    let last = segments.len();
    for (at, segment) in segments.into_iter().enumerate() {
        let name = segment.trim_start_matches('~');
        let name = name.strip_prefix("hf:").unwrap_or(name);
        let provider = spellings.provider(name);
        let is_passed = provider.is_some() || is_passed(name);
        if let Some(author) = spellings.author(name).filter(|_| at + 1 == last) {
            steps.note(|| Step::Author {
                segment: segment.to_owned(),
                author: author.to_owned(),
                is_host: is_passed,
            });
            (parsed.author, parsed.is_host) = (Some(author.to_owned()), is_passed);
        } else if !is_passed {
            steps.note(|| Step::Stranger { segment: segment.to_owned() });
            return None;
        } else {
            steps.note(|| Step::Passed { segment: segment.to_owned() });
        }
        if parsed.provider.is_none() && !hosts::is_dialect(name) {
            parsed.provider = provider.map(str::to_owned);
        }
    }
    parsed.slug = without_region(slug, steps).to_owned();
    Some(parsed)
}

fn without_region<'a>(slug: &'a str, steps: &mut Steps) -> &'a str {
    let region =
        REGIONS.iter().find(|region| slug.strip_prefix(**region).is_some_and(|rest| rest.contains('.')));
    let Some(region) = region else { return slug };
    steps.note(|| Step::Passed { segment: (*region).to_owned() });
    slug.strip_prefix(region).unwrap_or(slug)
}

/// Without a host's mark in front, where there is one.
pub(super) fn unmarked(slug: &str) -> Option<&str> {
    MARKS.iter().find_map(|mark| slug.strip_prefix(mark)).filter(|rest| !rest.is_empty())
}

fn is_passed(segment: &str) -> bool {
    PASSED.contains(&segment)
        || REPACKERS.contains(&segment)
        || QUALITIES.contains(&segment)
        || hosts::is_dialect(segment)
        || segment.starts_with("arn:")
        || is_region(segment)
        || is_count(segment)
}

/// `us-east-1`, `us-gov-west-1`.
fn is_region(segment: &str) -> bool {
    let words: Vec<&str> = segment.split('-').collect();
    let is_word = |word: &str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase());
    match words.as_slice() {
        [country, place, number] | [country, "gov", place, number] => {
            country.len() == 2 && is_word(country) && is_word(place) && is_number(number)
        }
        _ => false,
    }
}

/// `1-month-commitment`, `1024-x-1024`, `50-steps`.
fn is_count(segment: &str) -> bool {
    let is_size = |text: &str| text == "max" || is_number(text);
    segment.strip_suffix("-month-commitment").is_some_and(is_number)
        || segment.strip_suffix("-steps").is_some_and(is_size)
        || segment.split_once("-x-").is_some_and(|(width, height)| is_size(width) && is_size(height))
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

/// `author/slug:free` → (`author/slug`, `free`). Elsewhere a suffix is a version or a size.
pub(super) fn split_variant(raw: &str) -> (&str, Option<&str>) {
    match raw.rsplit_once(':') {
        Some((slug, variant)) if slug.contains('/') && is_variant(variant) => (slug, Some(variant)),
        _ => (raw, None),
    }
}

pub(super) const THINKING: &str = "thinking";
const VARIANTS: [&str; 4] = ["free", THINKING, "web", "discounted"];

/// `slug:thinking`, `slug:thinking:low`, `slug-thinking:8192` → (`slug`, `thinking`), with or without an author, for words that say how a model is
/// asked or paid for.
pub(super) fn split_known_variant(raw: &str) -> Option<(&str, &str)> {
    let (slug, suffixes) = raw.split_once(':')?;
    // A budget of tokens for it.
    if let Some(slug) = slug.strip_suffix("-thinking").filter(|_| is_number(suffixes)) {
        return Some((slug, THINKING));
    }
    let variant = suffixes.split(':').next()?;
    let is_effort = |text: &str| matches!(text, "low" | "medium" | "high" | "max");
    let is_known = VARIANTS.contains(&variant) && suffixes.split(':').skip(1).all(is_effort);
    is_known.then_some((slug, variant))
}

fn is_variant(text: &str) -> bool {
    (1..=24).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_lowercase() || b == b'-')
}
