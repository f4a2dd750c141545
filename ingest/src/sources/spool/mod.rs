//! Ingests the spool of this host: its logs one after the other, oldest first.
//!
//! A log that the next one has ended is deleted once the tables hold it; its position stays in the tables. A log
//! that cannot be read stops alone: it is told once, stays on the disk, and the later ones go on.

mod backlog;
mod log;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bellwether_warehouse::{Warehouse, World};
use tokio_util::sync::CancellationToken;

use super::Error;
use crate::batch::Tools;
use crate::config::{self, Ingest};
use crate::metric;
use crate::sink::{Sink, Waiting, Waits};
use crate::spool::{self, Ballast, Log, Reading};
use backlog::Backlog;
use log::{End, Follower};

/// Between tries to take a log (again), and between looks whether there is another one.
const PAUSE: Duration = Duration::from_secs(1);

/// What stands for the spool's folder itself among the stopped logs: one of them may lie in it.
const FOLDER: &str = "";

/// Logs, by folder, that stay behind, and why. Shared with who tells the operator.
#[derive(Clone, Debug, Default)]
pub struct Stopped {
    logs: Arc<Mutex<BTreeMap<PathBuf, String>>>,
    waits: Waits,
    backlog: Backlog,
}

impl Stopped {
    /// Tells here, too, that the reader waits for storage.
    pub fn with_waits(mut self, waits: Waits) -> Self {
        self.waits = waits;
        self
    }

    pub fn contains(&self, log: &Path) -> bool {
        self.lock().contains_key(log)
    }

    /// One line for each.
    pub fn reasons(&self) -> Vec<String> {
        self.lock().values().cloned().collect()
    }

