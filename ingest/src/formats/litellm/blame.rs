//! Names the field of a payload that was refused.

use serde_json::Value;

use crate::formats::measure::{Cost, Items, Measure, MillisAsMicros, Tokens};
use crate::formats::scalar::{
    Flag, Id, Instant, LongText, MAX_TEXT_BYTES, Problem, Text, check, check_id, check_plain, read,
};
use crate::reject::Reason;

type Check = fn(&Value) -> Result<(), Problem>;

fn text(value: &Value) -> Result<(), Problem> {
    check::<Text<'_>>(value)
}

fn long_text(value: &Value) -> Result<(), Problem> {
    check::<LongText<'_>>(value)
}

/// Every typed member, in the order of reading.
const FIELDS: &[(&[&str], Check)] = &[
    (&["litellm_call_id"], check_id),
    (&["id"], check_id),
    (&["session_id"], check_id),
    (&["startTime"], check_plain::<Instant>),
    (&["endTime"], check_plain::<Instant>),
    (&["completionStartTime"], check_plain::<Instant>),
    (&["stream"], check_plain::<Flag>),
    (&["call_type"], text),
    (&["model_group"], text),
    (&["model"], text),
    (&["custom_llm_provider"], text),
    (&["model_id"], check_id),
    (&["prompt_tokens"], check_plain::<Measure<Tokens>>),
    (&["completion_tokens"], check_plain::<Measure<Tokens>>),
    (&["response_cost"], check_plain::<Measure<Cost>>),
    (&["cache_hit"], check_plain::<Flag>),
    (&["status"], long_text),
    (&["api_base"], long_text),
    (&["end_user"], check_id),
    (&["metadata", "user_api_key_hash"], check_id),
    (&["metadata", "user_api_key_org_id"], check_id),
    (&["metadata", "user_api_key_user_id"], check_id),
    (&["metadata", "user_api_key_end_user_id"], check_id),
    (&["metadata", "usage_object", "cache_read_input_tokens"], check_plain::<Measure<Tokens>>),
    (&["metadata", "usage_object", "cache_creation_input_tokens"], check_plain::<Measure<Tokens>>),
    (&["metadata", "usage_object", "prompt_tokens_details", "cached_tokens"], check_plain::<Measure<Tokens>>),
    (
        &["metadata", "usage_object", "prompt_tokens_details", "cache_write_tokens"],
        check_plain::<Measure<Tokens>>,
    ),
    (
        &["metadata", "usage_object", "prompt_tokens_details", "cache_creation_tokens"],
        check_plain::<Measure<Tokens>>,
    ),
    (
        &["metadata", "usage_object", "completion_tokens_details", "reasoning_tokens"],
        check_plain::<Measure<Tokens>>,
    ),
    (&["metadata", "usage_object", "prompt_tokens_details", "audio_tokens"], check_plain::<Measure<Tokens>>),
    (
        &["metadata", "usage_object", "prompt_tokens_details", "web_search_requests"],
        check_plain::<Measure<Items>>,
    ),
    (&["metadata", "usage_object", "server_tool_use", "web_search_requests"], check_plain::<Measure<Items>>),
    (&["cost_breakdown", "input_cost"], check_plain::<Measure<Cost>>),
    (&["cost_breakdown", "output_cost"], check_plain::<Measure<Cost>>),
    (&["error_information", "error_code"], check_id),
    (&["error_information", "error_class"], long_text),
    (&["error_information", "normalized_error"], long_text),
    (&["error_information", "error_rate_limit_category"], long_text),
    (&["model_parameters", "stream"], check_plain::<Flag>),
    (&["hidden_params", "litellm_overhead_time_ms"], check_plain::<Measure<MillisAsMicros>>),
];

/// The first problem of a payload and the path of the member that has it.
pub(super) fn find(record: &Value) -> Option<(Reason, String)> {
    if !record.is_object() {
        return Some((Reason::WrongType, "record: expected an object".to_owned()));
    }
    for (path, check) in FIELDS {
        let value = path.iter().try_fold(record, |value, name| value.get(name));
        if let Some(Err(problem)) = value.map(check) {
            // Events are told apart by their start.
            let reason = if *path == ["startTime"] { Reason::MissingIdentity } else { problem.reason };
            return Some((reason, format!("{}: {}", path.join("."), problem.text)));
        }
    }
    for (name, reason) in [
        ("litellm_call_id", Reason::MissingField),
        ("startTime", Reason::MissingIdentity),
        ("id", Reason::MissingField),
    ] {
        let value = record.get(name);
        if value.is_none_or(|value| value.is_null() || value.as_str() == Some("")) {
            return Some((reason, format!("{name}: required")));
        }
    }
    too_long(record)
}

/// Texts for rows that callers write, so that their types are not checked.
fn too_long(record: &Value) -> Option<(Reason, String)> {
    let is_long = |value: &Value| value.as_str().is_some_and(|text| text.len() > MAX_TEXT_BYTES);
    let tags = record.get("request_tags").and_then(Value::as_array).into_iter().flatten();
    let finish_reasons = [
        ("/response/choices/0/finish_reason", "response.choices[0].finish_reason"),
        ("/response/stop_reason", "response.stop_reason"),
        ("/response/status", "response.status"),
        ("/response/incomplete_details/reason", "response.incomplete_details.reason"),
    ];
    let long_reason = finish_reasons.iter().find(|(at, _)| record.pointer(at).is_some_and(is_long));
    let long_path = if let Some((_, path)) = long_reason {
        (*path).to_owned()
    } else if record.pointer("/metadata/requester_metadata/session_id").is_some_and(is_long) {
        "metadata.requester_metadata.session_id".to_owned()
    } else if record.get("request_tags").is_some_and(is_long) {
        "request_tags".to_owned()
    } else if let Some(index) = tags.into_iter().position(is_long) {
        format!("request_tags[{index}]")
    } else {
        let id = |name| record.get(name).and_then(|id| read::<Id<'_>>(id).ok()?.0).unwrap_or_default();
        let start = record.get("startTime").and_then(|start| read::<Instant>(start).ok()?.0);
        let event_id = super::event_id(&id("litellm_call_id"), &id("id"), start.unwrap_or_default());
        return (event_id.len() > MAX_TEXT_BYTES).then(|| {
            (Reason::InvalidValue, format!("id: {} together with litellm_call_id", Problem::too_long()))
        });
    };
    Some((Reason::InvalidValue, format!("{long_path}: {}", Problem::too_long())))
}

/// True for the name of a member that is read.
pub(super) fn names(name: &str) -> bool {
    FIELDS.iter().any(|(path, _)| path.contains(&name))
}
