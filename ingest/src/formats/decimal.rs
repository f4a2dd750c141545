//! Decimal text to scaled integers without a detour through binary floats.

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Error {
    NotANumber,
    NotFinite,
    Negative,
    TooLarge,
}

/// Parses `text` (plain or with exponent) to `value × 10^scale`, rounded half up.
pub(crate) fn parse(text: &str, scale: i32) -> Result<i128, Error> {
    let bytes = text.trim_ascii().as_bytes();
    let (negative, bytes) = match bytes {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        rest => (false, rest),
    };
    if [&b"nan"[..], b"inf", b"infinity"].iter().any(|word| bytes.eq_ignore_ascii_case(word)) {
        return Err(Error::NotFinite);
    }
    let (mantissa, exponent) = split_exponent(bytes)?;
    let (digits, point) = match mantissa.iter().position(|&b| b == b'.') {
        Some(at) => (mantissa, at),
        None => (mantissa, mantissa.len()),
    };
    // Number of digits that stand before the decimal point of the scaled value; may be negative.
    let keep = point as i64 + i64::from(exponent) + i64::from(scale);
    let mut value: i128 = 0;
    let mut seen = 0_i64;
    let mut round_up = false;
    for (at, &byte) in digits.iter().enumerate() {
        if at == point {
            continue;
        }
        if !byte.is_ascii_digit() {
            return Err(Error::NotANumber);
        }
        if seen < keep {
            value = value
                .checked_mul(10)
                .and_then(|v| v.checked_add(i128::from(byte - b'0')))
                .ok_or(Error::TooLarge)?;
        } else if seen == keep {
            round_up = byte >= b'5';
        }
        seen += 1;
    }
    if seen == 0 {
        return Err(Error::NotANumber);
    }
    if value != 0 {
        for _ in seen..keep {
            value = value.checked_mul(10).ok_or(Error::TooLarge)?;
        }
    }
    value = value.checked_add(i128::from(round_up)).ok_or(Error::TooLarge)?;
    if negative && digits.iter().any(|b| (b'1'..=b'9').contains(b)) {
        return Err(Error::Negative);
    }
    Ok(value)
}

fn split_exponent(bytes: &[u8]) -> Result<(&[u8], i32), Error> {
    let Some(at) = bytes.iter().position(|b| matches!(b, b'e' | b'E')) else {
        return Ok((bytes, 0));
    };
    let (mantissa, rest) = bytes.split_at(at);
    let exponent = std::str::from_utf8(rest.get(1..).unwrap_or_default()).map_err(|_| Error::NotANumber)?;
    let exponent: i32 = exponent.parse().map_err(|_| Error::NotANumber)?;
    if exponent.abs() > 400 {
        return Err(Error::TooLarge);
    }
    Ok((mantissa, exponent))
}

/// Scales a parsed JSON number. Exact for every decimal of up to 15 significant digits: where the product
/// lies so near to a rounding border that the float's own error could decide, its shortest text decides.
pub(crate) fn from_f64(value: f64, scale: i32) -> Result<i128, Error> {
    if !value.is_finite() {
        return Err(Error::NotFinite);
    }
    if value < 0.0 {
        return Err(Error::Negative);
    }
    let scaled = value * 10_f64.powi(scale);
    if scaled < 4e15 {
        let whole = scaled.floor();
        let fraction = scaled - whole;
        if (fraction - 0.5).abs() > 1e-3 {
            return Ok(whole as i128 + i128::from(fraction > 0.5));
        }
    }
    parse(&format!("{value}"), scale)
}

/// Appends `value × 10^-9` as decimal text without trailing zeros.
pub(crate) fn write_nano(value: i128, out: &mut Vec<u8>) {
    use std::io::Write;
    let whole = value / 1_000_000_000;
    let fraction = (value % 1_000_000_000).unsigned_abs();
    // Writing to a Vec cannot fail.
    let _ = if fraction == 0 {
        write!(out, "{whole}")
    } else {
        let result = write!(out, "{whole}.{fraction:09}");
        while out.last() == Some(&b'0') {
            out.pop();
        }
        result
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimal_text_keeps_every_digit_and_rounds_half_up() {
        for (text, scale, want) in [
            ("1795359875.658802", 6, Ok(1_795_359_875_658_802)),
            ("1795359875", 6, Ok(1_795_359_875_000_000)),
            ("1.7953598756588025e9", 6, Ok(1_795_359_875_658_803)),
            ("2.52e-05", 9, Ok(25_200)),
            ("1.3199999999999999e-05", 9, Ok(13_200)),
            ("0.0000000005", 9, Ok(1)),
            ("0.0000000004999", 9, Ok(0)),
            ("5e-11", 9, Ok(0)),
            (".5", 0, Ok(1)),
            ("12.", 0, Ok(12)),
            ("0", 9, Ok(0)),
            ("-0.0", 9, Ok(0)),
            ("-5", 0, Err(Error::Negative)),
            ("NaN", 0, Err(Error::NotFinite)),
            ("-inf", 0, Err(Error::NotFinite)),
            ("Infinity", 0, Err(Error::NotFinite)),
            ("", 0, Err(Error::NotANumber)),
            (".", 0, Err(Error::NotANumber)),
            ("1.2.3", 2, Err(Error::NotANumber)),
            ("12a", 0, Err(Error::NotANumber)),
            ("1e", 0, Err(Error::NotANumber)),
            ("1e999999999", 0, Err(Error::TooLarge)),
            ("1e60", 0, Err(Error::TooLarge)),
        ] {
            assert_eq!(parse(text, scale), want, "{text}");
        }
    }

    #[test]
    fn floats_of_microsecond_instants_lose_nothing() {
        let mut micros: i64 = 1_577_836_800_000_001;
        while micros < 2_200_000_000_000_000 {
            let text = format!("{}.{:06}", micros / 1_000_000, micros % 1_000_000);
            let float: f64 = text.parse().unwrap();
            assert_eq!(from_f64(float, 6), Ok(i128::from(micros)), "{text}");
            micros += 6_222_222_223;
        }
        assert_eq!(from_f64(2.52e-05, 9), Ok(25_200));
        assert_eq!(from_f64(1.25e-8, 9), Ok(13));
        assert_eq!(from_f64(1e300, 9), Err(Error::TooLarge));
    }

    #[test]
    fn money_is_written_without_trailing_zeros() {
        for (value, want) in [
            (0, "0"),
            (25_200, "0.0000252"),
            (1_500_000_000, "1.5"),
            (1, "0.000000001"),
            (10_000_000_000, "10"),
        ] {
            let mut out = Vec::new();
            write_nano(value, &mut out);
            assert_eq!(String::from_utf8(out).unwrap(), want);
        }
    }
}
