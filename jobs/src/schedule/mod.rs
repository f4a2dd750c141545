//! Every job, and when it runs.

mod report;
mod round;
#[cfg(test)]
mod tests;
mod timetable;

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::Serialize;
use tokio::sync::watch;
use tokio::time::MissedTickBehavior;

use crate::jobs::Jobs;
pub use report::{JobReport, Outcome, RoundReport};
pub(crate) use round::run;
pub(crate) use timetable::Timetable;

/// In the order of a round.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Job {
    Fold,
    Routing,
    Settle,
    Expire,
    Rebuild,
}

impl Job {
    pub const ALL: [Self; 5] = [Self::Fold, Self::Routing, Self::Settle, Self::Expire, Self::Rebuild];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Fold => "fold",
            Self::Routing => "routing",
            Self::Settle => "settle",
            Self::Expire => "expire",
            Self::Rebuild => "rebuild",
        }
    }
}

/// When jobs run that not every round needs. A fold runs every round.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// Routing recomputes today's date, so not every round; it also runs when an hour has closed.
    pub routing_every: Duration,
    /// Past dates are merged to one file this often; crowded dates every round.
    pub settle_closed_every: Duration,
    /// Hour of the day, UTC, at which the last `rebuild_dates` past dates are rebuilt, once a day and only
    /// by a process that was running before it. None: never.
    pub rebuild_at_hour: Option<u32>,
    pub rebuild_dates: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            routing_every: Duration::from_secs(60),
            settle_closed_every: Duration::from_secs(600),
            rebuild_at_hour: Some(2),
            rebuild_dates: 2,
        }
    }
}

/// Runs the jobs of one warehouse in rounds. No failure of a job ends it.
#[derive(Debug)]
pub struct Scheduler {
    jobs: Jobs,
    timetable: Timetable,
}

impl Scheduler {
    pub fn new(jobs: Jobs) -> Self {
        Self::with_settings(jobs, Settings::default())
    }

    pub fn with_settings(jobs: Jobs, settings: Settings) -> Self {
        Self { jobs, timetable: Timetable::new(settings) }
    }

    /// Runs what is due at `now`.
    pub async fn run_once(&mut self, now: DateTime<Utc>) -> RoundReport {
        run(&mut self.jobs, &mut self.timetable, now).await
    }

    /// Runs rounds until `shutdown` turns true or its sender is gone. A round that is running then is
    /// dropped where it stands, which loses nothing.
    pub async fn run_forever(mut self, period: Duration, mut shutdown: watch::Receiver<bool>) {
        let mut ticks = tokio::time::interval(period.max(Duration::from_millis(1)));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let stop = async move {
            // An error means that the sender is gone: nobody could stop us later.
            let _ = shutdown.wait_for(|stop| *stop).await;
        };
        tokio::pin!(stop);
        loop {
            let round = async {
                ticks.tick().await;
                self.run_once(Utc::now()).await
            };
            tokio::select! {
                () = &mut stop => return,
                _ = round => {}
            }
        }
    }
}
