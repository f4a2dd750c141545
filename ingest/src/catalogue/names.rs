//! Spellings of model names: prefixes, regions, dates and versions that clouds add to one model's name.

use super::STANDARD;

/// First segments that name a provider or a cloud, never an author.
const PROVIDER_PREFIXES: [&str; 44] = [
    "openai",
    "azure",
    "azure_ai",
    "azure_text",
    "vertex_ai",
    "vertex_ai_beta",
    "gemini",
    "palm",
    "bedrock",
    "converse",
    "invoke",
    "sagemaker",
    "anthropic",
    "anthropic_text",
    "mistral",
    "codestral",
    "cohere",
    "cohere_chat",
    "groq",
    "together_ai",
    "together",
    "fireworks_ai",
    "fireworks",
    "deepinfra",
    "openrouter",
    "perplexity",
    "xai",
    "deepseek",
    "cerebras",
    "sambanova",
    "nebius",
    "novita",
    "hyperbolic",
    "replicate",
    "huggingface",
    "ollama",
    "ollama_chat",
    "hosted_vllm",
    "openai_like",
    "nvidia_nim",
    "databricks",
    "watsonx",
    "moonshot",
    "zai",
];

/// Regions in front of a name at Bedrock.
const REGIONS: [&str; 9] = ["us.", "us-gov.", "eu.", "apac.", "ap.", "global.", "jp.", "au.", "ca."];

/// Authors as Bedrock spells them in front of a dot.
const BEDROCK_AUTHORS: [(&str, &str); 14] = [
    ("ai21.", "ai21"),
    ("amazon.", "amazon"),
    ("anthropic.", "anthropic"),
    ("cohere.", "cohere"),
    ("deepseek.", "deepseek"),
    ("google.", "google"),
    ("meta.", "meta-llama"),
    ("minimax.", "minimax"),
    ("mistral.", "mistralai"),
    ("moonshot.", "moonshotai"),
    ("nvidia.", "nvidia"),
    ("openai.", "openai"),
    ("qwen.", "qwen"),
    ("writer.", "writer"),
];

/// A normalised name; the author where the spelling named one.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Name {
    author: Option<String>,
    slug: String,
}

impl Name {
    pub fn author(&self) -> Option<&str> {
        self.author.as_deref()
    }

    pub fn slug(&self) -> &str {
        &self.slug
    }
}

/// Lower case, without provider, cloud path, region, date and version. `is_provider` tells further first
/// segments that name who serves.
pub(super) fn normalise(raw: &str, is_provider: impl Fn(&str) -> bool) -> Name {
    let lower = raw.trim().to_ascii_lowercase();
    let mut segments: Vec<&str> = lower.split('/').filter(|segment| !segment.is_empty()).collect();
    let mut author = None;
    while segments.len() > 1
        && segments.first().is_some_and(|first| PROVIDER_PREFIXES.contains(first) || is_provider(first))
    {
        // Such a prefix may be an author's name too, but a model of any family may stand behind it.
        segments.remove(0);
    }
    // `accounts/<account>/models/<name>` (Fireworks), `publishers/<author>/models/<name>` (Vertex).
    let last = segments.pop().unwrap_or_default();
    if let [.., "accounts" | "publishers", _, "models"] = segments.as_slice() {
        author = None;
    } else if let Some(named) = segments.last() {
        author = Some((*named).to_owned());
    }
    let mut slug = last;
    for region in REGIONS {
        if let Some(rest) = slug.strip_prefix(region).filter(|rest| rest.contains('.')) {
            slug = rest;
            break;
        }
    }
    for (prefix, named) in BEDROCK_AUTHORS {
        if let Some(rest) = slug.strip_prefix(prefix) {
            (slug, author) = (rest, Some(named.to_owned()));
            break;
        }
    }
    Name { author, slug: without_date(without_version(slug)).to_owned() }
}

/// `-v1:0`, `-v2`, `:0` as Bedrock adds them.
fn without_version(slug: &str) -> &str {
    let slug = match slug.rsplit_once(':') {
        Some((name, number)) if !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()) => name,
        _ => return slug,
    };
    match slug.rsplit_once("-v") {
        Some((name, number)) if !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()) => name,
        _ => slug,
    }
}

/// `@20250514`, `@default`, `-2024-07-18`, `-20250514`.
fn without_date(slug: &str) -> &str {
    let slug = slug.split_once('@').map_or(slug, |(name, _)| name);
    let bytes = slug.as_bytes();
    let is_date = |from: usize, pattern: &[u8]| {
        bytes.get(from..).is_some_and(|end| {
            end.len() == pattern.len()
                && end.iter().zip(pattern).all(|(b, p)| if *p == b'0' { b.is_ascii_digit() } else { b == p })
        })
    };
    for pattern in [&b"-0000-00-00"[..], b"-00000000"] {
        let Some(from) = slug.len().checked_sub(pattern.len()).filter(|from| *from > 0) else { continue };
        // Every year of a language model starts with 20.
        if is_date(from, pattern) && slug.get(from + 1..from + 3) == Some("20") {
            return slug.get(..from).unwrap_or(slug);
        }
    }
    slug
}

/// `author/slug:free` → (`author/slug`, `free`). Elsewhere a suffix is a version or a size.
pub(super) fn split_variant(raw: &str) -> (&str, &str) {
    match raw.rsplit_once(':') {
        Some((slug, variant)) if slug.contains('/') && is_variant(variant) => (slug, variant),
        _ => (raw, STANDARD),
    }
}

fn is_variant(text: &str) -> bool {
    (1..=24).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_lowercase() || b == b'-')
}

/// Spellings that differ only in case and punctuation are one name: `claude-sonnet-4.5`, `Claude Sonnet 4-5`.
/// Between digits the punctuation stays, or `llama-3.1-1b` would be `llama-3-11b`.
pub(super) fn fold(name: &str) -> String {
    let mut folded = String::with_capacity(name.len());
    let mut is_pending = false;
    for c in name.chars().flat_map(char::to_lowercase) {
        if matches!(c, '.' | '-' | '_' | ' ') {
            is_pending = true;
            continue;
        }
        if is_pending && c.is_ascii_digit() && folded.ends_with(|last: char| last.is_ascii_digit()) {
            folded.push('-');
        }
        is_pending = false;
        folded.push(c);
    }
    folded
}
