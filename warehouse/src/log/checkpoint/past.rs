//! The state of a version that need not be the newest.

use std::sync::Arc;

use super::read::each_batch;
use super::{Pointer, single_version};
use crate::error::Error;
use crate::log::{FOLDER, FileSet, Log, READ_AHEAD, State, entry_name};

impl Log {
    /// # Errors
    /// `VersionGone` when the entries that lead to it were cleaned up, or there is no such version yet.
    pub(crate) async fn load_at(&self, version: i64) -> Result<State, Error> {
        let mut state = match self.checkpoint_up_to(version).await? {
            None => State::empty(),
            Some(pointer) => self.state_of(pointer).await?,
        };
        while state.version < version {
            let upto = (state.version + READ_AHEAD).min(version);
            let reads = (state.version + 1..=upto).map(|version| self.read(version));
            for entry in futures::future::try_join_all(reads).await? {
                let table = self.storage.table();
                state.apply(&entry.ok_or(Error::VersionGone { table, version })?);
            }
        }
        Ok(state)
    }

    /// The newest checkpoint up to `version`. None: the log is to be read from its beginning.
    async fn checkpoint_up_to(&self, version: i64) -> Result<Option<Pointer>, Error> {
        match self.last_checkpoint().await? {
            Some(pointer) if pointer.version <= version => return Ok(Some(pointer)),
            None if self.storage.exists(&entry_name(0)).await? => return Ok(None),
            _ => {}
        }
        let versions = self.storage.list(FOLDER).await?;
        let found = versions.iter().filter_map(|name| single_version(name)).filter(|found| *found <= version);
        Ok(found.max().map(Pointer::single))
    }

    async fn state_of(&self, pointer: Pointer) -> Result<State, Error> {
        let mut actions = Vec::new();
        for (name, bytes) in self.checkpoint_files(pointer).await? {
            let decode = move || {
                let mut actions = Vec::new();
                each_batch(bytes, |batch| {
                    actions.extend(batch);
                    Ok(())
                })?;
                Ok(actions)
            };
            let decoded = tokio::task::spawn_blocking(decode).await;
            let decoded = decoded.map_err(|source| Error::Task { table: self.storage.table(), source })?;
            actions.extend(decoded.map_err(|detail: String| self.damaged(&name, &detail))?);
        }
        let entry = self.collect(pointer.version, actions)?;
        Ok(State {
            version: pointer.version,
            files: Arc::new(FileSet::new(entry.adds.into_iter().map(|(file, _)| file).collect())),
            txns: Arc::new(entry.txns.into_iter().collect()),
            metadata: Arc::new(entry.metadata),
        })
    }
}
