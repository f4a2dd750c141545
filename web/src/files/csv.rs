//! CSV after RFC 4180: a header line, CRLF, quotes where needed, no byte order mark. Names of columns are those of the
//! members of a row.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::json;
use crate::views::Row;

pub(super) fn write<R: Row>(rows: &[R]) -> String {
    let mut out = String::new();
    line(&R::default(), &mut out, |name, _, out| out.push_str(name));
    for row in rows {
        line(row, &mut out, |_, value, out| field(value.get(), out));
    }
    out
}

/// One line of what is written of each member; the JSON form has them in their order.
fn line(row: &impl Row, out: &mut String, write: impl Fn(&str, &RawValue, &mut String)) {
    let json = json::write(row);
    // What was just written can be read.
    let members = serde_json::from_str::<Members<'_>>(&json).map(|members| members.0).unwrap_or_default();
    for (position, (name, value)) in members.into_iter().enumerate() {
        if position > 0 {
            out.push(',');
        }
        write(name, value, out);
    }
    out.push_str("\r\n");
}

struct Members<'a>(Vec<(&'a str, &'a RawValue)>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;

        impl<'de> Visitor<'de> for InOrder {
            type Value = Members<'de>;

            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("a row")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members<'de>, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }

        deserializer.deserialize_map(InOrder)
    }
}

/// `json`: null, a text or a number.
fn field(json: &str, out: &mut String) {
    if json == "null" {
        return;
    }
    if let Ok(text) = serde_json::from_str::<String>(json) {
        return quoted(&text, out);
    }
    match json.parse::<f64>() {
        // Without the `.0` by which JSON tells it from a whole number.
        Ok(number) if json.contains(['.', 'e']) => out.push_str(&number.to_string()),
        _ => out.push_str(json),
    }
}

fn quoted(text: &str, out: &mut String) {
    // A spreadsheet would run a cell that begins like a formula, and names are foreign input.
    let formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let is_quoted = text.contains([',', '"', '\n', '\r']);
    if is_quoted {
        out.push('"');
    }
    if formula {
        out.push('\'');
    }
    if is_quoted {
        out.push_str(&text.replace('"', "\"\""));
        out.push('"');
    } else {
        out.push_str(text);
    }
}

#[cfg(test)]
mod tests {
    use serde::Serialize;
    use utoipa::ToSchema;

    use super::*;
    use crate::views::{Count, Usd};

    #[derive(Default, Serialize, ToSchema)]
    struct Line {
        name: &'static str,
        count: Option<Count>,
        ratio: Option<f64>,
        rank: Option<i32>,
        usd: Usd,
        #[serde(skip)]
        inner: u64,
    }

    #[test]
    fn text_is_quoted_and_formulas_are_defused() {
        let rows = [
            Line { name: "=1+1", count: Some(Count(7)), inner: 3, ..Line::default() },
            Line { name: "@cmd,\"x\"", ratio: Some(-0.5), ..Line::default() },
            Line { name: "\tTab", ratio: Some(94.0), ..Line::default() },
            Line { name: "-dash", rank: Some(-1), ..Line::default() },
            Line { name: "two\nlines", ratio: Some(1e21), usd: Usd(1), ..Line::default() },
        ];
        assert_eq!(rows[0].inner, 3);
        assert_eq!(
            write(&rows),
            "name,count,ratio,rank,usd\r\n'=1+1,7,,,0\r\n\"'@cmd,\"\"x\"\"\",,-0.5,,0\r\n'\tTab,,94,,0\r\n\
             '-dash,,,-1,0\r\n\"two\nlines\",,1000000000000000000000,,0.000000001\r\n"
        );
    }

    #[test]
    fn a_table_without_rows_has_its_header() {
        assert_eq!(write::<Line>(&[]), "name,count,ratio,rank,usd\r\n");
    }
}
