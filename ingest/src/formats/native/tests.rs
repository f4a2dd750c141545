mod leniency;
mod limits;
mod round_trip;

use std::collections::BTreeSet;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::fields::{ATTEMPT, EVENT, Field, LABELS};
use super::*;
use crate::event::{Attempt, Identity};
use crate::formats::{Appended, Format, decode, decode_appended, write_reject};

fn native(record: &str) -> Result<Event<'_>, Reject> {
    decode(Format::Native, record.as_bytes())
}

fn refusal(record: &Value) -> (Reason, String) {
    let reject = native(&record.to_string()).unwrap_err();
    (reject.reason, reject.detail)
}

fn schema() -> Value {
    serde_json::from_str(SCHEMA).unwrap()
}

#[test]
fn the_example_of_the_schema_decodes_to_its_values() {
    let schema = schema();
    let record = schema["examples"][0].to_string();
    let event = native(&record).unwrap();
    assert_eq!(event.request_id, "req-7f3a");
    assert_eq!(event.started_at_us, 1_795_359_875_658_802);
    assert_eq!(event.session_id.as_deref(), Some("sess-2"));
    assert_eq!(event.operation.as_deref(), Some("chat"));
    assert_eq!(event.requested_model.as_deref(), Some("deepseek/deepseek-v3.2"));
    assert_eq!(event.router.as_deref(), Some("fallback"));
    assert_eq!(event.streamed, Some(true));
    assert_eq!(event.user, Some(Identity::Raw("user-42".into())));
    assert_eq!(event.app_id.as_deref(), Some("kilo-code"));
    assert_eq!(event.country.as_deref(), Some("JP"));
    assert_eq!((event.tools_offered, event.input_images), (Some(2), Some(0)));
    assert_eq!(event.unknown_fields, 0);
    let texts = event.texts.as_ref().unwrap();
    assert_eq!(texts.user, ["フィボナッチ数を計算する関数を書いてください"]);
    assert!(texts.completion.as_deref().unwrap().starts_with("```python\ndef fib(n):"));
    let first = Attempt {
        model: Some("deepseek/deepseek-v3.2".into()),
        provider: Some("novita".into()),
        started_at_us: Some(1_795_359_875_690_000),
        duration_ms: Some(212),
        http_status: Some(429),
        ..Attempt::default()
    };
    let second = Attempt {
        model: Some("deepseek/deepseek-v3.2".into()),
        provider: Some("siliconflow".into()),
        endpoint_id: Some("sf-17".into()),
        started_at_us: Some(1_795_359_875_910_004),
        duration_ms: Some(1408),
        ttft_ms: Some(380),
        overhead_us: Some(31_200),
        http_status: Some(200),
        finish_reason: Some("stop".into()),
        input_tokens: Some(120),
        cached_input_tokens: Some(64),
        output_tokens: Some(20),
        reasoning_tokens: Some(8),
        tool_calls: Some(0),
        cost_usd: Some(25_200),
        ..Attempt::default()
    };
    assert_eq!(event.attempts, [first, second]);
}

#[test]
fn schema_and_decoder_know_the_same_members() {
    let schema = schema();
    let described = |at: &Value| at.as_object().unwrap().keys().cloned().collect::<BTreeSet<_>>();
    let known = |fields: &[Field]| fields.iter().map(|field| field.name.to_owned()).collect::<BTreeSet<_>>();
    assert_eq!(described(&schema["properties"]), known(EVENT));
    assert_eq!(described(&schema["properties"]["attempts"]["items"]["properties"]), known(ATTEMPT));
    assert_eq!(described(&schema["properties"]["labels"]["properties"]), known(LABELS));
    for member in schema["properties"].as_object().unwrap().values() {
        assert!(member["description"].as_str().is_some_and(|text| !text.is_empty()), "{member}");
    }
    // The visitors of the fast path know every one of them: none is counted as unknown.
    let nulls = |fields: &[Field]| -> Value {
        fields
            .iter()
            .map(|field| (field.name.to_owned(), Value::Null))
            .collect::<serde_json::Map<_, _>>()
            .into()
    };
    let mut record = nulls(EVENT);
    record["request_id"] = json!("r");
    record["started_at"] = json!(1_795_359_875);
    record["attempts"] = json!([nulls(ATTEMPT)]);
    assert_eq!(native(&record.to_string()).unwrap().unknown_fields, 0);
    record["labels"] = nulls(LABELS);
    record["surprise"] = json!({"a": [1, {"b": "c"}]});
    record["attempts"][0]["surprise"] = json!(1);
    assert_eq!(native(&record.to_string()).unwrap().unknown_fields, 2);
}

