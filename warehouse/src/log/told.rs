//! What the newest checkpoint tells of an entry, for a writer that must know whether its own became history.

use std::collections::HashSet;

use chrono::{DateTime, Utc};

use super::Log;
use super::action::Action;
use crate::data_file::DataFile;
use crate::error::Error;
use crate::log_folder::entry_name;

/// What the newest checkpoint says of an entry that added certain files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Told {
    /// It is of an older version.
    NotCovered,
    /// It names one of the files, active or removed.
    Named,
    /// It is of this version or a newer one and names none of them.
    NotNamed,
}

impl Log {
    pub(crate) async fn told_of(&self, version: i64, added: &[DataFile]) -> Result<Told, Error> {
        let is_covered = |checkpoint: Option<i64>| checkpoint.is_some_and(|checkpoint| checkpoint >= version);
        if !is_covered(self.checkpoint_version().await?) {
            return Ok(Told::NotCovered);
        }
        if added.is_empty() {
            return Ok(Told::NotNamed);
        }
        let paths: HashSet<String> = added.iter().map(|file| file.path.clone()).collect();
        let is_named = move |action: &Action| {
            let path = action.add.as_ref().map(|add| &add.path);
            path.or(action.remove.as_ref().map(|remove| &remove.path))
                .is_some_and(|path| paths.contains(path))
        };
        let is_named = self.scan_newest_checkpoint(is_named).await?;
        Ok(if is_named { Told::Named } else { Told::NotNamed })
    }

    /// Takes away an entry that is no part of the history.
    pub(crate) async fn forget(&self, version: i64) -> Result<(), Error> {
        self.storage.delete(&entry_name(version)).await
    }

    /// Version of the newest checkpoint (-1: there is none) and the removed files that it tells of.
    pub(crate) async fn tombstones(&self) -> Result<(i64, HashSet<String>), Error> {
        let Some((pointer, actions)) = self.read_newest_checkpoint().await? else {
            return Ok((-1, HashSet::new()));
        };
        let removed = actions.into_iter().filter_map(|action| action.remove.map(|remove| remove.path));
        Ok((pointer.version, removed.collect()))
    }

    /// When a file was written, by the store's clock. None: it is not there.
    pub(crate) async fn written_at(&self, path: &str) -> Result<Option<DateTime<Utc>>, Error> {
        Ok(self.storage.stat(path).await?.map(|stat| stat.modified_at))
    }
}
