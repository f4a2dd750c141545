//! Instants: RFC 3339 text to µs since the Unix epoch and back.

use std::io::Write;

const MICROS_PER_DAY: i64 = 86_400_000_000;

/// Parses RFC 3339 text. Digits beyond the microsecond are cut off; an offset is required.
pub(crate) fn parse_rfc3339(text: &str) -> Option<i64> {
    let bytes = text.as_bytes();
    let number = |from: usize, to: usize| -> Option<i64> {
        bytes
            .get(from..to)?
            .iter()
            .try_fold(0_i64, |sum, b| b.is_ascii_digit().then(|| sum * 10 + i64::from(b - b'0')))
    };
    let separator = |at: usize, allowed: &[u8]| bytes.get(at).is_some_and(|b| allowed.contains(b));
    if !(separator(4, b"-") && separator(7, b"-") && separator(10, b"Tt ") && separator(13, b":")) {
        return None;
    }
    if !separator(16, b":") {
        return None;
    }
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
    if !(1..=12).contains(&month) || day < 1 || day > days_in_month(year, month) {
        return None;
    }
    // A leap second is the first moment of the next minute here, as in Unix time.
    if hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let mut at = 19;
    let mut micros = 0;
    if separator(at, b".,") {
        at += 1;
        let first = at;
        let mut unit = 100_000;
        while let Some(digit) = bytes.get(at).filter(|b| b.is_ascii_digit()) {
            micros += i64::from(digit - b'0') * unit;
            unit /= 10;
            at += 1;
        }
        if at == first {
            return None;
        }
    }
    let offset_minutes = match bytes.get(at..)? {
        [b'Z' | b'z'] => 0,
        [sign @ (b'+' | b'-'), rest @ ..] => {
            let from = at + 1;
            let (hours, minutes) = match rest.len() {
                5 if separator(from + 2, b":") => (number(from, from + 2)?, number(from + 3, from + 5)?),
                4 => (number(from, from + 2)?, number(from + 2, from + 4)?),
                _ => return None,
            };
            if hours > 23 || minutes > 59 {
                return None;
            }
            let offset = hours * 60 + minutes;
            if *sign == b'-' { -offset } else { offset }
        }
        _ => return None,
    };
    let seconds = hour * 3600 + (minute - offset_minutes) * 60 + second;
    Some(days_from_civil(year, month, day) * MICROS_PER_DAY + seconds * 1_000_000 + micros)
}

/// Appends `2026-11-22T15:04:35.658802Z`; years outside 0 to 9999 as decimal Unix seconds.
pub(crate) fn write_rfc3339(micros: i64, out: &mut Vec<u8>) {
    let (year, month, day) = civil_from_days(micros.div_euclid(MICROS_PER_DAY));
    let in_day = micros.rem_euclid(MICROS_PER_DAY);
    // Writing to a Vec cannot fail.
    let _ = if (0..=9999).contains(&year) {
        let (seconds, fraction) = (in_day / 1_000_000, in_day % 1_000_000);
        let mut text = *b"0000-00-00T00:00:00.000000Z";
        put(&mut text, 0, 4, year);
        put(&mut text, 5, 2, month);
        put(&mut text, 8, 2, day);
        put(&mut text, 11, 2, seconds / 3600);
        put(&mut text, 14, 2, seconds / 60 % 60);
        put(&mut text, 17, 2, seconds % 60);
        put(&mut text, 20, 6, fraction);
        out.write_all(&text)
    } else {
        write!(out, "{}.{:06}", micros.div_euclid(1_000_000), micros.rem_euclid(1_000_000))
    };
}

fn put(text: &mut [u8; 27], from: usize, digits: usize, value: i64) {
    let mut rest = value;
    for slot in text.iter_mut().skip(from).take(digits).rev() {
        *slot = b'0' + (rest % 10) as u8;
        rest /= 10;
    }
}

/// Days since 1970-01-01 of a proleptic Gregorian date.
pub(crate) fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let shifted = if month <= 2 { year - 1 } else { year };
    let era = shifted.div_euclid(400);
    let year_of_era = shifted.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_index = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_index + 2) / 5 + 1;
    let month = if month_index < 10 { month_index + 3 } else { month_index - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
}

fn days_in_month(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;

    #[test]
    fn rfc3339_agrees_with_chrono() {
        for text in [
            "2026-11-22T15:04:35.658802Z",
            "2026-11-22T15:04:35Z",
            "2024-02-29T23:59:59.9+05:30",
            "1969-12-31T23:59:59.999999Z",
            "2000-03-01t00:00:00-08:00",
            "0000-01-01T00:00:00Z",
            "9999-12-31T23:59:59.999999Z",
        ] {
            let want = DateTime::parse_from_rfc3339(text).unwrap().timestamp_micros();
            assert_eq!(parse_rfc3339(text), Some(want), "{text}");
        }
        assert_eq!(parse_rfc3339("2026-11-22T15:04:35.6588029Z"), Some(1_795_359_875_658_802));
    }

    #[test]
    fn broken_instants_are_refused() {
        for text in [
            "",
            "2026-11-22",
            "2026-11-22T15:04:35",
            "2026-13-01T00:00:00Z",
            "2026-02-29T00:00:00Z",
            "2026-11-22T24:00:00Z",
            "2026-11-22T15:04:35.Z",
            "2026-11-22T15:04:35Zulu",
            "2026-11-22T15:04:35+1",
            "2026-11-2२T15:04:35Z",
        ] {
            assert_eq!(parse_rfc3339(text), None, "{text}");
        }
    }

    #[test]
    fn written_instants_agree_with_chrono() {
        let mut micros = -62_167_219_200_000_000_i64;
        while micros < 253_402_300_799_999_999 {
            let mut out = Vec::new();
            write_rfc3339(micros, &mut out);
            let text = String::from_utf8(out).unwrap();
            assert_eq!(DateTime::parse_from_rfc3339(&text).unwrap().timestamp_micros(), micros, "{text}");
            micros += 1_234_567_890_123_457;
        }
    }
}
