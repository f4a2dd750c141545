//! Ids that are numbers: kept to the last digit, though no machine word holds some of them.

use zeroize::Zeroizing;

/// Members of the formats that hold an id.
const IDS: [&str; 16] = [
    "api_key_id",
    "app_id",
    "end_user",
    "endpoint_id",
    "error_code",
    "id",
    "litellm_call_id",
    "model_id",
    "org_id",
    "request_id",
    "session_id",
    "user_api_key_end_user_id",
    "user_api_key_hash",
    "user_api_key_org_id",
    "user_api_key_user_id",
    "user_id",
];
/// Longest text that a number becomes. An id may not be longer either.
const MAX_DIGITS: i64 = 1024;

/// The record with each id that is no whole number of 64 bits in quotes, written without exponent and without zeros
/// that say nothing: `7.0` becomes `"7"`. None if there is none.
pub(super) fn quoted_ids(record: &str) -> Option<Zeroizing<String>> {
    let bytes = record.as_bytes();
    let mut out: Option<Zeroizing<String>> = None;
    let (mut copied, mut at) = (0, 0);
    // The text before, and whether a value of that name comes next.
    let (mut name, mut is_value) = (0..0, false);
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => {
                let end = end_of_text(bytes, at + 1);
                (name, is_value) = (at + 1..end.saturating_sub(1), false);
                at = end;
                continue;
            }
            b':' => is_value = true,
            b'-' | b'0'..=b'9' => {
                let length = bytes.iter().skip(at).take_while(|byte| is_of_number(**byte)).count();
                let is_id = is_value && record.get(name.clone()).is_some_and(|name| IDS.contains(&name));
                if is_id && let Some(plain) = record.get(at..at + length).and_then(plain) {
                    let out =
                        out.get_or_insert_with(|| Zeroizing::new(String::with_capacity(record.len() + 64)));
                    out.push_str(record.get(copied..at).unwrap_or_default());
                    out.push('"');
                    out.push_str(&plain);
                    out.push('"');
                    copied = at + length;
                }
                is_value = false;
                at += length;
                continue;
            }
            byte if byte.is_ascii_whitespace() => {}
            _ => is_value = false,
        }
        at += 1;
    }
    let mut out = out?;
    out.push_str(record.get(copied..).unwrap_or_default());
    Some(out)
}

fn is_of_number(byte: u8) -> bool {
    byte.is_ascii_digit() || matches!(byte, b'-' | b'+' | b'.' | b'e' | b'E')
}

/// Position behind the closing quote.
fn end_of_text(bytes: &[u8], from: usize) -> usize {
    let mut at = from;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => return at + 1,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    bytes.len()
}

/// The number in plain decimal digits. None: it fits a machine word, or it is no number of JSON, or too long.
fn plain(token: &str) -> Option<String> {
    if token.parse::<i64>().is_ok() || token.parse::<u64>().is_ok() {
        return None;
    }
    let (sign, unsigned) = token.strip_prefix('-').map_or(("", token), |rest| ("-", rest));
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i64>().ok()?),
        None => (unsigned, 0),
    };
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((_, "")) => return None,
        Some(parts) => parts,
        None => (mantissa, ""),
    };
    let is_json = !whole.is_empty()
        && (whole == "0" || !whole.starts_with('0'))
        && [whole, fraction].iter().all(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()));
    if !is_json {
        return None;
    }
    let digits = format!("{whole}{fraction}");
    // Digits before the decimal point.
    let point = i64::try_from(whole.len()).ok()?.checked_add(exponent)?;
    if point.abs() > MAX_DIGITS || digits.len() as u64 > MAX_DIGITS.unsigned_abs() {
        return None;
    }
    let zeros = |count: i64| "0".repeat(usize::try_from(count).unwrap_or_default());
    let length = i64::try_from(digits.len()).ok()?;
    let (whole, fraction) = if point <= 0 {
        ("0".to_owned(), format!("{}{digits}", zeros(-point)))
    } else if point >= length {
        (format!("{digits}{}", zeros(point - length)), String::new())
    } else {
        let (whole, fraction) = digits.split_at(usize::try_from(point).ok()?);
        (whole.to_owned(), fraction.to_owned())
    };
    let whole = Some(whole.trim_start_matches('0')).filter(|whole| !whole.is_empty()).unwrap_or("0");
    let fraction = fraction.trim_end_matches('0');
    let sign = if whole == "0" && fraction.is_empty() { "" } else { sign };
    Some(if fraction.is_empty() { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_out_to_the_last_digit() {
        for (token, want) in [
            ("36893488147419103232", Some("36893488147419103232")),
            ("-36893488147419103233", Some("-36893488147419103233")),
            ("18446744073709551615", None),
            ("18446744073709551616", Some("18446744073709551616")),
            ("-9223372036854775808", None),
            ("7", None),
            ("7.0", Some("7")),
            ("-7.00", Some("-7")),
            ("7.50", Some("7.5")),
            ("0.0", Some("0")),
            ("-0.0", Some("0")),
            ("1e3", Some("1000")),
            ("1.25E+1", Some("12.5")),
            ("125e-4", Some("0.0125")),
            ("0.00", Some("0")),
            ("1e2000", None),
            ("01.5", None),
            ("1.", None),
            (".5", None),
            ("1.5.5", None),
            ("1e", None),
            ("--1.5", None),
            ("1-5", None),
        ] {
            assert_eq!(plain(token).as_deref(), want, "{token}");
        }
    }

    #[test]
    fn only_ids_outside_of_texts_are_quoted() {
        let record = r#"{"id":7.0,"b":"\"id\":7.0 \\","c":1.50,"d":["id",1.5],"e":{"user_id" : -36893488147419103232}}"#;
        let want = r#"{"id":"7","b":"\"id\":7.0 \\","c":1.50,"d":["id",1.5],"e":{"user_id" : "-36893488147419103232"}}"#;
        assert_eq!(quoted_ids(record).as_deref().map(String::as_str), Some(want));
        for untouched in [
            "",
            "7.0",
            r#"{"id":12}"#,
            r#"{"id":"1.5"}"#,
            r#"{"model":1.5}"#,
            r#"{"id":[1.5]}"#,
            "\"\\",
            "\"id",
        ] {
            assert_eq!(quoted_ids(untouched), None, "{untouched}");
        }
    }
}
