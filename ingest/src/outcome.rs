//! How a status, and what sources say in their own words, become outcomes, error classes and finish reasons.

use bellwether_warehouse::tables::attempts::{ErrorClass, FinishReason, Outcome};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Settled {
    pub outcome: Outcome,
    pub error_class: Option<ErrorClass>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Error {
    #[error("outcome is none of ok, fault, rate_limited, client_error, cancelled, gateway_error")]
    UnknownOutcome,
    #[error("error_class is not in the closed list (auth, payment, not_found, timeout, …)")]
    UnknownClass,
    #[error("error_class `{class}` belongs to outcome `{belongs}`, not to `{outcome}`")]
    Mismatch { class: ErrorClass, belongs: Outcome, outcome: Outcome },
}

/// Given outcome and class win over the status. With neither, the status and the finish reason decide; a call
/// of which nothing is said counts as ok.
pub(crate) fn settle(
    outcome: Option<&str>,
    class: Option<&str>,
    http_status: Option<i16>,
    finish_reason: Option<FinishReason>,
) -> Result<Settled, Error> {
    let outcome = outcome.map(|word| Outcome::parse(word).ok_or(Error::UnknownOutcome)).transpose()?;
    let class = class.map(|word| ErrorClass::parse(word).ok_or(Error::UnknownClass)).transpose()?;
    let by_status = || match http_status {
        Some(status) => by_status(status, finish_reason),
        None => by_status(200, finish_reason),
    };
    match (outcome, class) {
        (None, None) => Ok(by_status()),
        (None, Some(class)) => Ok(of_class(class)),
        (Some(outcome), Some(class)) if class.outcome() != outcome => {
            Err(Error::Mismatch { class, belongs: class.outcome(), outcome })
        }
        (Some(outcome), Some(class)) => Ok(Settled { outcome, error_class: Some(class) }),
        (Some(outcome), None) => {
            let derived = by_status();
            let is_same = derived.outcome == outcome;
            let error_class = if is_same { derived.error_class } else { outcome.usual_class() };
            Ok(Settled { outcome, error_class })
        }
    }
}

/// Outcome and class as a source wrote them, led to their lists: words outside of them count as not given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Led {
    pub outcome: Option<Outcome>,
    pub error_class: Option<ErrorClass>,
    pub unknown_words: u32,
}

/// Where an unknown word was all that told how the call ended, it is a server error: a failure that nobody can
/// name. A status of 2xx does not speak against an error class.
pub(crate) fn lead(outcome: Option<&str>, class: Option<&str>, status: Option<i16>) -> Result<Led, Error> {
    let known_outcome = outcome.and_then(Outcome::parse);
    let known_class = class.and_then(ErrorClass::parse);
    if let (Some(outcome), Some(class)) = (known_outcome, known_class)
        && class.outcome() != outcome
    {
        return Err(Error::Mismatch { class, belongs: class.outcome(), outcome });
    }
    let is_unknown_outcome = outcome.is_some() && known_outcome.is_none();
    let is_unknown_class = class.is_some() && known_class.is_none();
    let unknown_words = u32::from(is_unknown_outcome) + u32::from(is_unknown_class);
    let is_told = match status {
        Some(200..=299) => !is_unknown_class,
        Some(_) => true,
        None => false,
    };
    if unknown_words > 0 && known_outcome.is_none() && known_class.is_none() && !is_told {
        let Settled { outcome, error_class } = of_class(ErrorClass::ServerError);
        return Ok(Led { outcome: Some(outcome), error_class, unknown_words });
    }
    Ok(Led { outcome: known_outcome, error_class: known_class, unknown_words })
}

/// A status that a provider answered; 0 means that none came.
pub(crate) fn by_status(status: i16, finish_reason: Option<FinishReason>) -> Settled {
    of_class(match status {
        0 => ErrorClass::Connection,
        200..=299 if finish_reason == Some(FinishReason::Error) => ErrorClass::ErrorFinish,
        200..=299 => return Settled { outcome: Outcome::Ok, error_class: None },
        401 => ErrorClass::Auth,
        402 => ErrorClass::Payment,
        404 => ErrorClass::NotFound,
        408 | 504 => ErrorClass::Timeout,
        503 | 529 => ErrorClass::Overloaded,
        400 | 409 | 422 => ErrorClass::BadRequest,
        403 => ErrorClass::Geo,
        413 => ErrorClass::TooLarge,
        429 => ErrorClass::RateLimit,
        499 => ErrorClass::ClientDisconnect,
        _ => ErrorClass::ServerError,
    })
}

