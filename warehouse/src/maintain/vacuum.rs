//! Vacuum: data files that are no part of the table any more, or never were.

use std::collections::{BTreeMap, HashSet};

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use object_store::path::Path;

use super::clean::entry_version;
use super::{Amount, amount};
use crate::commit::{Advance, Change, CommitError, vacuum_app};
use crate::error::Error;
use crate::log_folder::FOLDER;
use crate::store::Stat;
use crate::table::Table;
use crate::tables::label_cells::{destroyed_app, first_day_after};

/// A put that takes longer, by this host's clock, has ended without having put anything.
const LONGEST_PUT: TimeDelta = TimeDelta::hours(24);

/// What may go. Instants are of the store's clock.
#[derive(Clone, Copy, Debug)]
pub struct VacuumRule {
    /// Files whose removal is older: until then somebody may be reading a version that has them.
    pub removed_before: DateTime<Utc>,
    /// Files that no entry names and that are older: until then a writer may be about to commit them.
    pub unreferenced_before: DateTime<Utc>,
    /// Version that every reader of this table's entries has got to: it reads the files that entries added, even
    /// those that were compacted since.
    pub passed: i64,
}

/// What vacuum found.
#[derive(Clone, Debug, Default)]
pub struct Vacuum {
    /// Of files whose removal the log tells of, and of those that lie where no file is ever added again.
    pub removed: Amount,
    /// Of files that the log does not tell of.
    pub unreferenced: Amount,
    /// Of removed files that have to wait.
    pub waiting: Amount,
    /// Of hidden files in a folder, in which puts were cut off.
    pub leftovers: Amount,
    gone: Vec<Stat>,
    strays: Vec<Stat>,
    hidden: Vec<Stat>,
    up_to: Option<DateTime<Utc>>,
}

/// What the log says of files that are not active.
#[derive(Default)]
struct Told {
    removed: HashSet<String>,
    /// Removed too recently, or not read by a fold yet.
    wanted: HashSet<String>,
}

impl Table {
    /// Looks through the table's folder. The log folder, hidden files and what is no Parquet file are left alone, but
    /// for what puts left behind in a folder of a host, which its file system tells of.
    ///
    /// # Errors
    /// The folder or the log cannot be read.
    pub async fn plan_vacuum(&mut self, rule: &VacuumRule) -> Result<Vacuum, Error> {
        // In this order: what is committed in between is then active.
        let listed = self.storage().stat_all().await?;
        self.refresh().await?;
        let active: HashSet<String> =
            self.snapshot().files().iter().flat_map(|file| names(&file.path)).collect();
        let told = self.told(&listed, rule).await?;
        let open_from = self.open_from();
        let mut found = Vacuum { up_to: Some(rule.unreferenced_before), ..Vacuum::default() };
        for stat in listed.into_iter().filter(|stat| is_data(&stat.name) && !active.contains(&stat.name)) {
            if is_closed(&stat.name, open_from) {
                found.gone.push(stat);
            } else if told.wanted.contains(&stat.name) {
                found.waiting.add(&stat);
            } else if told.removed.contains(&stat.name) {
                found.gone.push(stat);
            } else if stat.modified_at <= rule.unreferenced_before {
                found.strays.push(stat);
            }
        }
        // The file system dates them, so its clock and the host's both have to say that they are old.
        let left_before = rule.unreferenced_before.min(self.log().world().wall() - LONGEST_PUT);
        found.hidden = self.storage().leftovers().await?;
        found.hidden.retain(|stat| stat.modified_at <= left_before || is_closed(&stat.name, open_from));
        (found.removed, found.unreferenced) = (amount(&found.gone), amount(&found.strays));
        found.leftovers = amount(&found.hidden);
        Ok(found)
    }

    /// First day whose partition may still get files. Rows of a destroyed label epoch are never added again, as
    /// whoever adds rows expects the very transaction that destroyed them; so what lies there, staged a moment ago or
    /// not, nobody will commit. None: any may.
    fn open_from(&self) -> Option<NaiveDate> {
        let destroyed = self.snapshot().txn(&destroyed_app()).filter(|_| self.id().is_forgotten())?;
        NaiveDate::default().checked_add_signed(TimeDelta::try_days(first_day_after(destroyed))?)
    }

