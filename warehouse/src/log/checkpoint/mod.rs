//! Delta checkpoints: the state of one version as rows of Parquet, so that opening a table reads no history.

mod past;
mod read;
mod schema;
mod whole;
mod write;

use serde::{Deserialize, Serialize};

pub(crate) use whole::Checkpoint;

use super::{FOLDER, Log};
use crate::error::Error;

/// Tries at the pointer. Whoever else moves it writes one checkpoint for each move.
const TRIES: u32 = 40;

/// `_last_checkpoint`: only a hint, but the one that every reader begins with.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Pointer {
    pub version: i64,
    /// Rows of the checkpoint.
    #[serde(default)]
    pub size: i64,
    /// None: one file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parts: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size_in_bytes: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub num_of_add_files: Option<i64>,
}

impl Pointer {
    /// To a checkpoint of one file of which no more is known.
    const fn single(version: i64) -> Self {
        Self { version, size: 0, parts: None, size_in_bytes: None, num_of_add_files: None }
    }

    /// Of a checkpoint of one file.
    fn name(&self) -> String {
        format!("{FOLDER}/{:020}.checkpoint.parquet", self.version)
    }

    fn names(&self) -> Vec<String> {
        let version = self.version;
        match self.parts {
            None => vec![self.name()],
            Some(parts) => (1..=parts)
                .map(|part| format!("{FOLDER}/{version:020}.checkpoint.{part:010}.{parts:010}.parquet"))
                .collect(),
        }
    }
}

impl Log {
    /// The newest checkpoint. Without the pointer the log folder is listed.
    pub(super) async fn find_checkpoint(&self) -> Result<Option<Pointer>, Error> {
        if let Some(pointer) = self.last_checkpoint().await? {
            return Ok(Some(pointer));
        }
        let newest = self.storage.list(FOLDER).await?.iter().filter_map(|name| single_version(name)).max();
        Ok(newest.map(Pointer::single))
    }

    /// What `_last_checkpoint` says, if it is there and whole.
    pub(super) async fn last_checkpoint(&self) -> Result<Option<Pointer>, Error> {
        let found = self.storage.get(&pointer_name()).await?;
        Ok(found.and_then(|bytes| serde_json::from_slice(&bytes).ok()))
    }

    /// Version of the newest checkpoint that the pointer names.
    pub(crate) async fn checkpoint_version(&self) -> Result<Option<i64>, Error> {
        Ok(self.last_checkpoint().await?.map(|pointer| pointer.version))
    }

    /// Points to a checkpoint unless a newer one is pointed to already, whoever writes at the same time:
    /// a pointer that moved back could name entries and checkpoints that clean-up has taken away.
    async fn point_to(&self, pointer: Pointer) -> Result<(), Error> {
        let name = pointer_name();
        let line = serde_json::to_vec(&pointer).map_err(|e| self.damaged(&name, &e.to_string()))?;
        for _ in 0..TRIES {
            let stands = self.storage.get_tagged(&name).await?;
            let newest = stands.as_ref().and_then(|(line, _)| serde_json::from_slice::<Pointer>(line).ok());
            if newest.is_some_and(|newest| newest.version >= pointer.version) {
                return Ok(());
            }
            let seen = stands.map(|(_, tag)| tag);
            if self.storage.put_over(&name, line.clone().into(), seen).await? {
                return Ok(());
            }
        }
        Err(Error::Contended { table: self.storage.table(), tries: TRIES })
    }
}

/// Version of a checkpoint of one file.
fn single_version(name: &str) -> Option<i64> {
    name.strip_suffix(".checkpoint.parquet").filter(|version| version.len() == 20)?.parse().ok()
}

fn pointer_name() -> String {
    format!("{FOLDER}/_last_checkpoint")
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::location::Location;
    use crate::store::{Root, Storage};

    #[tokio::test]
    async fn a_slow_writers_older_checkpoint_does_not_take_the_pointer_from_a_newer_one() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(dir.path().join("attempts").join(FOLDER)).unwrap();
        let location = Location::parse(dir.path().to_str().unwrap()).unwrap();
        let root = Arc::new(Root::open(&location).unwrap());
        let log = Log::new(Arc::new(Storage::new("attempts", &root)));
        for (written, stands) in [(7, 7), (3, 7), (9, 9)] {
            log.point_to(Pointer::single(written)).await.unwrap();
            assert_eq!(log.checkpoint_version().await.unwrap(), Some(stands), "after {written}");
        }
    }
}
