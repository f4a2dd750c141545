//! How much of the spool waits for the tables, over all of its logs.
//!
//! It is measured beside the reading and not by it: while the tables take nothing, and of logs that are not read yet
//! or have stopped, it is what an operator asks for.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bellwether_warehouse::World;
use uuid::Uuid;

use crate::batch::{Position, Stream};
use crate::metric;
use crate::sink::Sink;
use crate::spool::{self, Waiting};

/// Between two looks.
const EVERY: Duration = Duration::from_secs(1);

/// What the tables hold of each log. Clones are one.
#[derive(Clone, Debug, Default)]
pub(super) struct Backlog(Arc<Mutex<Known>>);

#[derive(Debug, Default)]
struct Known {
    positions: BTreeMap<Uuid, i64>,
    newest_millis: Option<i64>,
    waiting: Waiting,
}

impl Backlog {
    /// Takes from the tables what they hold of the logs in `dir`.
    pub(super) fn begin(&self, dir: &Path, sink: &Sink) {
        for log in spool::logs(dir).unwrap_or_default().readable {
            self.stands(log.uuid(), &sink.position_seen(&Stream::spool(log.uuid())));
        }
    }

    /// The tables stand there with a log.
    pub(super) fn stands(&self, log: Uuid, position: &Position) {
        let mut known = self.lock();
        if let Some(attempts) = position.attempts {
            known.positions.insert(log, attempts);
        }
        known.newest_millis = known.newest_millis.max(position.time);
        if let Some(millis) = known.newest_millis {
            metrics::gauge!(metric::NEWEST_RECORD, "topic" => "spool", "partition" => "0")
                .set(millis as f64 / 1000.0);
        }
    }

    /// As last measured.
    #[cfg(test)]
    pub(super) fn waiting(&self) -> Waiting {
        self.lock().waiting
    }

    /// Looks at the logs and shows what waits.
    pub(super) fn measure(&self, dir: &Path) -> Waiting {
        let logs = spool::logs(dir).unwrap_or_default().readable;
        let mut waiting = Waiting::default();
        for log in &logs {
            let position = self.lock().positions.get(&log.uuid()).copied();
            waiting = waiting + log.waiting(position);
        }
        let mut known = self.lock();
        known.positions.retain(|uuid, _| logs.iter().any(|log| log.uuid() == *uuid));
        known.waiting = waiting;
        drop(known);
        metrics::gauge!(metric::LAG, "topic" => "spool", "partition" => "0").set(waiting.records as f64);
        metrics::gauge!(metric::SPOOL_WAITING_BYTES).set(waiting.bytes as f64);
        waiting
    }

    /// Shows it again and again.
    pub(super) async fn show(self, dir: PathBuf, world: &World) -> Infallible {
        loop {
            let (backlog, dir) = (self.clone(), dir.clone());
            // A look that panicked shows nothing; the next one may.
            let _ = tokio::task::spawn_blocking(move || backlog.measure(&dir)).await;
            world.sleep(EVERY).await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::{Backlog, Position, Waiting, metric};
    use crate::config;
    use crate::spool::Spool;
    use crate::testing::Gauges;

    #[tokio::test]
    async fn what_waits_is_counted_over_all_logs_by_what_the_tables_hold_of_each() {
        let dir = tempfile::tempdir().unwrap();
        let settings = config::Spool { ballast: config::Bytes(0), ..config::Spool::default() };
        let mut uuids = Vec::new();
        let mut last = None;
        for records in [4, 2] {
            drop(last.take());
            let spool = Spool::open(dir.path(), &settings).unwrap();
            // 100 bytes each, with their frame of 20.
            spool.append(vec![vec![b'x'; 80]; records]).await.unwrap();
            uuids.push(spool.uuid());
            last = Some(spool);
        }
        let (backlog, gauges) = (Backlog::default(), Gauges::default());
        let measure = || metrics::with_local_recorder(&gauges, || backlog.measure(dir.path()));
        // Each log has a segment with a header of 16 bytes.
        assert_eq!(measure(), Waiting { records: 6, bytes: 416 + 216 });
        backlog.stands(uuids[0], &Position { attempts: Some(3), ..Position::default() });
        assert_eq!(measure(), Waiting { records: 1 + 2, bytes: 104 + 216 });
        assert_eq!(gauges.get(&format!("{}{{topic=spool,partition=0}}", metric::LAG)), Some(3.0));
        assert_eq!(gauges.get(&format!("{}{{}}", metric::SPOOL_WAITING_BYTES)), Some(320.0));
        for uuid in uuids {
            // The second is behind a log that was put back from a copy.
            backlog.stands(uuid, &Position { attempts: Some(9), ..Position::default() });
        }
        assert_eq!(measure(), Waiting::default());
    }
}
