//! The state of a version that need not be the newest.

use super::{Pointer, single_version};
use crate::error::Error;
use crate::log::{Log, READ_AHEAD, State};
use crate::log_folder::{FOLDER, entry_name};

impl Log {
    /// # Errors
    /// `VersionGone` when the entries that lead to it were cleaned up, or there is no such version yet.
    pub(crate) async fn load_at(&self, version: i64) -> Result<State, Error> {
        let mut state = match self.checkpoint_up_to(version).await? {
            None => State::empty(),
            Some(pointer) => {
                let actions = self.decode_all(self.checkpoint_files(pointer).await?).await?;
                State::of_checkpoint(self.collect(pointer.version, actions)?)
            }
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
}
