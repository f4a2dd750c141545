//! Provider health as it is published: what pages ask of the tables of live windows, windows of days, days, hours and
//! five minutes. Nothing is added up here; a row that is missing had no attempt, unless nobody has put it yet.

mod counts;
mod period;
mod read;
mod speed;
mod told;

use std::collections::BTreeMap;
use std::sync::Arc;

use bellwether_warehouse::TableId;
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};

use super::Dataset;
use super::dictionary::{ModelId, ProviderId};
use super::figure::{Figure, NotYet};
use super::window::Window;
pub use counts::{Counts, State};
pub use period::{ErrorClass, Period};
pub(crate) use read::{DAYS, Reader, STRIP, TABLES};
use read::{HOURS, NOW, WINDOWS};
use speed::Speeds;
pub use speed::{Quantiles, Speed};

/// Length of a health bucket.
pub const BUCKET_SECS: i64 = 300;

const HOUR_SECS: i64 = 3_600;

/// Whose attempts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Scope {
    pub model: Option<ModelId>,
    pub provider: Option<ProviderId>,
}

impl Scope {
    pub const ALL: Self = Self { model: None, provider: None };

    pub fn model(id: ModelId) -> Self {
        Self { model: Some(id), provider: None }
    }

    pub fn provider(id: ProviderId) -> Self {
        Self { model: None, provider: Some(id) }
    }

    pub fn pair(model: ModelId, provider: ProviderId) -> Self {
        Self { model: Some(model), provider: Some(provider) }
    }

    fn holds(self, row: Self) -> bool {
        (self.model.is_none() || self.model == row.model)
            && (self.provider.is_none() || self.provider == row.provider)
    }
}

/// Over which span. Live spans end at the newest complete 5-minute bucket, day spans at the newest closed day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Span {
    Minutes5,
    Minutes30,
    Hours6,
    Hours24,
    Days7,
    Days28,
    Days90,
    /// One complete day, or as many as are published as a window.
    Dates(Window),
}

/// One thing with its 30-minute state and the number that made it so.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Status {
    pub state: State,
    pub uptime: Figure<f64>,
    /// The counts of the 30-minute window.
    pub counts: Counts,
}

/// One day of an uptime strip.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bar {
    pub date: NaiveDate,
    pub counts: Counts,
    pub uptime: Figure<f64>,
}

/// One step of an uptime strip.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cell {
    /// Start of the step.
    pub at: DateTime<Utc>,
    /// Whether there was any attempt, which counts that are bands do not tell.
    pub is_busy: bool,
    pub counts: Counts,
    pub uptime: Figure<f64>,
}

/// How [`Dataset::health_by`] groups.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum HealthBy {
    Model,
    Provider,
    Pair,
}

impl HealthBy {
    fn has_model(self) -> bool {
        matches!(self, Self::Model | Self::Pair)
    }

    fn has_provider(self) -> bool {
        matches!(self, Self::Provider | Self::Pair)
    }

    /// The group of a row, if rows of its dimension answer the question.
    fn group(self, scope: Scope, row: Scope) -> Option<Scope> {
        let is_of_dimension = row.model.is_some() == (self.has_model() || scope.model.is_some())
            && row.provider.is_some() == (self.has_provider() || scope.provider.is_some());
        (is_of_dimension && scope.holds(row)).then(|| Scope {
            model: row.model.filter(|_| self.has_model()),
            provider: row.provider.filter(|_| self.has_provider()),
        })
    }
}

type Periods = BTreeMap<Scope, Period>;

/// The live windows.
#[derive(Clone, Debug, Default)]
pub(crate) struct Now {
    /// By their length in minutes.
    windows: BTreeMap<i64, Periods>,
    states: BTreeMap<Scope, State>,
    /// Newest end of a window of five minutes to a day, µs.
    ends_at: Option<i64>,
}

/// Windows of days at their newest end date, by their length.
type Windows = BTreeMap<i64, Periods>;

/// One day.
#[derive(Clone, Debug, Default)]
pub(crate) struct HealthDay {
    counts: BTreeMap<Scope, Counts>,
    /// Of providers and models.
    speeds: BTreeMap<Scope, Speeds>,
}

/// Providers by the start of the step, µs.
type Steps = BTreeMap<i64, BTreeMap<ProviderId, Counts>>;

