//! Answers in the shapes of other APIs than chat completions.

use serde_json::{Value, json};

use super::variants::{Case, check, ended};

#[test]
fn answers_of_every_shape_tell_how_they_ended_and_what_they_call() {
    let success = "04-success-nonstream-fake-upstream.json";
    let cases: Vec<Case> = vec![
        (
            "Anthropic's message that asks for tools",
            success,
            vec![(
                "/response",
                json!({"type": "message", "role": "assistant", "stop_reason": "tool_use", "content": [
                    {"type": "thinking", "thinking": "hm"}, {"type": "text", "text": "Let me look."},
                    {"type": "tool_use", "id": "a", "name": "Read", "input": {"file_path": "src/a.rs", "limit": 5}},
                    {"type": "server_tool_use", "id": "b", "name": "web_search", "input": {}},
                    {"type": "tool_use", "id": "c", "name": "Bash", "input": {"command": "ls"}}]}),
            )],
            vec![("tool_calls", json!(2)), ("finish_reason", json!("tool_calls")), ("outcome", json!("ok"))],
        ),
        (
            "Anthropic's message that refuses",
            success,
            vec![("/response", json!({"content": [], "stop_reason": "refusal"}))],
            vec![("tool_calls", json!(0)), ("finish_reason", json!("content_filter"))],
        ),
        (
            "a response that asks for tools",
            success,
            vec![(
                "/response",
                json!({"object": "response", "status": "completed", "incomplete_details": null, "output": [
                    {"type": "reasoning", "summary": []}, {"type": "web_search_call", "status": "completed"},
                    {"type": "function_call", "name": "read", "arguments": "{\"path\":\"a.py\"}"},
                    {"type": "custom_tool_call", "name": "sh", "input": "ls"}]}),
            )],
            vec![("tool_calls", json!(2)), ("finish_reason", json!("tool_calls"))],
        ),
        (
            "a response with a text",
            success,
            vec![(
                "/response",
                json!({"status": "completed", "output": [
                    {"type": "message", "content": [{"type": "output_text", "text": "Hello."}]}]}),
            )],
            vec![("tool_calls", json!(0)), ("finish_reason", json!("stop"))],
        ),
        (
            "a response that was cut short",
            success,
            vec![(
                "/response",
                json!({"incomplete_details": {"reason": "max_output_tokens"}, "output": [], "status": "incomplete"}),
            )],
            vec![("tool_calls", json!(0)), ("finish_reason", json!("length"))],
        ),
        (
            "a response that failed",
            success,
            vec![("/response", json!({"status": "failed", "output": []}))],
            [ended("fault", "error_finish"), vec![("finish_reason", json!("error"))]].concat(),
        ),
        (
            "a response without its texts",
            success,
            vec![(
                "/response",
                json!({"status": "completed", "output": [
                    {"type": "message", "content": [{"type": "output_text", "text": "redacted-by-litellm"}]}]}),
            )],
            vec![("tool_calls", Value::Null), ("finish_reason", json!("stop"))],
        ),
        (
            "a finish reason that is no word",
            success,
            vec![("/response/choices/0/finish_reason", json!("because the user said so"))],
            vec![("finish_reason", Value::Null), ("native_finish_reason", Value::Null)],
        ),
        (
            "a finish reason of the provider's own",
            success,
            vec![("/response/choices/0/finish_reason", json!("MAX_TOKENS"))],
            vec![("finish_reason", json!("length")), ("native_finish_reason", json!("MAX_TOKENS"))],
        ),
    ];
    check(cases);
}
