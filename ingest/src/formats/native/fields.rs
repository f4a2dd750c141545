//! Every member of the native event v1 and how its value is checked. The decoder in `read` knows the same
//! names; a test holds both against the published schema.

use serde_json::Value;

use crate::formats::measure::{Cost, Items, Measure, Micros, Millis, Tokens};
use crate::formats::scalar::{
    Count, Country, Flag, FromScalar, Instant, KeyedHash, Problem, Scalar, Status, Text, check, check_id,
    check_plain,
};

/// A member and the check of its value; containers are walked apart.
pub(super) struct Field {
    pub name: &'static str,
    pub check: fn(&Value) -> Result<(), Problem>,
}

const fn field(name: &'static str, check: fn(&Value) -> Result<(), Problem>) -> Field {
    Field { name, check }
}

fn text(value: &Value) -> Result<(), Problem> {
    check::<Text<'_>>(value)
}

fn nested(_: &Value) -> Result<(), Problem> {
    Ok(())
}

pub(super) const EVENT: &[Field] = &[
    field("request_id", check_id),
    field("started_at", check_plain::<Instant>),
    field("attempts", nested),
    field("source", |value| check::<Source<'_>>(value)),
    field("session_id", check_id),
    field("operation", text),
    field("requested_model", text),
    field("router", text),
    field("streamed", check_plain::<Flag>),
    field("user_id", check_id),
    field("user_key", check_plain::<KeyedHash>),
    field("api_key_id", check_id),
    field("api_key_key", check_plain::<KeyedHash>),
    field("org_id", check_id),
    field("org_key", check_plain::<KeyedHash>),
    field("app_id", check_id),
    field("country", |value| check::<Country<'_>>(value)),
    field("input_images", check_plain::<Measure<Items>>),
    field("input_audio", check_plain::<Measure<Items>>),
    field("input_video", check_plain::<Measure<Items>>),
    field("tools_offered", check_plain::<Measure<Items>>),
    field("plugins", nested),
    field("structured_requested", check_plain::<Flag>),
    field("error_class", text),
    field("http_status", check_plain::<Status>),
    field("labels", nested),
    field("messages", nested),
    field("completion", nested),
    field("tool_paths", nested),
    field("unknown_fields", check_plain::<Count<i32>>),
    field("absurd_values", check_plain::<Count<i32>>),
    field("bad_diagnostics", check_plain::<Count<i32>>),
    field("unknown_words", check_plain::<Count<i32>>),
];

pub(super) const ATTEMPT: &[Field] = &[
    field("event_id", text),
    field("model", text),
    field("provider", text),
    field("host", text),
    field("endpoint_id", check_id),
    field("region", text),
    field("service_tier", text),
    field("is_byok", check_plain::<Flag>),
    field("started_at", check_plain::<Instant>),
    field("duration_ms", check_plain::<Measure<Millis>>),
    field("ttft_ms", check_plain::<Measure<Millis>>),
    field("overhead_us", check_plain::<Measure<Micros>>),
    field("moderation_ms", check_plain::<Measure<Millis>>),
    field("outcome", text),
    field("error_class", text),
    field("http_status", check_plain::<Status>),
    field("finish_reason", text),
    field("native_finish_reason", text),
    field("refused", check_plain::<Flag>),
    field("input_tokens", check_plain::<Measure<Tokens>>),
    field("cached_input_tokens", check_plain::<Measure<Tokens>>),
    field("cache_write_tokens", check_plain::<Measure<Tokens>>),
    field("output_tokens", check_plain::<Measure<Tokens>>),
    field("reasoning_tokens", check_plain::<Measure<Tokens>>),
    field("billed_output_tokens", check_plain::<Measure<Tokens>>),
    field("output_images", check_plain::<Measure<Items>>),
    field("tool_calls", check_plain::<Measure<Items>>),
    field("tool_call_errors", check_plain::<Measure<Items>>),
    field("web_searches", check_plain::<Measure<Items>>),
    field("structured_valid", check_plain::<Flag>),
    field("cost_usd", check_plain::<Measure<Cost>>),
    field("input_cost_usd", check_plain::<Measure<Cost>>),
    field("output_cost_usd", check_plain::<Measure<Cost>>),
    field("upstream_cost_usd", check_plain::<Measure<Cost>>),
    field("gateway_cache_hit", check_plain::<Flag>),
    field("attempt", check_plain::<Count<i16>>),
    field("is_final", check_plain::<Flag>),
];

pub(super) const LABELS: &[Field] = &[
    field("nl", text),
    field("nl_src", text),
    field("code_in", text),
    field("code_in_src", text),
    field("code_out", text),
    field("code_out_src", text),
    field("cat", text),
    field("cat_src", text),
    field("task", text),
];

/// Most attempts of an event.
pub(in crate::formats) const MAX_ATTEMPTS: usize = 256;
/// Most plugins of an event.
pub(in crate::formats) const MAX_PLUGINS: usize = 256;

/// The name of the log that a record came from. Refusals and figures show it, so it is a plain short name.
#[derive(Default)]
pub(super) struct Source<'a>(pub Option<crate::event::Str<'a>>);

impl<'a> FromScalar<'a> for Source<'a> {
    const EXPECTED: &'static str = "text";

    fn from_scalar(scalar: Scalar<'a>) -> Result<Self, Problem> {
        let text = Text::from_scalar(scalar)?.0;
        if text.as_deref().is_none_or(is_source) {
            Ok(Self(text))
        } else {
            Err(Problem::invalid("not of the form [a-z0-9_.-]{1,32}"))
        }
    }
}

pub(in crate::formats) fn is_source(name: &str) -> bool {
    (1..=32).contains(&name.len())
        && name.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'.' | b'-'))
}
