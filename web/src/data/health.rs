//! Provider health: attempts by bucket, hour and day, and what pages ask of them.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};

use super::Dataset;
use super::counts::{Counts, State};
use super::dictionary::{Dictionary, EndpointKey, ModelId, ProviderId};
use super::figure::Figure;
use super::speed::Sketches;
use super::window::Window;

/// Length of a health bucket.
pub const BUCKET_SECS: i64 = 300;

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
}

/// Over which span. Live spans end at the newest complete 5-minute bucket, day spans at the last complete day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Span {
    Minutes5,
    Minutes30,
    Hours6,
    Hours24,
    Days7,
    Days28,
    Days90,
    /// Chosen complete days.
    Dates(Window),
    /// The equal span before `Days7`, for changes in percentage points.
    Days7Before,
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

/// One 5-minute bucket of an uptime strip.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cell {
    /// Start of the bucket.
    pub at: DateTime<Utc>,
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

/// Rows of one date or bucket: counts per endpoint, and sketches for those spans that print speed.
#[derive(Clone, Debug, Default)]
pub(crate) struct HealthBlock {
    pub rows: Vec<HealthRow>,
    index: HashMap<EndpointKey, u32>,
}

#[derive(Clone, Debug)]
pub(crate) struct HealthRow {
    pub key: EndpointKey,
    pub counts: Counts,
    pub sketches: Option<Arc<Sketches>>,
}

impl HealthBlock {
    pub fn add(&mut self, key: EndpointKey, counts: &Counts, sketches: Option<Sketches>) {
        let next = u32::try_from(self.rows.len()).unwrap_or(u32::MAX);
        let row = *self.index.entry(key).or_insert(next) as usize;
        match self.rows.get_mut(row) {
            None => self.rows.push(HealthRow { key, counts: *counts, sketches: sketches.map(Arc::new) }),
            Some(known) => {
                known.counts.add(counts);
                if let Some(more) = sketches {
                    match &mut known.sketches {
                        Some(have) => Arc::make_mut(have).absorb(more),
                        none => *none = Some(Arc::new(more)),
                    }
                }
            }
        }
    }

    pub fn without_sketches(&self) -> Self {
        let mut copy = self.clone();
        for row in &mut copy.rows {
            row.sketches = None;
        }
        copy
    }

    pub fn has_sketches(&self) -> bool {
        self.rows.iter().any(|row| row.sketches.is_some())
    }
}

/// Blocks by the instant at which each begins.
#[derive(Clone, Debug, Default)]
pub(crate) struct Health {
    /// µs since the epoch of each 5-minute bucket → its rows; the newest 24 hours.
    pub buckets: BTreeMap<i64, Arc<HealthBlock>>,
    pub hours: BTreeMap<i64, Arc<HealthBlock>>,
    pub days: BTreeMap<NaiveDate, Arc<HealthBlock>>,
}

fn keeps(dictionary: &Dictionary, scope: Scope, key: EndpointKey) -> bool {
    let Some(endpoint) = dictionary.endpoint(key) else { return false };
    scope.provider.is_none_or(|provider| provider == endpoint.provider)
        && scope.model.is_none_or(|model| model == dictionary.series(endpoint.series).model)
}

impl Dataset {
    /// Blocks of a span for counts, oldest first.
    fn count_blocks(&self, span: Span) -> Vec<&HealthBlock> {
        let live = |minutes: i64| {
            let end = self.buckets_end.timestamp_micros();
            let start = end - minutes * 60_000_000;
            self.health.buckets.range(start..end.max(start)).map(|(_, block)| block.as_ref()).collect()
        };
        let days = |window: Window| -> Vec<&HealthBlock> {
            let end = window.end.max(window.start);
            self.health.days.range(window.start..=end).map(|(_, block)| block.as_ref()).collect()
        };
        match span {
            Span::Minutes5 => live(5),
            Span::Minutes30 => live(30),
            Span::Hours6 => live(6 * 60),
            Span::Hours24 => live(24 * 60),
            Span::Days7 => days(self.trailing(7)),
            Span::Days7Before => days(self.trailing(7).previous()),
            Span::Days28 => days(self.trailing(28)),
            Span::Days90 => days(self.trailing(90)),
            Span::Dates(window) => days(window),
        }
    }

    /// Blocks of a span for speed: 24 hours are taken from complete hours.
    pub(crate) fn speed_blocks(&self, span: Span) -> Vec<&HealthBlock> {
        if !matches!(span, Span::Hours24 | Span::Hours6) {
            return self.count_blocks(span);
        }
        let hours = if span == Span::Hours6 { 6 } else { 24 };
        let hour = 3_600_000_000;
        let end = self.buckets_end.timestamp_micros().div_euclid(hour) * hour;
        self.health.hours.range(end - hours * hour..end).map(|(_, block)| block.as_ref()).collect()
    }

