//! `docs/metrics.md`, made of the declarations.

use std::fmt::Write;

use bellwether_warehouse::TableId;
use bellwether_warehouse::tables::declared::{Audience, Column, Declaration};

use crate::{METRICS, tables};

const HEAD: &str = "# Published tables

What each column means. Made of the declarations in `metrics/`; a test says how to write it anew.

Readers take the newest row of `publications` and every table at the version that it names.
";

/// The whole page, as Markdown.
pub fn document() -> String {
    let mut page = HEAD.to_owned();
    for table in tables() {
        if let TableId::Declared(table) = table {
            // Writing to a text cannot fail.
            let _ = describe(&mut page, table);
        }
    }
    page
}

fn describe(page: &mut String, table: &Declaration) -> std::fmt::Result {
    writeln!(page, "\n## {}\n\n{}\n", table.name, table.meaning)?;
    write!(page, "One row: {}.", table.grain)?;
    let metric = METRICS.iter().find(|metric| metric.table == table);
    if let Some(days) = metric.and_then(|metric| metric.history.days()) {
        write!(page, " Of the time before the first publication it has {days} days at most.")?;
    }
    if table.audience == Audience::Operators {
        write!(page, " For operators alone: it names what is not public.")?;
    }
    writeln!(page, "\n\n| column | type | unit | meaning | null when |\n|---|---|---|---|---|")?;
    for Column { name, of, unit, meaning, null } in table.columns {
        let when = null.unwrap_or_default().to_owned();
        let cells = [format!("`{name}`"), of.word().into(), unit.word().into(), (*meaning).into(), when];
        writeln!(page, "| {} |", cells.map(|cell: String| cell.replace('|', "\\|")).join(" | "))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    #[test]
    fn the_page_of_published_tables_is_that_of_the_declarations() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/metrics.md");
        if std::env::var_os("BELLWETHER_WRITE_REFERENCE").is_some() {
            std::fs::write(&path, super::document()).unwrap();
        }
        let stands = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(
            stands == super::document(),
            "docs/metrics.md is not that of the declarations: set BELLWETHER_WRITE_REFERENCE=1, run this test, and \
             look at what changed"
        );
    }
}
