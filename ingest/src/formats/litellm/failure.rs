//! What went wrong, from `error_information`: first whose fault it was, then the class.

use super::guardrail::INTERVENED;
use super::last_segment;
use super::payload::Payload;
use crate::normalise::outcome::{self, Settled};

/// How a failed or abandoned call ended, and the status if one was stated.
pub(super) struct Ended {
    pub settled: Settled,
    pub http_status: Option<i16>,
    /// An error was named, and nothing told its class.
    pub is_unknown: bool,
}

/// None when the call went well.
pub(super) fn of(payload: &Payload<'_>) -> Option<Ended> {
    let code = payload.error.code.as_deref();
    let http_status = code.and_then(|code| code.parse().ok()).filter(|status| (100..=599).contains(status));
    if code == Some("499") {
        // The caller hung up; `status` says success all the same.
        let settled = outcome::of_class("client_disconnect");
        return Some(Ended { settled, http_status, is_unknown: false });
    }
    let succeeded = match payload.status.as_deref() {
        Some(status) => status == "success",
        None => code.is_none() && payload.error.class.is_none(),
    };
    if succeeded {
        return None;
    }
    // A failure without `api_base` never left the gateway, whatever provider the record names.
    let (class, is_unknown) = if is_guardrail(payload) {
        ("guardrail", false)
    } else if payload.api_base.is_none() {
        (gateway_class(payload, http_status), false)
    } else {
        match provider_class(payload, http_status) {
            Some(class) => (class, false),
            None => ("server_error", payload.error.class.is_some() || payload.error.normalized.is_some()),
        }
    };
    Some(Ended { settled: outcome::of_class(class), http_status, is_unknown })
}

/// The gateway's own refusal of a prompt or of an answer, with whatever code and after whatever call.
fn is_guardrail(payload: &Payload<'_>) -> bool {
    payload.error.class.as_deref().map(last_segment) == Some("GuardrailRaisedException")
        || payload.guardrails.intervened_after_call
}

fn gateway_class(payload: &Payload<'_>, http_status: Option<i16>) -> &'static str {
    let error = &payload.error;
    if let Some(class) = error.normalized.as_deref().and_then(gateway_by_normalized) {
        return class;
    }
    let class = error.class.as_deref().map(last_segment);
    if class == Some("ProxyModelNotFoundError") || http_status == Some(404) {
        return "unknown_model";
    }
    // Whom a guardrail stops has been let in before.
    if payload.guardrail_status.as_deref() == Some(INTERVENED) && http_status != Some(429) {
        return "guardrail";
    }
    if matches!(http_status, Some(401 | 403)) || error.has_no_database {
        return "gateway_auth";
    }
    if http_status == Some(429) || class == Some("BudgetExceededError") {
        return "budget";
    }
    "gateway_internal"
}

/// None: neither code nor name tells.
fn provider_class(payload: &Payload<'_>, http_status: Option<i16>) -> Option<&'static str> {
    let error = &payload.error;
    if let Some(normalized) = error.normalized.as_deref() {
        let own_limit = error.rate_limit_category.as_deref().is_some_and(|text| text.starts_with("litellm_"));
        if normalized == "429_RATE_LIMIT_EXCEEDED" && own_limit {
            return Some("budget");
        }
        if let Some(class) = gateway_by_normalized(normalized).or_else(|| provider_by_normalized(normalized))
        {
            return Some(class);
        }
    }
    let named = error.class.as_deref().and_then(by_exception);
    let by_status = http_status.and_then(|status| outcome::by_status(status, None).error_class);
    // A named class tells more than the bare status it came with.
    match (named, by_status) {
        (
            Some(class @ ("context_length" | "content_policy" | "unsupported" | "budget" | "unknown_model")),
            _,
        ) => Some(class),
        (_, Some(class)) => Some(class),
        (named, None) => named,
    }
}

fn gateway_by_normalized(normalized: &str) -> Option<&'static str> {
    match normalized {
        "429_BUDGET_EXCEEDED" => Some("budget"),
        "429_NO_HEALTHY_DEPLOYMENTS"
        | "500_ROUTER_NO_FALLBACK"
        | "500_ROUTER_FALLBACK_FAILURE"
        | "500_INTERNAL_STATE_ERROR" => Some("gateway_internal"),
        _ => None,
    }
}

fn provider_by_normalized(normalized: &str) -> Option<&'static str> {
    Some(match normalized {
        "400_MISSING_REQUIRED_PARAMETER" | "400_INVALID_PARAMETER_VALUE" | "400_INVALID_REQUEST" => {
            "bad_request"
        }
        "400_CONTEXT_WINDOW_EXCEEDED" => "context_length",
        "400_CONTENT_POLICY_VIOLATION" => "content_policy",
        "401_AUTHENTICATION_FAILED" => "auth",
        "404_RESOURCE_NOT_FOUND" => "not_found",
        "403_MODEL_ACCESS_DENIED" | "403_PERMISSION_DENIED" => "geo",
        "408_UPSTREAM_TIMEOUT" => "timeout",
        "429_RATE_LIMIT_EXCEEDED" => "rate_limit",
        "500_PROVIDER_CONNECTION_ERROR" => "connection",
        "500_PROVIDER_INTERNAL_ERROR" => "server_error",
        "500_UNSUPPORTED_OPERATION" => "unsupported",
        "503_PROVIDER_OVERLOADED" => "overloaded",
        // 500_UPSTREAM_PASSTHROUGH, UNCLASSIFIED and names of later versions: by code, then by class.
        _ => return None,
    })
}

/// By the name of the exception; a numeric name counts as a status.
fn by_exception(class: &str) -> Option<&'static str> {
    let name = last_segment(class);
    Some(match name {
        "RateLimitError" => "rate_limit",
        "AuthenticationError" => "auth",
        "PermissionDeniedError" => "geo",
        "NotFoundError" => "not_found",
        "BadRequestError" | "UnprocessableEntityError" | "ConflictError" => "bad_request",
        "ContextWindowExceededError" => "context_length",
        "ContentPolicyViolationError" => "content_policy",
        "UnsupportedParamsError" => "unsupported",
        "Timeout" | "APITimeoutError" => "timeout",
        "APIConnectionError" => "connection",
        "InternalServerError" | "BadGatewayError" | "APIError" => "server_error",
        "ServiceUnavailableError" => "overloaded",
        "BudgetExceededError" => "budget",
        "ProxyModelNotFoundError" => "unknown_model",
        "ProxyException" => "gateway_internal",
        _ => return name.parse().ok().and_then(|status| outcome::by_status(status, None).error_class),
    })
}
