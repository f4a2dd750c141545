//! What one event may hold, and what may be shown and kept of a record that holds more.

use bellwether_warehouse::World;
use serde_json::{Value, json};

use super::{refusal, schema};
use crate::formats::native::fields::{ATTEMPT, EVENT, Field, LABELS};
use crate::formats::{Appended, Format, decode, decode_appended, write_event, write_reject};
use crate::reject::{Reason, Reject};

fn event_with(name: &str, value: Value) -> Value {
    let mut record = json!({"request_id": "r", "started_at": 1_795_359_875, "attempts": []});
    record[name] = value;
    record
}

fn attempt_with(name: &str, value: Value) -> Value {
    event_with("attempts", json!([{name: value}]))
}

fn invalid(detail: &str) -> (Reason, String) {
    (Reason::InvalidValue, detail.to_owned())
}

#[test]
fn an_event_has_at_most_256_attempts_and_plugins() {
    for (name, element) in [("attempts", json!({})), ("plugins", json!("web"))] {
        let most = event_with(name, vec![element.clone(); 256].into()).to_string();
        assert!(decode(Format::Native, most.as_bytes()).is_ok(), "{name}");
        let more = event_with(name, vec![element; 257].into());
        assert_eq!(refusal(&more), invalid(&format!("{name}: more than 256")));
        // Whatever a log of ours holds becomes a row of rejects, so that its reader gets past it.
        let reject = decode_appended(more.to_string().as_bytes()).unwrap_err();
        assert_eq!((reject.reason, reject.detail), invalid(&format!("{name}: more than 256")));
    }
}

