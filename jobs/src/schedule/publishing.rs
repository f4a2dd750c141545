//! When is published: after a fold that found something, and now and then without one, since days and windows move by
//! themselves. What is of now has a lane of its own.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use bellwether_metrics::Terms;
use bellwether_warehouse::Warehouse;
use chrono::{DateTime, Utc};
use futures::FutureExt;
use tokio::sync::watch;

use super::report::{JobReport, Outcome};
use super::round::{Done, conclude};
use super::{Job, Timetable};
use crate::error::Error;
use crate::metric;
use crate::publish::{PublishReport, Publisher};

/// From one look to the next: as long at least, though a fold brings news, and at most.
#[derive(Clone, Copy)]
struct Pace {
    least: Duration,
    most: Duration,
}

/// After a round that took so long.
fn pace(job: Job, took: Duration) -> Pace {
    let [soon, long] = [3, 60].map(Duration::from_secs);
    match job {
        // At most a quarter of the time: of a thousand endpoints the sketches of two hours of five minutes alone take more than a
        // second of one core to merge. Each round leaves a file a table, which stays for an hour or two.
        Job::Live => Pace { least: took.saturating_mul(4).clamp(soon, long / 2), most: long },
        // At most a tenth of the time, unless it takes very long.
        _ => Pace { least: took.saturating_mul(10).clamp(soon, long), most: long },
    }
}

/// The same after a failure, and where another was first: the timetable says from when on it is tried again.
const UNTIL_DUE: Duration = Duration::from_secs(1);

/// Opens its tables when it first needs them, so that nothing else waits for them.
#[derive(Debug)]
pub(crate) struct Publishing {
    warehouse: Warehouse,
    /// Other ones are taken over as by a process that starts.
    terms: watch::Receiver<Terms>,
    publisher: Option<Publisher>,
    /// Which lane.
    job: Job,
    /// Both lanes in one.
    is_whole: bool,
}

impl Publishing {
    pub(crate) fn new(warehouse: Warehouse, terms: watch::Receiver<Terms>) -> Self {
        Self { warehouse, terms, publisher: None, job: Job::Publish, is_whole: true }
    }

    /// One of those that run beside each other.
    pub(super) fn lane(&self, job: Job) -> Self {
        Self { job, is_whole: false, ..Self::new(self.warehouse.clone(), self.terms.clone()) }
    }

    /// None: after a failure it is not tried again yet.
    pub(crate) async fn run_due(
        &mut self,
        timetable: &mut Timetable,
        now: DateTime<Utc>,
    ) -> Option<JobReport> {
        if !timetable.is_due(self.job, now) {
            return None;
        }
        let world = self.warehouse.world().clone();
        let started = world.now();
        // What a panic leaves behind is the state of the tables, and it is read afresh.
        let result = AssertUnwindSafe(self.publish(now)).catch_unwind().await;
        let mut published = None;
        let result = result.map(|result| {
            result.map(|report| {
                let rows = report.rows();
                if self.job == Job::Publish {
                    metric::published(&report, now);
                }
                metric::numbered(&report);
                published = Some(report);
                Done { rows, left: false }
            })
        });
        Some(JobReport { published, ..conclude(self.job, result, world.since(started), timetable, now) })
    }

    /// Until the sender of `news` is gone, which says that a fold moved the tables.
    pub(super) async fn run_forever(mut self, mut news: watch::Receiver<()>) {
        let world = self.warehouse.world().clone();
        let mut timetable = Timetable::default();
        loop {
            news.mark_unchanged();
            let begun = world.now();
            let report = self.run_due(&mut timetable, world.wall()).await;
            let Pace { least, most } = pace(self.job, world.since(begun));
            let is_done = report.is_some_and(|report| {
                let has_waited = report.published.is_some_and(|published| !published.waits_for.is_empty());
                matches!(report.outcome, Outcome::Done { .. }) && !has_waited
            });
            let is_done = is_done && !are_others(&self.terms);
            if is_done {
                world.sleep_until(begun + least).await;
            }
            let pause = if is_done { most.saturating_sub(least) } else { UNTIL_DUE };
            if let Some(Err(_)) = world.within(pause, news.changed()).await {
                return;
            }
        }
    }

    async fn publish(&mut self, now: DateTime<Utc>) -> Result<PublishReport, Error> {
        if are_others(&self.terms) {
            self.publisher = None;
        }
        let publisher = match &mut self.publisher {
            Some(publisher) => publisher,
            none => {
                let terms = self.terms.borrow_and_update().clone();
                none.insert(match self.job {
                    Job::Live => Publisher::fast(&self.warehouse, terms).await?,
                    _ if self.is_whole => Publisher::open(&self.warehouse, terms).await?,
                    _ => Publisher::slow(&self.warehouse, terms).await?,
                })
            }
        };
        // Under other terms the fast lane stands still until this one has published under them, so they wait for no stage but
        // the one that is under way.
        let goes_on = || !are_others(&self.terms);
        let report = publisher.publish_while(now, goes_on).await?;
        if let Some(number) = report.number {
            tracing::info!(number, rows = report.rows(), "published");
        } else if !report.waits_for.is_empty() {
            tracing::debug!(behind = ?report.waits_for, "publication waits for rollups");
        }
        Ok(report)
    }
}

/// Since they were asked for. Once whoever gives them has gone, they stay.
fn are_others(terms: &watch::Receiver<Terms>) -> bool {
    terms.has_changed().unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_of_now_is_looked_at_as_often_as_a_quarter_of_the_time_allows() {
        let of = |job: Job, took: u64| {
            let Pace { least, most } = pace(job, Duration::from_millis(took));
            [least, most].map(|pause| pause.as_millis())
        };
        for (took, least) in [(0, 3_000), (750, 3_000), (2_000, 8_000), (7_500, 30_000), (60_000, 30_000)] {
            assert_eq!(of(Job::Live, took), [least, 60_000], "{took}");
        }
        // All else a tenth.
        assert_eq!(of(Job::Publish, 2_000), [20_000, 60_000]);
    }
}
