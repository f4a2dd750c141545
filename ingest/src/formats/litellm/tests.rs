use std::collections::HashMap;

use bellwether_warehouse::tables::attempts::AttemptRow;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::catalogue::Catalogue;
use crate::event::Event;
use crate::formats::{Appended, Format, decode, decode_appended, write_event};
use crate::identity::Identities;
use crate::labels::Labeller;
use crate::normalise::{Lineage, normalise};
use crate::reject::{Reason, Reject};

const FIXTURES: [(&str, &str); 14] = [
    ("01-success-nonstream-mock.json", include_str!("fixtures/01-success-nonstream-mock.json")),
    ("02-success-stream-mock.json", include_str!("fixtures/02-success-stream-mock.json")),
    ("03-failure-429-upstream.json", include_str!("fixtures/03-failure-429-upstream.json")),
    ("04-success-nonstream-fake-upstream.json", include_str!("fixtures/04-success-nonstream-fake-upstream.json")),
    ("05-success-stream-fake-upstream.json", include_str!("fixtures/05-success-stream-fake-upstream.json")),
    ("06-success-custom-price.json", include_str!("fixtures/06-success-custom-price.json")),
    ("07-success-unknown-price-cost0.json", include_str!("fixtures/07-success-unknown-price-cost0.json")),
    ("08-failure-500.json", include_str!("fixtures/08-failure-500.json")),
    ("09-failure-401-provider.json", include_str!("fixtures/09-failure-401-provider.json")),
    ("10-failure-timeout-408.json", include_str!("fixtures/10-failure-timeout-408.json")),
    (
        "11-stream-cut-midway-logged-as-success.json",
        include_str!("fixtures/11-stream-cut-midway-logged-as-success.json"),
    ),
    ("14-failure-429-stream-requested.json", include_str!("fixtures/14-failure-429-stream-requested.json")),
    ("15-embedding.json", include_str!("fixtures/15-embedding.json")),
    ("raw-http-body-0001.json", include_str!("fixtures/raw-http-body-0001.json")),
];

/// Every column that the expected rows list.
const COLUMNS: usize = 30;

/// The record of a fixture as one JSON object.
fn record(file: &str) -> Value {
    let text = FIXTURES.iter().find(|(name, _)| *name == file).unwrap().1;
    let mut records: Vec<Value> = serde_json::from_str(text).unwrap();
    assert_eq!(records.len(), 1);
    records.remove(0)
}

fn event_of(record: &str) -> Result<Event<'_>, Reject> {
    decode(Format::LiteLlm, record.as_bytes())
}

/// The columns of the one row of a record, after a trip through the log, as the expected rows write them.
fn columns(record: &Value, ids: &Identities) -> HashMap<&'static str, Value> {
    let record = record.to_string();
    let mut event = event_of(&record).unwrap();
    event.strip(ids, &Labeller::new());
    let mut appended = Vec::new();
    write_event(&event, &mut appended);
    let Ok(Appended::Event(event)) = decode_appended(&appended) else { panic!("an event") };
    let lineage =
        Lineage { source: "", topic: "t", partition: 0, offset: 7, appended_at_us: 1_795_360_000_000_000 };
    let mut rows = Vec::new();
    normalise(&event, &Catalogue::empty(), &lineage, &mut |row| rows.push(shown(row))).unwrap();
    assert_eq!(rows.len(), 1);
    rows.remove(0)
}