#[test]
fn numbers_may_be_text_and_empty_text_is_unknown() {
    let record = json!({
        "request_id": 17,
        "started_at": "1795359875.658802",
        "user_id": 42,
        "session_id": "",
        "streamed": "True",
        "country": "jp",
        "input_images": "3",
        "attempts": [{
            "duration_ms": "1408.5", "ttft_ms": 379.49, "http_status": 0, "input_tokens": "120",
            "output_tokens": 20.0, "cost_usd": "2.52e-05", "upstream_cost_usd": "1.3199999999999999e-05",
            "model": "", "tool_calls": "", "host": "https://key:secret@llm.example:8000/v1", "gateway_cache_hit": "false", "is_final": null,
        }],
    })
    .to_string();
    let event = native(&record).unwrap();
    assert_eq!((&*event.request_id, event.started_at_us), ("17", 1_795_359_875_658_802));
    assert_eq!(event.user, Some(Identity::Raw("42".into())));
    assert_eq!((event.session_id, event.streamed, event.input_images), (None, Some(true), Some(3)));
    assert_eq!(event.country.as_deref(), Some("JP"));
    let attempt = &event.attempts[0];
    assert_eq!((attempt.duration_ms, attempt.ttft_ms, attempt.http_status), (Some(1409), Some(379), Some(0)));
    assert_eq!(
        (attempt.input_tokens, attempt.output_tokens, attempt.tool_calls),
        (Some(120), Some(20), None)
    );
    assert_eq!((attempt.cost_usd, attempt.upstream_cost_usd), (Some(25_200), Some(13_200)));
    assert_eq!((attempt.model.as_deref(), attempt.gateway_cache_hit), (None, false));
    assert_eq!(attempt.host.as_deref(), Some("llm.example:8000"));
}

#[test]
fn each_refusal_names_its_field() {
    let good = json!({"request_id": "r", "started_at": 1_795_359_875, "attempts": [{}, {}]});
    let cases: &[(&str, Value, Reason, &str)] = &[
        (
            "/attempts/1/input_tokens",
            json!(-5),
            Reason::InvalidValue,
            "attempts[1].input_tokens: negative number -5",
        ),
        (
            "/attempts/0/cost_usd",
            json!(-0.5),
            Reason::InvalidValue,
            "attempts[0].cost_usd: negative number -0.5",
        ),
        (
            "/attempts/0/cost_usd",
            json!("NaN"),
            Reason::InvalidValue,
            "attempts[0].cost_usd: not a finite number",
        ),
        (
            "/attempts/0/output_tokens",
            json!(1.5),
            Reason::InvalidValue,
            "attempts[0].output_tokens: 1.5 is not a whole number",
        ),
        (
            "/attempts/0/output_tokens",
            json!("many"),
            Reason::InvalidValue,
            "attempts[0].output_tokens: text that is not a number",
        ),
        (
            "/attempts/0/output_tokens",
            json!([1]),
            Reason::WrongType,
            "attempts[0].output_tokens: expected a whole number, found an array",
        ),
        (
            "/attempts/0/model",
            json!(5),
            Reason::WrongType,
            "attempts[0].model: expected text, found a number",
        ),
        (
            "/attempts/0/is_byok",
            json!("maybe"),
            Reason::WrongType,
            "attempts[0].is_byok: expected a boolean, found text",
        ),
        (
            "/attempts/0/http_status",
            json!(42),
            Reason::InvalidValue,
            "attempts[0].http_status: 42 is no HTTP status (100 to 599)",
        ),
        ("/attempts/1", json!("x"), Reason::WrongType, "attempts[1]: expected an object, found text"),
        ("/attempts", json!({}), Reason::WrongType, "attempts: expected an array, found an object"),
        ("/attempts", json!(null), Reason::MissingField, "attempts: required"),
        ("/request_id", json!(""), Reason::MissingField, "request_id: required"),
        (
            "/request_id",
            json!(true),
            Reason::WrongType,
            "request_id: expected text or a number, found a boolean",
        ),
        (
            "/started_at",
            json!("yesterday"),
            Reason::InvalidValue,
            "started_at: neither RFC 3339 text nor Unix seconds",
        ),
        (
            "/started_at",
            json!("2026-11-22T15:04:35"),
            Reason::InvalidValue,
            "started_at: not RFC 3339, such as 2026-11-22T15:04:35.658802Z",
        ),
        (
            "/started_at",
            json!(1_795_359_875_000_i64),
            Reason::TimeOutOfRange,
            "started_at: after the year 9999; Unix time is expected in seconds",
        ),
        (
            "/country",
            json!("GBR"),
            Reason::InvalidValue,
            "country: not a two-letter country code (ISO 3166 alpha-2)",
        ),
        ("/labels", json!([]), Reason::WrongType, "labels: expected an object, found an array"),
        ("/labels", json!({"nl": 5}), Reason::WrongType, "labels.nl: expected text, found a number"),
        ("/plugins", json!(["web", 5]), Reason::WrongType, "plugins[1]: expected text, found a number"),
        (
            "/attempts/0/model",
            json!(5.5),
            Reason::WrongType,
            "attempts[0].model: expected text, found a number",
        ),
        ("/user_key", json!("x"), Reason::InvalidValue, "user_key: not a 64-bit whole number"),
    ];
    for (pointer, value, reason, detail) in cases {
        let mut record = good.clone();
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        let parent = record.pointer_mut(parent).unwrap();
        match parent {
            Value::Object(members) => drop(members.insert(name.to_owned(), value.clone())),
            other => other[name.parse::<usize>().unwrap()] = value.clone(),
        }
        assert_eq!(refusal(&record), (*reason, (*detail).to_owned()), "{pointer}");
    }
    let mut mismatch = good.clone();
    mismatch["attempts"][0] = json!({"outcome": "ok", "error_class": "timeout"});
    assert_eq!(
        refusal(&mismatch).1,
        "attempts[0].error_class: error_class `timeout` belongs to outcome `fault`, not to `ok`"
    );
    let doubled = r#"{"request_id":"r","started_at":-1,"started_at":1,"attempts":[]}"#;
    assert_eq!(native(doubled).unwrap_err().reason, Reason::InvalidValue);
    assert_eq!(refusal(&json!([])), (Reason::WrongType, "record: expected an object".to_owned()));
}

