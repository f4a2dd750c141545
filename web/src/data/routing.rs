//! What fallback routing added: routed, without routing, best pinned.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, NaiveDate, Utc};

use super::Dataset;
use super::dictionary::{ModelId, ProviderId};
use super::figure::{Figure, NotEnough};
use super::health::{Counts, HealthBy, Scope, Span};
use super::totals::ratio;

/// Counts of one model's requests, by the model of the first attempt.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RoutingCounts {
    pub all_requests: u64,
    pub attempts: u64,
    /// Requests whose first attempt was a success or a counted fault.
    pub requests: u64,
    pub routed_ok: u64,
    pub first_ok: u64,
    /// The second pair: a first attempt of 429 counts as a failure.
    pub requests_with_rate_limits: u64,
    pub routed_ok_with_rate_limits: u64,
    pub first_ok_with_rate_limits: u64,
}

impl RoutingCounts {
    pub(crate) const COLUMNS: [&str; 8] = [
        "all_requests",
        "attempts",
        "requests",
        "routed_ok",
        "first_ok",
        "requests_with_rate_limits",
        "routed_ok_with_rate_limits",
        "first_ok_with_rate_limits",
    ];

    pub(crate) fn from_values(mut values: impl Iterator<Item = u64>) -> Self {
        let mut next = || values.next().unwrap_or(0);
        Self {
            all_requests: next(),
            attempts: next(),
            requests: next(),
            routed_ok: next(),
            first_ok: next(),
            requests_with_rate_limits: next(),
            routed_ok_with_rate_limits: next(),
            first_ok_with_rate_limits: next(),
        }
    }

    pub fn add(&mut self, other: &Self) {
        self.all_requests += other.all_requests;
        self.attempts += other.attempts;
        self.requests += other.requests;
        self.routed_ok += other.routed_ok;
        self.first_ok += other.first_ok;
        self.requests_with_rate_limits += other.requests_with_rate_limits;
        self.routed_ok_with_rate_limits += other.routed_ok_with_rate_limits;
        self.first_ok_with_rate_limits += other.first_ok_with_rate_limits;
    }

    pub fn attempts_per_request(&self) -> Option<f64> {
        ratio(self.attempts, self.all_requests)
    }
}

/// One pair of percentages over the same requests.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Boost {
    /// Requests in the population.
    pub n: u64,
    /// Share that ended ok after fallback, %.
    pub routed: f64,
    /// Share whose first attempt ended ok, %.
    pub without_routing: f64,
    /// routed − without routing, percentage points.
    pub boost: f64,
}

/// The provider with the highest uptime among those with enough attempts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BestPinned {
    pub provider: ProviderId,
    /// %
    pub uptime: f64,
    pub counts: Counts,
}

/// Routed against pinned for one model over complete days.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Routing {
    pub days: u64,
    pub counts: RoutingCounts,
    pub boost: Figure<Boost>,
    pub boost_with_rate_limits: Figure<Boost>,
    /// None: no provider has enough counted attempts.
    pub best_pinned: Option<BestPinned>,
}

/// Of every model over the same days: for what lists them all, which would otherwise go through those days once a model.
#[derive(Debug)]
pub struct Routings<'a> {
    dataset: &'a Dataset,
    days: u64,
    counts: BTreeMap<ModelId, RoutingCounts>,
    best_pinned: BTreeMap<ModelId, BestPinned>,
}

impl Routings<'_> {
    /// The same as [`Dataset::routing`].
    pub fn of(&self, model: ModelId) -> Routing {
        let counts = self.counts.get(&model).copied().unwrap_or_default();
        self.dataset.routing_made_of(self.days, counts, self.best_pinned.get(&model).copied())
    }
}

/// One date of `routing_hourly`: sums per (hour start in µs, model).
#[derive(Clone, Debug, Default)]
pub(crate) struct RoutingDay {
    pub rows: BTreeMap<(i64, ModelId), RoutingCounts>,
}

pub(crate) type ByDay = BTreeMap<NaiveDate, Arc<RoutingDay>>;

impl Dataset {
    /// Sum over the last `days` complete days; `None` = all models.
    pub fn routing_counts(&self, model: Option<ModelId>, days: u64) -> RoutingCounts {
        let window = self.trailing(days);
        let mut sum = RoutingCounts::default();
        for (_, day) in self.routing.range(window.start..=window.end.max(window.start)) {
            for ((_, of), counts) in &day.rows {
                if model.is_none_or(|wanted| wanted == *of) {
                    sum.add(counts);
                }
            }
        }
        sum
    }

