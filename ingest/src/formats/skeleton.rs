//! The redacted shape of a record that was refused: names that a format has, types and lengths; closed-list values,
//! and numbers where a format has a number, as they are; never a text, nor an id, nor a hash of one.

use std::fmt::Write;

use bellwether_warehouse::tables::attempts::{ErrorClass, Outcome};
use serde_json::Value;

use super::{members, outline};

/// Longest skeleton, in bytes.
const MAX_BYTES: usize = 4096;
/// Elements of an array and members of an object that are shown.
const MAX_ITEMS: usize = 64;
const MAX_DEPTH: usize = 12;

/// Values of closed lists beside outcomes and error classes.
const KNOWN_VALUES: [&str; 22] = [
    "user",
    "assistant",
    "system",
    "tool",
    "developer",
    "text",
    "image_url",
    "success",
    "failure",
    "stop",
    "length",
    "tool_calls",
    "content_filter",
    "error",
    "chat",
    "embeddings",
    "completion",
    "acompletion",
    "aembedding",
    "direct",
    "auto",
    "fallback",
];

/// Where a value stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Among the members of a format.
    Format,
    /// In a member that holds a number.
    Number,
    /// In texts, ids and whatever no format knows.
    Elsewhere,
}

impl Place {
    fn of_element(self) -> Self {
        if self == Self::Format { Self::Format } else { Self::Elsewhere }
    }

    fn of_member(self, name: &str) -> Self {
        match self {
            Self::Format if members::is_numeric(name) => Self::Number,
            Self::Format if members::is_container(name) => Self::Format,
            _ => Self::Elsewhere,
        }
    }
}

pub(crate) fn of(value: &Value) -> String {
    let mut out = String::new();
    write_value(value, Place::Format, 0, &mut out);
    if out.len() > MAX_BYTES {
        let cut = (0..=MAX_BYTES).rev().find(|at| out.is_char_boundary(*at)).unwrap_or(0);
        out.truncate(cut);
        out.push('…');
    }
    out
}

// Writing to a String cannot fail, so results of `write!` are dropped here.
fn write_value(value: &Value, place: Place, depth: usize, out: &mut String) {
    if out.len() > MAX_BYTES {
        return;
    }
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(value) => {
            let _ = write!(out, "{value}");
        }
        Value::Number(number) if place == Place::Number => {
            let _ = write!(out, "{number}");
        }
        Value::Number(number) => {
            let digits = number.to_string().bytes().filter(u8::is_ascii_digit).count();
            let _ = write!(out, "\"number({digits})\"");
        }
        Value::String(text) if is_known(text) => {
            let _ = write!(out, "\"{text}\"");
        }
        Value::String(text) => {
            let _ = write!(out, "\"text({})\"", text.len());
        }
        Value::Array(items) if depth >= MAX_DEPTH => {
            let _ = write!(out, "\"array({})\"", items.len());
        }
        Value::Object(members) if depth >= MAX_DEPTH => {
            let _ = write!(out, "\"object({})\"", members.len());
        }
        Value::Array(items) => {
            out.push('[');
            for (index, item) in items.iter().take(MAX_ITEMS).enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write_value(item, place.of_element(), depth + 1, out);
            }
            if items.len() > MAX_ITEMS {
                let at_least = if items.len() >= outline::MAX_ELEMENTS { "at least " } else { "" };
                let _ = write!(out, ",\"{at_least}{} more\"", items.len() - MAX_ITEMS);
            }
            out.push(']');
        }
        Value::Object(members) => {
            out.push('{');
            for (index, (key, member)) in members.iter().take(MAX_ITEMS).enumerate() {
                if index > 0 {
                    out.push(',');
                }
                let _ = write!(out, "\"{}\":", shown_key(key));
                write_value(member, place.of_member(key), depth + 1, out);
            }
            if members.len() > MAX_ITEMS {
                let _ = write!(out, ",\"more\":{}", members.len() - MAX_ITEMS);
            }
            out.push('}');
        }
    }
}

/// Only the names of the formats are shown: any other may be the id or the text of a caller.
fn shown_key(key: &str) -> String {
    if members::is_known(key) { key.to_owned() } else { format!("key({})", key.len()) }
}

fn is_known(text: &str) -> bool {
    KNOWN_VALUES.contains(&text) || Outcome::parse(text).is_some() || ErrorClass::parse(text).is_some()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn texts_and_odd_keys_become_lengths() {
        let value = json!({
            "attempts": [{"input_tokens": -5, "outcome": "fault"}],
            "messages": [{"content": "my secret plan", "role": "user"}],
            "my secret key": 1.5,
            "tool": null,
        });
        assert_eq!(
            of(&value),
            concat!(
                r#"{"attempts":[{"input_tokens":-5,"outcome":"fault"}],"#,
                r#""messages":[{"content":"text(14)","role":"user"}],"key(13)":"number(2)","key(4)":null}"#
            )
        );
    }

    #[test]
    fn names_of_no_format_are_hidden_wherever_they_stand() {
        let value = json!({
            "attempts": [{"input_tokens": -1, "sk-live-1": 1}],
            "metadata": {"customer_0815": 3, "usage_object": {"cached_tokens": 8, "u-77": 1}},
            "quota": {"4915112345678": 1, "nested": {"alice.example.com": {}}, "sk-live-9f8e7d6c5b4a": 2},
        });
        assert_eq!(
            of(&value),
            concat!(
                r#"{"attempts":[{"input_tokens":-1,"key(9)":"number(1)"}],"#,
                r#""metadata":{"key(13)":"number(1)","usage_object":{"cached_tokens":8,"key(4)":"number(1)"}},"#,
                r#""key(5)":{"key(13)":"number(1)","key(6)":{"key(17)":{}},"key(20)":"number(1)"}}"#
            )
        );
    }

    #[test]
    fn numbers_are_shown_only_where_a_format_has_one() {
        let value = json!({
            "user_id": 4_111_111_111_111_i64, "user_key": -77, "started_at": 1_795_359_875, "status": 200,
            "attempts": [{"input_tokens": 12, "endpoint_id": 99, "cost_usd": {"input_tokens": 5}}, 31],
            "messages": [{"content": [{"input_tokens": 123_456}, 42], "input_tokens": 7}],
            "metadata": {"usage_object": {"cached_tokens": 8}, "requester_metadata": {"cost_usd": 5}},
            "http_status": [500],
        });
        let shown = of(&value);
        for kept in [r#""started_at":1795359875"#, r#""input_tokens":12}"#, r#""cached_tokens":8"#] {
            assert!(shown.contains(kept), "{kept}: {shown}");
        }
        assert!(shown.contains(r#""user_id":"number(13)""#), "{shown}");
        let hidden = ["4111", "77", "99", ":5", ",31", "123456", "42", ":7", "200", "500"];
        assert!(hidden.iter().all(|number| !shown.contains(number)), "{shown}");
    }

    #[test]
    fn large_values_are_cut() {
        let value = json!((0..10_000).map(|n| json!({"a": n, "b": [n, n]})).collect::<Vec<_>>());
        assert!(of(&value).len() < MAX_BYTES + 8);
    }
}
