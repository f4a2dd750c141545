//! Numbers, units and dates as readers see them. Blanks inside a figure do not break.

use chrono::{DateTime, Datelike, NaiveDate, Timelike, Utc};

use crate::tally::Tally;

/// Joins a number to its unit or sign without a line break.
pub const NBSP: char = '\u{a0}';
/// The real minus sign.
pub const MINUS: char = '\u{2212}';

/// A number and the unit it was scaled to: `17.7` and `T`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scaled {
    pub value: String,
    pub unit: &'static str,
}

impl Scaled {
    /// Both in one piece: `17.7 T`.
    pub fn joined(&self) -> String {
        if self.unit.is_empty() { self.value.clone() } else { format!("{}{NBSP}{}", self.value, self.unit) }
    }
}

/// One scale for a whole column or axis, from its largest value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scale {
    pub divisor: f64,
    pub unit: &'static str,
    pub decimals: usize,
}

impl Scale {
    /// Thousands, millions, billions, trillions by the largest value.
    pub fn of(largest: f64) -> Self {
        let (divisor, unit) = match largest.abs() {
            value if value >= 1e12 => (1e12, "T"),
            value if value >= 1e9 => (1e9, "B"),
            value if value >= 1e6 => (1e6, "M"),
            value if value >= 1e4 => (1e3, "k"),
            _ => (1.0, ""),
        };
        let decimals = match (unit, largest.abs() / divisor) {
            ("", _) => 0,
            (_, value) if value < 10.0 => 2,
            _ => 1,
        };
        Self { divisor, unit, decimals }
    }

    /// As [`Scale::of`], for money: small sums keep their cents.
    pub fn of_usd(largest: f64) -> Self {
        let scale = Self::of(largest);
        if scale.unit.is_empty() { Self { decimals: 2, ..scale } } else { scale }
    }

    pub fn number(&self, value: f64) -> String {
        let scaled = value / self.divisor;
        let smallest = 10f64.powi(-i32::try_from(self.decimals).unwrap_or(0));
        if scaled > 0.0 && scaled < smallest / 2.0 {
            return format!("<{NBSP}{}", decimal(smallest, self.decimals));
        }
        decimal(scaled, self.decimals)
    }

    /// `T tokens`, `M USD`, `requests`: the scale before a noun.
    pub fn unit_of(&self, noun: &str) -> String {
        if self.unit.is_empty() { noun.to_owned() } else { format!("{} {noun}", self.unit) }
    }
}

/// A count, or `1,000+` and `under 100` where only its size may be told.
pub fn tally(tally: Tally) -> String {
    match tally {
        Tally::Exact(n) => count(n),
        Tally::Band(Some(least)) => format!("{}+", count(least)),
        Tally::Band(None) => "under 100".to_owned(),
    }
}

/// The same in few characters.
pub fn compact_tally(tally: Tally) -> String {
    match tally {
        Tally::Exact(n) => compact(n as f64).joined(),
        Tally::Band(Some(least)) => format!("{}+", compact(least as f64).joined()),
        Tally::Band(None) => "under 100".to_owned(),
    }
}

/// `1,234,567`
pub fn count(value: u64) -> String {
    grouped(&value.to_string())
}

