//! The slow path: a record that was refused is read again to name the field that is wrong.

use serde_json::Value;

use super::fields::{ATTEMPT, EVENT, Field, LABELS, MAX_ATTEMPTS, MAX_PLUGINS};
use crate::formats::scalar::{Problem, Text, check};
use crate::outcome;
use crate::reject::Reason;

/// The first problem of a native event and the path of the member that has it.
pub(super) fn find(record: &Value) -> Option<(Reason, String)> {
    let Value::Object(members) = record else {
        return Some((Reason::WrongType, "record: expected an object".to_owned()));
    };
    let get = |name: &str| members.get(name);
    for name in ["request_id", "started_at", "attempts"] {
        if get(name).is_none_or(|value| value.is_null() || value.as_str() == Some("")) {
            return Some((Reason::MissingField, format!("{name}: required")));
        }
    }
    if let Some(problem) = in_object(record, EVENT, "") {
        return Some(problem);
    }
    if let Some(labels) = get("labels").filter(|labels| !labels.is_null()) {
        if !labels.is_object() {
            return Some(named("labels", Problem::wrong_type("an object", kind(labels))));
        }
        if let Some(problem) = in_object(labels, LABELS, "labels.") {
            return Some(problem);
        }
    }
    if let Some(problem) = get("plugins").filter(|plugins| !plugins.is_null()).and_then(in_plugins) {
        return Some(problem);
    }
    let attempts = get("attempts")?;
    let Value::Array(attempts) = attempts else {
        return Some(named("attempts", Problem::wrong_type("an array", kind(attempts))));
    };
    if attempts.len() > MAX_ATTEMPTS {
        return Some((Reason::InvalidValue, format!("attempts: more than {MAX_ATTEMPTS}")));
    }
    attempts.iter().enumerate().find_map(|(index, attempt)| in_attempt(index, attempt))
}

fn in_attempt(index: usize, attempt: &Value) -> Option<(Reason, String)> {
    let path = format!("attempts[{index}]");
    if !attempt.is_object() {
        return Some(named(&path, Problem::wrong_type("an object", kind(attempt))));
    }
    if let Some(problem) = in_object(attempt, ATTEMPT, &format!("{path}.")) {
        return Some(problem);
    }
    let closed = |name: &str| attempt.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    outcome::lead(closed("outcome"), closed("error_class"), None)
        .err()
        .map(|error| (Reason::InvalidValue, format!("{path}.error_class: {error}")))
}

fn in_plugins(plugins: &Value) -> Option<(Reason, String)> {
    let Value::Array(plugins) = plugins else {
        return Some(named("plugins", Problem::wrong_type("an array of text", kind(plugins))));
    };
    if plugins.len() > MAX_PLUGINS {
        return Some((Reason::InvalidValue, format!("plugins: more than {MAX_PLUGINS}")));
    }
    plugins.iter().enumerate().find_map(|(index, plugin)| {
        check::<Text<'_>>(plugin).err().map(|problem| named(&format!("plugins[{index}]"), problem))
    })
}

fn in_object(object: &Value, fields: &[Field], prefix: &str) -> Option<(Reason, String)> {
    fields.iter().find_map(|field| {
        let problem = (field.check)(object.get(field.name)?).err()?;
        Some(named(&format!("{prefix}{}", field.name), problem))
    })
}

fn named(path: &str, problem: Problem) -> (Reason, String) {
    (problem.reason, format!("{path}: {}", problem.text))
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "text",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}
