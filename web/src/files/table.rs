//! A table of typed cells, and its JSON form.

use serde::ser::{SerializeMap, SerializeSeq};
use serde::{Serialize, Serializer};

use super::meta::Meta;
use crate::data::{Figure, Tally};

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Cell {
    /// Unknown or withheld.
    Null,
    Text(String),
    /// A 64-bit count: a string in JSON, where numbers are often read as doubles.
    Count(u64),
    /// 10⁻⁹ USD, written as decimal USD.
    Money(u128),
    /// Ratios, percentages, milliseconds.
    Number(f64),
    /// Small whole numbers: ranks, days.
    Whole(i64),
}

impl Cell {
    pub fn number(value: Option<f64>) -> Self {
        value.filter(|value| value.is_finite()).map_or(Self::Null, Self::Number)
    }

    /// Null when withheld; the reason stands in a column of its own.
    pub fn figure(value: Figure<f64>) -> Self {
        Self::number(value.ok())
    }

    pub fn whole(value: Option<i64>) -> Self {
        value.map_or(Self::Null, Self::Whole)
    }

    pub fn text(value: Option<&str>) -> Self {
        value.map_or(Self::Null, |text| Self::Text(text.to_owned()))
    }

    pub fn count(value: Option<u64>) -> Self {
        value.map_or(Self::Null, Self::Count)
    }

    /// `1000+` and `<100` where only the size may be told.
    pub fn tally(tally: Tally) -> Self {
        match tally {
            Tally::Exact(count) => Self::Count(count),
            Tally::Band(Some(least)) => Self::Text(format!("{least}+")),
            Tally::Band(None) => Self::Text("<100".to_owned()),
        }
    }

    /// 10⁻⁹ USD.
    pub fn money(nano: Option<u128>) -> Self {
        nano.map_or(Self::Null, Self::Money)
    }

    /// As in a file of text; foreign text is defused by the writer.
    pub fn plain(&self) -> String {
        match self {
            Self::Null => String::new(),
            Self::Text(text) => text.clone(),
            Self::Count(count) => count.to_string(),
            Self::Money(nano) => money(*nano),
            Self::Number(number) => rounded(*number).to_string(),
            Self::Whole(whole) => whole.to_string(),
        }
    }
}

/// Decimal USD without superfluous zeros.
fn money(nano: u128) -> String {
    let (whole, rest) = (nano / 1_000_000_000, nano % 1_000_000_000);
    if rest == 0 {
        return whole.to_string();
    }
    format!("{whole}.{}", format!("{rest:09}").trim_end_matches('0'))
}

/// Nine significant digits: more than any of these figures has.
fn rounded(number: f64) -> f64 {
    format!("{number:.8e}").parse().unwrap_or(number)
}

impl Serialize for Cell {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_none(),
            Self::Number(number) => serializer.serialize_f64(rounded(*number)),
            Self::Whole(whole) => serializer.serialize_i64(*whole),
            Self::Text(text) => serializer.serialize_str(text),
            Self::Count(_) | Self::Money(_) => serializer.serialize_str(&self.plain()),
        }
    }
}

#[derive(Clone, Debug, Default)]
pub(super) struct Table {
    pub columns: Vec<&'static str>,
    pub rows: Vec<Vec<Cell>>,
}

impl Table {
    pub fn new(columns: &[&'static str]) -> Self {
        Self { columns: columns.to_vec(), rows: Vec::new() }
    }
}

struct Rows<'a>(&'a Table);
struct Row<'a>(&'a [&'static str], &'a [Cell]);

impl Serialize for Rows<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut seq = serializer.serialize_seq(Some(self.0.rows.len()))?;
        for row in &self.0.rows {
            seq.serialize_element(&Row(&self.0.columns, row))?;
        }
        seq.end()
    }
}

impl Serialize for Row<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, cell) in self.0.iter().zip(self.1) {
            map.serialize_entry(name, cell)?;
        }
        map.end()
    }
}

struct Body<'a> {
    main: &'a Table,
    more: &'a [(&'static str, Table)],
    meta: &'a Meta,
}

impl Serialize for Body<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("data", &Rows(self.main))?;
        for (name, table) in self.more {
            map.serialize_entry(name, &Rows(table))?;
        }
        map.serialize_entry("meta", self.meta)?;
        map.end()
    }
}

pub(super) fn json(main: &Table, more: &[(&'static str, Table)], meta: &Meta) -> String {
    // Strings and finite numbers always serialise.
    let mut text = serde_json::to_string(&Body { main, more, meta }).unwrap_or_default();
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_is_exact_decimal_text() {
        assert_eq!(money(0), "0");
        assert_eq!(money(1_500_000), "0.0015");
        assert_eq!(money(5_490_000_000_000_000), "5490000");
        assert_eq!(money(18_446_744_073_709_551_615), "18446744073.709551615");
        assert_eq!(money(19_999_999_980_000_000_000), "19999999980");
    }

    #[test]
    fn counts_are_strings_and_ratios_are_numbers() {
        let cells = [
            Cell::Count(u64::MAX),
            Cell::Number(0.125),
            Cell::Whole(-3),
            Cell::Null,
            Cell::Money(25_000_000),
        ];
        assert_eq!(
            serde_json::to_string(&cells).unwrap(),
            r#"["18446744073709551615",0.125,-3,null,"0.025"]"#
        );
    }
}
