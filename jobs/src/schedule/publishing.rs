//! When is published: after each fold that found something, and at least every minute, since days and windows move by
//! themselves.

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

/// Longest time between two looks.
const EVERY: Duration = Duration::from_secs(60);
/// The same after a failure, and where another was first, as decisions and publication may be to each other: the timetable
/// says from when on it is tried again.
const UNTIL_DUE: Duration = Duration::from_secs(1);

/// Opens its tables when it first needs them, so that nothing else waits for them.
#[derive(Debug)]
pub(crate) struct Publishing {
    warehouse: Warehouse,
    terms: Terms,
    publisher: Option<Publisher>,
    /// Publish, or Decide for the first part of it alone.
    job: Job,
}

impl Publishing {
    pub(crate) fn new(warehouse: Warehouse, terms: Terms) -> Self {
        Self { warehouse, terms, publisher: None, job: Job::Publish }
    }

    /// Keeps up to date who may be named. A publication of much takes minutes, and names are asked for by every page.
    pub(super) fn deciding(&self) -> Self {
        Self { job: Job::Decide, ..Self::new(self.warehouse.clone(), self.terms.clone()) }
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
            let report = self.run_due(&mut timetable, world.wall()).await;
            let is_done = report.is_some_and(|report| matches!(report.outcome, Outcome::Done { .. }));
            let pause = if is_done { EVERY } else { UNTIL_DUE };
            if let Some(Err(_)) = world.within(pause, news.changed()).await {
                return;
            }
        }
    }

    async fn publish(&mut self, now: DateTime<Utc>) -> Result<PublishReport, Error> {
        let publisher = match &mut self.publisher {
            Some(publisher) => publisher,
            none => none.insert(match self.job {
                Job::Decide => Publisher::deciding(&self.warehouse, self.terms.clone()).await?,
                _ => Publisher::open(&self.warehouse, self.terms.clone()).await?,
            }),
        };
        let report = match self.job {
            Job::Decide => publisher.decide(now).await?,
            _ => publisher.publish(now).await?,
        };
        if let Some(number) = report.number {
            tracing::info!(number, rows = report.rows(), "published");
        } else if !report.waits_for.is_empty() {
            tracing::debug!(behind = ?report.waits_for, "publication waits for rollups");
        }
        Ok(report)
    }
}