#[test]
fn millions_of_attempts_are_refused_unread() {
    let bomb = format!(r#"{{"request_id":"r","started_at":1,"attempts":[{}{{}}]}}"#, "{},".repeat(5_500_000));
    let (world, started) = (World::default(), World::default().now());
    for format in [Format::Auto, Format::Native] {
        let reject = decode(format, bomb.as_bytes()).unwrap_err();
        assert_eq!(reject.detail, "attempts: more than 256");
        assert!(reject.skeleton.unwrap().len() < 8_192);
    }
    assert!(world.since(started).as_secs() < 20);
    let wide = format!("[{}0]", "[{},{},{},{},{},{},{},{}],".repeat(256));
    let record = event_with("x", Value::Null)
        .to_string()
        .replace("null", &format!("[{}0]", format!("{wide},").repeat(99)));
    let wrong = record.replace("1795359875", "[]");
    assert!(decode(Format::Native, record.as_bytes()).is_ok());
    let reject = decode(Format::Native, wrong.as_bytes()).unwrap_err();
    assert_eq!(reject.detail, "record: wrong, and more than 32768 values to name the wrong one");
}

#[test]
fn texts_for_rows_are_at_most_1024_bytes_long() {
    let long = Value::from("é".repeat(513));
    for name in ["request_id", "session_id", "requested_model", "router", "app_id", "operation", "user_id"] {
        assert_eq!(
            refusal(&event_with(name, long.clone())),
            invalid(&format!("{name}: longer than 1024 bytes"))
        );
    }
    for name in [
        "event_id",
        "model",
        "provider",
        "host",
        "endpoint_id",
        "region",
        "service_tier",
        "finish_reason",
        "native_finish_reason",
    ] {
        let detail = format!("attempts[0].{name}: longer than 1024 bytes");
        assert_eq!(refusal(&attempt_with(name, long.clone())), invalid(&detail));
    }
    let plugins = refusal(&event_with("plugins", json!(["web", long])));
    assert_eq!(plugins, invalid("plugins[1]: longer than 1024 bytes"));
    assert_eq!(
        refusal(&event_with("labels", json!({"task": long}))),
        invalid("labels.task: longer than 1024 bytes")
    );
    let longest = event_with("session_id", "s".repeat(1024).into()).to_string();
    assert!(decode(Format::Native, longest.as_bytes()).is_ok());
    let prompt = event_with("messages", "long ".repeat(1_000).into()).to_string();
    assert!(decode(Format::Native, prompt.as_bytes()).is_ok());
}

#[test]
fn a_source_is_a_short_plain_name() {
    for source in ["", "native", "my-router_2.eu", &"s".repeat(32)] {
        let record = event_with("source", source.into()).to_string();
        assert_eq!(decode(Format::Native, record.as_bytes()).unwrap().source, source);
    }
    for source in ["My secret", "LiteLLM", "a/b", "é", &"s".repeat(33)] {
        let record = event_with("source", source.into()).to_string();
        for reject in [
            decode(Format::Native, record.as_bytes()).unwrap_err(),
            decode_appended(record.as_bytes()).unwrap_err(),
        ] {
            assert_eq!(reject.detail, "source: not of the form [a-z0-9_.-]{1,32}");
            assert_eq!(reject.source, "native");
        }
        let mut out = Vec::new();
        write_reject(&Reject::new(Reason::Gap, "gap", source, 1), &mut out);
        let Ok(Appended::Reject(reject)) = decode_appended(&out) else { panic!("a reject") };
        assert_eq!((reject.source.as_str(), reject.detail.as_str()), ("native", "gap"));
    }
}

#[test]
fn what_is_no_host_is_not_kept() {
    for (host, want) in [
        ("not a host secret words", None),
        ("host:not a host secret words", None),
        ("https://key:secret@LLM.example/v1", Some("llm.example")),
        ("LLM.example:443", Some("llm.example:443")),
    ] {
        let record = attempt_with("host", host.into()).to_string();
        let event = decode(Format::Native, record.as_bytes()).unwrap();
        assert_eq!(event.attempts[0].host.as_deref(), want, "{host}");
    }
}

#[test]
fn a_cut_emoji_does_not_refuse_its_record() {
    let record = event_with("session_id", "SESSION".into());
    let with = |text: &str| {
        let mut record = record.clone();
        record["messages"] = json!([{"role": "user", "content": "TEXT"}]);
        record["completion"] = json!("TEXT");
        record["TEXT"] = json!("TEXT");
        record.to_string().replace("SESSION", text).replace("TEXT", text)
    };
    let cut = with(r"hi \ud83d there \ud83d\ude00 \u00e9");
    for format in [Format::Native, Format::Auto] {
        let event = decode(format, cut.as_bytes()).unwrap();
        let read = "hi \u{fffd} there 😀 é";
        assert_eq!(event.session_id.as_deref(), Some(read));
        let texts = event.texts.as_ref().unwrap();
        assert_eq!((&*texts.user[0], texts.completion.as_deref()), (read, Some(read)));
        let mut out = Vec::new();
        write_event(&event, &mut out);
        let Ok(Appended::Event(again)) = decode_appended(&out) else { panic!("an event") };
        assert_eq!(again.session_id.as_deref(), Some(read));
    }
    // What else is wrong is named as ever.
    let wrong = cut.replace("1795359875", "-1");
    let reject = decode(Format::Native, wrong.as_bytes()).unwrap_err();
    assert_eq!((reject.reason, reject.detail), invalid("started_at: negative number -1"));
    assert_eq!(reject.size_bytes, wrong.len() as u64);
}

#[test]
fn the_schema_tells_the_limits() {
    let schema = schema();
    let event = &schema["properties"];
    assert_eq!((&event["attempts"]["maxItems"], &event["plugins"]["maxItems"]), (&json!(256), &json!(256)));
    assert_eq!(event["source"]["pattern"], "^([a-z0-9_.-]{1,32})?$");
    let attempt = &event["attempts"]["items"]["properties"];
    let labels = &event["labels"]["properties"];
    let long = json!("x".repeat(1025));
    for (fields, described) in [(EVENT, event), (ATTEMPT, attempt), (LABELS, labels)] {
        for Field { name, check } in fields {
            let member = &described[*name];
            let is_limited = check(&long).is_err_and(|problem| problem.text == "longer than 1024 bytes");
            let says_so = ["maxLength", "enum", "pattern"].iter().any(|key| !member[*key].is_null());
            assert_eq!(is_limited, says_so, "{name}");
        }
    }
    // A number above the maximum is absurd, or refused where it is no number of the request.
    for (described, with) in
        [(event, event_with as fn(&str, Value) -> Value), (attempt, attempt_with as fn(&str, Value) -> Value)]
    {
        for (name, member) in described.as_object().unwrap() {
            let absurd = |value: Value| {
                let record = with(name, value).to_string();
                decode(Format::Native, record.as_bytes()).map(|event| event.flaws.absurd)
            };
            match member["maximum"].as_i64() {
                Some(most) => {
                    let is_counter = name == "absurd_values";
                    assert!(is_counter || absurd(most.into()) == Ok(0), "{name}");
                    assert!(absurd((most + 1).into()).map_or(true, |absurd| absurd == 1), "{name}");
                }
                None => {
                    assert!(absurd(json!(1_000_000_000_001_i64)).map_or(true, |absurd| absurd == 0), "{name}")
                }
            }
        }
    }
}
