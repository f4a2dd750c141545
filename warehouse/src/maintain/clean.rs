//! Log clean-up: entries and checkpoints that nobody needs any more.

use chrono::{DateTime, Utc};

use super::{Amount, amount};
use crate::error::Error;
use crate::log::{Checkpoint, Log};
use crate::log_folder::{FOLDER, version_of};
use crate::store::Stat;
use crate::table::Table;

/// Entries taken away in one go; the next round takes more. More: a longer round after a long pause.
const ENTRIES_AT_ONCE: usize = 20_000;

/// What may go.
#[derive(Clone, Copy, Debug)]
pub struct CleaningRule {
    /// Only what is older, by the store's clock.
    pub before: DateTime<Utc>,
    /// Version that every reader of this table's entries has got to.
    pub passed: i64,
    /// Newest checkpoints that stay whatever their age; at least one.
    pub checkpoints: usize,
    /// Also takes the entry that the checkpoint is of, which tells what that commit removed.
    pub own_entry: bool,
}

/// What log clean-up found.
#[derive(Clone, Debug, Default)]
pub struct Cleaning {
    /// Entries of older versions go. None: there is no checkpoint that may stand for them.
    pub below: Option<i64>,
    /// Entries that stay.
    pub kept: u64,
    /// Oldest first.
    entries: Vec<Stat>,
    checkpoints: Vec<Stat>,
}

impl Cleaning {
    pub fn entries(&self) -> Amount {
        amount(&self.entries)
    }

    pub fn checkpoints(&self) -> Amount {
        amount(&self.checkpoints)
    }
}

impl Table {
    /// Finds the newest checkpoint that is old enough and that every reader has passed; what lies below it is what
    /// nobody asks for. Any version from that checkpoint on can still be read.
    ///
    /// # Errors
    /// The log folder or the checkpoint cannot be read.
    pub async fn plan_cleaning(&self, rule: &CleaningRule) -> Result<Cleaning, Error> {
        let listed = self.storage().stat_in(FOLDER).await?;
        let entries: Vec<(i64, &Stat)> =
            listed.iter().filter_map(|stat| Some((entry_version(&stat.name)?, stat))).collect();
        let all = u64::try_from(entries.len()).unwrap_or(u64::MAX);
        let nothing = Cleaning { kept: all, ..Cleaning::default() };
        // Only what the pointer names, or once named, counts: writers are warned by the pointer.
        let Some(pointed) = self.log().checkpoint_version().await? else {
            return Ok(nothing);
        };
        let mut checkpoints = Log::checkpoints(&listed);
        checkpoints.retain(|checkpoint| checkpoint.version <= pointed);
        let stands_for = |checkpoint: &&Checkpoint| {
            // Entries from the checkpoint's own version on stay.
            checkpoint.version <= rule.passed.saturating_add(1)
                && checkpoint.files.iter().all(|file| is_old(file, rule))
        };
        let Some(floor) = checkpoints.iter().rev().find(stands_for) else {
            return Ok(nothing);
        };
        let below = floor.version + i64::from(rule.own_entry);
        let entries: Vec<Stat> = entries
            .into_iter()
            .filter(|(version, stat)| *version < below && is_old(stat, rule))
            .map(|(_, stat)| stat.clone())
            .take(ENTRIES_AT_ONCE)
            .collect();
        let newest = checkpoints.len().saturating_sub(rule.checkpoints.max(1));
        let former = checkpoints.iter().take(newest).filter(|checkpoint| checkpoint.version < floor.version);
        let former: Vec<Stat> = former
            .flat_map(|checkpoint| &checkpoint.files)
            .filter(|file| is_old(file, rule))
            .cloned()
            .collect();
        if !entries.is_empty() || !former.is_empty() {
            self.log().read_back(floor).await?;
        }
        let kept = all - u64::try_from(entries.len()).unwrap_or_default();
        Ok(Cleaning { below: Some(below), kept, entries, checkpoints: former })
    }

    /// Takes away what was found. Entries go one after the other, oldest first: while one is there, so are all
    /// behind it, and readers rely on that.
    ///
    /// # Errors
    /// The first that occurred. What is left goes the next time.
    pub async fn clean(&self, cleaning: Cleaning) -> Result<Amount, Error> {
        let gone = amount(cleaning.entries.iter().chain(&cleaning.checkpoints));
        for stat in cleaning.entries.iter().chain(&cleaning.checkpoints) {
            self.storage().delete(&stat.name).await?;
        }
        Ok(gone)
    }
}

fn is_old(stat: &Stat, rule: &CleaningRule) -> bool {
    stat.modified_at <= rule.before
}

/// None: not an entry.
pub(super) fn entry_version(name: &str) -> Option<i64> {
    version_of(name.strip_prefix(FOLDER)?.strip_prefix('/')?)
}
