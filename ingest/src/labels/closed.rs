//! The closed lists of languages, topics, tasks and label sources.

use crate::event::Str;

pub(super) const UNDETERMINED: &str = "und";
pub(super) const UNCLASSIFIED: &str = "unclassified";
const OTHER: &str = "other";

/// ISO 639-1 codes that are told apart; the rest is `other`.
const LANGUAGES: [&str; 62] = [
    "ar", "am", "az", "bg", "bn", "bs", "ca", "cs", "da", "de", "el", "en", "es", "et", "eu", "fa", "fi",
    "fr", "gl", "gu", "he", "hi", "hr", "hu", "hy", "id", "is", "it", "ja", "ka", "kk", "km", "kn", "ko",
    "lo", "lt", "lv", "ml", "mr", "ms", "my", "nb", "ne", "nl", "pa", "pl", "pt", "ro", "ru", "si", "sk",
    "sl", "sr", "sv", "sw", "ta", "te", "th", "tl", "tr", "uk", "vi",
];
const MORE_LANGUAGES: [&str; 3] = ["ur", "uz", "zh"];

/// Old and national codes of the same languages.
const LANGUAGE_SYNONYMS: [(&str, &str); 6] =
    [("no", "nb"), ("nn", "nb"), ("iw", "he"), ("in", "id"), ("fil", "tl"), ("cmn", "zh")];

/// `cat/v1`.
const TOPICS: [&str; 14] = [
    "programming",
    "roleplay",
    "marketing",
    "marketing/seo",
    "technology",
    "science",
    "translation",
    "legal",
    "finance",
    "health",
    "trivia",
    "academia",
    OTHER,
    UNCLASSIFIED,
];

/// `task/v1`: tags that routers send.
const TASKS: [&str; 31] = [
    "code:generation",
    "code:debugging",
    "code:review",
    "code:refactoring",
    "code:explanation",
    "code:testing",
    "code:sql",
    "code:devops",
    "code:other",
    "agent:web",
    "agent:tools",
    "agent:computer_use",
    "agent:workflow",
    "agent:other",
    "general:qa",
    "general:writing",
    "general:summarization",
    "general:brainstorming",
    "general:chat",
    "general:other",
    "data:extraction",
    "data:analysis",
    "data:classification",
    "data:transformation",
    "data:other",
    "translation",
    "roleplay_fiction",
    "finance_trading",
    "legal",
    "health",
    "education",
];

/// A language tag (`ja`, `pt-BR`, `zh_Hans`) by its first subtag.
pub(super) fn language(tag: &str) -> &'static str {
    let first = tag.split(['-', '_']).next().unwrap_or(tag);
    let is = |known: &str| known.eq_ignore_ascii_case(first);
    if first.eq_ignore_ascii_case(UNDETERMINED) {
        return UNDETERMINED;
    }
    let listed = LANGUAGES.iter().chain(&MORE_LANGUAGES).copied().find(|known| is(known));
    let synonym = || LANGUAGE_SYNONYMS.iter().find(|(old, _)| is(old)).map(|(_, new)| *new);
    listed.or_else(synonym).unwrap_or(OTHER)
}

pub(super) fn topic(value: &str) -> &'static str {
    TOPICS.iter().copied().find(|known| known.eq_ignore_ascii_case(value)).unwrap_or(OTHER)
}

/// The topic that a task tag stands for.
pub(super) fn topic_of_task(task: &str) -> &'static str {
    match task {
        "translation" => "translation",
        "roleplay_fiction" => "roleplay",
        "finance_trading" => "finance",
        "legal" => "legal",
        "health" => "health",
        code if code == "code" || code.starts_with("code:") => "programming",
        _ => OTHER,
    }
}

/// A task tag of the list; an unknown tag of a known family is that family's `other`.
pub(super) fn task(tag: &str) -> Option<&'static str> {
    let listed = TASKS.iter().copied().find(|known| *known == tag);
    let family = match tag.split(':').next().unwrap_or(tag) {
        "code" => Some("code:other"),
        "agent" => Some("agent:other"),
        "general" => Some("general:other"),
        "data" => Some("data:other"),
        _ => None,
    };
    listed.or(family)
}

/// A label's source: router, path, fence, `model:<id>` or `rule:<version>`; anything else came from a router.
pub(super) fn source(text: &str) -> Str<'static> {
    for known in [super::ROUTER, super::PATH, super::FENCE, super::RULE, super::WHICHLANG] {
        if known == text {
            return Str::Borrowed(known);
        }
    }
    let id = text.strip_prefix("model:").or_else(|| text.strip_prefix("rule:"));
    let is_id = |id: &&str| {
        (1..=24).contains(&id.len())
            && id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'.' || b == b'-')
    };
    match id.filter(is_id) {
        Some(_) => Str::Owned(text.to_owned()),
        None => Str::Borrowed(super::ROUTER),
    }
}