    /// Every model with routed requests in the last `days` complete days, most requests first.
    pub fn routing_by_model(&self, days: u64) -> Vec<(ModelId, RoutingCounts)> {
        let window = self.trailing(days);
        let mut sums: BTreeMap<ModelId, RoutingCounts> = BTreeMap::new();
        for (_, day) in self.routing.range(window.start..=window.end.max(window.start)) {
            for ((_, model), counts) in &day.rows {
                sums.entry(*model).or_default().add(counts);
            }
        }
        let mut rows: Vec<_> = sums.into_iter().filter(|(model, _)| model.is_named()).collect();
        // The order tells no size that is not told.
        let size = |(model, counts): &(ModelId, RoutingCounts)| {
            self.detail(Scope::model(*model)).is_exact().then_some(counts.all_requests)
        };
        rows.sort_by_cached_key(|row| {
            (std::cmp::Reverse(size(row)), self.dictionary.model(row.0).to_owned())
        });
        rows
    }

    /// Routed, without routing and best pinned over the last `days` (1, 7 or 28) complete days.
    pub fn routing(&self, model: ModelId, days: u64) -> Routing {
        let span = Span::Dates(self.trailing(days));
        let by_provider = self.health_by(HealthBy::Provider, Scope::model(model), span);
        let counts = self.routing_counts(Some(model), days);
        self.routing_made_of(days, counts, self.best_pinned(by_provider))
    }

    /// [`Dataset::routing`] of all models.
    pub fn routings(&self, days: u64) -> Routings<'_> {
        let mut by_model: BTreeMap<ModelId, Vec<(Scope, Counts)>> = BTreeMap::new();
        for (scope, counts) in self.health_by(HealthBy::Pair, Scope::ALL, Span::Dates(self.trailing(days))) {
            if let Some(model) = scope.model {
                by_model.entry(model).or_default().push((scope, counts));
            }
        }
        let best = |(model, rows)| Some((model, self.best_pinned(rows)?));
        Routings {
            dataset: self,
            days,
            counts: self.routing_by_model(days).into_iter().collect(),
            best_pinned: by_model.into_iter().filter_map(best).collect(),
        }
    }

    fn routing_made_of(&self, days: u64, counts: RoutingCounts, best_pinned: Option<BestPinned>) -> Routing {
        Routing {
            days,
            counts,
            boost: self.boost(counts.requests, counts.routed_ok, counts.first_ok),
            boost_with_rate_limits: self.boost(
                counts.requests_with_rate_limits,
                counts.routed_ok_with_rate_limits,
                counts.first_ok_with_rate_limits,
            ),
            best_pinned,
        }
    }

    /// Counts per hour for the last `hours` hours that have any, oldest first: (hour start, counts).
    pub fn routing_hours(&self, model: ModelId, hours: usize) -> Vec<(DateTime<Utc>, RoutingCounts)> {
        let rows = self.routing.values().flat_map(|day| day.rows.iter());
        let mut rows: Vec<_> = rows
            .filter(|((_, of), _)| *of == model)
            .filter_map(|((at, _), counts)| Some((DateTime::from_timestamp_micros(*at)?, *counts)))
            .collect();
        let skip = rows.len().saturating_sub(hours);
        rows.split_off(skip)
    }

    /// The two shares of a population, or how many requests are missing.
    pub fn boost(&self, requests: u64, routed_ok: u64, first_ok: u64) -> Figure<Boost> {
        let needs = self.thresholds.counted_attempts.max(1);
        if requests < needs {
            return Err(NotEnough::counts(requests, needs));
        }
        let percent = |part: u64| part as f64 * 100.0 / requests as f64;
        let (routed, without_routing) = (percent(routed_ok), percent(first_ok));
        Ok(Boost { n: requests, routed, without_routing, boost: routed - without_routing })
    }

    /// Of one model's attempts by provider.
    fn best_pinned(&self, by_provider: impl IntoIterator<Item = (Scope, Counts)>) -> Option<BestPinned> {
        by_provider
            .into_iter()
            .filter_map(|(scope, counts)| {
                let provider = scope.provider.filter(|provider| provider.is_named())?;
                Some(BestPinned { provider, uptime: counts.uptime(&self.thresholds).ok()?, counts })
            })
            .max_by(|a, b| {
                a.uptime.total_cmp(&b.uptime).then(a.counts.counted().cmp(&b.counts.counted())).then_with(
                    || self.dictionary.provider(b.provider).cmp(self.dictionary.provider(a.provider)),
                )
            })
    }
}
