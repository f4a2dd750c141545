//! The log of one table: a cursor that reads only what is new, and the compare-and-set write.
//!
//! State is the active files and the application transactions of one version. Following costs one read
//! per new commit; the history is read once, when a handle is opened, from the newest checkpoint on.

pub(crate) mod action;
mod checkpoint;
mod files;
mod told;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value};

pub(crate) use checkpoint::Checkpoint;
pub(crate) use files::FileSet;
pub(crate) use told::Told;

use crate::data_file::DataFile;
use crate::error::Error;
use crate::log_folder::{FOLDER, entry_name, version_of};
use crate::store::Storage;
use crate::transaction::AppId;
use crate::world::World;
use action::{Action, MetaData, Protocol};

/// How many entries are asked for at once while catching up.
const READ_AHEAD: i64 = 32;

pub(crate) type Seen<'a> = &'a mut (dyn FnMut(&Entry) + Send);

#[derive(Clone, Debug)]
pub(crate) struct Log {
    storage: Arc<Storage>,
}

/// Version, files and transactions; cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct State {
    pub version: i64,
    pub files: Arc<FileSet>,
    pub txns: Arc<BTreeMap<AppId, i64>>,
    pub metadata: Arc<Option<MetaData>>,
}

/// One log entry, taken apart.
#[derive(Debug, Default)]
pub(crate) struct Entry {
    pub version: i64,
    /// With the entry's `dataChange`.
    pub adds: Vec<(DataFile, bool)>,
    pub removes: Vec<String>,
    pub txns: Vec<(AppId, i64)>,
    pub info: Map<String, Value>,
    pub metadata: Option<MetaData>,
}

impl Log {
    pub(crate) fn new(storage: Arc<Storage>) -> Self {
        Self { storage }
    }

    pub(crate) fn world(&self) -> &World {
        self.storage.world()
    }

    /// None when there is no table.
    pub(crate) async fn load(&self) -> Result<Option<State>, Error> {
        let is_whole = self.last_checkpoint().await?.is_none() && self.storage.exists(&entry_name(0)).await?;
        let checkpoint = if is_whole { None } else { self.read_newest_checkpoint().await? };
        let mut state = match checkpoint {
            Some((pointer, actions)) => State::of_checkpoint(self.collect(pointer.version, actions)?),
            None => State::empty(),
        };
        self.read_new(&mut state, &mut |_| {}).await?;
        Ok((state.version >= 0).then_some(state))
    }

    /// Brings `state` up to date, showing each entry it had not seen to `seen`. When the log was cleaned
    /// past the cursor, the state is loaded afresh and the entries up to the checkpoint are not shown.
    ///
    /// A missing next entry means "nothing new" only while no checkpoint lies ahead: otherwise it was cleaned up, and
    /// a commit under its number would fork the table. An entry that is there may even be one that a writer made
    /// who stood still while the right one was cleaned up. Entries go oldest first, so while the one that the state
    /// ends with is there, those behind it are the right ones.
    pub(crate) async fn follow(&self, state: &mut State, seen: Seen<'_>) -> Result<(), Error> {
        let checkpoint = self.checkpoint_version().await?.unwrap_or(-1);
        if checkpoint <= state.version || self.storage.exists(&entry_name(state.version)).await? {
            self.read_new(state, seen).await?;
        }
        if checkpoint > state.version {
            *state = self.load().await?.ok_or(Error::TableMissing { table: self.storage.table() })?;
        }
        Ok(())
    }

    async fn read_new(&self, state: &mut State, seen: Seen<'_>) -> Result<(), Error> {
        let mut ahead = 1;
        loop {
            let from = state.version + 1;
            let reads = (from..from + ahead).map(|version| self.read(version));
            for entry in futures::future::try_join_all(reads).await? {
                let Some(entry) = entry else {
                    return Ok(());
                };
                state.apply(&entry);
                seen(&entry);
            }
            ahead = (ahead * 2).min(READ_AHEAD);
        }
    }

    /// None when the log has no such entry.
    pub(crate) async fn read(&self, version: i64) -> Result<Option<Entry>, Error> {
        let actions = self.read_actions(version).await?;
        actions.map(|actions| self.collect(version, actions)).transpose()
    }

    async fn read_actions(&self, version: i64) -> Result<Option<Vec<Action>>, Error> {
        let name = entry_name(version);
        let Some(bytes) = self.storage.get(&name).await? else {
            return Ok(None);
        };
        action::from_lines(&bytes).map(Some).map_err(|e| self.damaged(&name, &e.to_string()))
    }

    /// Whether there is a table. Entries below a checkpoint may have been cleaned up.
    pub(crate) async fn is_begun(&self) -> Result<bool, Error> {
        Ok(self.storage.exists(&entry_name(0)).await? || self.last_checkpoint().await?.is_some())
    }

