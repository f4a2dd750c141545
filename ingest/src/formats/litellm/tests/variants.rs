//! Records beyond the captured ones: one changed member or a few, and what must follow.

use serde_json::{Value, json};

use super::{changed, columns, event_of, with_ids};

/// Name, fixture, members that are replaced, columns that must follow.
pub(super) type Case = (&'static str, &'static str, Vec<(&'static str, Value)>, Vec<(&'static str, Value)>);

pub(super) fn check(cases: Vec<Case>) {
    with_ids(|ids| {
        for (name, file, changes, wants) in cases {
            let row = columns(&changed(file, &changes), ids);
            for (column, want) in wants {
                assert_eq!(row[column], want, "{name}: {column}");
            }
        }
    });
}

pub(super) fn ended(outcome: &str, class: &str) -> Vec<(&'static str, Value)> {
    vec![("outcome", json!(outcome)), ("error_class", json!(class))]
}

#[test]
fn what_cannot_be_taken_as_it_stands_is_counted() {
    let flaws = |file: &str, changes: &[(&str, Value)]| {
        let flaws = event_of(&changed(file, changes).to_string()).unwrap().flaws;
        (flaws.absurd, flaws.diagnostics, flaws.words)
    };
    let (success, failure) = ("04-success-nonstream-fake-upstream.json", "08-failure-500.json");
    assert_eq!(flaws(success, &[]), (0, 0, 0));
    let overhead = "/hidden_params/litellm_overhead_time_ms";
    assert_eq!(flaws(success, &[(overhead, json!(-0.001))]), (0, 1, 0));
    let details = json!({"cached_tokens": 1_000_000_001});
    let absurd = [
        ("/prompt_tokens", json!(1_000_000_001)),
        ("/response_cost", json!(1e7)),
        ("/metadata/usage_object", json!({"prompt_tokens_details": details})),
        ("/endTime", json!(1_800_000_000)),
    ];
    assert_eq!(flaws(success, &absurd), (4, 0, 0));
    assert_eq!(flaws(success, &[("/call_type", json!("_aget_file"))]), (0, 0, 1));
    let unnamed = json!({"error_code": "", "error_class": "TeapotError"});
    assert_eq!(flaws(failure, &[("/error_information", unnamed)]), (0, 0, 1));
    let by_code = json!({"error_code": "503", "error_class": "TeapotError"});
    assert_eq!(flaws(failure, &[("/error_information", by_code)]), (0, 0, 0));
}

