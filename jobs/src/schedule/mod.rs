//! Every job, and when it runs.

mod publishing;
mod report;
mod round;
#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "a test gives up by the host's clock")]
mod tests;
mod timetable;

use std::time::Duration;

use bellwether_metrics::Terms;
use bellwether_warehouse::Warehouse;
use chrono::{DateTime, Utc};
use serde::Serialize;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::jobs::Jobs;
use publishing::Publishing;
pub use report::{JobReport, Outcome, RoundReport};
use round::{Part, run};
use timetable::Timetable;

/// In the order in which they run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Job {
    Fold,
    Routing,
    Settle,
    Expire,
    Rebuild,
    /// What is of now. Of a scheduler that publishes, as the next one is; no part of its rounds.
    Live,
    Publish,
}

impl Job {
    /// Those of a round.
    pub const ALL: [Self; 5] = [Self::Fold, Self::Routing, Self::Settle, Self::Expire, Self::Rebuild];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Fold => "fold",
            Self::Routing => "routing",
            Self::Settle => "settle",
            Self::Expire => "expire",
            Self::Rebuild => "rebuild",
            Self::Live => "live",
            Self::Publish => "publish",
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
    /// Hour of the day, UTC, from which a date that has closed is rebuilt. What a process that was not running
    /// then has missed is made up for. None: never. Dates whose names were read again are rebuilt at once in any case.
    pub rebuild_at_hour: Option<u32>,
    /// Nights in which a date is rebuilt after it closed.
    pub rebuild_nights: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            routing_every: Duration::from_secs(60),
            settle_closed_every: Duration::from_secs(600),
            rebuild_at_hour: Some(2),
            rebuild_nights: 2,
        }
    }
}

/// Runs the jobs of one warehouse in rounds. No failure of a job ends it.
#[derive(Debug)]
pub struct Scheduler {
    jobs: Jobs,
    timetable: Timetable,
    publishing: Option<Publishing>,
}

impl Scheduler {
    pub fn new(jobs: Jobs) -> Self {
        Self::with_settings(jobs, Settings::default())
    }

    pub fn with_settings(jobs: Jobs, settings: Settings) -> Self {
        Self { jobs, timetable: Timetable::new(settings), publishing: None }
    }

    /// Publishes under these terms, too.
    #[must_use]
    pub fn publishing(self, terms: Terms) -> Self {
        self.publishing_as(watch::channel(terms).1)
    }

    /// The same under terms that may become others, each time as if the process began anew.
    #[must_use]
    pub fn publishing_as(self, terms: watch::Receiver<Terms>) -> Self {
        let publishing = Some(Publishing::new(self.jobs.warehouse().clone(), terms));
        Self { publishing, ..self }
    }

    /// Runs what is due at `now`, to its end.
    pub async fn run_once(&mut self, now: DateTime<Utc>) -> RoundReport {
        let mut report = run(&mut self.jobs, &mut self.timetable, Part::Whole, now).await;
        if let Some(publishing) = &mut self.publishing {
            report.jobs.extend(publishing.run_due(&mut self.timetable, now).await);
        }
        report
    }

    /// Runs rounds until `shutdown` turns true or its sender is gone: folds in one task, everything else in
    /// another, the two lanes of publication in two more, so that nothing holds up a fold or what is of now. What is running
    /// then is dropped where it stands, which loses nothing.
    pub async fn run_forever(self, period: Duration, mut shutdown: watch::Receiver<bool>) {
        let Self { jobs, timetable, publishing } = self;
        let period = period.max(Duration::from_millis(1));
        let warehouse = jobs.warehouse().clone();
        let upkeep = Timetable::new(timetable.settings().clone());
        let mut tasks = JoinSet::new();
        let (folded, seen) = watch::channel(());
        tasks.spawn(rounds(jobs, timetable, Part::Folding, period, Some(folded)));
        if let Some(publishing) = publishing {
            for job in [Job::Live, Job::Publish] {
                tasks.spawn(publishing.lane(job).run_forever(seen.clone()));
            }
        }
        tasks.spawn(async move {
            let jobs = open_again(&warehouse, period).await;
            rounds(jobs, upkeep, Part::Upkeep, period, None).await;
        });
        let stop = async move {
            // An error means that the sender is gone: nobody could stop us later.
            let _ = shutdown.wait_for(|stop| *stop).await;
        };
        tokio::select! {
            () = stop => {}
            // None of them ends by itself.
            Some(Err(error)) = tasks.join_next() => {
                tracing::error!(error = &error as &dyn std::error::Error, "a task of the jobs stopped");
            }
        }
        tasks.shutdown().await;
    }
}

/// `news` is told of each round that moved a table.
async fn rounds(
    mut jobs: Jobs,
    mut timetable: Timetable,
    part: Part,
    period: Duration,
    news: Option<watch::Sender<()>>,
) {
    let world = jobs.warehouse().world().clone();
    loop {
        let begun = world.now();
        let report = run(&mut jobs, &mut timetable, part, world.wall()).await;
        if let Some(news) = news.as_ref().filter(|_| report.has_rows()) {
            news.send_replace(());
        }
        world.sleep_until(begun + period).await;
    }
}

/// Handles of its own for a second task, as soon as the tables can be read.
async fn open_again(warehouse: &Warehouse, period: Duration) -> Jobs {
    loop {
        match Jobs::open(warehouse).await {
            Ok(jobs) => return jobs,
            Err(error) => {
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "cannot open the tables for routing, settling and rebuilding; trying again"
                );
                warehouse.world().sleep(period).await;
            }
        }
    }
}
