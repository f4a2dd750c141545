//! Compare-and-set commits.
//!
//! Every commit names the application transactions it advances and the value each must have now. A commit
//! that finds another value is refused (`Fenced`), so a worker that lost its partition cannot write rows twice.

mod fence;

use std::time::Duration;

use bytes::Bytes;
use serde_json::Value;

use crate::data_file::DataFile;
use crate::error::Error;
use crate::log::action::{self, Action, Add, Remove, Txn};
use crate::log::{Entry, Log, State};
use crate::transaction::AppId;
use crate::world::World;
use fence::Verdict;
pub(crate) use fence::vacuum_app;

/// Member of `commitInfo` by which a writer finds its own commit again.
const BATCH_UUID: &str = "batch_uuid";

/// Moves one application transaction from `from` (None: not present yet) to `to`.
#[derive(Clone, Debug)]
pub struct Advance {
    pub app: AppId,
    pub from: Option<i64>,
    pub to: i64,
}

/// Everything one commit does.
#[derive(Debug)]
pub struct Change {
    pub advance: Vec<Advance>,
    /// Transactions that must stand so and that this commit does not move.
    pub expect: Vec<(AppId, Option<i64>)>,
    pub add: Vec<DataFile>,
    /// Paths of active files to remove. A path that is no longer active refuses the commit.
    pub remove: Vec<String>,
    /// Free JSON members of `commitInfo` (rows, rejects, duplicates, per-range detail, decoder version).
    pub info: serde_json::Map<String, serde_json::Value>,
    /// False when the files hold the very rows that the removed ones did: folds skip them.
    pub data_change: bool,
}

impl Default for Change {
    fn default() -> Self {
        Self {
            advance: Vec::new(),
            expect: Vec::new(),
            add: Vec::new(),
            remove: Vec::new(),
            info: serde_json::Map::new(),
            data_change: true,
        }
    }
}

/// What a confirmed commit became.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Committed {
    pub version: i64,
}

#[derive(Debug, thiserror::Error)]
pub enum CommitError {
    #[error("commit to `{table}` fenced: `{app}` stands at {found:?}, expected {expected:?}")]
    Fenced { table: &'static str, app: AppId, expected: Option<i64>, found: Option<i64> },
    #[error("commit to `{table}` refused: file `{path}` is no longer part of the table")]
    FileGone { table: &'static str, path: String },
    #[error(
        "commit {version} to `{table}` came after the log had been cleaned up past it, so the table does not have it"
    )]
    TooLate { table: &'static str, version: i64 },
    #[error(
        "commit to `{table}` refused: file `{path}` waited for it so long that vacuum counts it as left behind"
    )]
    Outlived { table: &'static str, path: String },
    #[error("commit to `{table}` failed")]
    Log {
        table: &'static str,
        #[source]
        source: Error,
    },
}

impl CommitError {
    /// Whether the table has moved on instead: nothing of the commit is in it, and the same commit never will be.
    pub fn is_refusal(&self) -> bool {
        match self {
            Self::Fenced { .. } | Self::FileGone { .. } | Self::TooLate { .. } | Self::Outlived { .. } => {
                true
            }
            Self::Log { .. } => false,
        }
    }
}

/// Tries at one commit before it is given up; with the pauses between them about half a minute.
const TRIES: u32 = 40;
const FIRST_PAUSE: Duration = Duration::from_millis(4);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

impl Change {
    /// Refuses what no longer holds in `state`.
    fn check(&self, table: &'static str, state: &State) -> Result<(), CommitError> {
        let moved = self.advance.iter().map(|Advance { app, from, .. }| (app, *from));
        for (app, expected) in moved.chain(self.expect.iter().map(|(app, stands)| (app, *stands))) {
            let found = state.txns.get(app).copied();
            if found != expected {
                return Err(CommitError::Fenced { table, app: app.clone(), expected, found });
            }
        }
        match self.remove.iter().find(|path| state.files.get(path).is_none()) {
            Some(path) => Err(CommitError::FileGone { table, path: path.clone() }),
            None => Ok(()),
        }
    }

    /// The log entry, the same text whatever version it gets.
    fn to_lines(&self, state: &State, batch_uuid: &str, now: i64) -> Result<Bytes, serde_json::Error> {
        let mut info = self.info.clone();
        let operation = if self.data_change { "WRITE" } else { "OPTIMIZE" };
        info.insert("timestamp".to_owned(), now.into());
        info.insert("operation".to_owned(), operation.into());
        info.insert("engineInfo".to_owned(), concat!("bellwether/", env!("CARGO_PKG_VERSION")).into());
        info.insert(BATCH_UUID.to_owned(), batch_uuid.into());
        let mut actions = vec![Action { commit_info: Some(info), ..Action::default() }];
        actions.extend(self.advance.iter().map(|Advance { app, to, .. }| Action {
            txn: Some(Txn { app_id: app.0.clone(), version: *to, last_updated: Some(now) }),
            ..Action::default()
        }));
        actions.extend(self.remove.iter().filter_map(|path| state.files.get(path)).map(|file| Action {
            remove: Some(Remove::new(file, now, self.data_change)),
            ..Action::default()
        }));
        actions.extend(
            self.add
                .iter()
                .map(|file| Action { add: Some(Add::new(file, now, self.data_change)), ..Action::default() }),
        );
        action::to_lines(&actions).map(Bytes::from)
    }

