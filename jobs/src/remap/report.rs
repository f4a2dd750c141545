//! What a remap found and did.

use std::collections::BTreeMap;
use std::fmt;

use bellwether_warehouse::tables::attempts::{AttemptRow, Named};
use serde::Serialize;

/// Renames that are told, those of most rows first.
const TOLD: usize = 20;
/// The variant that no suffix names.
const STANDARD: &str = "standard";

/// What one remap found and did, or would do.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct RemapReport {
    /// False: nothing was changed, and the numbers are what would be.
    pub is_done: bool,
    /// Dates looked at.
    pub dates_read: usize,
    /// Dates that held a name which is taken for another one now.
    pub dates: usize,
    /// Files that were rewritten.
    pub files: usize,
    /// Rows of which a name is another one now.
    pub rows: i64,
    /// Rows that stay as they are because their names hang on a host that they do not tell.
    pub unclear_rows: i64,
    /// Those of most rows first.
    pub renames: Vec<Renaming>,
    /// Further ones that are not told.
    pub renames_left: usize,
    /// Dates and buckets whose rollups were made again, those included that an earlier run had left.
    pub rebuilt: usize,
    /// Why some rollups were not made again. None: all were.
    pub left: Option<Left>,
}

/// Why rollups are left to whoever runs next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Left {
    /// Another worker was first.
    Fenced,
    /// The log says how.
    Failed,
}

/// One name that is taken for another one now. None: no such name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Renaming {
    /// `model`, `author` or `provider`.
    pub of: &'static str,
    pub from: Option<String>,
    pub to: Option<String>,
    pub rows: i64,
}

/// Rows by what is renamed into what.
#[derive(Debug, Default)]
pub(super) struct Renames(BTreeMap<(&'static str, Option<String>, Option<String>), i64>);

impl Renames {
    pub(super) fn add(&mut self, row: &AttemptRow<'_>, named: &Named) {
        let owned = |text: Option<&str>| text.map(str::to_owned);
        let stood = model(row.model_id, row.variant);
        let now = model(named.model_id.as_deref(), named.variant.as_deref());
        let is_same_model = stood == now;
        let mut add = |of, from: Option<String>, to: Option<String>| {
            if from != to {
                *self.0.entry((of, from, to)).or_default() += 1;
            }
        };
        add("model", stood, now);
        // It goes with the model, unless that stays.
        if is_same_model {
            add("author", owned(row.author), named.author.clone());
        }
        add("provider", owned(row.provider_id), named.provider_id.clone());
    }

    pub(super) fn add_all(&mut self, other: Self) {
        for (key, rows) in other.0 {
            *self.0.entry(key).or_default() += rows;
        }
    }

    pub(super) fn tell(self, report: &mut RemapReport) {
        let mut renames: Vec<Renaming> =
            self.0.into_iter().map(|((of, from, to), rows)| Renaming { of, from, to, rows }).collect();
        renames.sort_by(|one, other| (-one.rows, one).cmp(&(-other.rows, other)));
        report.renames_left = renames.len().saturating_sub(TOLD);
        renames.truncate(TOLD);
        report.renames = renames;
    }
}

fn model(id: Option<&str>, variant: Option<&str>) -> Option<String> {
    let id = id?;
    Some(match variant.filter(|variant| *variant != STANDARD) {
        Some(variant) => format!("{id}:{variant}"),
        None => id.to_owned(),
    })
}

impl fmt::Display for RemapReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { dates_read, dates, files, rows, rebuilt, .. } = self;
        if self.rows == 0 {
            write!(f, "every name of {dates_read} dates is taken for what it was")?;
        } else {
            let verb = if self.is_done { "renamed" } else { "to rename" };
            write!(f, "{verb}: {rows} rows in {files} files of {dates} dates ({dates_read} dates read)")?;
        }
        for Renaming { of, from, to, rows } in &self.renames {
            let name = |name: &Option<String>| name.clone().unwrap_or_else(|| "none".to_owned());
            write!(f, "\n{rows:>12} rows  {of:<8} {} → {}", name(from), name(to))?;
        }
        if self.renames_left > 0 {
            write!(f, "\nand {} further names", self.renames_left)?;
        }
        if self.unclear_rows > 0 {
            write!(
                f,
                "\n{} rows stay as they are: the catalogue asks for the host that they were sent to, which rows do not tell",
                self.unclear_rows
            )?;
        }
        if *rebuilt > 0 {
            write!(f, "\nrollups made again: {rebuilt} runs of dates; the next publication shows them")?;
        }
        if self.left.is_some() {
            write!(
                f,
                "\nsome rollups are not made again yet: that is left to the service, or to the next run of this"
            )?;
        }
        Ok(())
    }
}