fn shown(row: &AttemptRow<'_>) -> HashMap<&'static str, Value> {
    let cost = row.cost_usd.map(|nanos| format!("{}.{:09}", nanos / 1_000_000_000, nanos % 1_000_000_000));
    HashMap::from([
        ("event_id", json!(row.event_id)),
        ("request_id", json!(row.request_id)),
        ("session_id", json!(row.session_id)),
        ("attempt", json!(row.attempt)),
        ("is_final", json!(row.is_final)),
        ("started_at", json!(row.started_at)),
        ("duration_ms", json!(row.duration_ms)),
        ("ttft_ms", json!(row.ttft_ms)),
        ("streamed", json!(row.streamed)),
        ("operation", json!(row.operation)),
        ("requested_model", json!(row.requested_model)),
        ("model_id", json!(row.model_id)),
        ("variant", json!(row.variant)),
        ("provider_id", json!(row.provider_id)),
        ("endpoint_id", json!(row.endpoint_id)),
        ("input_tokens", json!(row.input_tokens)),
        ("cached_input_tokens", json!(row.cached_input_tokens)),
        ("cache_write_tokens", json!(row.cache_write_tokens)),
        ("output_tokens", json!(row.output_tokens)),
        ("reasoning_tokens", json!(row.reasoning_tokens)),
        ("input_images", json!(row.input_images)),
        ("tool_calls", json!(row.tool_calls)),
        ("cost_usd", json!(cost)),
        ("outcome", json!(row.outcome)),
        ("error_class", json!(row.error_class)),
        ("http_status", json!(row.http_status)),
        ("finish_reason", json!(row.finish_reason)),
        ("gateway_cache_hit", json!(row.gateway_cache_hit)),
        ("app_id", json!(row.app_id)),
        ("country", json!(row.country)),
        ("overhead_us", json!(row.overhead_us)),
        ("user_key", json!(row.user_key)),
        ("api_key_key", json!(row.api_key_key)),
        ("org_key", json!(row.org_key)),
        ("author", json!(row.author)),
        ("raw_model", json!(row.raw_model)),
        ("raw_provider", json!(row.raw_provider)),
        ("source", json!(row.source)),
        ("price_source", json!(row.price_source)),
    ])
}

fn with_ids<T>(run: impl FnOnce(&Identities) -> T) -> T {
    let dir = tempfile::tempdir().unwrap();
    run(&Identities::open(dir.path()).unwrap())
}

#[test]
fn samples_give_exactly_their_expected_rows() {
    with_ids(|ids| {
        let expected: Vec<Value> = serde_json::from_str(include_str!("fixtures/expected-rows.json")).unwrap();
        assert_eq!(expected.len(), 13);
        for want in &expected {
            let also = want["also_from"].as_array().unwrap().iter();
            for file in also.chain([&want["from"]]).map(|file| file.as_str().unwrap()) {
                let row = columns(&record(file), ids);
                let mut compared = 0;
                for (column, value) in want.as_object().unwrap() {
                    if matches!(column.as_str(), "from" | "also_from" | "record" | "error_origin" | "user_id_raw") {
                        continue;
                    }
                    assert_eq!(&row[column.as_str()], value, "{file}: {column}");
                    compared += 1;
                }
                assert_eq!(compared, COLUMNS + 1, "{file}");
                let user_key = want["user_id_raw"].as_str().map(|id| ids.user(id));
                assert_eq!(row["user_key"], json!(user_key), "{file}");
                assert_eq!((&row["source"], &row["author"]), (&json!("litellm"), &Value::Null));
            }
        }
    });
}

/// A record with members replaced, given by JSON pointer; missing parents are an error.
fn changed(file: &str, changes: &[(&str, Value)]) -> Value {
    let mut record = record(file);
    for (pointer, value) in changes {
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        record.pointer_mut(parent).unwrap().as_object_mut().unwrap().insert(name.to_owned(), value.clone());
    }
    record
}

#[test]
fn variants_beyond_the_samples_follow_the_same_rules() {
    let success = "04-success-nonstream-fake-upstream.json";
    let failure = "08-failure-500.json";
    let usage = "/metadata/usage_object";
    type Case = (&'static str, &'static str, Vec<(&'static str, Value)>, Vec<(&'static str, Value)>);
    let gateway = |class: &str| {
        vec![
            ("outcome", json!("gateway_error")),
            ("error_class", json!(class)),
            ("provider_id", Value::Null),
            ("endpoint_id", Value::Null),
            ("raw_provider", json!("openai")),
        ]
    };
    let ended = |outcome: &str, class: &str| vec![("outcome", json!(outcome)), ("error_class", json!(class))];
    let cases: Vec<Case> = vec![
        (
            "the caller hung up",
            success,
            vec![("/error_information/error_code", json!("499"))],
            [ended("cancelled", "client_disconnect"), vec![("http_status", json!(499)), ("cost_usd", json!("0.000025200"))]]
                .concat(),
        ),
        (
            "gateway cache hit",
            success,
            vec![("/cache_hit", json!(true)), ("/response_cost", json!(0.0)), ("/id", json!("x_cache_hit1795"))],
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
            vec![("cache_write_tokens", json!(40)), ("cached_input_tokens", Value::Null), ("input_tokens", json!(120))],
        ),
        (
            "cache writes among the details",
            success,
            vec![(usage, json!({"prompt_tokens_details": {"cache_creation_tokens": 7, "cached_tokens": 1}, "cache_creation_input_tokens": 9}))],
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
            vec![("/error_information/normalized_error", json!("429_NO_HEALTHY_DEPLOYMENTS")), ("/api_base", json!(""))],
            gateway("gateway_internal"),
        ),
        (
            "wrong gateway key",
            failure,
            vec![
                ("/api_base", json!("")),
                ("/error_information", json!({"error_code": "401", "error_class": "ProxyException", "llm_provider": ""})),
            ],
            [gateway("gateway_auth"), vec![("http_status", json!(401)), ("model_id", json!("openai/e500"))]].concat(),
        ),
        (
            "wrong gateway key without a database",
            failure,
            vec![
                ("/api_base", json!("")),
                ("/error_information", json!({"error_code": "400", "error_class": "", "error_message": "No connected db."})),
            ],
            gateway("gateway_auth"),
        ),
        (
            "unknown model",
            failure,
            vec![
                ("/api_base", json!("")),
                ("/error_information", json!({"error_code": "400", "error_class": "ProxyModelNotFoundError", "llm_provider": ""})),
            ],
            [gateway("unknown_model"), vec![("model_id", Value::Null), ("variant", json!("standard")), ("raw_model", json!("openai/e500"))]]
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
            "no error information",
            failure,
            vec![("/error_information", Value::Null)],
            [ended("fault", "server_error"), vec![("http_status", Value::Null)]].concat(),
        ),
        (
            "unclassified, by code",
            failure,
            vec![("/error_information", json!({"error_code": "503", "error_class": "X", "normalized_error": "UNCLASSIFIED"}))],
            ended("fault", "overloaded"),
        ),
        (
            "unclassified, by exception",
            failure,
            vec![("/error_information", json!({"error_code": "", "error_class": "litellm.exceptions.APIConnectionError"}))],
            [ended("fault", "connection"), vec![("http_status", Value::Null)]].concat(),
        ),
        (
            "named class beats the code",
            failure,
            vec![("/error_information", json!({"error_code": "400", "error_class": "ContextWindowExceededError"}))],
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
                ("/response/choices/0/message/tool_calls", json!([{"function": {"name": "f", "arguments": "{\"path\":\"a.rs\"}"}}, {"id": 2}])),
                ("/response/choices/0/finish_reason", json!("tool_use")),
                ("/messages", json!([{"role": "user", "content": [
                    {"type": "text", "text": "see"}, {"type": "image_url", "image_url": {}}, {"type": "input_image"}, {"type": "image"}]}])),
            ],
            vec![("tool_calls", json!(2)), ("input_images", json!(3)), ("finish_reason", json!("tool_calls"))],
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
        ("unknown operations", success, vec![("/call_type", json!("_aget_file"))], vec![("operation", json!("other"))]),
    ];
    with_ids(|ids| {
        for (name, file, changes, wants) in cases {
            let row = columns(&changed(file, &changes), ids);
            for (column, want) in wants {
                assert_eq!(row[column], want, "{name}: {column}");
            }
        }
    });
}

#[test]
fn callers_are_known_by_what_identifies_them() {
    with_ids(|ids| {
        let file = "04-success-nonstream-fake-upstream.json";
        let key = |changes: &[(&str, Value)], column: &str| columns(&changed(file, changes), ids)[column].clone();
        let user = "/metadata/user_api_key_user_id";
        let end_user = "/metadata/user_api_key_end_user_id";
        assert_eq!(key(&[(user, json!("u1"))], "user_key"), json!(ids.user("u1")));
        assert_eq!(key(&[(user, json!("u1")), (end_user, json!("e1"))], "user_key"), json!(ids.user("e1")));
        assert_eq!(key(&[("/end_user", json!("e0")), (end_user, json!("e1"))], "user_key"), json!(ids.user("e0")));
        assert_eq!(key(&[], "user_key"), Value::Null);
        assert_eq!(key(&[], "api_key_key"), Value::Null);
        assert_eq!(key(&[("/metadata/user_api_key_hash", json!("h"))], "api_key_key"), json!(ids.api_key("h")));
        assert_eq!(key(&[("/metadata/user_api_key_org_id", json!("o"))], "org_key"), json!(ids.org("o")));
    });
}

#[test]
fn each_refusal_names_its_field() {
    let file = "04-success-nonstream-fake-upstream.json";
    let refuse = |changes: &[(&str, Value)]| {
        let reject = event_of(&changed(file, changes).to_string()).map(|_| ()).unwrap_err();
        assert_eq!(reject.source, "litellm");
        assert!(!reject.skeleton.as_deref().unwrap().contains("hello there"));
        (reject.reason, reject.detail)
    };
    let details = "/metadata/usage_object/prompt_tokens_details/cached_tokens";
    for (pointer, value, reason, detail) in [
        ("/prompt_tokens", json!(-1), Reason::InvalidValue, "prompt_tokens: negative number -1"),
        (details, json!(-1), Reason::InvalidValue, "metadata.usage_object.prompt_tokens_details.cached_tokens: negative number -1"),
        ("/litellm_call_id", Value::Null, Reason::MissingField, "litellm_call_id: required"),
        ("/id", json!(""), Reason::MissingField, "id: required"),
        ("/startTime", Value::Null, Reason::MissingField, "startTime: required"),
        ("/startTime", json!("noon"), Reason::InvalidValue, "startTime: neither RFC 3339 text nor Unix seconds"),
        ("/model", json!([]), Reason::WrongType, "model: expected text, found an array"),
        ("/response_cost", json!("inf"), Reason::InvalidValue, "response_cost: not a finite number"),
    ] {
        assert_eq!(refuse(&[(pointer, value)]), (reason, detail.to_owned()), "{pointer}");
    }
}

#[test]
fn texts_addresses_and_tracebacks_stay_behind() {
    with_ids(|ids| {
        for (file, _) in FIXTURES {
            let record = record(file).to_string();
            let mut event = event_of(&record).unwrap();
            let printed = format!("{event:?}");
            event.strip(ids, &Labeller::new());
            let mut out = Vec::new();
            write_event(&event, &mut out);
            let written = String::from_utf8(out).unwrap();
            for secret in ["hello there", "tok0", "Traceback", "wrapper_async", "enduser-7", "requester_ip"] {
                assert!(!written.contains(secret) && !printed.contains(secret), "{file}: {secret}");
            }
            assert!(written.len() < 1_200, "{file}: {} bytes", written.len());
        }
    });
}

#[test]
fn labels_come_from_the_texts() {
    with_ids(|ids| {
        let record = changed(
            "04-success-nonstream-fake-upstream.json",
            &[
                ("/messages", json!([{"role": "user", "content": "素数を判定する関数を書いてください"}])),
                ("/response/choices/0/message/content", json!("```rs\nfn main() {}\n```")),
            ],
        )
        .to_string();
        let mut event = event_of(&record).unwrap();
        event.strip(ids, &Labeller::new());
        let labels = event.labels.unwrap();
        assert_eq!(labels.nl, Some(("ja".into(), "rule:1".into())));
        assert_eq!(labels.code_out, Some(("rust".into(), "fence".into())));
    });
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn no_mutation_of_a_payload_makes_the_decoder_panic(
        file in 0..FIXTURES.len(),
        edits in proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>()), 1..6)
    ) {
        let mut bytes = record(FIXTURES[file].0).to_string().into_bytes();
        for (at, byte) in edits {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if let Err(reject) = decode(Format::LiteLlm, &bytes) {
            prop_assert!(!reject.detail.contains("hello there"));
        }
    }
}
