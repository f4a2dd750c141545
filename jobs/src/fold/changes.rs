//! What was committed to `attempts` between two versions.

use bellwether_warehouse::{DataFile, Table};

use crate::error::Error;
use crate::intake::Intake;
use crate::replace::REWRITTEN_BY;

/// Log entries are read this many at a time. More: fewer steps, more entries in memory at once.
const COMMITS: i64 = 256;
/// Attempts folded in one piece. More: fewer partial rows of a long history, more memory: about half a KiB
/// for each bucket and endpoint among them, for every thread.
pub(crate) const CHUNK_ROWS: i64 = 500_000;

#[derive(Debug, Default)]
pub(crate) struct Changes {
    /// New data, in the order of the log.
    pub files: Vec<DataFile>,
    pub intake: Intake,
}

impl Changes {
    /// Of the commits in `(from, to]`; None: from the beginning. `table` stands at `to`.
    pub(crate) async fn between(table: &Table, from: Option<i64>, to: i64) -> Result<Self, Error> {
        let mut changes = Self::default();
        let mut after = from.unwrap_or(-1);
        while after < to {
            let upto = to.min(after.saturating_add(COMMITS));
            match table.commits(after, upto).await {
                Ok(commits) => commits.into_iter().for_each(|commit| changes.add(commit)),
                // The beginning of the log was cleaned up: what it left behind is the active files.
                Err(bellwether_warehouse::Error::CommitGone { .. }) if from.is_none() => {
                    let files = table.snapshot().files().to_vec();
                    return Ok(Self { files, ..Self::default() });
                }
                Err(source) => return Err(Error::Log { table: table.id().name(), source }),
            }
            after = upto;
        }
        Ok(changes)
    }

    fn add(&mut self, commit: bellwether_warehouse::CommitEntry) {
        self.intake.add(&commit);
        if !commit.info.contains_key(REWRITTEN_BY) {
            self.files.extend(commit.added);
        }
    }
}

/// Files of about `CHUNK_ROWS` rows at a time, date by date, so that a chunk's rows have few keys.
pub(crate) fn chunks(mut files: Vec<DataFile>) -> Vec<Vec<DataFile>> {
    files.sort_by(|a, b| (&a.partition, &a.path).cmp(&(&b.partition, &b.path)));
    let mut chunks: Vec<Vec<DataFile>> = Vec::new();
    let mut rows = 0;
    for file in files {
        rows += file.rows;
        match chunks.last_mut() {
            Some(chunk) if rows <= CHUNK_ROWS => chunk.push(file),
            _ => {
                rows = file.rows;
                chunks.push(vec![file]);
            }
        }
    }
    chunks
}