    #[cfg(test)]
    pub(super) fn waiting(&self) -> spool::Waiting {
        self.backlog.waiting()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<PathBuf, String>> {
        self.logs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Before a new start, which looks at every log again.
    fn clear(&self) {
        for log in std::mem::take(&mut *self.lock()).keys() {
            gauge(log).set(metric::GONE);
        }
        metrics::gauge!(metric::SPOOL_STOPPED).set(0.0);
    }

    fn remember(&self, log: &Path, reason: String) {
        let mut logs = self.lock();
        logs.insert(log.to_owned(), reason);
        gauge(log).set(1.0);
        metrics::gauge!(metric::SPOOL_STOPPED).set(logs.len() as f64);
    }

    fn forget(&self, log: &Path) {
        let mut logs = self.lock();
        if logs.remove(log).is_some() {
            gauge(log).set(metric::GONE);
            metrics::gauge!(metric::SPOOL_STOPPED).set(logs.len() as f64);
        }
    }
}

/// A folder's name is the log's uuid, but for one of an earlier build.
fn gauge(log: &Path) -> metrics::Gauge {
    let name = log.file_name().unwrap_or_default().to_string_lossy().into_owned();
    metrics::gauge!(metric::SPOOL_LOG_STOPPED, "log" => name)
}

/// The reading side of a spool's folder.
#[derive(Debug)]
pub struct Source {
    dir: PathBuf,
    ballast: Ballast,
    reading: Option<Reading>,
    stopped: Stopped,
}

impl Source {
    /// # Errors
    /// Another process ingests this spool. Any other trouble with the folder is told by `run`, which waits it out.
    pub fn open(dir: &Path, config: &config::Spool, stopped: Stopped) -> Result<Self, spool::Error> {
        let reading = match Reading::of(dir) {
            Err(error @ spool::Error::ReadElsewhere { .. }) => return Err(error),
            taken => taken.ok(),
        };
        let ballast = Ballast::new(dir, config.ballast.0);
        Ok(Self { dir: dir.to_owned(), ballast, reading, stopped })
    }

    /// Runs until `shutdown`, then commits what it has read and ends.
    ///
    /// # Errors
    /// The tables cannot be opened, or the label secrets cannot be read. Storage trouble is waited out.
    pub async fn run(
        mut self,
        warehouse: &Warehouse,
        tools: Tools,
        config: &Ingest,
        shutdown: CancellationToken,
    ) -> Result<(), Error> {
        self.stopped.clear();
        metrics::gauge!(metric::SPOOL_BALLAST_GIVEN).set(f64::from(u8::from(self.ballast.is_given_up())));
        metrics::gauge!(metric::MEMORY_BUDGET, "worker" => "spool").set(config.memory_budget.len() as f64);
        let mut sink = Sink::open(warehouse)
            .await
            .map_err(Error::Tables)?
            .with_ballast(self.ballast.clone())
            .telling(self.stopped.waits.clone());
        let backlog = self.stopped.backlog.clone();
        backlog.begin(&self.dir, &sink);
        tracing::info!(spool = %self.dir.display(), "ingest of the spool starts");
        let dir = self.dir.clone();
        let result = tokio::select! {
            result = self.follow_all(&mut sink, &tools, config, &shutdown) => result,
            never = backlog.show(dir, warehouse.world()) => match never {},
        };
        tracing::info!(spool = %self.dir.display(), "ingest of the spool ended");
        result
    }

    async fn follow_all(
        &mut self,
        sink: &mut Sink,
        tools: &Tools,
        config: &Ingest,
        shutdown: &CancellationToken,
    ) -> Result<(), Error> {
        let world = sink.world().clone();
        // Told while the tables do not even say where to go on.
        let mut waiting: Option<Waiting> = None;
        while !shutdown.is_cancelled() {
            settle(&self.ballast);
            let Some(next) = self.next() else {
                pause(&world, shutdown).await;
                continue;
            };
            let backlog = &self.stopped.backlog;
            let mut follower =
                Follower::new(sink, &self.dir, next.clone(), config, &self.ballast, backlog, tools.clone());
            match follower.follow(&mut waiting, shutdown).await {
                Ok(End::Shutdown) => break,
                Ok(End::Drained) => self.remove(&next),
                Ok(End::Again) => {}
                Err(log::Trouble::Passing(error)) => {
                    tracing::warn!(
                        log = %next.dir().display(), error = &*error as &dyn std::error::Error,
                        "lost the spool's position, reading it again"
                    );
                    match &waiting {
                        Some(waiting) => waiting.still(&*error),
                        None => waiting = Some(self.stopped.waits.begin("a position in the tables", &*error)),
                    }
                    pause(&world, shutdown).await;
                }
                // A log that was deleted meanwhile has ended; it does not show in the folder again.
                Err(log::Trouble::Log(_)) if !next.dir().exists() => {}
                Err(log::Trouble::Log(error)) => self.stop(next.dir(), &error),
                Err(log::Trouble::Lasting(error)) => return Err(error),
            }
        }
        Ok(())
    }

    /// The oldest log that can be read.
    fn next(&mut self) -> Option<Log> {
        if self.reading.is_none() {
            self.reading = Reading::of(&self.dir).map_err(|error| self.stop(FOLDER.as_ref(), &error)).ok();
            self.reading.as_ref()?;
        }
        let found = match spool::logs(&self.dir) {
            Ok(found) => found,
            Err(error) => {
                self.stop(FOLDER.as_ref(), &error);
                return None;
            }
        };
        self.stopped.forget(FOLDER.as_ref());
        for unreadable in &found.unreadable {
            self.stop(&unreadable.dir, &unreadable.error);
        }
        found.readable.into_iter().find(|log| !self.stopped.contains(log.dir()))
    }

    fn stop(&self, log: &Path, error: &(dyn std::error::Error + 'static)) {
        if self.stopped.contains(log) {
            return;
        }
        let place = if log == Path::new(FOLDER) { self.dir.as_path() } else { log };
        tracing::error!(
            log = %place.display(), error,
            "stopped reading a log of the spool: its records stay on the disk and out of the tables; the other logs \
             go on; mend it and start ingest again"
        );
        self.stopped.remember(log, format!("{}: {}", place.display(), bellwether_warehouse::chain(error)));
    }

    fn remove(&self, log: &Log) {
        match log.remove(&self.dir) {
            Ok(()) => tracing::info!(log = %log.dir().display(), "deleted a log that the tables hold"),
            Err(error) => self.stop(log.dir(), &error),
        }
        spool::used_bytes(&self.dir);
    }
}

/// Makes the ballast again where what was freed leaves room for it.
fn settle(ballast: &Ballast) {
    if !ballast.is_given_up() {
        return;
    }
    match ballast.restore() {
        Ok(true) => {
            tracing::info!("the disk has room again: made the ballast of the spool, the intake goes on");
            metrics::gauge!(metric::SPOOL_BALLAST_GIVEN).set(0.0);
        }
        Ok(false) => tracing::debug!("no room for the ballast of the spool yet"),
        Err(error) => tracing::warn!(
            error = &error as &dyn std::error::Error,
            "failed to make the ballast of the spool again"
        ),
    }
}

async fn pause(world: &World, shutdown: &CancellationToken) {
    tokio::select! {
        () = world.sleep(PAUSE) => {}
        () = shutdown.cancelled() => {}
    }
}
