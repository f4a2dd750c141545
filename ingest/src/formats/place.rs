//! Where malformed JSON breaks: the path of members that leads there, beside line and column.

use super::members;

/// A sentence such as `attempts[1].cost_usd: expected value at line 1 column 120`.
pub(super) fn of(record: &str, error: &serde_json::Error) -> String {
    let offset = offset_of(record, error.line(), error.column());
    let path = path_to(record.as_bytes(), offset);
    // Syntax errors hold no text of the record, only what was expected and the place.
    if path.is_empty() { format!("record: {error}") } else { format!("{path}: {error}") }
}

fn offset_of(record: &str, line: usize, column: usize) -> usize {
    let before: usize = record.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
    (before + column).min(record.len())
}

enum Frame {
    Object { key: Option<String>, expects_key: bool },
    Array { index: usize },
}

/// Walks the well-formed part before `offset`.
fn path_to(record: &[u8], offset: usize) -> String {
    let mut frames: Vec<Frame> = Vec::new();
    let end = offset.saturating_sub(1).min(record.len());
    let mut at = 0;
    while at < end {
        match record.get(at) {
            Some(b'{') => frames.push(Frame::Object { key: None, expects_key: true }),
            Some(b'[') => frames.push(Frame::Array { index: 0 }),
            Some(b'}' | b']') => {
                frames.pop();
            }
            Some(b',') => match frames.last_mut() {
                Some(Frame::Object { key, expects_key }) => (*key, *expects_key) = (None, true),
                Some(Frame::Array { index }) => *index += 1,
                None => {}
            },
            Some(b'"') => {
                let text_end = end_of_text(record, at + 1);
                if let Some(Frame::Object { key, expects_key: expects_key @ true }) = frames.last_mut() {
                    let name = record.get(at + 1..text_end).unwrap_or_default();
                    *key = Some(shown(name));
                    *expects_key = false;
                }
                at = text_end;
            }
            _ => {}
        }
        at += 1;
    }
    let mut path = String::new();
    for frame in frames.iter().take(16) {
        match frame {
            Frame::Object { key: Some(key), .. } => {
                if !path.is_empty() {
                    path.push('.');
                }
                path.push_str(key);
            }
            Frame::Object { key: None, .. } => {}
            Frame::Array { index } => path.push_str(&format!("[{index}]")),
        }
    }
    path
}

/// In malformed JSON any text may seem to be a name, so only those of the formats are shown.
fn shown(name: &[u8]) -> String {
    match std::str::from_utf8(name) {
        Ok(known) if members::is_known(known) => known.to_owned(),
        _ => format!("key({})", name.len()),
    }
}

/// Position of the closing quote, or the end.
fn end_of_text(record: &[u8], from: usize) -> usize {
    let mut at = from;
    while let Some(byte) = record.get(at) {
        match byte {
            b'"' => return at,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    record.len()
}

#[cfg(test)]
mod tests {
    fn place(record: &str) -> String {
        let error = serde_json::from_str::<serde_json::Value>(record).unwrap_err();
        super::of(record, &error)
    }

    #[test]
    fn broken_values_are_named_by_their_path() {
        assert_eq!(
            place(r#"{"a":1,"attempts":[{},{"cost_usd":NaN}]}"#),
            "attempts[1].cost_usd: expected value at line 1 column 35"
        );
        assert_eq!(place("{\"a\":1,\n \"b\" 2}"), "key(1): expected `:` at line 2 column 6");
        assert_eq!(place("\u{1}\u{2}"), "record: expected value at line 1 column 1");
        assert_eq!(
            place(r#"{"messages":[{"content":"a secret"#),
            "messages[0].content: EOF while parsing a string at line 1 column 33"
        );
    }

    #[test]
    fn a_text_that_looks_like_a_name_is_not_shown() {
        let place = place(r#"{"messages":[{"content":"foo","hunter2secret" bar"}]}"#);
        assert_eq!(place, "messages[0].key(13): expected `:` at line 1 column 47");
    }
}
