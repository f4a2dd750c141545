//! What went wrong, from `error_information`: first whose fault it was, then the class.

use bellwether_warehouse::tables::attempts::ErrorClass;

use super::guardrail::INTERVENED;
use super::last_segment;
use super::payload::Payload;
use crate::outcome::{self, Settled};

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
        let settled = outcome::of_class(ErrorClass::ClientDisconnect);
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
        (ErrorClass::Guardrail, false)
    } else if payload.api_base.is_none() {
        (gateway_class(payload, http_status), false)
    } else {
        match provider_class(payload, http_status) {
            Some(class) => (class, false),
            None => {
                (ErrorClass::ServerError, payload.error.class.is_some() || payload.error.normalized.is_some())
            }
        }
    };
    Some(Ended { settled: outcome::of_class(class), http_status, is_unknown })
}

/// The gateway's own refusal of a prompt or of an answer, with whatever code and after whatever call.
fn is_guardrail(payload: &Payload<'_>) -> bool {
    payload.error.class.as_deref().map(last_segment) == Some("GuardrailRaisedException")
        || payload.guardrails.intervened_after_call
}

fn gateway_class(payload: &Payload<'_>, http_status: Option<i16>) -> ErrorClass {
    let error = &payload.error;
    if let Some(class) = error.normalized.as_deref().and_then(gateway_by_normalized) {
        return class;
    }
    let class = error.class.as_deref().map(last_segment);
    if class == Some("ProxyModelNotFoundError") || http_status == Some(404) {
        return ErrorClass::UnknownModel;
    }
    // Whom a guardrail stops has been let in before.
    if payload.guardrail_status.as_deref() == Some(INTERVENED) && http_status != Some(429) {
        return ErrorClass::Guardrail;
    }
    if matches!(http_status, Some(401 | 403)) || error.has_no_database {
        return ErrorClass::GatewayAuth;
    }
    if http_status == Some(429) || class == Some("BudgetExceededError") {
        return ErrorClass::Budget;
    }
    ErrorClass::GatewayInternal
}

/// None: neither code nor name tells.
fn provider_class(payload: &Payload<'_>, http_status: Option<i16>) -> Option<ErrorClass> {
    let error = &payload.error;
    if let Some(normalized) = error.normalized.as_deref() {
        let own_limit = error.rate_limit_category.as_deref().is_some_and(|text| text.starts_with("litellm_"));
        if normalized == "429_RATE_LIMIT_EXCEEDED" && own_limit {
            return Some(ErrorClass::Budget);
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
            Some(
                class @ (ErrorClass::ContextLength
                | ErrorClass::ContentPolicy
                | ErrorClass::Unsupported
                | ErrorClass::Budget
                | ErrorClass::UnknownModel),
            ),
            _,
        ) => Some(class),
        (_, Some(class)) => Some(class),
        (named, None) => named,
    }
}

fn gateway_by_normalized(normalized: &str) -> Option<ErrorClass> {
    match normalized {
        "429_BUDGET_EXCEEDED" => Some(ErrorClass::Budget),
        "429_NO_HEALTHY_DEPLOYMENTS"
        | "500_ROUTER_NO_FALLBACK"
        | "500_ROUTER_FALLBACK_FAILURE"
        | "500_INTERNAL_STATE_ERROR" => Some(ErrorClass::GatewayInternal),
        _ => None,
    }
}

fn provider_by_normalized(normalized: &str) -> Option<ErrorClass> {
    Some(match normalized {
        "400_MISSING_REQUIRED_PARAMETER" | "400_INVALID_PARAMETER_VALUE" | "400_INVALID_REQUEST" => {
            ErrorClass::BadRequest
        }
        "400_CONTEXT_WINDOW_EXCEEDED" => ErrorClass::ContextLength,
        "400_CONTENT_POLICY_VIOLATION" => ErrorClass::ContentPolicy,
        "401_AUTHENTICATION_FAILED" => ErrorClass::Auth,
        "404_RESOURCE_NOT_FOUND" => ErrorClass::NotFound,
        "403_MODEL_ACCESS_DENIED" | "403_PERMISSION_DENIED" => ErrorClass::Geo,
        "408_UPSTREAM_TIMEOUT" => ErrorClass::Timeout,
        "429_RATE_LIMIT_EXCEEDED" => ErrorClass::RateLimit,
        "500_PROVIDER_CONNECTION_ERROR" => ErrorClass::Connection,
        "500_PROVIDER_INTERNAL_ERROR" => ErrorClass::ServerError,
        "500_UNSUPPORTED_OPERATION" => ErrorClass::Unsupported,
        "503_PROVIDER_OVERLOADED" => ErrorClass::Overloaded,
        // 500_UPSTREAM_PASSTHROUGH, UNCLASSIFIED and names of later versions: by code, then by class.
        _ => return None,
    })
}

/// By the name of the exception; a numeric name counts as a status.
fn by_exception(class: &str) -> Option<ErrorClass> {
    let name = last_segment(class);
    Some(match name {
        "RateLimitError" => ErrorClass::RateLimit,
        "AuthenticationError" => ErrorClass::Auth,
        "PermissionDeniedError" => ErrorClass::Geo,
        "NotFoundError" => ErrorClass::NotFound,
        "BadRequestError" | "UnprocessableEntityError" | "ConflictError" => ErrorClass::BadRequest,
        "ContextWindowExceededError" => ErrorClass::ContextLength,
        "ContentPolicyViolationError" => ErrorClass::ContentPolicy,
        "UnsupportedParamsError" => ErrorClass::Unsupported,
        "Timeout" | "APITimeoutError" => ErrorClass::Timeout,
        "APIConnectionError" => ErrorClass::Connection,
        "InternalServerError" | "BadGatewayError" | "APIError" => ErrorClass::ServerError,
        "ServiceUnavailableError" => ErrorClass::Overloaded,
        "BudgetExceededError" => ErrorClass::Budget,
        "ProxyModelNotFoundError" => ErrorClass::UnknownModel,
        "ProxyException" => ErrorClass::GatewayInternal,
        _ => return name.parse().ok().and_then(|status| outcome::by_status(status, None).error_class),
    })
}