/// All of it, at one publication.
#[derive(Clone, Debug, Default)]
pub(crate) struct Health {
    now: Arc<Now>,
    windows: Arc<Windows>,
    days: BTreeMap<NaiveDate, Arc<HealthDay>>,
    buckets: Arc<Steps>,
    hours: Arc<Steps>,
}

impl Dataset {
    fn periods(&self, span: Span) -> Option<&Periods> {
        let of_days = |days: u64| self.health.windows.get(&i64::try_from(days).ok()?);
        match span {
            Span::Minutes5 => self.health.now.windows.get(&5),
            Span::Minutes30 => self.health.now.windows.get(&30),
            Span::Hours6 => self.health.now.windows.get(&360),
            Span::Hours24 => self.health.now.windows.get(&1_440),
            Span::Days7 => of_days(7),
            Span::Days28 => of_days(28),
            Span::Days90 => of_days(90),
            Span::Dates(window) => of_days(window.days()).filter(|_| self.trailing(window.days()) == window),
        }
    }

    fn health_day(&self, span: Span) -> Option<&HealthDay> {
        match span {
            Span::Dates(window) if window.days() == 1 => {
                self.health.days.get(&window.start).map(AsRef::as_ref)
            }
            _ => None,
        }
    }

    /// What is still to be published of a span: of a scope without a row it is not known that there was no attempt. All
    /// windows of a table are put together.
    fn is_due(&self, span: Span) -> Option<NotYet> {
        match span {
            Span::Minutes5 | Span::Minutes30 | Span::Hours6 | Span::Hours24 => {
                let is_there = !self.health.now.windows.is_empty() || self.standing.has_now(NOW);
                (!is_there).then(|| self.not_yet())
            }
            Span::Dates(window) if window.days() == 1 => self.is_day_due(window.start),
            Span::Days7 | Span::Days28 | Span::Days90 | Span::Dates(_) => {
                let end = self.last_complete_date();
                let is_there = !self.health.windows.is_empty() || self.standing.has_windows_to(WINDOWS, end);
                (!is_there).then(|| self.no_window_yet())
            }
        }
    }

    fn is_day_due(&self, date: NaiveDate) -> Option<NotYet> {
        let is_there = self.health.days.contains_key(&date) || self.standing.has_day(DAYS, date);
        (!is_there).then(|| self.no_window_yet())
    }

    /// All that is told of a scope over a live window or a window of days.
    pub fn period(&self, scope: Scope, span: Span) -> Period {
        let found = self.periods(span).and_then(|periods| periods.get(&scope)).copied();
        found.unwrap_or_else(|| Period::missing(self.detail(scope), self.is_due(span)))
    }

    /// Attempts of a scope over a span.
    pub fn health(&self, scope: Scope, span: Span) -> Counts {
        let of_day = |day: &HealthDay| day.counts.get(&scope).copied();
        let of_period = |periods: &Periods| periods.get(&scope).map(|period| period.counts);
        let found = match self.health_day(span) {
            Some(day) => of_day(day),
            None => self.periods(span).and_then(of_period),
        };
        found.unwrap_or_else(|| Counts::missing(self.detail(scope), self.is_due(span)))
    }

    /// Attempts over a span, grouped; groups without any attempt are left out. The scope limits the rows.
    pub fn health_by(&self, by: HealthBy, scope: Scope, span: Span) -> BTreeMap<Scope, Counts> {
        if let Some(day) = self.health_day(span) {
            return grouped(day.counts.iter().map(|(row, counts)| (*row, *counts)), by, scope);
        }
        let periods = self.periods(span).into_iter().flatten();
        grouped(periods.map(|(row, period)| (*row, period.counts)), by, scope)
    }

    /// State of one scope now.
    pub fn status(&self, scope: Scope) -> Status {
        let state = self.health.now.states.get(&scope).copied().unwrap_or_default();
        let counts = self.health(scope, Span::Minutes30);
        Status { state, uptime: counts.uptime(&self.thresholds), counts }
    }

    fn bar(&self, date: NaiveDate, counts: Counts) -> Bar {
        Bar { date, counts, uptime: counts.uptime(&self.thresholds) }
    }