    fn into_entry(self, version: i64) -> Entry {
        let Self { advance, expect: _, add, remove, info, data_change } = self;
        Entry {
            version,
            adds: add.into_iter().map(|file| (file, data_change)).collect(),
            removes: remove,
            txns: advance.into_iter().map(|Advance { app, to, .. }| (app, to)).collect(),
            info,
            metadata: None,
        }
    }
}

/// Compare-and-set: reads what others committed, checks, writes the next version if it is still free, and
/// does it all again when it is not. Every round checks everything, so no round can double or lose a row.
pub(crate) async fn commit(
    log: &Log,
    table: &'static str,
    state: &mut State,
    change: Change,
) -> Result<Committed, CommitError> {
    let failed = |source| CommitError::Log { table, source };
    let world = log.world();
    let batch_uuid = world.uuid().to_string();
    // The version that an earlier round may have written without telling us so.
    let mut in_doubt = None;
    let mut last_error = None;
    for round in 0..TRIES {
        if round > 0 {
            world.sleep(pause(round, world)).await;
        }
        let mut landed = None;
        let followed = log
            .follow(state, &mut |entry| {
                if entry.info.get(BATCH_UUID).and_then(Value::as_str) == Some(&batch_uuid) {
                    landed = Some(entry.version);
                }
            })
            .await;
        if let Some(version) = landed {
            log.confirm(version).await.map_err(failed)?;
            return match fence::judge(log, version, &change).await.map_err(failed)? {
                Verdict::Stands => Ok(Committed { version }),
                verdict => Err(fence::too_late(log, table, state, version, verdict).await),
            };
        }
        match followed {
            Ok(()) => {}
            Err(error) if in_doubt.is_none() => return Err(failed(error)),
            Err(error) => {
                last_error = Some(error);
                continue;
            }
        }
        if let Some(version) = in_doubt
            && fence::is_told_of(log, version, &change).await.map_err(failed)?
        {
            return Ok(Committed { version });
        }
        change.check(table, state)?;
        match log.builds_on(state.version).await {
            Ok(()) => {}
            Err(error) if in_doubt.is_none() => return Err(failed(error)),
            Err(error) => {
                last_error = Some(error);
                continue;
            }
        }
        fence::check_staged(log, table, state, &change).await?;
        let version = state.version + 1;
        let lines = change.to_lines(state, &batch_uuid, world.wall_millis()).map_err(|e| {
            let path = crate::log_folder::entry_name(version);
            failed(Error::Damaged { table, path, detail: e.to_string() })
        })?;
        fail_point("before", table);
        let written = match log.write(version, lines).await {
            // Somebody was first; or it was this commit, sent again behind a lost answer; or nobody, and the store only
            // could not decide. The log tells which: what is not there is tried again under the same version.
            Ok(false) => {
                in_doubt = Some(version);
                continue;
            }
            Ok(true) => {
                fail_point("after", table);
                fence::judge(log, version, &change).await
            }
            Err(error) => Err(error),
        };
        match written {
            Ok(Verdict::Stands) => {
                state.apply(&change.into_entry(version));
                return Ok(Committed { version });
            }
            Ok(verdict) => return Err(fence::too_late(log, table, state, version, verdict).await),
            Err(error) => {
                tracing::warn!(
                    table,
                    version,
                    error = &error as &dyn std::error::Error,
                    "commit is in doubt"
                );
                if error.is_full() {
                    // Time makes no room, but the caller may. Should the entry have landed all the same, the
                    // caller's next commit is refused.
                    return Err(failed(error));
                }
                in_doubt = Some(version);
                last_error = Some(error);
            }
        }
    }
    Err(failed(last_error.unwrap_or(Error::Contended { table, tries: TRIES })))
}

/// Exponential with full jitter, so that writers who met once do not meet again.
fn pause(round: u32, world: &World) -> Duration {
    let ceiling = FIRST_PAUSE.saturating_mul(1 << round.min(10)).min(LONGEST_PAUSE);
    ceiling.mul_f64(world.fraction())
}

/// `commit-before-<table>` and `commit-after-<table>`, around the write of the log entry.
fn fail_point(place: &str, table: &str) {
    fail::eval(&format!("commit-{place}-{table}"), |_| ());
}
