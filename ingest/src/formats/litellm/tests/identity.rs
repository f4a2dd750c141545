//! What tells the attempts of one call apart, however their start is written.

use serde_json::{Value, json};

use super::{changed, columns, event_of, record, with_ids};
use crate::reject::Reason;

const FAILURE: &str = "08-failure-500.json";
const CALL: &str = "0ffc3f43-4776-455f-90ca-d34399c9d2fb";

#[test]
fn attempts_that_bear_the_calls_own_id_are_told_apart_by_their_start() {
    let id = |changes: &[(&str, Value)]| {
        event_of(&changed(FAILURE, changes).to_string()).unwrap().attempts[0]
            .event_id
            .as_deref()
            .unwrap()
            .to_owned()
    };
    let first = id(&[]);
    assert_eq!(first, format!("litellm:{CALL}:{CALL}:1795359890339072"));
    // The same again is the same; a fallback a moment later is another.
    assert_eq!(id(&[]), first);
    let later = id(&[("/startTime", json!("1795359890.339073")), ("/status", json!("success"))]);
    assert_eq!(later, format!("litellm:{CALL}:{CALL}:1795359890339073"));
    // An answer with an id of its own needs no start, nor does a gateway cache hit.
    assert_eq!(id(&[("/id", json!("chatcmpl-1"))]), format!("litellm:{CALL}:chatcmpl-1"));
    let hit = format!("{CALL}_cache_hit1795359890");
    assert_eq!(id(&[("/id", json!(hit))]), format!("litellm:{CALL}:{hit}"));
}

#[test]
fn the_start_is_read_to_the_microsecond_however_it_is_printed() {
    let record = record(FAILURE).to_string();
    assert!(record.contains("\"startTime\":1795359890.339072,"));
    for (printed, micros) in [
        ("1795359890.339072", 1_795_359_890_339_072_i64),
        ("\"1795359890.339072\"", 1_795_359_890_339_072),
        // What `%.17g` makes of it.
        ("1795359890.3390720", 1_795_359_890_339_072),
        ("1795359890.3390719890594482", 1_795_359_890_339_072),
        ("1.795359890339072e9", 1_795_359_890_339_072),
        ("\"1.795359890339072E+9\"", 1_795_359_890_339_072),
        ("17953598903390720e-7", 1_795_359_890_339_072),
        // Half of a microsecond is rounded up, in numbers as in texts.
        ("1795359890.3390725", 1_795_359_890_339_073),
        ("\"1795359890.3390725\"", 1_795_359_890_339_073),
        ("\"1795359890.33907249999\"", 1_795_359_890_339_072),
        ("1795359890", 1_795_359_890_000_000),
        ("1.795e9", 1_795_000_000_000_000),
    ] {
        let record = record.replace("\"startTime\":1795359890.339072,", &format!("\"startTime\":{printed},"));
        let event = event_of(&record).unwrap();
        assert_eq!(event.started_at_us, micros, "{printed}");
        let id = event.attempts[0].event_id.as_deref().unwrap();
        assert_eq!(id, format!("litellm:{CALL}:{CALL}:{micros}"), "{printed}");
    }
}

#[test]
fn without_a_readable_start_there_is_no_identity() {
    for (start, detail) in [
        (Value::Null, "startTime: required"),
        (json!(""), "startTime: required"),
        (json!("noon"), "startTime: neither RFC 3339 text nor Unix seconds"),
        (json!([]), "startTime: expected RFC 3339 text or Unix seconds, found an array"),
    ] {
        let reject = event_of(&changed(FAILURE, &[("/startTime", start)]).to_string()).map(drop).unwrap_err();
        assert_eq!((reject.reason, reject.detail.as_str()), (Reason::MissingIdentity, detail));
        assert_eq!(reject.reason.as_str(), "missing_identity");
    }
    let mut record = record(FAILURE);
    record.as_object_mut().unwrap().remove("startTime");
    assert_eq!(event_of(&record.to_string()).map(drop).unwrap_err().reason, Reason::MissingIdentity);
}

#[test]
fn the_start_counts_towards_the_length_of_the_identity() {
    // litellm: and two ids of 499 bytes and 17 of the start make 1024.
    let of_length = |bytes: usize| {
        let id = json!("x".repeat(bytes));
        changed(FAILURE, &[("/id", id.clone()), ("/litellm_call_id", id)]).to_string()
    };
    assert!(event_of(&of_length(499)).is_ok());
    let reject = event_of(&of_length(500)).map(drop).unwrap_err();
    assert_eq!(reject.detail, "id: longer than 1024 bytes together with litellm_call_id");
}

#[test]
fn the_row_of_a_failure_bears_the_suffixed_identity() {
    with_ids(|ids| {
        let row = columns(&record(FAILURE), ids);
        assert_eq!(row["event_id"], json!(format!("litellm:{CALL}:{CALL}:1795359890339072")));
        assert_eq!(row["request_id"], json!(CALL));
    });
}
