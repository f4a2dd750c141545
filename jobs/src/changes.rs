//! What was committed to `attempts` between two versions.

use bellwether_warehouse::{DataFile, Table};

use crate::error::Error;
use crate::replace::REWRITTEN_BY;
use crate::rollups::Told;

/// Log entries are read this many at a time. More: fewer steps, more entries in memory at once.
const COMMITS: i64 = 256;
/// Attempts folded in one piece. More: fewer partial rows of a long history, more memory: about half a KiB
/// for each bucket and endpoint among them, for every thread.
pub(crate) const CHUNK_ROWS: i64 = 500_000;

#[derive(Debug, Default)]
pub(crate) struct Changes {
    /// New data, in the order of the log.
    pub files: Vec<DataFile>,
    /// What their commits say.
    pub told: Told,
    /// The files are all that the table has: what came before `from` is among them.
    pub is_whole: bool,
}

impl Changes {
    /// Files of the commits in `(from, to]`; None: of the table. `table` stands at `to`.
    ///
    /// When some of the commits are no longer in the log, the files are all of the table's.
    pub(crate) async fn between(table: &Table, from: Option<i64>, to: i64) -> Result<Self, Error> {
        let Some(from) = from else {
            return Ok(Self::whole(table));
        };
        let changes = Self::read(table, from, to).await?;
        Ok(changes.unwrap_or_else(|gone| {
            tracing::error!(
                table = table.id().name(),
                from,
                to,
                gone,
                "commits that were not folded yet are no longer in the log; beginning afresh from the table's rows"
            );
            Self::whole(table)
        }))
    }

    /// The same with what the commits say. Where the table is taken whole, those that are still in the log.
    pub(crate) async fn with_told(table: &Table, from: Option<i64>, to: i64) -> Result<Self, Error> {
        let mut changes = Self::between(table, from, to).await?;
        if changes.is_whole {
            changes.told = Self::told_yet(table, from, to).await?;
        }
        Ok(changes)
    }

    /// All of the table, instead of what is new.
    pub(crate) fn whole(table: &Table) -> Self {
        Self { files: table.snapshot().files().to_vec(), is_whole: true, ..Self::default() }
    }

    /// What the commits in `(from, to]` say that are still in the log.
    pub(crate) async fn told_yet(table: &Table, from: Option<i64>, to: i64) -> Result<Told, Error> {
        let failed = |source| Error::Log { table: table.id().name(), source };
        let oldest = table.oldest_commit().await.map_err(failed)?;
        let from = from.unwrap_or(-1);
        let after = from.max(oldest.map_or(to, |oldest| oldest - 1));
        if after > from && oldest.is_some_and(|oldest| oldest > 0) {
            tracing::warn!(
                from,
                kept_from = after,
                "commits of attempts are no longer in the log; their days lack what those say of their intake"
            );
        }
        match Self::read(table, after, to).await? {
            Ok(changes) => Ok(changes.told),
            Err(version) => {
                Err(failed(bellwether_warehouse::Error::CommitGone { table: table.id().name(), version }))
            }
        }
    }

    /// `Err` with the version of a commit that is gone.
    async fn read(table: &Table, from: i64, to: i64) -> Result<Result<Self, i64>, Error> {
        let mut changes = Self::default();
        let mut after = from;
        while after < to {
            let upto = to.min(after.saturating_add(COMMITS));
            match table.commits(after, upto).await {
                Ok(commits) => commits.into_iter().for_each(|commit| changes.add(commit)),
                Err(bellwether_warehouse::Error::CommitGone { version, .. }) => return Ok(Err(version)),
                Err(source) => return Err(Error::Log { table: table.id().name(), source }),
            }
            after = upto;
        }
        Ok(Ok(changes))
    }

    fn add(&mut self, commit: bellwether_warehouse::CommitEntry) {
        self.told.add(&commit);
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
