//! Which jobs are due.

use std::time::Duration;

use chrono::{DateTime, Days, NaiveDate, TimeDelta, Timelike, Utc};

use super::{Job, Settings};
use crate::settle::Settling;

/// When each job ran last, as far as this process knows.
#[derive(Debug, Default)]
pub(crate) struct Timetable {
    settings: Settings,
    routed_at: Option<DateTime<Utc>>,
    settled_closed_at: Option<DateTime<Utc>>,
    expired_on: Option<NaiveDate>,
    /// Day of the last rebuild, or of the first round when that came after the hour.
    rebuilt_on: Option<NaiveDate>,
}

impl Timetable {
    pub(super) fn new(settings: Settings) -> Self {
        Self { settings, ..Self::default() }
    }

    pub(super) fn is_due(&self, job: Job, now: DateTime<Utc>) -> bool {
        match job {
            Job::Fold | Job::Settle => true,
            Job::Routing => {
                let hour = |at: DateTime<Utc>| (at.date_naive(), at.hour());
                has_passed(self.settings.routing_every, self.routed_at, now)
                    || self.routed_at.is_some_and(|routed_at| hour(routed_at) != hour(now))
            }
            Job::Expire => self.expired_on != Some(now.date_naive()),
            Job::Rebuild => self.settings.rebuild_at_hour.is_some_and(|hour| {
                now.hour() >= hour && self.rebuilt_on.is_some_and(|day| day < now.date_naive())
            }),
        }
    }

    pub(super) fn settling(&self, now: DateTime<Utc>) -> Settling {
        match has_passed(self.settings.settle_closed_every, self.settled_closed_at, now) {
            true => Settling::Closed,
            false => Settling::Crowded,
        }
    }

    /// First and last of the dates that a rebuild at `now` is about. None: it is to rebuild nothing.
    pub(super) fn rebuild_range(&self, now: DateTime<Utc>) -> Option<(NaiveDate, NaiveDate)> {
        let to = now.date_naive().pred_opt()?;
        let from = now.date_naive().checked_sub_days(Days::new(self.settings.rebuild_dates))?;
        (from <= to).then_some((from, to))
    }

    /// `job` ran at `now`, or another worker did it.
    pub(super) fn note(&mut self, job: Job, now: DateTime<Utc>) {
        let today = now.date_naive();
        // The first round only learns what day it is, so that a restart does not rebuild again; one before
        // the hour still has today's rebuild ahead.
        if self.rebuilt_on.is_none() {
            let ahead = self.settings.rebuild_at_hour.is_some_and(|hour| now.hour() < hour);
            self.rebuilt_on = if ahead { today.pred_opt() } else { Some(today) };
        }
        match job {
            Job::Fold => {}
            Job::Routing => self.routed_at = Some(now),
            Job::Settle => {
                if self.settling(now) == Settling::Closed {
                    self.settled_closed_at = Some(now);
                }
            }
            Job::Expire => self.expired_on = Some(today),
            Job::Rebuild => self.rebuilt_on = Some(today),
        }
    }
}

fn has_passed(every: Duration, since: Option<DateTime<Utc>>, now: DateTime<Utc>) -> bool {
    let every = TimeDelta::from_std(every).unwrap_or(TimeDelta::MAX);
    since.is_none_or(|since| now.signed_duration_since(since) >= every)
}