fn grouped(digits: &str) -> String {
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// Fixed decimals, thousands grouped, a real minus sign, no minus zero.
pub fn decimal(value: f64, decimals: usize) -> String {
    if !value.is_finite() {
        return "–".to_owned();
    }
    let text = format!("{:.decimals$}", value.abs());
    let negative = value < 0.0 && text.chars().any(|digit| ('1'..='9').contains(&digit));
    let (whole, rest) = text.split_once('.').map_or((text.as_str(), ""), |(whole, rest)| (whole, rest));
    let mut out = String::with_capacity(text.len() + 4);
    if negative {
        out.push(MINUS);
    }
    out.push_str(&grouped(whole));
    if !rest.is_empty() {
        out.push('.');
        out.push_str(rest);
    }
    out
}

/// With a sign: `+0.7`, `−1.4`, and `0.0` for what rounds to nothing.
pub fn signed(value: f64, decimals: usize) -> String {
    let text = decimal(value, decimals);
    let is_zero = !text.chars().any(|digit| ('1'..='9').contains(&digit));
    if value > 0.0 && !is_zero { format!("+{text}") } else { text }
}

/// A large count in three significant digits: `127 T`, `17.7 T`, `412 k`; below 10,000 in full: `1,750`.
pub fn compact(value: f64) -> Scaled {
    if !value.is_finite() {
        return Scaled { value: "–".to_owned(), unit: "" };
    }
    // 999,950 would print as 1000.0 k: move up a scale as soon as rounding does.
    let scale = [1e12, 1e9, 1e6, 1e3]
        .into_iter()
        .zip(["T", "B", "M", "k"])
        .find(|(divisor, _)| value.abs() >= divisor * if *divisor == 1e3 { 9.9995 } else { 0.9995 })
        .unwrap_or((1.0, ""));
    let scaled = value / scale.0;
    let decimals = match scaled.abs() {
        _ if scale.1.is_empty() => 0,
        part if part < 9.995 => 2,
        part if part < 99.95 => 1,
        _ => 0,
    };
    Scaled { value: decimal(scaled, decimals), unit: scale.1 }
}

/// Money: cents below 1,000 USD, then as [`compact`].
pub fn usd(value: f64) -> Scaled {
    if value.abs() < 1_000.0 {
        let decimals = if value != 0.0 && value.abs() < 0.01 { 4 } else { 2 };
        return Scaled { value: decimal(value, decimals), unit: "" };
    }
    compact(value)
}

/// A price in USD per 1 M tokens: two decimals, three below 0.1, four below 0.01.
pub fn price(value: f64) -> String {
    let decimals = match value.abs() {
        part if part >= 0.0995 || part == 0.0 => 2,
        part if part >= 0.00995 => 3,
        _ => 4,
    };
    decimal(value, decimals)
}

/// A ratio as percent without the sign: `0.139` is `13.9`. What is not zero never reads as zero.
pub fn percent(ratio: f64, decimals: usize) -> String {
    let value = ratio * 100.0;
    let smallest = 10f64.powi(-i32::try_from(decimals).unwrap_or(0));
    if value > 0.0 && value < smallest / 2.0 {
        return format!("<{NBSP}{}", decimal(smallest, decimals));
    }
    decimal(value, decimals)
}

/// With the sign: `13.9 %`.
pub fn percent_sign(ratio: f64, decimals: usize) -> String {
    format!("{}{NBSP}%", percent(ratio, decimals))
}

/// Uptime in percent, two decimals, cut and not rounded: 100.00 means that nothing failed.
pub fn uptime(percent: f64) -> String {
    let hundredths = (percent * 100.0 + 1e-7).floor().clamp(0.0, 10_000.0);
    decimal(hundredths / 100.0, 2)
}

/// `24 Nov 2026`
pub fn date(date: NaiveDate) -> String {
    format!("{} {} {}", date.day(), month_name(date), date.year())
}

/// `24 Nov`
pub fn day_month(date: NaiveDate) -> String {
    format!("{} {}", date.day(), month_name(date))
}

/// `Nov`, and `Jan 2026` where the year turns.
pub fn month_short(date: NaiveDate) -> String {
    if date.month() == 1 { month_year(date) } else { month_name(date).to_owned() }
}

/// `Nov 2026`
pub fn month_year(date: NaiveDate) -> String {
    format!("{} {}", month_name(date), date.year())
}

fn month_name(date: NaiveDate) -> &'static str {
    const NAMES: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    NAMES.get(date.month0() as usize).copied().unwrap_or("")
}

/// `18 to 24 Nov 2026`, `30 Oct to 5 Nov 2026`, `28 Dec 2025 to 3 Jan 2026`, or one day.
pub fn span(start: NaiveDate, end: NaiveDate) -> String {
    if start == end {
        date(end)
    } else if start.year() != end.year() {
        format!("{} to {}", date(start), date(end))
    } else if start.month() != end.month() {
        format!("{} to {}", day_month(start), date(end))
    } else {
        format!("{} to {}", start.day(), date(end))
    }
}

/// `00:40`
pub fn clock(at: DateTime<Utc>) -> String {
    format!("{:02}:{:02}", at.hour(), at.minute())
}

/// `25 Nov 2026, 00:40`
pub fn instant(at: DateTime<Utc>) -> String {
    format!("{}, {}", date(at.date_naive()), clock(at))
}

/// `25 Nov, 00:40`
pub fn instant_short(at: DateTime<Utc>) -> String {
    format!("{}, {}", day_month(at.date_naive()), clock(at))
}