/// The class of a failure that the gateway itself answered with.
pub(crate) fn gateway_class(status: Option<i16>) -> ErrorClass {
    match status {
        Some(401 | 403) => ErrorClass::GatewayAuth,
        Some(404) => ErrorClass::UnknownModel,
        Some(402 | 429) => ErrorClass::Budget,
        _ => ErrorClass::GatewayInternal,
    }
}

/// Of a request that reached no provider: it failed in the gateway, or its caller gave up before.
pub(crate) fn of_gateway(class: ErrorClass) -> Result<Settled, Error> {
    match class.outcome() {
        Outcome::Cancelled | Outcome::GatewayError => Ok(of_class(class)),
        belongs => Err(Error::Mismatch { class, belongs, outcome: Outcome::GatewayError }),
    }
}

pub(crate) fn of_class(class: ErrorClass) -> Settled {
    Settled { outcome: class.outcome(), error_class: Some(class) }
}

/// Whether a provider's own finish reason is a short plain word, and not some other text.
pub(crate) fn is_word(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b':' | b'/'))
}

/// A finish reason in any provider's spelling.
pub(crate) fn finish_reason(raw: &str) -> Option<FinishReason> {
    FinishReason::parse(raw).or_else(|| {
        Some(match raw.to_ascii_lowercase().as_str() {
            "stop" | "end_turn" | "stop_sequence" | "eos" | "eos_token" | "complete" | "completed"
            | "finish" | "finished" | "pause_turn" | "done" => FinishReason::Stop,
            "length"
            | "max_tokens"
            | "max_output_tokens"
            | "model_length"
            | "token_limit"
            | "model_context_window_exceeded"
            | "incomplete" => FinishReason::Length,
            "tool_calls" | "tool_call" | "tool_use" | "function_call" | "function_calls" => {
                FinishReason::ToolCalls
            }
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
            | "language" => FinishReason::ContentFilter,
            "error"
            | "failed"
            | "malformed_function_call"
            | "unexpected_tool_call"
            | "network_error"
            | "insufficient_system_resource" => FinishReason::Error,
            _ => return None,
        })
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

#[cfg(test)]
mod tests {
    use super::*;

    fn words(settled: Settled) -> (&'static str, Option<&'static str>) {
        (settled.outcome.as_str(), settled.error_class.map(ErrorClass::as_str))
    }

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
            let settled = settle(None, None, Some(status), Some(FinishReason::Stop)).unwrap();
            assert_eq!(words(settled), (outcome, class), "{status}");
        }
    }

    #[test]
    fn given_values_win_over_the_status() {
        let named = settle(None, Some("context_length"), Some(400), None).unwrap();
        assert_eq!(words(named), ("client_error", Some("context_length")));
        let bare = settle(Some("fault"), None, Some(504), None).unwrap();
        assert_eq!(words(bare), ("fault", Some("timeout")));
        let default = settle(Some("fault"), None, Some(200), None).unwrap();
        assert_eq!(words(default), ("fault", Some("server_error")));
        let finish = settle(None, None, Some(200), Some(FinishReason::Error)).unwrap();
        assert_eq!(words(finish), ("fault", Some("error_finish")));
        assert!(matches!(settle(Some("ok"), Some("timeout"), None, None), Err(Error::Mismatch { .. })));
        assert_eq!(settle(Some("fine"), None, None, None), Err(Error::UnknownOutcome));
        assert_eq!(settle(None, Some("oops"), None, None), Err(Error::UnknownClass));
    }

    #[test]
    fn unknown_words_give_way_to_what_else_is_told() {
        let led = |outcome, class, status| {
            let led = lead(outcome, class, status).unwrap();
            (led.outcome.map(Outcome::as_str), led.error_class.map(ErrorClass::as_str), led.unknown_words)
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
}