    /// Daily uptime, oldest first: the last `days` complete days, days without attempts included.
    pub fn bars(&self, scope: Scope, days: u64) -> Vec<Bar> {
        let detail = self.detail(scope);
        let of = |date| self.health.days.get(&date).and_then(|day| day.counts.get(&scope)).copied();
        let missing = |date| Counts::missing(detail, self.is_day_due(date));
        let bar = |date| self.bar(date, of(date).unwrap_or_else(|| missing(date)));
        self.trailing(days).dates().map(bar).collect()
    }

    /// Daily uptime of every group at once: one pass instead of one per group.
    pub fn bars_by(&self, by: HealthBy, scope: Scope, days: u64) -> BTreeMap<Scope, Vec<Bar>> {
        let window = self.trailing(days);
        let mut out: BTreeMap<Scope, Vec<Bar>> = BTreeMap::new();
        for (position, date) in window.dates().enumerate() {
            for (group, counts) in self.health_by(by, scope, Span::Dates(Window { start: date, end: date })) {
                let blank = || {
                    let of = Scope {
                        model: group.model.or(scope.model),
                        provider: group.provider.or(scope.provider),
                    };
                    let detail = self.detail(of);
                    let missing = |date| Counts::missing(detail, self.is_day_due(date));
                    window.dates().map(|date| self.bar(date, missing(date))).collect()
                };
                let bars = out.entry(group).or_insert_with(blank);
                if let Some(bar) = bars.get_mut(position) {
                    *bar = self.bar(date, counts);
                }
            }
        }
        out
    }

    /// A provider's uptime by five minutes over the last 24 hours, oldest first, buckets without attempts included.
    pub fn strip(&self, provider: ProviderId) -> Vec<Cell> {
        self.day_of_steps(STRIP, &self.health.buckets, provider, BUCKET_SECS)
    }

    /// The same by whole hours, the running one left out.
    pub fn hours(&self, provider: ProviderId) -> Vec<Cell> {
        self.day_of_steps(HOURS, &self.health.hours, provider, HOUR_SECS)
    }

    fn day_of_steps(&self, table: TableId, steps: &Steps, provider: ProviderId, secs: i64) -> Vec<Cell> {
        let end = self.buckets_end.timestamp().div_euclid(secs) * secs;
        let detail = self.detail(Scope::provider(provider));
        let starts = (1..=24 * HOUR_SECS / secs).rev().filter_map(|back| {
            DateTime::from_timestamp(end, 0)?.checked_sub_signed(TimeDelta::seconds(back * secs))
        });
        let cell = |at: DateTime<Utc>| {
            let step = steps.get(&at.timestamp_micros());
            let found = step.and_then(|step| step.get(&provider)).copied();
            let ends_at = at + TimeDelta::seconds(secs);
            let is_there = step.is_some() || self.standing.has(table, at.date_naive(), ends_at);
            let counts =
                found.unwrap_or_else(|| Counts::missing(detail, (!is_there).then(|| self.not_yet())));
            Cell { at, is_busy: found.is_some(), counts, uptime: counts.uptime(&self.thresholds) }
        };
        starts.map(cell).collect()
    }

    /// Providers that serve this model now or did in the last 28 days, by attempts as they are told.
    pub fn providers_of(&self, model: ModelId) -> Vec<ProviderId> {
        let of = |span| self.health_by(HealthBy::Provider, Scope::model(model), span);
        let (month, day) = (of(Span::Days28), of(Span::Hours24));
        let attempts = |counts: &BTreeMap<Scope, Counts>, provider: ProviderId| {
            counts.get(&Scope::provider(provider)).map(|counts| counts.attempts)
        };
        let mut rows: Vec<ProviderId> =
            month.keys().chain(day.keys()).filter_map(|scope| scope.provider).collect();
        rows.sort_by_cached_key(|provider| {
            let size = (attempts(&month, *provider), attempts(&day, *provider));
            (std::cmp::Reverse(size), self.dictionary.provider(*provider).to_owned())
        });
        rows.dedup();
        rows
    }
}

fn grouped(
    rows: impl Iterator<Item = (Scope, Counts)>,
    by: HealthBy,
    scope: Scope,
) -> BTreeMap<Scope, Counts> {
    rows.filter_map(|(row, counts)| Some((by.group(scope, row)?, counts))).collect()
}
