//! The closed lists of outcomes and error classes, and how a status becomes one of them.

/// Outcomes and, for each, the class that stands for it when nothing more is known.
const OUTCOMES: [(&str, Option<&str>); 6] = [
    ("ok", None),
    ("fault", Some("server_error")),
    ("rate_limited", Some("rate_limit")),
    ("client_error", Some("bad_request")),
    ("cancelled", Some("client_disconnect")),
    ("gateway_error", Some("gateway_internal")),
];

/// Error classes and the outcome that each belongs to.
const CLASSES: [(&str, &str); 22] = [
    ("auth", "fault"),
    ("payment", "fault"),
    ("not_found", "fault"),
    ("timeout", "fault"),
    ("connection", "fault"),
    ("overloaded", "fault"),
    ("server_error", "fault"),
    ("stream_error", "fault"),
    ("error_finish", "fault"),
    ("rate_limit", "rate_limited"),
    ("bad_request", "client_error"),
    ("context_length", "client_error"),
    ("content_policy", "client_error"),
    ("too_large", "client_error"),
    ("geo", "client_error"),
    ("unsupported", "client_error"),
    ("client_disconnect", "cancelled"),
    ("gateway_auth", "gateway_error"),
    ("unknown_model", "gateway_error"),
    ("budget", "gateway_error"),
    ("guardrail", "gateway_error"),
    ("gateway_internal", "gateway_error"),
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Settled {
    pub outcome: &'static str,
    pub error_class: Option<&'static str>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Error {
    #[error("outcome is none of ok, fault, rate_limited, client_error, cancelled, gateway_error")]
    UnknownOutcome,
    #[error("error_class is not in the closed list (auth, payment, not_found, timeout, …)")]
    UnknownClass,
    #[error("error_class `{class}` belongs to outcome `{belongs}`, not to `{outcome}`")]
    Mismatch { class: &'static str, belongs: &'static str, outcome: &'static str },
}

pub(crate) fn outcomes() -> impl Iterator<Item = &'static str> {
    OUTCOMES.iter().map(|(name, _)| *name)
}

pub(crate) fn classes() -> impl Iterator<Item = &'static str> {
    CLASSES.iter().map(|(name, _)| *name)
}

/// Given outcome and class win over the status. With neither, the status and the finish reason decide; a call
/// of which nothing is said counts as ok.
pub(crate) fn settle(
    outcome: Option<&str>,
    class: Option<&str>,
    http_status: Option<i16>,
    finish_reason: Option<&str>,
) -> Result<Settled, Error> {
    let outcome = outcome.map(|text| find_outcome(text).ok_or(Error::UnknownOutcome)).transpose()?;
    let class = class.map(|text| find_class(text).ok_or(Error::UnknownClass)).transpose()?;
    let by_status = || match http_status {
        Some(status) => by_status(status, finish_reason),
        None => by_status(200, finish_reason),
    };
    match (outcome, class) {
        (None, None) => Ok(by_status()),
        (None, Some((class, belongs))) => Ok(Settled { outcome: belongs, error_class: Some(class) }),
        (Some((outcome, _)), Some((class, belongs))) if belongs != outcome => {
            Err(Error::Mismatch { class, belongs, outcome })
        }
        (Some((outcome, _)), Some((class, _))) => Ok(Settled { outcome, error_class: Some(class) }),
        (Some((outcome, default)), None) => {
            let derived = by_status();
            let error_class = if derived.outcome == outcome { derived.error_class } else { default };
            Ok(Settled { outcome, error_class })
        }
    }
}

/// Outcome and class as a source wrote them, led to their lists: words outside of them count as not given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Led {
    pub outcome: Option<&'static str>,
    pub error_class: Option<&'static str>,
    pub unknown_words: u32,
}

/// Where an unknown word was all that told how the call ended, it is a server error: a failure that nobody can
/// name. A status of 2xx does not speak against an error class.
pub(crate) fn lead(outcome: Option<&str>, class: Option<&str>, status: Option<i16>) -> Result<Led, Error> {
    let known_outcome = outcome.and_then(find_outcome).map(|(name, _)| name);
    let known_class = class.and_then(find_class).map(|(name, _)| name);
    settle(known_outcome, known_class, None, None)?;
    let is_unknown_outcome = outcome.is_some() && known_outcome.is_none();
    let is_unknown_class = class.is_some() && known_class.is_none();
    let unknown_words = u32::from(is_unknown_outcome) + u32::from(is_unknown_class);
    let is_told = match status {
        Some(200..=299) => !is_unknown_class,
        Some(_) => true,
        None => false,
    };
    if unknown_words > 0 && known_outcome.is_none() && known_class.is_none() && !is_told {
        let Settled { outcome, error_class } = of_class("server_error");
        return Ok(Led { outcome: Some(outcome), error_class, unknown_words });
    }
    Ok(Led { outcome: known_outcome, error_class: known_class, unknown_words })
}