    /// Makes sure that what a state was read from still stands. An emptied bucket would take an entry of any number,
    /// and so would a log that was read from a listing with holes: a table without a beginning, or with two ends.
    pub(crate) async fn builds_on(&self, version: i64) -> Result<(), Error> {
        let stands = self.storage.exists(&entry_name(version)).await?
            || self.checkpoint_version().await?.is_some_and(|newest| newest == version);
        if stands { Ok(()) } else { Err(Error::Replaced { table: self.storage.table(), version }) }
    }

    /// Oldest version from which on every entry up to `upto` is there. None: that one is not there either.
    pub(crate) async fn oldest_entry(&self, upto: i64) -> Result<Option<i64>, Error> {
        let listed = self.storage.list(FOLDER).await?;
        let versions = listed.iter().rev().filter_map(|name| version_of(name));
        let mut oldest = None;
        // Names sort by version. One that stands alone below a gap is none of the history.
        for version in versions.skip_while(|version| *version > upto) {
            if version != oldest.map_or(upto, |oldest: i64| oldest - 1) {
                break;
            }
            oldest = Some(version);
        }
        Ok(oldest)
    }

    /// False when the version is taken. An error leaves open whether it was written.
    pub(crate) async fn write(&self, version: i64, lines: bytes::Bytes) -> Result<bool, Error> {
        self.storage.put_if_absent(&entry_name(version), lines).await
    }

    /// Makes sure that an entry which was seen stays: the put is refused, but not before the folder is synced.
    pub(crate) async fn confirm(&self, version: i64) -> Result<(), Error> {
        let name = entry_name(version);
        if let Some(bytes) = self.storage.get(&name).await? {
            self.storage.put_if_absent(&name, bytes).await?;
        }
        Ok(())
    }

    fn collect(&self, version: i64, actions: Vec<Action>) -> Result<Entry, Error> {
        let mut entry = Entry { version, ..Entry::default() };
        for action in actions {
            if let Some(add) = action.add {
                let data_change = add.data_change;
                let file = add.into_file().map_err(|detail| self.damaged(&entry_name(version), &detail))?;
                entry.adds.push((file, data_change));
            }
            if let Some(remove) = action.remove {
                entry.removes.push(remove.path);
            }
            if let Some(txn) = action.txn {
                entry.txns.push((AppId(txn.app_id), txn.version));
            }
            if let Some(info) = action.commit_info {
                entry.info = info;
            }
            if let Some(metadata) = action.meta_data {
                entry.metadata = Some(metadata);
            }
            if let Some(protocol) = action.protocol {
                self.check(&protocol)?;
            }
        }
        Ok(entry)
    }

    fn check(&self, protocol: &Protocol) -> Result<(), Error> {
        let (reader, writer) = (protocol.min_reader_version, protocol.min_writer_version);
        if reader > 1 || writer > 2 {
            return Err(Error::Protocol { table: self.storage.table(), reader, writer });
        }
        Ok(())
    }

    fn damaged(&self, path: &str, detail: &str) -> Error {
        Error::Damaged { table: self.storage.table(), path: path.to_owned(), detail: detail.to_owned() }
    }
}

impl State {
    fn empty() -> Self {
        Self { version: -1, files: Arc::default(), txns: Arc::default(), metadata: Arc::default() }
    }

    /// What the rows of a checkpoint say, taken together.
    fn of_checkpoint(rows: Entry) -> Self {
        Self {
            version: rows.version,
            files: Arc::new(FileSet::new(rows.adds.into_iter().map(|(file, _)| file).collect())),
            txns: Arc::new(rows.txns.into_iter().collect()),
            metadata: Arc::new(rows.metadata),
        }
    }

    /// Copies the files or transactions only when a snapshot still holds the old ones.
    pub(crate) fn apply(&mut self, entry: &Entry) {
        if !entry.removes.is_empty() || !entry.adds.is_empty() {
            let files = Arc::make_mut(&mut self.files);
            for path in &entry.removes {
                files.remove(path);
            }
            for (file, _) in &entry.adds {
                files.insert(file.clone());
            }
        }
        if !entry.txns.is_empty() {
            Arc::make_mut(&mut self.txns).extend(entry.txns.iter().cloned());
        }
        if entry.metadata.is_some() {
            self.metadata = Arc::new(entry.metadata.clone());
        }
        self.version = entry.version;
    }
}

/// One commit as its log entry tells it.
#[derive(Clone, Debug)]
pub struct CommitEntry {
    pub version: i64,
    /// Files that brought new data (`dataChange` true).
    pub added: Vec<DataFile>,
    pub removed: Vec<String>,
    pub txns: Vec<(AppId, i64)>,
    pub info: serde_json::Map<String, serde_json::Value>,
}

impl Entry {
    pub(crate) fn into_commit(self) -> CommitEntry {
        CommitEntry {
            version: self.version,
            added: self.adds.into_iter().filter_map(|(file, change)| change.then_some(file)).collect(),
            removed: self.removes,
            txns: self.txns,
            info: self.info,
        }
    }
}
