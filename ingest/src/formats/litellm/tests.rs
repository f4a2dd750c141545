mod answers;
mod beside;
mod identity;
mod variants;

use std::collections::HashMap;

use bellwether_warehouse::tables::attempts::AttemptRow;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::catalogue::Catalogue;
use crate::event::Event;
use crate::formats::{Appended, Format, decode, decode_appended, write_event};
use crate::identity::Identities;
use crate::labels::Labeller;
use crate::normalise::normalise;
use crate::reject::{Reason, Reject};
use crate::testing::lineage;

const FIXTURES: [(&str, &str); 14] = [
    ("01-success-nonstream-mock.json", include_str!("fixtures/01-success-nonstream-mock.json")),
    ("02-success-stream-mock.json", include_str!("fixtures/02-success-stream-mock.json")),
    ("03-failure-429-upstream.json", include_str!("fixtures/03-failure-429-upstream.json")),
    (
        "04-success-nonstream-fake-upstream.json",
        include_str!("fixtures/04-success-nonstream-fake-upstream.json"),
    ),
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
    let mut rows = Vec::new();
    normalise(&event, &Catalogue::empty(), &lineage(1_795_360_000_000_000), &mut |row, _| {
        rows.push(shown(row))
    })
    .unwrap();
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
        ("native_finish_reason", json!(row.native_finish_reason)),
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
        ("service_tier", json!(row.service_tier)),
        ("web_searches", json!(row.web_searches)),
        ("input_audio", json!(row.input_audio)),
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
                    if matches!(
                        column.as_str(),
                        "from" | "also_from" | "record" | "error_origin" | "user_id_raw"
                    ) {
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
fn callers_are_known_by_what_identifies_them() {
    with_ids(|ids| {
        let file = "04-success-nonstream-fake-upstream.json";
        let key =
            |changes: &[(&str, Value)], column: &str| columns(&changed(file, changes), ids)[column].clone();
        let user = "/metadata/user_api_key_user_id";
        let end_user = "/metadata/user_api_key_end_user_id";
        assert_eq!(key(&[(user, json!("u1"))], "user_key"), json!(ids.user("u1")));
        assert_eq!(key(&[(user, json!("u1")), (end_user, json!("e1"))], "user_key"), json!(ids.user("e1")));
        assert_eq!(
            key(&[("/end_user", json!("e0")), (end_user, json!("e1"))], "user_key"),
            json!(ids.user("e0"))
        );
        assert_eq!(key(&[], "user_key"), Value::Null);
        assert_eq!(key(&[], "api_key_key"), Value::Null);
        assert_eq!(
            key(&[("/metadata/user_api_key_hash", json!("h"))], "api_key_key"),
            json!(ids.api_key("h"))
        );
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
        (
            details,
            json!(-1),
            Reason::InvalidValue,
            "metadata.usage_object.prompt_tokens_details.cached_tokens: negative number -1",
        ),
        ("/litellm_call_id", Value::Null, Reason::MissingField, "litellm_call_id: required"),
        ("/id", json!(""), Reason::MissingField, "id: required"),
        ("/startTime", Value::Null, Reason::MissingIdentity, "startTime: required"),
        (
            "/startTime",
            json!("noon"),
            Reason::MissingIdentity,
            "startTime: neither RFC 3339 text nor Unix seconds",
        ),
        ("/model", json!([]), Reason::WrongType, "model: expected text, found an array"),
        ("/response_cost", json!("inf"), Reason::InvalidValue, "response_cost: not a finite number"),
    ] {
        assert_eq!(refuse(&[(pointer, value)]), (reason, detail.to_owned()), "{pointer}");
    }
}

#[test]
fn texts_for_rows_are_at_most_1024_bytes_long() {
    let file = "04-success-nonstream-fake-upstream.json";
    let long = json!("x".repeat(1025));
    for (pointer, value, path) in [
        ("/model", long.clone(), "model"),
        ("/session_id", long.clone(), "session_id"),
        ("/metadata/user_api_key_hash", long.clone(), "metadata.user_api_key_hash"),
        ("/response/choices/0/finish_reason", long.clone(), "response.choices[0].finish_reason"),
        ("/response", json!({"content": [], "stop_reason": "x".repeat(1025)}), "response.stop_reason"),
        ("/request_tags", json!(["a", format!("app:{}", "x".repeat(1024))]), "request_tags[1]"),
        (
            "/metadata/requester_metadata",
            json!({"session_id": long.clone()}),
            "metadata.requester_metadata.session_id",
        ),
    ] {
        let mut record = changed(file, &[(pointer, value)]);
        if pointer == "/metadata/requester_metadata" {
            record["session_id"] = Value::Null;
        }
        let reject = event_of(&record.to_string()).map(|_| ()).unwrap_err();
        assert_eq!(
            (reject.reason, reject.detail),
            (Reason::InvalidValue, format!("{path}: longer than 1024 bytes"))
        );
    }
    // Both make the id of the event.
    let half = json!("x".repeat(600));
    let record = changed(file, &[("/id", half.clone()), ("/litellm_call_id", half)]).to_string();
    let reject = event_of(&record).map(|_| ()).unwrap_err();
    assert_eq!(reject.detail, "id: longer than 1024 bytes together with litellm_call_id");
    // What no row holds may be longer.
    let url = json!(format!("https://llm.example/{}", "x".repeat(2000)));
    let record =
        changed(file, &[("/api_base", url), ("/request_tags", json!(["x".repeat(2000)]))]).to_string();
    let event = event_of(&record).unwrap();
    assert_eq!((event.attempts[0].host.as_deref(), event.app_id), (Some("llm.example"), None));
}

#[test]
fn a_cut_emoji_does_not_refuse_its_record() {
    let file = "04-success-nonstream-fake-upstream.json";
    let record = changed(file, &[("/session_id", json!("CUT")), ("/CUT", json!("CUT"))]).to_string();
    let record = record.replace("CUT", r"a\ud83d");
    for format in [Format::Auto, Format::LiteLlm] {
        let event = decode(format, record.as_bytes()).unwrap();
        assert_eq!(event.session_id.as_deref(), Some("a\u{fffd}"));
    }
}

#[test]
fn texts_addresses_and_tracebacks_stay_behind() {
    with_ids(|ids| {
        for (file, _) in FIXTURES {
            let record = record(file).to_string();
            let mut event = event_of(&record).unwrap();
            assert_eq!(event.unknown_fields, 0, "{file}");
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
        assert_eq!(labels.nl, Some(("ja".into(), "rule:2".into())));
        assert_eq!(labels.code_out, Some(("rust".into(), "fence".into())));
    });
}

#[test]
fn labels_come_from_answers_without_choices_too() {
    let fenced = "```py\nprint(1)\n```";
    let block = json!({"type": "text", "text": fenced});
    let edit = json!({"type": "tool_use", "name": "Edit", "input": {"limit": 1, "file_path": "/src/lib.rs"}});
    let message = json!({"type": "message", "content": [{"type": "output_text", "text": fenced}]});
    let call = json!({"type": "function_call", "arguments": "{\"path\":\"lib.rs\"}"});
    for (response, want) in [
        (json!({"content": [block], "stop_reason": "end_turn"}), ("python", "fence")),
        (json!({"content": [block, edit], "stop_reason": "tool_use"}), ("rust", "path")),
        (json!({"status": "completed", "output": [message]}), ("python", "fence")),
        (json!({"status": "completed", "output": [message, call]}), ("rust", "path")),
    ] {
        let record =
            changed("04-success-nonstream-fake-upstream.json", &[("/response", response)]).to_string();
        let mut event = event_of(&record).unwrap();
        with_ids(|ids| event.strip(ids, &Labeller::new()));
        assert_eq!(event.labels.unwrap().code_out, Some((want.0.into(), want.1.into())), "{record}");
    }
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
