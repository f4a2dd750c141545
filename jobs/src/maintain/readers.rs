//! How far those who read a table's entries one by one have got.

use bellwether_warehouse::{Table, TableId};

use crate::error::Error;
use crate::jobs::refresh;

/// Of `attempts`, whose entries rollups are made from. Publication reads those of rollups and published tables, and
/// looks at everything where they are gone.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Passed {
    /// Version, and the table that has got no further.
    slowest: Option<(i64, &'static str)>,
}

impl Passed {
    pub(super) fn of(&self, table: TableId) -> i64 {
        match (table, self.slowest) {
            (TableId::Attempts, Some((version, _))) => version,
            _ => i64::MAX,
        }
    }

    /// For the end of a sentence.
    pub(super) fn held(&self, table: TableId) -> String {
        match (table, self.slowest) {
            (TableId::Attempts, Some((-1, name))) => {
                format!("; held by `{name}`, which has never been computed")
            }
            (TableId::Attempts, Some((version, name))) => {
                format!("; up to version {version}, where `{name}` is")
            }
            _ => String::new(),
        }
    }
}

/// A table that has never been computed is at -1.
pub(super) async fn passed(tables: &mut [Table]) -> Result<Passed, Error> {
    let mut slowest: Option<(i64, &'static str)> = None;
    for table in tables {
        let id = table.id();
        if id.rollup().is_none() {
            continue;
        }
        refresh(table).await?;
        let at = (table.snapshot().computed_at().unwrap_or(-1), id.name());
        slowest = Some(slowest.map_or(at, |slowest| slowest.min(at)));
    }
    Ok(Passed { slowest })
}