#[test]
fn damaged_records_are_refused_with_their_place() {
    let refuse = |record: &[u8]| {
        let reject = decode(Format::Native, record).unwrap_err();
        assert_eq!(reject.size_bytes, record.len() as u64);
        (reject.reason, reject.detail)
    };
    let of = |reason, detail: &str| (reason, detail.to_owned());
    assert_eq!(
        refuse(br#"{"request_id":"r","attempts":[{"cost_usd":NaN}]}"#),
        of(Reason::MalformedJson, "attempts[0].cost_usd: expected value at line 1 column 43")
    );
    assert_eq!(
        refuse(br#"{"request_id":"r","attempts":[{"model":"gp"#),
        of(Reason::Truncated, "attempts[0].model: EOF while parsing a string at line 1 column 42")
    );
    assert_eq!(refuse(b"{\"request_id\":\"\xff\"}"), of(Reason::NotUtf8, "record: not UTF-8 at byte 15"));
    assert_eq!(refuse(b"").0, Reason::Truncated);
    assert_eq!(refuse(br#"{"request_id":"r"} x"#).0, Reason::MalformedJson);
    let deep = format!(r#"{{"x":{}{}}}"#, "[".repeat(1_000_000), "]".repeat(1_000_000));
    assert_eq!(
        refuse(deep.as_bytes()),
        of(Reason::MalformedJson, "record: arrays and objects nested deeper than 120")
    );
    let brackets_in_text =
        format!(r#"{{"request_id":"r","started_at":1,"attempts":[],"x":"{}"}}"#, "[\\\"{".repeat(500));
    assert!(native(&brackets_in_text).is_ok());
}

#[test]
fn auto_tells_the_format_by_its_members() {
    let auto = |record: &Value| decode(Format::Auto, record.to_string().as_bytes()).map(|_| ()).unwrap_err();
    let native = json!({"request_id": "r", "started_at": 1, "attempts": []}).to_string();
    assert_eq!(decode(Format::Auto, native.as_bytes()).unwrap().request_id, "r");
    let litellm = auto(&json!({"litellm_call_id": "c", "attempts": []}));
    assert_eq!((litellm.source.as_str(), litellm.detail.as_str()), ("litellm", "startTime: required"));
    assert_eq!(litellm.reason, Reason::MissingIdentity);
    for (record, named) in [
        (json!({"resourceSpans": []}), "OTLP"),
        (json!({"data": {"native_tokens_prompt": 1}}), "OpenRouter"),
        (json!({"provider_responses": []}), "OpenRouter"),
        (json!({"response_flags": "-", "genai_model_name": "m"}), "Envoy"),
        (json!({"latencies": {}, "ai": {}}), "Kong"),
        (json!({"hello": "my secret"}), "no known format"),
        (json!("my secret"), "not a JSON object"),
    ] {
        let reject = auto(&record);
        assert_eq!((reject.reason, reject.source.as_str()), (Reason::UnknownFormat, "unknown"));
        assert!(reject.detail.contains(named), "{}", reject.detail);
        assert!(!format!("{reject:?}").contains("my secret"));
    }
}

#[test]
fn texts_and_raw_ids_are_never_written_or_printed() {
    let canary = "canary-7c1e";
    let record = json!({
        "request_id": "r", "started_at": 1_795_359_875, "attempts": [{"model": "m"}],
        "user_id": canary, "api_key_id": canary, "org_id": canary,
        "messages": [
            {"role": "user", "content": canary},
            {"role": "user", "content": [{"type": "text", "text": canary}, {"type": "image_url", "image_url": {"url": canary}}]},
        ],
        "completion": canary, "tool_paths": [canary], "secret": canary,
    })
    .to_string();
    let mut event = native(&record).unwrap();
    assert_eq!(event.input_images, Some(1));
    assert!(!format!("{event:?}").contains(canary));
    let written = |event: &Event<'_>| {
        let mut out = Vec::new();
        write_event(event, &mut out);
        String::from_utf8(out).unwrap()
    };
    assert!(!written(&event).contains(canary));
    let dir = tempfile::tempdir().unwrap();
    let ids = crate::identity::Identities::open(dir.path()).unwrap();
    event.strip(&ids, &crate::labels::Labeller::new());
    assert_eq!(event.texts, None);
    assert_eq!(event.user, Some(Identity::Key(ids.user(canary))));
    assert_eq!(event.org, Some(Identity::Key(ids.org(canary))));
    assert!(!format!("{event:?}{}", written(&event)).contains(canary));
    // A refused record shows keys, types and lengths only.
    let broken = record.replace("1795359875", "\"soon\"");
    let reject = native(&broken).unwrap_err();
    assert_eq!(reject.detail, "started_at: neither RFC 3339 text nor Unix seconds");
    let mut out = Vec::new();
    write_reject(&reject, &mut out);
    assert!(!format!("{reject:?}{}", String::from_utf8_lossy(&out)).contains(canary));
    assert!(reject.skeleton.unwrap().contains(r#""completion":"text(11)""#));
}

#[test]
fn refusals_survive_the_log() {
    let mut reject = Reject::new(Reason::WrongType, "attempts[0].model: \"x\"\n\u{1}", "litellm", 77);
    for skeleton in [None, Some("{\"a\":\"text(3)\"}…".to_owned())] {
        reject.skeleton = skeleton;
        let mut out = Vec::new();
        write_reject(&reject, &mut out);
        assert!(!out.contains(&b'\n'));
        assert_eq!(decode_appended(&out), Ok(Appended::Reject(reject.clone())));
    }
}

proptest! {
    #[test]
    fn no_bytes_make_the_decoder_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        for format in [Format::Auto, Format::Native, Format::LiteLlm] {
            let _ = decode(format, &bytes);
        }
        let _ = decode_appended(&bytes);
    }

    #[test]
    fn no_mutation_of_an_event_makes_the_decoder_panic(
        edits in proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>(), 0_u8..3), 1..8)
    ) {
        let mut bytes = schema()["examples"][0].to_string().into_bytes();
        for (at, byte, kind) in edits {
            let at = at.index(bytes.len());
            match kind {
                0 => bytes[at] = byte,
                1 => bytes.insert(at, byte),
                _ => drop(bytes.remove(at)),
            }
        }
        if let Err(reject) = decode(Format::Native, &bytes) {
            prop_assert!(!reject.detail.contains("フィボナッチ"));
            prop_assert!(!reject.detail.is_empty());
        }
    }
}
