//! Waiting between tries of a storage operation.

use std::time::Duration;

use bellwether_warehouse::{Moment, Retry, World};

use super::{FlushError, Waiting, Waits};
use crate::metric;
use crate::spool::Ballast;

const FIRST: Duration = Duration::from_millis(100);
/// Where somebody has to mend something, which takes longer than a hiccup of the store.
const FIRST_WHEN_MENDED: Duration = Duration::from_secs(2);
/// Long enough not to burden a store in trouble, short enough to be back soon after it.
const LONGEST: Duration = Duration::from_secs(20);

/// Doubles the pause from try to try, each between half and the whole of it, so that workers do not come in step.
#[derive(Debug)]
pub(super) struct Backoff {
    table: &'static str,
    patience: Option<Duration>,
    since: Moment,
    pause: Duration,
    ballast: Option<Ballast>,
    world: World,
    waits: Waits,
    /// Told since the first failure, until this ends.
    told: Option<Waiting>,
}

impl Backoff {
    pub(super) fn new(
        table: &'static str,
        patience: Option<Duration>,
        ballast: Option<Ballast>,
        waits: Waits,
        world: World,
    ) -> Self {
        Self { table, patience, since: world.now(), pause: FIRST, ballast, world, waits, told: None }
    }

    /// Reports the failure and waits, or gives up when patience is at its end.
    pub(super) async fn wait(&mut self, source: bellwether_warehouse::Error) -> Result<(), FlushError> {
        if source.is_full() && self.makes_room() {
            return Ok(());
        }
        match &self.told {
            Some(told) => told.still(&source),
            None => self.told = Some(self.waits.begin(format!("table `{}`", self.table), &source)),
        }
        let waited = self.world.since(self.since);
        let is_to_be_mended = source.retry() == Retry::WhenMended;
        if is_to_be_mended {
            self.pause = self.pause.max(FIRST_WHEN_MENDED);
        }
        // Whoever has little patience learns at once what he can mend himself.
        if self.patience.is_some_and(|patience| is_to_be_mended || waited + self.pause > patience) {
            return Err(FlushError::Storage { table: self.table, waited, source: Box::new(source) });
        }
        tracing::warn!(
            table = self.table,
            pause_millis = self.pause.as_millis() as u64,
            error = &source as &dyn std::error::Error,
            "storage failed, trying again"
        );
        metrics::counter!(metric::RETRIES, "table" => self.table).increment(1);
        self.world.sleep(self.pause.mul_f64(0.5 + self.world.fraction() / 2.0)).await;
        self.pause = (self.pause * 2).min(LONGEST);
        Ok(())
    }

    /// Gives the ballast up, where there is one.
    fn makes_room(&self) -> bool {
        let Some(ballast) = &self.ballast else { return false };
        match ballast.give_up() {
            Ok(false) => false,
            Ok(true) => {
                tracing::warn!(
                    table = self.table,
                    "the disk is full: gave up the ballast of the spool for this flush; the intake waits"
                );
                metrics::gauge!(metric::SPOOL_BALLAST_GIVEN).set(1.0);
                true
            }
            Err(error) => {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "failed to give up the ballast of the spool"
                );
                false
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Error, ErrorKind};

    use super::{Backoff, Duration, FlushError, Waits, World};
    use crate::spool::Ballast;

    fn failed(kind: ErrorKind) -> bellwether_warehouse::Error {
        bellwether_warehouse::Error::Unwritable { path: "t".into(), source: Error::from(kind).into() }
    }

    #[tokio::test]
    async fn a_full_disk_gives_the_ballast_up_once_and_other_trouble_does_not() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("ballast"), [0; 4096]).unwrap();
        let ballast = Ballast::new(dir.path(), 4096);
        let mut backoff = Backoff::new(
            "attempts",
            Some(Duration::ZERO),
            Some(ballast.clone()),
            Waits::default(),
            World::default(),
        );
        backoff.wait(failed(ErrorKind::PermissionDenied)).await.unwrap_err();
        assert!(!ballast.is_given_up());
        backoff.wait(failed(ErrorKind::StorageFull)).await.unwrap();
        assert!(ballast.is_given_up());
        backoff.wait(failed(ErrorKind::StorageFull)).await.unwrap_err();
    }

    #[tokio::test]
    async fn what_somebody_must_mend_is_told_at_once_to_whom_has_an_end_of_patience() {
        let mut backoff = Backoff::new(
            "attempts",
            Some(Duration::from_secs(3600)),
            None,
            Waits::default(),
            World::default(),
        );
        let replaced = bellwether_warehouse::Error::Replaced { table: "attempts", version: 3 };
        let error = backoff.wait(replaced).await.unwrap_err();
        assert!(matches!(error, FlushError::Storage { table: "attempts", .. }), "{error}");
    }
}
