//! CSV after RFC 4180: a header line, CRLF, quotes where needed, no byte order mark.

use super::table::{Cell, Table};

pub(super) fn write(table: &Table) -> String {
    let mut out = table.columns.join(",");
    out.push_str("\r\n");
    for row in &table.rows {
        for (position, cell) in row.iter().enumerate() {
            if position > 0 {
                out.push(',');
            }
            field(cell, &mut out);
        }
        out.push_str("\r\n");
    }
    out
}

fn field(cell: &Cell, out: &mut String) {
    let Cell::Text(text) = cell else {
        out.push_str(&cell.plain());
        return;
    };
    // A spreadsheet would run a cell that begins like a formula, and names are foreign input.
    let formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let quoted = text.contains([',', '"', '\n', '\r']);
    if quoted {
        out.push('"');
    }
    if formula {
        out.push('\'');
    }
    if quoted {
        out.push_str(&text.replace('"', "\"\""));
        out.push('"');
    } else {
        out.push_str(text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_quoted_and_formulas_are_defused() {
        let text = |text: &str| Cell::Text(text.into());
        let mut table = Table::new(&["name", "value"]);
        table.rows.push(vec![text("=1+1"), Cell::Count(7)]);
        table.rows.push(vec![text("@cmd,\"x\""), Cell::Number(-0.5)]);
        table.rows.push(vec![text("\tTab"), Cell::Null]);
        table.rows.push(vec![text("-dash"), Cell::Whole(-1)]);
        table.rows.push(vec![text("two\nlines"), Cell::Money(1)]);
        assert_eq!(
            write(&table),
            "name,value\r\n'=1+1,7\r\n\"'@cmd,\"\"x\"\"\",-0.5\r\n'\tTab,\r\n'-dash,-1\r\n\"two\nlines\",0.000000001\r\n"
        );
    }
}
