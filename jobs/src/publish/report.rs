//! What a publication did.

use std::fmt;

use bellwether_warehouse::TableId;
use serde::Serialize;

#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct PublishReport {
    /// Of the publication that was made. None: there was nothing to publish.
    pub number: Option<i64>,
    /// Rollups that are not as far as the others: nothing is published before they are.
    pub waits_for: Vec<&'static str>,
    /// Those whose content changed.
    pub tables: Vec<PublishedTable>,
    #[serde(skip)]
    pub(super) is_partial: bool,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PublishedTable {
    pub table: &'static str,
    /// Dates whose rows changed.
    pub dates: usize,
    /// Rows written.
    pub rows: i64,
    /// From what was due to the commit.
    pub seconds: f64,
}

/// Tables that take this long are told of as they are done. Less: a line for each in every round.
const LONG_SECONDS: f64 = 2.0;

/// `computed`: dates that were due. None: no row of them is another than before.
pub(super) fn tell(table: &str, computed: usize, put: Option<&PublishedTable>, seconds: f64) {
    let (changed, rows) = put.map_or((0, 0), |put| (put.dates, put.rows));
    if seconds >= LONG_SECONDS {
        tracing::info!(table, dates = computed, changed, rows, seconds, "table computed");
    } else {
        tracing::debug!(table, dates = computed, changed, rows, seconds, "table computed");
    }
}

impl PublishReport {
    pub(super) fn waiting(behind: &[TableId]) -> Self {
        Self { waits_for: behind.iter().map(|table| table.name()).collect(), ..Self::default() }
    }

    pub(super) fn add(&mut self, table: PublishedTable) {
        match self.tables.iter_mut().find(|stands| stands.table == table.table) {
            Some(stands) => {
                stands.dates += table.dates;
                stands.rows += table.rows;
            }
            None => self.tables.push(table),
        }
    }

    /// Whether older dates or tables of now are still to come.
    pub fn is_partial(&self) -> bool {
        self.is_partial
    }

    /// Rows written.
    pub fn rows(&self) -> i64 {
        self.tables.iter().map(|table| table.rows).sum()
    }
}

impl fmt::Display for PublishReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.number {
            _ if !self.waits_for.is_empty() => {
                write!(
                    f,
                    "nothing is published until {} are folded as far as the others",
                    self.waits_for.join(", ")
                )
            }
            None => f.write_str("what is published is up to date"),
            Some(number) => {
                write!(f, "publication {number}")?;
                for PublishedTable { table, dates, rows, seconds } in &self.tables {
                    write!(
                        f,
                        "\n  {table:<20} {dates:>4} dates changed, {rows} rows written in {seconds:.1} s"
                    )?;
                }
                Ok(())
            }
        }
    }
}
