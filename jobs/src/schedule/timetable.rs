//! Which jobs are due.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{DateTime, NaiveDate, TimeDelta, Timelike, Utc};

use super::{Job, Settings};
use crate::rebuild::Nightly;
use crate::remap::Due;
use crate::settle::Settling;

/// How often it is asked which dates the nightly rebuild and remaps have left to do; also whenever an hour has closed.
const LOOK_FOR_REBUILDS: Duration = Duration::from_secs(600);
/// After the first failure of a job; twice as long after each further one in a row.
const FIRST_PAUSE: Duration = Duration::from_secs(10);
/// Pages are only as fresh as the last fold and publication, so they are tried again sooner than the others.
const LONGEST_PAUSE_OF_FOLD: Duration = Duration::from_secs(60);
const LONGEST_PAUSE: Duration = Duration::from_secs(1_800);

/// When each job ran last, as far as this process knows.
#[derive(Debug, Default)]
pub(super) struct Timetable {
    settings: Settings,
    routed_at: Option<DateTime<Utc>>,
    settled_closed_at: Option<DateTime<Utc>>,
    expired_on: Option<NaiveDate>,
    looked_for_rebuilds_at: Option<DateTime<Utc>>,
    /// What a rebuild was tried for last.
    pub(super) rebuild_tried: Option<Due>,
    waiting: BTreeMap<Job, Waiting>,
}

#[derive(Debug)]
struct Waiting {
    failures: u32,
    until: DateTime<Utc>,
}

impl Timetable {
    pub(super) fn new(settings: Settings) -> Self {
        Self { settings, ..Self::default() }
    }

    pub(super) fn settings(&self) -> &Settings {
        &self.settings
    }

    pub(super) fn is_due(&self, job: Job, now: DateTime<Utc>) -> bool {
        let hour = |at: DateTime<Utc>| (at.date_naive(), at.hour());
        let has_closed = |since: Option<DateTime<Utc>>| since.is_some_and(|since| hour(since) != hour(now));
        if self.waiting.get(&job).is_some_and(|waiting| waiting.holds(job, now)) {
            return false;
        }
        match job {
            Job::Fold | Job::Settle | Job::Live | Job::Publish => true,
            Job::Routing => {
                has_passed(self.settings.routing_every, self.routed_at, now) || has_closed(self.routed_at)
            }
            Job::Expire => self.expired_on != Some(now.date_naive()),
            Job::Rebuild => {
                let since = self.looked_for_rebuilds_at;
                has_passed(LOOK_FOR_REBUILDS, since, now) || has_closed(since)
            }
        }
    }

    pub(super) fn settling(&self, now: DateTime<Utc>) -> Settling {
        match has_passed(self.settings.settle_closed_every, self.settled_closed_at, now) {
            true => Settling::Closed,
            false => Settling::Crowded,
        }
    }

    /// None: nothing is rebuilt by the clock.
    pub(super) fn nightly(&self) -> Option<Nightly> {
        self.settings.rebuild_at_hour.map(|hour| Nightly { hour, nights: self.settings.rebuild_nights })
    }

    /// `job` did at `now` what was due.
    pub(super) fn note(&mut self, job: Job, now: DateTime<Utc>) {
        self.waiting.remove(&job);
        match job {
            Job::Fold | Job::Live | Job::Publish => {}
            Job::Routing => self.routed_at = Some(now),
            Job::Settle => {
                if self.settling(now) == Settling::Closed {
                    self.settled_closed_at = Some(now);
                }
            }
            Job::Expire => self.expired_on = Some(now.date_naive()),
            Job::Rebuild => self.looked_for_rebuilds_at = Some(now),
        }
    }

    /// `job` did a part of what is due: it goes on in the next round.
    pub(super) fn note_part(&mut self, job: Job) {
        self.waiting.remove(&job);
    }

    /// Another worker was first at something, not necessarily at all of it.
    pub(super) fn note_fenced(&mut self, job: Job, now: DateTime<Utc>) {
        self.waiting.insert(job, Waiting { failures: 0, until: later(now, FIRST_PAUSE) });
    }

    /// Each failure in a row doubles the time until `job` is tried again. Returns that time.
    pub(super) fn note_failure(&mut self, job: Job, now: DateTime<Utc>) -> Duration {
        let before = self.waiting.get(&job).map_or(0, |waiting| waiting.failures);
        let pause = FIRST_PAUSE.saturating_mul(1 << before.min(16)).min(longest_pause(job));
        self.waiting.insert(job, Waiting { failures: before.saturating_add(1), until: later(now, pause) });
        pause
    }
}

impl Waiting {
    /// Not for longer than it can have been meant to: the clock may have been set back.
    fn holds(&self, job: Job, now: DateTime<Utc>) -> bool {
        now < self.until && self.until <= later(now, longest_pause(job))
    }
}

fn longest_pause(job: Job) -> Duration {
    match job {
        Job::Fold | Job::Live | Job::Publish => LONGEST_PAUSE_OF_FOLD,
        _ => LONGEST_PAUSE,
    }
}

fn later(now: DateTime<Utc>, by: Duration) -> DateTime<Utc> {
    TimeDelta::from_std(by).ok().and_then(|by| now.checked_add_signed(by)).unwrap_or(now)
}

fn has_passed(every: Duration, since: Option<DateTime<Utc>>, now: DateTime<Utc>) -> bool {
    let every = TimeDelta::from_std(every).unwrap_or(TimeDelta::MAX);
    since.is_none_or(|since| now.signed_duration_since(since) >= every)
}
