//! What decides a price beside tokens of text.

use serde_json::{Value, json};

use super::variants::check;

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
