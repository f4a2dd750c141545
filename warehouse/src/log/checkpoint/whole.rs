//! Checkpoints as files, for clean-up: which there are, and whether one can be read to its end.

use std::collections::BTreeMap;

use super::Pointer;
use super::write::{Count, count};
use crate::error::Error;
use crate::log::Log;
use crate::log_folder::FOLDER;
use crate::store::Stat;

/// The files of one checkpoint.
#[derive(Clone, Debug)]
pub(crate) struct Checkpoint {
    pub version: i64,
    pub files: Vec<Stat>,
}

impl Log {
    /// The whole checkpoints among the files of a log folder, oldest first.
    pub(crate) fn checkpoints(listed: &[Stat]) -> Vec<Checkpoint> {
        let mut found: BTreeMap<(i64, Option<u32>), Vec<Stat>> = BTreeMap::new();
        for stat in listed {
            if let Some(key) = parse(&stat.name) {
                found.entry(key).or_default().push(stat.clone());
            }
        }
        let is_whole =
            |parts: Option<u32>, files: usize| parts.is_none_or(|parts| usize::try_from(parts) == Ok(files));
        found
            .into_iter()
            .filter(|((_, parts), files)| is_whole(*parts, files.len()))
            .map(|((version, _), files)| Checkpoint { version, files })
            .collect()
    }

    /// Reads a checkpoint to its end.
    ///
    /// # Errors
    /// It is not whole.
    pub(crate) async fn read_back(&self, checkpoint: &Checkpoint) -> Result<(), Error> {
        let mut sum = Count::default();
        for file in &checkpoint.files {
            let bytes = self.storage.get(&file.name).await?;
            let bytes = bytes.ok_or_else(|| self.damaged(&file.name, "the checkpoint is missing"))?;
            sum.add(&self.decode(file.name.clone(), bytes, count).await?);
        }
        sum.check().map_err(|detail| self.damaged(&Pointer::single(checkpoint.version).name(), &detail))
    }
}

/// Version and number of parts.
fn parse(name: &str) -> Option<(i64, Option<u32>)> {
    let name = name.strip_prefix(FOLDER)?.strip_prefix('/')?.strip_suffix(".parquet")?;
    let (version, rest) = name.split_once(".checkpoint")?;
    let version = version.parse().ok().filter(|_| version.len() == 20)?;
    match rest.strip_prefix('.') {
        None => rest.is_empty().then_some((version, None)),
        Some(parts) => Some((version, Some(parts.split_once('.')?.1.parse().ok()?))),
    }
}