#[test]
fn variants_beyond_the_samples_follow_the_same_rules() {
    let success = "04-success-nonstream-fake-upstream.json";
    let failure = "08-failure-500.json";
    let usage = "/metadata/usage_object";
    let gateway = |class: &str| {
        vec![
            ("outcome", json!("gateway_error")),
            ("error_class", json!(class)),
            ("provider_id", Value::Null),
            ("endpoint_id", Value::Null),
            ("raw_provider", json!("openai")),
        ]
    };
    let cases: Vec<Case> = vec![
        (
            "the caller hung up",
            success,
            vec![("/error_information/error_code", json!("499"))],
            [
                ended("cancelled", "client_disconnect"),
                vec![("http_status", json!(499)), ("cost_usd", json!("0.000025200"))],
            ]
            .concat(),
        ),
        (
            "gateway cache hit",
            success,
            vec![
                ("/cache_hit", json!(true)),
                ("/response_cost", json!(0.0)),
                ("/id", json!("x_cache_hit1795")),
            ],
            vec![
                ("gateway_cache_hit", json!(true)),
                ("cost_usd", json!("0.000000000")),
                ("event_id", json!("litellm:f954d229-811b-44ba-ab77-621fd8aca20c:x_cache_hit1795")),
            ],
        ),
        (
            "Anthropic's cache writes",
            success,
            vec![(usage, json!({"cache_creation_input_tokens": 40, "prompt_tokens_details": null}))],
            vec![
                ("cache_write_tokens", json!(40)),
                ("cached_input_tokens", Value::Null),
                ("input_tokens", json!(120)),
            ],
        ),
        (
            "Anthropic's cache reads outside of the prompt",
            success,
            vec![
                ("/prompt_tokens", json!(10)),
                (
                    usage,
                    json!({"cache_read_input_tokens": 4000, "cache_creation_input_tokens": 0, "prompt_tokens_details": null}),
                ),
            ],
            vec![
                ("cached_input_tokens", json!(4000)),
                ("cache_write_tokens", json!(0)),
                ("input_tokens", json!(4010)),
            ],
        ),
        (
            "cache reads among the details",
            success,
            vec![(
                usage,
                json!({"cache_read_input_tokens": 64, "prompt_tokens_details": {"cached_tokens": 64}}),
            )],
            vec![("cached_input_tokens", json!(64)), ("input_tokens", json!(120))],
        ),
        (
            "overhead below zero",
            success,
            vec![("/hidden_params/litellm_overhead_time_ms", json!(-3.25))],
            vec![("overhead_us", Value::Null), ("outcome", json!("ok"))],
        ),
        (
            "longer than seven days",
            success,
            vec![("/endTime", json!(1_795_964_671.037_912_f64))],
            vec![("duration_ms", json!(604_800_000))],
        ),
        (
            "longer than seven days by a millisecond",
            success,
            vec![("/endTime", json!("1795964671.038912"))],
            vec![("duration_ms", Value::Null), ("outcome", json!("ok"))],
        ),
        (
            "cache writes among the details",
            success,
            vec![(
                usage,
                json!({"prompt_tokens_details": {"cache_creation_tokens": 7, "cached_tokens": 1}, "cache_creation_input_tokens": 9}),
            )],
            vec![("cache_write_tokens", json!(7)), ("cached_input_tokens", json!(1))],
        ),
        (
            "own rate limit of the gateway",
            "03-failure-429-upstream.json",
            vec![("/error_information/error_rate_limit_category", json!("litellm_rate_limit"))],
            gateway("budget"),
        ),
        (
            "budget used up",
            failure,
            vec![("/error_information/normalized_error", json!("429_BUDGET_EXCEEDED"))],
            gateway("budget"),
        ),
        (
            "no healthy deployment",
            failure,
            vec![
                ("/error_information/normalized_error", json!("429_NO_HEALTHY_DEPLOYMENTS")),
                ("/api_base", json!("")),
            ],
            gateway("gateway_internal"),
        ),
        (
            "wrong gateway key",
            failure,
            vec![
                ("/api_base", json!("")),
                (
                    "/error_information",
                    json!({"error_code": "401", "error_class": "ProxyException", "llm_provider": ""}),
                ),
            ],
            [gateway("gateway_auth"), vec![("http_status", json!(401)), ("model_id", json!("openai/e500"))]]
                .concat(),
        ),
        (
            "wrong gateway key without a database",
            failure,
            vec![
                ("/api_base", json!("")),
                (
                    "/error_information",
                    json!({"error_code": "400", "error_class": "", "error_message": "No connected db."}),
                ),
            ],
            gateway("gateway_auth"),
        ),
        (
            "unknown model",
            failure,
            vec![
                ("/api_base", json!("")),
                (
                    "/error_information",
                    json!({"error_code": "400", "error_class": "ProxyModelNotFoundError", "llm_provider": ""}),
                ),
            ],
            [
                gateway("unknown_model"),
                vec![
                    ("model_id", Value::Null),
                    ("variant", Value::Null),
                    ("raw_model", json!("openai/e500")),
                ],
            ]
            .concat(),
        ),
        (
            "guardrail",
            failure,
            vec![
                ("/api_base", json!("")),
                ("/error_information", json!({"error_code": "400", "error_class": "x"})),
                ("/status_fields/guardrail_status", json!("guardrail_intervened")),
            ],
            gateway("guardrail"),
        ),
        (
            "a guardrail's exception after the call began",
            failure,
            vec![(
                "/error_information",
                json!({"error_code": "500", "error_class": "GuardrailRaisedException"}),
            )],
            gateway("guardrail"),
        ),
        (
            "a guardrail's exception before any call, with the code of a wrong key",
            failure,
            vec![
                ("/api_base", json!("")),
                (
                    "/error_information",
                    json!({"error_code": "403", "error_class": "litellm.exceptions.GuardrailRaisedException"}),
                ),
            ],
            [gateway("guardrail"), vec![("http_status", json!(403))]].concat(),
        ),
        (
            "a guardrail that stopped the prompt with the code of a wrong key",
            failure,
            vec![
                ("/api_base", json!("")),
                ("/error_information", json!({"error_code": "403", "error_class": "HTTPException"})),
                ("/status_fields/guardrail_status", json!("guardrail_intervened")),
            ],
            gateway("guardrail"),
        ),
        (
            "a guardrail after a good answer",
            failure,
            vec![
                ("/error_information", json!({"error_code": "400", "error_class": "HTTPException"})),
                (
                    "/guardrail_information",
                    json!([
                        {"guardrail_mode": "pre_call", "guardrail_status": "success"},
                        {"guardrail_mode": ["post_call"], "guardrail_status": "guardrail_intervened"}
                    ]),
                ),
            ],
            gateway("guardrail"),
        ),
        (
            "masked before the call, then the provider failed",
            failure,
            vec![
                ("/status_fields/guardrail_status", json!("guardrail_intervened")),
                (
                    "/guardrail_information",
                    json!([
                        {"guardrail_mode": "pre_call", "guardrail_status": "guardrail_intervened"},
                        {"guardrail_mode": ["pre_call", "post_call"], "guardrail_status": "guardrail_intervened"},
                        {"guardrail_mode": "post_call", "guardrail_status": "success"}
                    ]),
                ),
            ],
            [
                ended("fault", "server_error"),
                vec![("http_status", json!(500)), ("provider_id", json!("host:127.0.0.1:18081"))],
            ]
            .concat(),
        ),
        (
            "answered, and a guardrail masked the answer",
            success,
            vec![(
                "/guardrail_information",
                json!({"guardrail_mode": "post_call", "guardrail_status": "guardrail_intervened"}),
            )],
            vec![("outcome", json!("ok"))],
        ),
        (
            "no error information",
            failure,
            vec![("/error_information", Value::Null)],
            [ended("fault", "server_error"), vec![("http_status", Value::Null)]].concat(),
        ),
        (
            "unclassified, by code",
            failure,
            vec![(
                "/error_information",
                json!({"error_code": "503", "error_class": "X", "normalized_error": "UNCLASSIFIED"}),
            )],
            ended("fault", "overloaded"),
        ),
        (
            "unclassified, by exception",
            failure,
            vec![(
                "/error_information",
                json!({"error_code": "", "error_class": "litellm.exceptions.APIConnectionError"}),
            )],
            [ended("fault", "connection"), vec![("http_status", Value::Null)]].concat(),
        ),
        (
            "named class beats the code",
            failure,
            vec![(
                "/error_information",
                json!({"error_code": "400", "error_class": "ContextWindowExceededError"}),
            )],
            ended("client_error", "context_length"),
        ),
        (
            "context too long",
            failure,
            vec![("/error_information/normalized_error", json!("400_CONTEXT_WINDOW_EXCEEDED"))],
            ended("client_error", "context_length"),
        ),
        (
            "unsupported operation",
            failure,
            vec![("/error_information/normalized_error", json!("500_UNSUPPORTED_OPERATION"))],
            ended("client_error", "unsupported"),
        ),
        (
            "finished with an error",
            success,
            vec![("/response/choices/0/finish_reason", json!("error"))],
            [ended("fault", "error_finish"), vec![("finish_reason", json!("error"))]].concat(),
        ),
        (
            "tool calls and images",
            success,
            vec![
                (
                    "/response/choices/0/message/tool_calls",
                    json!([{"function": {"name": "f", "arguments": "{\"path\":\"a.rs\"}"}}, {"id": 2}]),
                ),
                ("/response/choices/0/finish_reason", json!("tool_use")),
                (
                    "/messages",
                    json!([{"role": "user", "content": [
                    {"type": "text", "text": "see"}, {"type": "image_url", "image_url": {}}, {"type": "input_image"}, {"type": "image"}]}]),
                ),
            ],
            vec![
                ("tool_calls", json!(2)),
                ("input_images", json!(3)),
                ("finish_reason", json!("tool_calls")),
            ],
        ),
        (
            "redacted texts",
            success,
            vec![
                ("/messages", json!([{"role": "user", "content": "redacted-by-litellm"}])),
                ("/response", json!({"text": "redacted-by-litellm"})),
            ],
            vec![("input_images", Value::Null), ("tool_calls", Value::Null), ("outcome", json!("ok"))],
        ),
        (
            "texts as plain text or nothing",
            success,
            vec![("/messages", json!("hello")), ("/response", json!("hi"))],
            vec![("input_images", json!(0)), ("tool_calls", Value::Null), ("finish_reason", Value::Null)],
        ),
        ("no texts", success, vec![("/messages", Value::Null)], vec![("input_images", Value::Null)]),
        (
            "first token at the end time",
            "05-success-stream-fake-upstream.json",
            vec![("/completionStartTime", json!(1_795_359_877.067_286_f64))],
            vec![("ttft_ms", Value::Null)],
        ),
        (
            "end before start",
            success,
            vec![("/endTime", json!(1_795_359_870.0))],
            vec![("duration_ms", Value::Null)],
        ),
        (
            "numbers as text",
            success,
            vec![
                ("/startTime", json!("1795359871.037912")),
                ("/prompt_tokens", json!("120")),
                ("/response_cost", json!("2.52e-05")),
                ("/hidden_params/litellm_overhead_time_ms", json!("43.067")),
            ],
            vec![
                ("started_at", json!(1_795_359_871_037_912_i64)),
                ("cost_usd", json!("0.000025200")),
                ("overhead_us", json!(43_067)),
            ],
        ),
        (
            "hosts without scheme, with credentials or default port",
            success,
            vec![("/api_base", json!("https://key:secret@LLM.example:443/v1"))],
            vec![("provider_id", json!("host:llm.example"))],
        ),
        (
            "OpenAI's own host",
            success,
            vec![("/api_base", json!("https://api.openai.com/v1"))],
            vec![("provider_id", json!("openai"))],
        ),
        (
            "another provider keeps its name",
            success,
            vec![("/custom_llm_provider", json!("bedrock"))],
            vec![("provider_id", json!("bedrock"))],
        ),
        (
            "containers that are null",
            success,
            vec![
                ("/metadata", Value::Null),
                ("/hidden_params", Value::Null),
                ("/model_parameters", Value::Null),
                ("/cost_breakdown", Value::Null),
                ("/error_information", Value::Null),
                ("/request_tags", Value::Null),
                ("/status_fields", Value::Null),
            ],
            vec![
                ("outcome", json!("ok")),
                ("cached_input_tokens", Value::Null),
                ("streamed", Value::Null),
                ("app_id", Value::Null),
                ("session_id", Value::Null),
            ],
        ),
        (
            "operations",
            success,
            vec![("/call_type", json!("aresponses"))],
            vec![("operation", json!("chat"))],
        ),
        (
            "unknown operations",
            success,
            vec![("/call_type", json!("_aget_file"))],
            vec![("operation", json!("other"))],
        ),
    ];
    check(cases);
}