/// A status that a provider answered; 0 means that none came.
pub(crate) fn by_status(status: i16, finish_reason: Option<&str>) -> Settled {
    let class = match status {
        0 => "connection",
        200..=299 if finish_reason == Some("error") => "error_finish",
        200..=299 => return Settled { outcome: "ok", error_class: None },
        401 => "auth",
        402 => "payment",
        404 => "not_found",
        408 | 504 => "timeout",
        503 | 529 => "overloaded",
        400 | 409 | 422 => "bad_request",
        403 => "geo",
        413 => "too_large",
        429 => "rate_limit",
        499 => "client_disconnect",
        _ => "server_error",
    };
    of_class(class)
}

/// The class of a failure that the gateway itself answered with.
pub(crate) fn gateway_class(status: Option<i16>) -> &'static str {
    match status {
        Some(401 | 403) => "gateway_auth",
        Some(404) => "unknown_model",
        Some(402 | 429) => "budget",
        _ => "gateway_internal",
    }
}

/// The outcome of a class of this file.
pub(crate) fn of_class(class: &'static str) -> Settled {
    let outcome = find_class(class).map_or("fault", |(_, outcome)| outcome);
    Settled { outcome, error_class: Some(class) }
}

/// Whether a provider's own finish reason is a short plain word, and not some other text.
pub(crate) fn is_word(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b':' | b'/'))
}

/// A finish reason in any provider's spelling as one of stop, length, tool_calls, content_filter, error.
pub(crate) fn finish_reason(raw: &str) -> Option<&'static str> {
    Some(match raw {
        "stop" => "stop",
        "length" => "length",
        "tool_calls" => "tool_calls",
        "content_filter" => "content_filter",
        "error" => "error",
        other => match other.to_ascii_lowercase().as_str() {
            "stop" | "end_turn" | "stop_sequence" | "eos" | "eos_token" | "complete" | "completed"
            | "finish" | "finished" | "pause_turn" | "done" => "stop",
            "length"
            | "max_tokens"
            | "max_output_tokens"
            | "model_length"
            | "token_limit"
            | "model_context_window_exceeded"
            | "incomplete" => "length",
            "tool_calls" | "tool_call" | "tool_use" | "function_call" | "function_calls" => "tool_calls",
            "content_filter"
            | "content_filtered"
            | "safety"
            | "image_safety"
            | "refusal"
            | "recitation"
            | "blocklist"
            | "prohibited_content"
            | "spii"
            | "sensitive"
            | "guardrail_intervened"
            | "guardrail"
            | "language" => "content_filter",
            "error"
            | "failed"
            | "malformed_function_call"
            | "unexpected_tool_call"
            | "network_error"
            | "insufficient_system_resource" => "error",
            _ => return None,
        },
    })
}

/// Stands for operations outside of the closed list.
pub(crate) const OTHER_OPERATION: &str = "other";

/// An operation in any source's spelling as one of the closed list.
pub(crate) fn operation(raw: &str) -> &'static str {
    let lower;
    let raw = if raw.bytes().any(|b| b.is_ascii_uppercase()) {
        lower = raw.to_ascii_lowercase();
        lower.as_str()
    } else {
        raw
    };
    match raw {
        "chat" | "completion" | "acompletion" | "generate_content" | "agenerate_content" | "responses"
        | "aresponses" | "anthropic_messages" => "chat",
        "text_completion" | "atext_completion" => "text_completion",
        "embeddings" | "embedding" | "aembedding" => "embeddings",
        "image" | "image_generation" | "aimage_generation" | "image_edit" | "aimage_edit" => "image",
        "rerank" | "arerank" => "rerank",
        "speech" | "aspeech" => "speech",
        "transcription" | "atranscription" => "transcription",
        "moderation" | "amoderation" => "moderation",
        _ => OTHER_OPERATION,
    }
}