    pub(crate) fn scope_rows<'a>(
        &'a self,
        blocks: &'a [&'a HealthBlock],
        scope: Scope,
    ) -> impl Iterator<Item = &'a HealthRow> {
        let mask: Vec<bool> = (0..self.dictionary.sizes().endpoints)
            .map(|index| keeps(&self.dictionary, scope, EndpointKey(u32::try_from(index).unwrap_or(0))))
            .collect();
        blocks
            .iter()
            .flat_map(|block| block.rows.iter())
            .filter(move |row| mask.get(row.key.index()).copied().unwrap_or(false))
    }

    /// Attempts of a scope over a span.
    pub fn health(&self, scope: Scope, span: Span) -> Counts {
        let blocks = self.count_blocks(span);
        self.scope_rows(&blocks, scope).fold(Counts::default(), |mut sum, row| {
            sum.add(&row.counts);
            sum
        })
    }

    /// Attempts over a span, grouped; groups without any attempt are left out. The scope limits the rows.
    pub fn health_by(&self, by: HealthBy, scope: Scope, span: Span) -> BTreeMap<Scope, Counts> {
        let group: Vec<Scope> = (0..self.dictionary.sizes().endpoints)
            .map(|index| {
                let endpoint = self.dictionary.endpoint(EndpointKey(u32::try_from(index).unwrap_or(0)));
                let provider = endpoint.map(|endpoint| endpoint.provider);
                let model = endpoint.map(|endpoint| self.dictionary.series(endpoint.series).model);
                match by {
                    HealthBy::Model => Scope { model, provider: None },
                    HealthBy::Provider => Scope { model: None, provider },
                    HealthBy::Pair => Scope { model, provider },
                }
            })
            .collect();
        let blocks = self.count_blocks(span);
        // Dense sums per endpoint first: the map is touched once per endpoint, not once per row.
        let mut sums = vec![Counts::default(); group.len()];
        for row in self.scope_rows(&blocks, scope) {
            if let Some(sum) = sums.get_mut(row.key.index()) {
                sum.add(&row.counts);
            }
        }
        let mut out = BTreeMap::new();
        for (scope, sum) in group.into_iter().zip(sums) {
            if sum.attempts > 0 {
                out.entry(scope).or_insert_with(Counts::default).add(&sum);
            }
        }
        out
    }

    /// State of one scope now.
    pub fn status(&self, scope: Scope) -> Status {
        self.status_of(self.health(scope, Span::Minutes30))
    }

    /// State that these 30-minute counts make.
    pub fn status_of(&self, counts: Counts) -> Status {
        Status { state: counts.state(&self.thresholds), uptime: counts.uptime(&self.thresholds), counts }
    }

    /// Daily uptime, oldest first: the last `days` complete days, days without attempts included.
    pub fn bars(&self, scope: Scope, days: u64) -> Vec<Bar> {
        self.trailing(days)
            .dates()
            .map(|date| {
                let counts = self.health(scope, Span::Dates(Window { start: date, end: date }));
                Bar { date, counts, uptime: counts.uptime(&self.thresholds) }
            })
            .collect()
    }

    /// Daily uptime of every group at once: one pass instead of one per group.
    pub fn bars_by(&self, by: HealthBy, scope: Scope, days: u64) -> BTreeMap<Scope, Vec<Bar>> {
        let window = self.trailing(days);
        let mut out: BTreeMap<Scope, Vec<Bar>> = BTreeMap::new();
        let blank = |date| {
            let counts = Counts::default();
            Bar { date, counts, uptime: counts.uptime(&self.thresholds) }
        };
        for (position, date) in window.dates().enumerate() {
            for (group, counts) in self.health_by(by, scope, Span::Dates(Window { start: date, end: date })) {
                let bars = out.entry(group).or_insert_with(|| window.dates().map(blank).collect());
                if let Some(bar) = bars.get_mut(position) {
                    *bar = Bar { date, counts, uptime: counts.uptime(&self.thresholds) };
                }
            }
        }
        out
    }

    /// 5-minute uptime over the last 24 hours, oldest first, buckets without attempts included.
    pub fn strip(&self, scope: Scope) -> Vec<Cell> {
        let end = self.buckets_end;
        (0..24 * 3_600 / BUCKET_SECS)
            .rev()
            .filter_map(|back| end.checked_sub_signed(TimeDelta::seconds((back + 1) * BUCKET_SECS)))
            .map(|at| {
                let block = self.health.buckets.get(&at.timestamp_micros());
                let blocks: Vec<&HealthBlock> = block.map(AsRef::as_ref).into_iter().collect();
                let counts = self.scope_rows(&blocks, scope).fold(Counts::default(), |mut sum, row| {
                    sum.add(&row.counts);
                    sum
                });
                Cell { at, counts, uptime: counts.uptime(&self.thresholds) }
            })
            .collect()
    }

    /// Providers that serve this model now or did in the last 28 days, by attempts.
    pub fn providers_of(&self, model: ModelId) -> Vec<ProviderId> {
        let mut counts = self.health_by(HealthBy::Provider, Scope::model(model), Span::Days28);
        for (scope, more) in self.health_by(HealthBy::Provider, Scope::model(model), Span::Hours24) {
            counts.entry(scope).or_default().add(&more);
        }
        let mut rows: Vec<(ProviderId, u64)> = counts
            .into_iter()
            .filter_map(|(scope, counts)| Some((scope.provider?, counts.attempts)))
            .filter(|(provider, _)| provider.is_named())
            .collect();
        let name = |provider: ProviderId| self.dictionary.provider(provider);
        rows.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| name(a.0).cmp(name(b.0))));
        rows.into_iter().map(|(provider, _)| provider).collect()
    }
}
