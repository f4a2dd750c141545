//! Which names of members say something of a format and nothing of its sender: only these are shown of malformed
//! JSON, and only numbers that stand where a format has a number are shown of a refused record.

use super::{litellm, native};

/// Members of `messages` and of answers, and containers that are walked apart.
const WALKED: [&str; 24] = [
    "arguments",
    "choices",
    "content",
    "error_message",
    "finish_reason",
    "function",
    "guardrail_information",
    "guardrail_mode",
    "guardrail_status",
    "image_url",
    "incomplete_details",
    "input",
    "message",
    "messages",
    "output",
    "reason",
    "request_tags",
    "requester_metadata",
    "response",
    "role",
    "status_fields",
    "stop_reason",
    "text",
    "type",
];

/// Members that hold an instant, a duration, a status, a count or money.
const NUMERIC: [&str; 45] = [
    "absurd_values",
    "attempt",
    "bad_diagnostics",
    "billed_output_tokens",
    "cache_creation_input_tokens",
    "cache_creation_tokens",
    "cache_read_input_tokens",
    "cache_write_tokens",
    "cached_input_tokens",
    "cached_tokens",
    "completionStartTime",
    "completion_tokens",
    "cost_usd",
    "duration_ms",
    "endTime",
    "http_status",
    "input_audio",
    "input_cost",
    "input_cost_usd",
    "input_images",
    "input_tokens",
    "input_video",
    "litellm_overhead_time_ms",
    "moderation_ms",
    "output_cost",
    "output_cost_usd",
    "output_images",
    "output_tokens",
    "overhead_us",
    "prompt_tokens",
    "reasoning_tokens",
    "response_cost",
    "response_time",
    "saved_cache_cost",
    "startTime",
    "started_at",
    "tool_call_errors",
    "tool_calls",
    "tools_offered",
    "total_tokens",
    "ttft_ms",
    "unknown_fields",
    "unknown_words",
    "upstream_cost_usd",
    "web_searches",
];

/// Objects, or arrays of them, whose members are those of a format; texts and callers' own data stand elsewhere.
const CONTAINERS: [&str; 7] = [
    "attempts",
    "completion_tokens_details",
    "cost_breakdown",
    "hidden_params",
    "metadata",
    "prompt_tokens_details",
    "usage_object",
];

pub(super) fn is_known(name: &str) -> bool {
    WALKED.contains(&name) || CONTAINERS.contains(&name) || native::knows(name) || litellm::knows(name)
}

pub(super) fn is_numeric(name: &str) -> bool {
    NUMERIC.contains(&name)
}

pub(super) fn is_container(name: &str) -> bool {
    CONTAINERS.contains(&name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_is_what_the_formats_know() {
        for name in NUMERIC {
            assert!(native::knows(name) || litellm::knows(name), "{name}");
        }
        for name in ["request_id", "user_key", "nl_src", "plugins", "litellm_call_id", "error_str", "role"] {
            assert!(is_known(name) && !is_numeric(name), "{name}");
        }
        for name in ["", "hunter2secret", "Content"] {
            assert!(!is_known(name), "{name}");
        }
    }
}
