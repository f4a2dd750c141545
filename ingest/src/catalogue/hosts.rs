//! Providers that are only a dialect, and hosts that tell who really served.

/// Provider names that say which API was spoken, not who answered.
const DIALECTS: [&str; 14] = [
    "openai",
    "openai_like",
    "openai-like",
    "openai_compatible",
    "openai-compatible",
    "openai-chat-completions",
    "custom_openai",
    "text-completion-openai",
    "hosted_vllm",
    "vllm",
    "llamafile",
    "lm_studio",
    "litellm_proxy",
    "custom",
];

pub(super) fn is_dialect(provider: &str) -> bool {
    DIALECTS.iter().any(|dialect| dialect.eq_ignore_ascii_case(provider))
}

/// Hosts that need no catalogue: OpenAI's own and Azure's.
pub(super) fn well_known(host: &str) -> Option<&'static str> {
    if matches(host, "api.openai.com") || matches(host, ".api.openai.com") {
        return Some("openai");
    }
    let azure = [
        ".openai.azure.com",
        ".cognitiveservices.azure.com",
        ".services.ai.azure.com",
        ".inference.ai.azure.com",
    ];
    azure.iter().any(|rule| matches(host, rule)).then_some("azure")
}

pub(super) fn is_among(host: &str, rules: &[String]) -> bool {
    rules.iter().any(|rule| matches(host, rule))
}

/// A rule with a leading dot matches every name below it.
fn matches(host: &str, rule: &str) -> bool {
    if rule.starts_with('.') {
        let Some(start) = host.len().checked_sub(rule.len()).filter(|start| *start > 0) else { return false };
        host.get(start..).is_some_and(|end| end.eq_ignore_ascii_case(rule))
    } else {
        host.eq_ignore_ascii_case(rule)
    }
}