/// Each keeps the list of prices silent, whatever text costs.
#[test]
fn what_decides_a_price_beside_tokens_of_text_is_read() {
    let success = "04-success-nonstream-fake-upstream.json";
    let usage = "/metadata/usage_object";
    let tier = |tier: Value| vec![("service_tier", tier)];
    let searched = vec![("web_searches", json!(2))];
    check(vec![
        (
            "none",
            success,
            vec![],
            vec![("service_tier", json!(null)), ("web_searches", json!(null)), ("input_audio", json!(null))],
        ),
        ("asked", success, vec![("/model_parameters", json!({"service_tier": "flex"}))], tier(json!("flex"))),
        (
            "priced",
            success,
            vec![("/cost_breakdown/service_tier", json!("priority"))],
            tier(json!("priority")),
        ),
        (
            "served",
            success,
            vec![
                ("/response/service_tier", json!("default")),
                ("/model_parameters", json!({"service_tier": "flex"})),
            ],
            tier(json!("default")),
        ),
        ("no word", success, vec![("/response/service_tier", json!("a b"))], tier(json!("other"))),
        (
            "sound",
            success,
            vec![(usage, json!({"prompt_tokens_details": {"audio_tokens": 7}}))],
            vec![("input_audio", json!(1))],
        ),
        (
            "no sound",
            success,
            vec![(usage, json!({"prompt_tokens_details": {"audio_tokens": 0}}))],
            vec![("input_audio", json!(null))],
        ),
        (
            "searches in the details",
            success,
            vec![(usage, json!({"prompt_tokens_details": {"web_search_requests": 2}}))],
            searched.clone(),
        ),
        (
            "searches of tools",
            success,
            vec![(usage, json!({"server_tool_use": {"web_search_requests": 2}}))],
            searched,
        ),
    ]);
}
