//! What an import did.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;

use serde::Serialize;

use crate::batch::Prices;
use crate::catalogue::Catalogue;
use crate::event::Event;

/// Names told in the summary.
const TOLD: usize = 20;
/// Distinct names counted; a log with more has nonsense in its name fields.
const COUNTED: usize = 100_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FileStatus {
    Imported,
    /// An earlier run had begun it.
    Resumed,
    AlreadyImported,
    /// Read anew: an earlier run had rejected every record of it, as with the wrong format, or it was asked for.
    ImportedAgain,
}

#[derive(Clone, Debug, Serialize)]
pub struct FileSummary {
    pub path: PathBuf,
    pub status: FileStatus,
    /// Records read by this run.
    pub records: u64,
    pub rows: u64,
    pub rejects: u64,
    pub duplicates: u64,
}

impl FileSummary {
    pub(super) fn new(path: PathBuf, status: FileStatus) -> Self {
        Self { path, status, records: 0, rows: 0, rejects: 0, duplicates: 0 }
    }
}

/// A pair of names that the catalogue does not map, as the log wrote it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Unmapped {
    pub model: Option<String>,
    pub provider: Option<String>,
    pub count: u64,
}

#[derive(Clone, Debug, Default, Serialize)]
pub struct Summary {
    pub files: Vec<FileSummary>,
    /// Names of files that an earlier run did not finish and this one was not given.
    pub unfinished: Vec<String>,
    pub records: u64,
    pub rows: u64,
    pub duplicates: u64,
    pub rejects: u64,
    /// Rejects by reason.
    pub reasons: BTreeMap<&'static str, u64>,
    /// The most frequent, most frequent first.
    pub unmapped: Vec<Unmapped>,
    /// Distinct pairs, also those not told.
    pub unmapped_names: usize,
    /// Rows without a price in their record, which the catalogue's list gave one.
    pub priced_by_list: u64,
    /// By provider: rows whose logged price is more than a fifth away from the list's.
    pub price_mismatches: BTreeMap<String, u64>,
}

impl Summary {
    pub(super) fn count(&mut self, prices: Prices) {
        self.priced_by_list += prices.by_list;
        for (provider, rows) in prices.far_from_list {
            *self.price_mismatches.entry(provider).or_default() += rows;
        }
    }

    /// There were records, and none of them could be read.
    pub fn is_unreadable(&self) -> bool {
        self.rejects > 0
            && self.rejects == self.records
            && self.files.iter().all(|file| file.status != FileStatus::AlreadyImported)
    }
}

/// Counts names that the catalogue does not know.
#[derive(Debug, Default)]
pub(super) struct Names {
    counts: HashMap<(Option<String>, Option<String>), u64>,
}

impl Names {
    pub(super) fn count(&mut self, event: &Event<'_>, catalogue: &Catalogue) {
        // As rows are: what names no source is native.
        let source = if event.source.is_empty() { "native" } else { event.source.as_ref() };
        for attempt in &event.attempts {
            let (model, provider) = (attempt.model.as_deref(), attempt.provider.as_deref());
            let resolved = catalogue.resolve(source, model, provider, attempt.host.as_deref());
            let known = (resolved.model_mapped || model.is_none())
                && (resolved.provider_mapped || provider.is_none());
            if known {
                continue;
            }
            let pair = (model.map(str::to_owned), provider.map(str::to_owned));
            if self.counts.len() < COUNTED || self.counts.contains_key(&pair) {
                *self.counts.entry(pair).or_default() += 1;
            }
        }
    }

    pub(super) fn into_summary(self, summary: &mut Summary) {
        summary.unmapped_names = self.counts.len();
        let mut names: Vec<Unmapped> = self
            .counts
            .into_iter()
            .map(|((model, provider), count)| Unmapped { model, provider, count })
            .collect();
        names.sort_unstable_by(|a, b| b.count.cmp(&a.count).then_with(|| a.cmp(b)));
        names.truncate(TOLD);
        summary.unmapped = names;
    }
}
