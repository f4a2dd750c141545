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

/// A rule with a leading dot matches every name below it, one without a port every port.
pub(super) fn matches(host: &str, rule: &str) -> bool {
    let host = if without_port(rule) == rule { without_port(host) } else { host };
    if rule.starts_with('.') {
        let Some(start) = host.len().checked_sub(rule.len()).filter(|start| *start > 0) else { return false };
        host.get(start..).is_some_and(|end| end.eq_ignore_ascii_case(rule))
    } else {
        host.eq_ignore_ascii_case(rule)
    }
}

fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        // The groups of a bare IPv6 address end like a port.
        Some((name, port))
            if !port.is_empty()
                && port.bytes().all(|b| b.is_ascii_digit())
                && (name.ends_with(']') || !name.contains(':')) =>
        {
            name
        }
        _ => host,
    }
}

#[cfg(test)]
mod tests {
    use super::{matches, well_known};

    #[test]
    fn a_rule_without_a_port_matches_every_port_and_one_with_a_port_only_that() {
        for (host, rule, is_match) in [
            ("llm.example", "llm.example", true),
            ("LLM.example:8443", "llm.example", true),
            ("a.llm.example:8443", ".llm.example", true),
            ("llm.example:8443", "llm.example:8443", true),
            ("llm.example:8444", "llm.example:8443", false),
            ("llm.example", "llm.example:8443", false),
            ("llm.example:", "llm.example", false),
            ("[::1]:8080", "[::1]", true),
            ("fe80::1:8080", "fe80::1", false),
            ("other.example:8443", "llm.example", false),
        ] {
            assert_eq!(matches(host, rule), is_match, "{host} by {rule}");
        }
        assert_eq!(well_known("api.openai.com:443"), Some("openai"));
    }
}
