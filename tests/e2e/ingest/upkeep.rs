//! A process that folds and maintains beside the workers of a test, and the day that its clean-up waits for.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use bellwether_warehouse::{AppId, TableId};
use serde_json::Value;

use crate::support::app::{Bellwether, Running};
use crate::support::config::Config;
use crate::support::{scratch, store, wait};

/// Longer than `maintain.history`.
const PASSES: Duration = Duration::from_secs(26 * 3600);

pub(super) struct Upkeep {
    folder: tempfile::TempDir,
    config: Config,
    running: Option<Running>,
}

/// What log clean-up and vacuum are to take once they find it old enough.
pub(super) struct Aged(Vec<PathBuf>);

impl Upkeep {
    /// Over the warehouse of `first`.
    pub(super) fn start(first: &Config) -> Self {
        let folder = scratch();
        let config = Config::new(folder.path())
            .beside(first)
            .set("jobs.every", "1s")
            .set("maintain.every", "1s")
            .set("maintain.clean_every", "1s")
            .set("maintain.checkpoint_after_commits", 10_i64);
        let mut upkeep = Self { folder, config, running: None };
        upkeep.succeed();
        upkeep
    }

    fn succeed(&mut self) {
        let args = ["serve", "--roles", "jobs,maintain", "--config", &self.config.write()];
        self.running = Some(Bellwether::new(self.folder.path(), &args).start());
    }

    /// SIGKILL, wherever its round is; another goes on.
    pub(super) fn kill(&mut self) {
        self.running.take().expect("it runs").kill();
        self.succeed();
    }

    #[track_caller]
    pub(super) fn end(mut self) {
        let ended = self.running.take().expect("it runs").interrupt();
        assert_eq!(ended.code(), 0, "{}", ended.stderr);
        assert!(!self.log().join("00000000000000000000.json").exists(), "the log was never cleaned up");
    }

    #[track_caller]
    fn until<T>(&mut self, what: &str, mut look: impl FnMut() -> Option<T>) -> T {
        let running = self.running.as_mut().expect("it runs");
        wait::until(what, wait::WORK, || {
            if let Some(status) = running.exited() {
                panic!("maintenance ended with {status}: {}", running.printed());
            }
            look()
        })
    }

    fn log(&self) -> PathBuf {
        self.config.warehouse().join("attempts/_delta_log")
    }

    /// Lets a day pass for the history of `attempts` that the newest checkpoint stands for. A store dates by its own
    /// clock, which here is that of the disk, also behind the gateway. Files stay as young as they are: a writer may
    /// be about to commit them.
    pub(super) fn age(&mut self) -> Aged {
        let log = self.log();
        let pointed = self.until("a checkpoint", || checkpoint(&log));
        let mut gone = Vec::new();
        for (version, path) in history(&log).into_iter().filter(|(version, _)| *version <= pointed) {
            if path.extension().is_some_and(|kind| kind == "json") {
                gone.extend(removed(&path).into_iter().map(|name| log.with_file_name(name)));
                if version < pointed {
                    gone.push(path.clone());
                }
            }
            // It may be gone already, by the round that is on its way.
            if let Ok(file) = std::fs::File::options().append(true).open(&path) {
                file.set_modified(SystemTime::now() - PASSES).expect("age a file");
            }
        }
        Aged(gone)
    }

    /// Waits until clean-up and vacuum have taken it.
    #[track_caller]
    pub(super) fn takes(&mut self, aged: &Aged) {
        self.until("clean-up and vacuum", || aged.0.iter().all(|path| !path.exists()).then_some(()));
    }

    /// Waits until files of the only date that traffic has were merged, and says how often.
    #[track_caller]
    pub(super) fn compacts(&mut self) -> i64 {
        let (warehouse, app) = (self.config.warehouse(), AppId("compact/2026-03-01".to_owned()));
        self.until("a compaction", || store::snapshot(&warehouse, TableId::Attempts)?.txn(&app))
    }

    /// Waits until the rollups have counted so many attempts.
    #[track_caller]
    pub(super) fn folds(&mut self, attempts: i64) {
        let warehouse = self.config.warehouse();
        self.until(&format!("{attempts} attempts in the rollups"), || {
            let sql = "SELECT CAST(sum(attempts) AS BIGINT) FROM health_daily";
            (store::number(&warehouse, sql) == attempts).then_some(())
        });
    }
}

/// Version of the checkpoint that the pointer names.
fn checkpoint(log: &Path) -> Option<i64> {
    let text = std::fs::read_to_string(log.join("_last_checkpoint")).ok()?;
    serde_json::from_str::<Value>(&text).ok()?["version"].as_i64()
}

/// Entries and checkpoints with their versions.
fn history(log: &Path) -> Vec<(i64, PathBuf)> {
    let names = std::fs::read_dir(log).expect("list the log").map(|entry| entry.expect("an entry").path());
    let version = |path: &Path| path.file_name()?.to_str()?.split('.').next()?.parse().ok();
    names.filter_map(|path| Some((version(&path)?, path))).collect()
}

/// Names of the files that an entry removed; none where it is gone.
fn removed(entry: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(entry).unwrap_or_default();
    let actions = text.lines().map(|line| serde_json::from_str::<Value>(line).expect("an action"));
    let path = |action: Value| action["remove"]["path"].as_str().map(str::to_owned);
    actions.filter_map(path).collect()
}
