//! What a record may have wrong without being refused.

use serde_json::{Value, json};

use super::{native, refusal};
use crate::event::{Event, Flaws, Identity};
use crate::formats::{Appended, decode_appended, write_event};
use crate::reject::Reason;

fn record(attempt: &Value) -> String {
    json!({"request_id": "r", "started_at": 1_795_359_875, "attempts": [attempt]}).to_string()
}

/// The event as it comes out of the log.
fn again(event: &Event<'_>) -> Event<'static> {
    let mut out = Vec::new();
    write_event(event, &mut out);
    let out: &'static [u8] = out.leak();
    let Ok(Appended::Event(event)) = decode_appended(out) else { panic!("an event") };
    event
}

#[test]
fn ids_are_kept_to_the_last_digit() {
    for (written, kept) in [
        ("36893488147419103232", "36893488147419103232"),
        ("36893488147419103233", "36893488147419103233"),
        ("-123456789012345678901234567890", "-123456789012345678901234567890"),
        ("7.0", "7"),
        ("7.5", "7.5"),
        ("1.8446744073709551617e19", "18446744073709551617"),
        ("18446744073709551615", "18446744073709551615"),
        ("\"7.0\"", "7.0"),
    ] {
        let record = format!(
            r#"{{"request_id":{written},"started_at":1795359875.5,"session_id":{written},"user_id":{written},
            "app_id":{written},"attempts":[{{"endpoint_id":{written},"cost_usd":2.52e-05,"duration_ms":1408.5}}]}}"#
        );
        let event = native(&record).unwrap();
        assert_eq!(event.request_id, kept);
        assert_eq!(event.session_id.as_deref(), Some(kept));
        assert_eq!(event.user, Some(Identity::Raw(kept.into())));
        assert_eq!(event.app_id.as_deref(), Some(kept));
        let attempt = &event.attempts[0];
        assert_eq!(attempt.endpoint_id.as_deref(), Some(kept));
        // The rest of the record is read as ever.
        assert_eq!((attempt.cost_usd, attempt.duration_ms), (Some(25_200), Some(1409)));
        assert_eq!(event.started_at_us, 1_795_359_875_500_000);
    }
    // What else is wrong is named, not the id.
    let wrong = json!({"request_id": 7.5, "started_at": 1, "attempts": [{"input_tokens": -0.5}]});
    let told = (Reason::InvalidValue, "attempts[0].input_tokens: negative number -0.5".to_owned());
    assert_eq!(refusal(&wrong), told);
}

#[test]
fn diagnostic_numbers_never_cost_a_record() {
    let bad = json!({
        "duration_ms": -1, "ttft_ms": "NaN", "overhead_us": -43_067.5, "moderation_ms": "-inf", "tool_calls": 1.5,
        "tool_call_errors": -1, "web_searches": "none", "output_images": -2, "input_tokens": 5,
    });
    let event = native(record(&bad).leak()).unwrap();
    let attempt = &event.attempts[0];
    assert_eq!((attempt.duration_ms, attempt.ttft_ms, attempt.overhead_us), (None, None, None));
    assert_eq!((attempt.moderation_ms, attempt.tool_calls, attempt.output_images), (None, None, None));
    assert_eq!((attempt.tool_call_errors, attempt.web_searches, attempt.input_tokens), (None, None, Some(5)));
    assert_eq!(event.flaws, Flaws { diagnostics: 8, ..Flaws::default() });
    assert_eq!(again(&event), event);
    for bad in [json!({"input_tokens": -1}), json!({"cost_usd": -0.1}), json!({"cached_input_tokens": -1})] {
        assert!(native(&record(&bad)).is_err(), "{bad}");
    }
}

#[test]
fn absurd_numbers_are_unknown_and_counted() {
    let absurd = json!({
        "input_tokens": 1_000_000_001, "output_tokens": 1_000_000_000, "cost_usd": 1_000_000.000_001,
        "input_cost_usd": 1_000_000, "upstream_cost_usd": "1e30", "duration_ms": 604_800_001, "ttft_ms": 604_800_000,
    });
    let text = record(&absurd);
    let event = native(&text).unwrap();
    let attempt = &event.attempts[0];
    assert_eq!((attempt.input_tokens, attempt.output_tokens), (None, Some(1_000_000_000)));
    assert_eq!((attempt.cost_usd, attempt.upstream_cost_usd), (None, None));
    assert_eq!(attempt.input_cost_usd, Some(1_000_000_000_000_000));
    assert_eq!((attempt.duration_ms, attempt.ttft_ms), (None, Some(604_800_000)));
    assert_eq!(event.flaws, Flaws { absurd: 4, ..Flaws::default() });
    assert_eq!(again(&event), event);
}

#[test]
fn unknown_words_are_counted_and_never_cost_a_record() {
    let ended = |attempt: Value| {
        let text = record(&attempt);
        let event = native(&text).unwrap();
        assert_eq!(again(&event), event);
        let attempt = &event.attempts[0];
        let own = |text: &Option<crate::event::Str<'_>>| text.as_deref().map(str::to_owned);
        (own(&attempt.outcome), own(&attempt.error_class), event.flaws.words)
    };
    let told = |outcome: Option<&str>, class: Option<&str>, words| {
        (outcome.map(str::to_owned), class.map(str::to_owned), words)
    };
    assert_eq!(ended(json!({"error_class": "quota"})), told(Some("fault"), Some("server_error"), 1));
    assert_eq!(ended(json!({"error_class": "quota", "http_status": 429})), told(None, None, 1));
    assert_eq!(ended(json!({"outcome": "failed", "error_class": "timeout"})), told(None, Some("timeout"), 1));
    assert_eq!(ended(json!({"outcome": "fault", "error_class": "quota"})), told(Some("fault"), None, 1));
    let mut whole = json!({
        "request_id": "r", "started_at": 1, "operation": "divination", "error_class": "quota", "http_status": 429,
        "attempts": [],
    });
    let text = whole.to_string();
    let event = native(&text).unwrap();
    assert_eq!((event.operation.as_deref(), event.flaws.words), (Some("other"), 2));
    assert_eq!(event.failure.as_ref().unwrap().error_class, None);
    assert_eq!(again(&event), event);
    whole["operation"] = json!("Embedding");
    whole["error_class"] = json!("budget");
    assert_eq!(native(&whole.to_string()).unwrap().flaws, Flaws::default());
}