/// For `<time datetime>`: `2026-11-25T00:40Z`.
pub fn machine(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%dT%H:%MZ").to_string()
}

/// Words up to twelve, figures beyond: `one provider`, `92 providers`.
pub fn in_words(value: usize) -> String {
    const WORDS: [&str; 13] = [
        "no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven",
        "twelve",
    ];
    WORDS.get(value).map_or_else(|| count(value as u64), |word| (*word).to_owned())
}

/// Like `in_words`, in figures where its companion is: `11 of 21`, not `eleven of 21`.
pub fn in_words_beside(value: usize, companion: usize) -> String {
    if companion > 12 { count(value as u64) } else { in_words(value) }
}

/// First letter in upper case.
pub fn capitalised(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map_or_else(String::new, |first| first.to_uppercase().chain(characters).collect())
}

/// `a`, `a and b`, `a, b and c`.
pub fn list(parts: &[String]) -> String {
    match parts {
        [] => String::new(),
        [one] => one.clone(),
        [before @ .., last] => format!("{} and {last}", before.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn counts_are_grouped() {
        assert_eq!(
            [count(0), count(999), count(1_000), count(1_234_567)],
            ["0", "999", "1,000", "1,234,567"]
        );
    }

    #[test]
    fn large_numbers_keep_three_digits_and_round_into_the_next_scale() {
        let text = |value: f64| compact(value).joined().replace(NBSP, " ");
        assert_eq!(text(873.0), "873");
        assert_eq!(text(1_750.0), "1,750");
        assert_eq!(text(12_340.0), "12.3 k");
        assert_eq!(text(412_300.0), "412 k");
        assert_eq!(text(999_600.0), "1.00 M");
        assert_eq!(text(17.71e12), "17.7 T");
        assert_eq!(text(127.4e12), "127 T");
    }

    #[test]
    fn signs_are_written() {
        assert_eq!(
            [signed(0.66, 1), signed(-1.44, 1), signed(-0.01, 1), signed(0.0, 1)],
            ["+0.7", "−1.4", "0.0", "0.0"]
        );
    }

    #[test]
    fn nothing_that_happened_reads_as_nothing() {
        assert_eq!(percent(0.0, 1), "0.0");
        assert_eq!(percent(0.000_2, 1).replace(NBSP, " "), "< 0.1");
        assert_eq!(percent(0.139_4, 1), "13.9");
    }

    #[test]
    fn uptime_is_cut_so_that_a_failure_is_never_rounded_away() {
        assert_eq!(uptime(100.0), "100.00");
        assert_eq!(uptime(99.999), "99.99");
        assert_eq!(uptime(91.70), "91.70");
        assert_eq!(uptime(0.0), "0.00");
    }

    #[test]
    fn spans_say_each_part_once() {
        assert_eq!(span(day("2026-11-18"), day("2026-11-24")), "18 to 24 Nov 2026");
        assert_eq!(span(day("2026-10-30"), day("2026-11-05")), "30 Oct to 5 Nov 2026");
        assert_eq!(span(day("2025-12-28"), day("2026-01-03")), "28 Dec 2025 to 3 Jan 2026");
        assert_eq!(span(day("2026-11-24"), day("2026-11-24")), "24 Nov 2026");
    }

    #[test]
    fn prices_keep_what_matters() {
        assert_eq!(
            [price(0.27), price(0.027), price(0.0031), price(0.0), price(15.0)],
            ["0.27", "0.027", "0.0031", "0.00", "15.00"]
        );
    }

    #[test]
    fn a_column_has_one_scale() {
        let scale = Scale::of(17.71e12);
        assert_eq!(
            (scale.number(17.71e12), scale.number(0.27e12), scale.number(1e9)),
            ("17.7".into(), "0.3".into(), format!("<{NBSP}0.1"))
        );
        assert_eq!(scale.unit_of("tokens"), "T tokens");
        assert_eq!(Scale::of(532.0).number(12.0), "12");
        assert_eq!(Scale::of_usd(532.0).number(12.5), "12.50");
    }

    #[test]
    fn lists_read_as_english() {
        assert_eq!(list(&["a".into(), "b".into(), "c".into()]), "a, b and c");
        assert_eq!(in_words(3), "three");
        assert_eq!(in_words(92), "92");
        assert_eq!(capitalised("one"), "One");
    }
}