/// True for the name of an operation in some source's spelling.
pub(crate) fn is_operation(raw: &str) -> bool {
    operation(raw) != OTHER_OPERATION || raw.eq_ignore_ascii_case(OTHER_OPERATION)
}

fn find_outcome(text: &str) -> Option<(&'static str, Option<&'static str>)> {
    OUTCOMES.iter().find(|(name, _)| *name == text).copied()
}

fn find_class(text: &str) -> Option<(&'static str, &'static str)> {
    CLASSES.iter().find(|(name, _)| *name == text).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_follow_the_table() {
        for (status, outcome, class) in [
            (200, "ok", None),
            (204, "ok", None),
            (401, "fault", Some("auth")),
            (402, "fault", Some("payment")),
            (404, "fault", Some("not_found")),
            (408, "fault", Some("timeout")),
            (504, "fault", Some("timeout")),
            (503, "fault", Some("overloaded")),
            (529, "fault", Some("overloaded")),
            (500, "fault", Some("server_error")),
            (502, "fault", Some("server_error")),
            (400, "client_error", Some("bad_request")),
            (409, "client_error", Some("bad_request")),
            (422, "client_error", Some("bad_request")),
            (403, "client_error", Some("geo")),
            (413, "client_error", Some("too_large")),
            (429, "rate_limited", Some("rate_limit")),
            (499, "cancelled", Some("client_disconnect")),
            (0, "fault", Some("connection")),
        ] {
            let settled = settle(None, None, Some(status), Some("stop")).unwrap();
            assert_eq!((settled.outcome, settled.error_class), (outcome, class), "{status}");
        }
    }

    #[test]
    fn given_values_win_over_the_status() {
        let named = settle(None, Some("context_length"), Some(400), None).unwrap();
        assert_eq!((named.outcome, named.error_class), ("client_error", Some("context_length")));
        let bare = settle(Some("fault"), None, Some(504), None).unwrap();
        assert_eq!((bare.outcome, bare.error_class), ("fault", Some("timeout")));
        let default = settle(Some("fault"), None, Some(200), None).unwrap();
        assert_eq!((default.outcome, default.error_class), ("fault", Some("server_error")));
        let finish = settle(None, None, Some(200), Some("error")).unwrap();
        assert_eq!((finish.outcome, finish.error_class), ("fault", Some("error_finish")));
        assert!(matches!(settle(Some("ok"), Some("timeout"), None, None), Err(Error::Mismatch { .. })));
        assert_eq!(settle(Some("fine"), None, None, None), Err(Error::UnknownOutcome));
        assert_eq!(settle(None, Some("oops"), None, None), Err(Error::UnknownClass));
    }

    #[test]
    fn unknown_words_give_way_to_what_else_is_told() {
        let led = |outcome, class, status| {
            let led = lead(outcome, class, status).unwrap();
            (led.outcome, led.error_class, led.unknown_words)
        };
        let unnamed = |words| (Some("fault"), Some("server_error"), words);
        assert_eq!(led(None, None, None), (None, None, 0));
        assert_eq!(led(Some("ok"), None, None), (Some("ok"), None, 0));
        assert_eq!(led(None, Some("quota"), None), unnamed(1));
        assert_eq!(led(Some("lost"), None, None), unnamed(1));
        assert_eq!(led(Some("lost"), Some("quota"), Some(200)), unnamed(2));
        assert_eq!(led(None, Some("quota"), Some(204)), unnamed(1));
        // The status tells.
        assert_eq!(led(None, Some("quota"), Some(429)), (None, None, 1));
        assert_eq!(led(None, Some("quota"), Some(0)), (None, None, 1));
        assert_eq!(led(Some("success"), None, Some(200)), (None, None, 1));
        // The other word tells.
        assert_eq!(led(Some("failed"), Some("timeout"), None), (None, Some("timeout"), 1));
        assert_eq!(led(Some("rate_limited"), Some("quota"), None), (Some("rate_limited"), None, 1));
        assert!(matches!(lead(Some("ok"), Some("timeout"), None), Err(Error::Mismatch { .. })));
    }

    #[test]
    fn every_class_belongs_to_an_outcome() {
        for (class, outcome) in CLASSES {
            assert!(find_outcome(outcome).is_some(), "{class}");
        }
        for (outcome, class) in OUTCOMES {
            assert!(class.is_none_or(|class| find_class(class) == Some((class, outcome))), "{outcome}");
        }
    }
}
