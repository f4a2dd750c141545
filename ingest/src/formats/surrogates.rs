//! Lone surrogates: what `json.dumps` of Python writes for an emoji that was cut in two.

use zeroize::Zeroizing;

/// The record with U+FFFD in place of every escape that is half a pair; None if there is none. No byte moves.
pub(super) fn mended(record: &str) -> Option<Zeroizing<String>> {
    let mut mended = None;
    let mut at = 0;
    while let Some(found) = record.get(at..).and_then(|rest| rest.find('\\')) {
        at += found;
        let Some(unit) = unit_at(record, at) else {
            // Some other escape. What it escapes may be a longer character only in malformed JSON.
            at += 1 + record.get(at + 1..).and_then(|rest| rest.chars().next()).map_or(0, char::len_utf8);
            continue;
        };
        let is_pair = is_high(unit) && unit_at(record, at + 6).is_some_and(is_low);
        if is_pair {
            at += 12;
            continue;
        }
        if is_high(unit) || is_low(unit) {
            let copy = mended.get_or_insert_with(|| Zeroizing::new(record.to_owned()));
            copy.replace_range(at..at + 6, r"\ufffd");
        }
        at += 6;
    }
    mended
}

/// The code unit of the escape `\uXXXX` at `at`.
fn unit_at(record: &str, at: usize) -> Option<u16> {
    let digits = record.get(at..at + 6)?.strip_prefix(r"\u")?;
    if digits.bytes().all(|b| b.is_ascii_hexdigit()) { u16::from_str_radix(digits, 16).ok() } else { None }
}

fn is_high(unit: u16) -> bool {
    (0xd800..0xdc00).contains(&unit)
}

fn is_low(unit: u16) -> bool {
    (0xdc00..0xe000).contains(&unit)
}

#[cfg(test)]
mod tests {
    #[test]
    fn halves_are_replaced_and_pairs_are_kept() {
        for (text, want) in [
            (r#""hi \ud83d there""#, Some(r#""hi \ufffd there""#)),
            (r#""\uDE00é\uD83D""#, Some(r#""\ufffdé\ufffd""#)),
            (r#""\ud83d\ud83d\ude00""#, Some(r#""\ufffd\ud83d\ude00""#)),
            (r#""\ud83d\u0041""#, Some(r#""\ufffd\u0041""#)),
            (r#""\ud83d\ude00 \u00e9""#, None),
            (r#""\\ud83d \"\n""#, None),
            (r#""\ud83"#, None),
            (r"\é\", None),
        ] {
            assert_eq!(super::mended(text).as_deref().map(String::as_str), want, "{text}");
        }
    }
}