    /// Deletes what was found. Before files that no entry names, it is committed up to which age they go, so that a
    /// writer that staged one of them and stood still since does not add it (`commit::fence`).
    ///
    /// # Errors
    /// A refused commit: another vacuum is at it. Nothing that is active, or may become so, was deleted.
    pub async fn vacuum(&mut self, mut found: Vacuum) -> Result<Amount, CommitError> {
        if let (false, Some(up_to)) = (found.strays.is_empty(), found.up_to) {
            self.warn_writers(up_to.timestamp_millis()).await?;
            let active: HashSet<String> =
                self.snapshot().files().iter().flat_map(|file| names(&file.path)).collect();
            found.strays.retain(|stat| !active.contains(&stat.name));
        }
        let table = self.id().name();
        let mut gone = Amount::default();
        for stat in found.gone.iter().chain(&found.strays) {
            let deleted = self.storage().delete(&stat.name).await;
            deleted.map_err(|source| CommitError::Log { table, source })?;
            gone.add(stat);
        }
        for stat in &found.hidden {
            let deleted = self.storage().delete_leftover(&stat.name).await;
            deleted.map_err(|source| CommitError::Log { table, source })?;
            gone.add(stat);
        }
        Ok(gone)
    }

    async fn warn_writers(&mut self, up_to: i64) -> Result<(), CommitError> {
        let from = self.snapshot().txn(&vacuum_app());
        if from.is_some_and(|from| from >= up_to) {
            return Ok(());
        }
        let change = Change {
            advance: vec![Advance { app: vacuum_app(), from, to: up_to }],
            info: [("bellwether".to_owned(), "vacuum".into())].into_iter().collect(),
            data_change: false,
            ..Change::default()
        };
        self.commit(change).await.map(drop)
    }

    /// Reads the checkpoint's tombstones, and the entries that are not in it, are young, or have not been passed.
    async fn told(&self, listed: &[Stat], rule: &VacuumRule) -> Result<Told, Error> {
        let (covered, removed) = self.log().tombstones().await?;
        let removed = removed.iter().flat_map(|path| names(path)).collect();
        let mut told = Told { removed, wanted: HashSet::new() };
        for (version, written_at) in self.entries(listed).await? {
            let is_young = written_at.is_none_or(|at| at > rule.removed_before);
            let is_wanted = version > rule.passed;
            if version <= covered && !is_young && !is_wanted {
                continue;
            }
            let Some(entry) = self.log().read(version).await? else {
                continue;
            };
            for path in entry.removes {
                if is_young {
                    told.wanted.extend(names(&path));
                }
                told.removed.extend(names(&path));
            }
            if is_wanted {
                told.wanted.extend(entry.adds.iter().flat_map(|(file, _)| names(&file.path)));
            }
        }
        Ok(told)
    }

    /// Versions whose entries are there, and since when. A listing may leave files out that were written while it
    /// went on; what it does not tell the age of, nobody may take for old.
    async fn entries(&self, listed: &[Stat]) -> Result<BTreeMap<i64, Option<DateTime<Utc>>>, Error> {
        let logged = listed.iter().filter(|stat| stat.name.starts_with(FOLDER));
        let entry = |stat: &Stat| Some((entry_version(&stat.name)?, Some(stat.modified_at)));
        let mut entries: BTreeMap<i64, Option<DateTime<Utc>>> = logged.filter_map(entry).collect();
        for version in (0..=self.snapshot().version()).rev() {
            if entries.contains_key(&version) {
                continue;
            }
            // Entries go oldest first: below one that is not there is none that matters.
            if self.log().read(version).await?.is_none() {
                break;
            }
            entries.insert(version, None);
        }
        Ok(entries)
    }
}

/// How a file of an entry may be called in the store: entries hold names as URLs do.
pub(super) fn names(path: &str) -> impl Iterator<Item = String> {
    let decoded = Path::from_url_path(path).ok().map(|path| path.to_string());
    [Some(path.to_owned()), decoded].into_iter().flatten()
}

/// Whether a name lies in the partition of a date before `open_from`.
fn is_closed(name: &str, open_from: Option<NaiveDate>) -> bool {
    let value = name.split_once('/').and_then(|(folder, _)| Some(folder.split_once('=')?.1));
    let date = value.and_then(|value| value.parse::<NaiveDate>().ok());
    date.zip(open_from).is_some_and(|(date, open_from)| date < open_from)
}

fn is_data(name: &str) -> bool {
    let is_hidden = |part: &str| part.starts_with(['_', '.']) && !part.contains('=');
    name.ends_with(".parquet") && !name.split('/').any(is_hidden)
}
