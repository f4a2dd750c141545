//! Accumulates a [`Truth`] event by event.

use std::collections::{BTreeMap, HashMap};

use bellwether_ingest::event::{Attempt, Event};
use chrono::{Datelike as _, NaiveDate};

use super::{EndpointTruth, LabelTruth, OutageTruth, RegimeTruth, RoutingTruth, Truth, UsageTruth};
use crate::calls::Load;
use crate::corrupt::BadKind;
use crate::regimes::{self, Regime, RegimeKind};
use crate::texts::TextMode;
use crate::traffic::Simulator;

/// One for each thread; [`TruthBuilder::merge`] adds them up in any order.
pub struct TruthBuilder<'s> {
    simulator: &'s Simulator,
    endpoint_at: HashMap<&'s str, usize>,
    /// Models, and names that come besides while a model is renamed.
    names: Vec<&'s str>,
    model_at: HashMap<&'s str, usize>,
    /// The minute that `load` stands for.
    minute: i64,
    load: Load,
    requests: u64,
    attempts: u64,
    cache_hits: u64,
    with_texts: u64,
    gateway_errors: BTreeMap<String, u64>,
    bad_records: BTreeMap<&'static str, u64>,
    endpoints: Vec<Calls>,
    /// By days since the epoch, then by model.
    days: BTreeMap<i64, Vec<Cell>>,
    labels: BTreeMap<(String, &'static str, Option<&'static str>), (u64, u64)>,
    /// How much of each regime was seen.
    affected: Vec<u64>,
}

#[derive(Clone, Copy, Default)]
struct Calls {
    attempts: u64,
    success: u64,
    fault: u64,
    rate_limited: u64,
    client_error: u64,
    cancelled: u64,
    expected: f64,
}

#[derive(Clone, Copy, Default)]
struct Cell {
    requests: u64,
    input_tokens: u64,
    output_tokens: u64,
    tool_calls: u64,
    cost_nano_usd: u64,
    unpriced: u64,
    routing: [u64; 5],
}

/// What an attempt counts as.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Success,
    Fault,
    RateLimited,
    ClientError,
    Cancelled,
}

impl Simulator {
    /// Counts the traffic of `[from, to)`, minutes since the epoch. Generates it anew; on more than one thread use
    /// one [`TruthBuilder`] each.
    pub fn truth(&self, from: i64, to: i64, texts: TextMode) -> Truth {
        let mut builder = TruthBuilder::new(self);
        for unix_minute in from..to {
            self.minute(unix_minute, texts, &mut |event| builder.observe(event));
        }
        builder.finish(from, to)
    }
}

impl<'s> TruthBuilder<'s> {
    pub fn new(simulator: &'s Simulator) -> Self {
        let endpoints = simulator.endpoints();
        let names: Vec<&str> =
            simulator.models().iter().map(|model| model.name).chain(regimes::new_names()).collect();
        Self {
            simulator,
            model_at: names.iter().enumerate().map(|(at, name)| (*name, at)).collect(),
            names,
            affected: vec![0; simulator.regimes().all().len()],
            endpoint_at: endpoints
                .iter()
                .enumerate()
                .map(|(at, endpoint)| (endpoint.id.as_str(), at))
                .collect(),
            minute: i64::MIN,
            load: Load::new(endpoints, std::iter::empty()),
            requests: 0,
            attempts: 0,
            cache_hits: 0,
            with_texts: 0,
            gateway_errors: BTreeMap::new(),
            bad_records: BTreeMap::new(),
            endpoints: vec![Calls::default(); endpoints.len()],
            days: BTreeMap::new(),
            labels: BTreeMap::new(),
        }
    }

    /// Counts an event of this builder's simulator; its user id must not be hashed yet.
    pub fn observe(&mut self, event: &Event<'_>) {
        self.requests += 1;
        if let Some(failure) = &event.failure {
            let class = failure.error_class.as_deref().unwrap_or("gateway_internal");
            *self.gateway_errors.entry(class.to_owned()).or_default() += 1;
        }
        let regimes = self.simulator.regimes();
        let minute = if regimes.all().is_empty() {
            event.started_at_us.div_euclid(60_000_000)
        } else {
            self.simulator.minute_of(event)
        };
        for (regime, count) in regimes.all().iter().zip(&mut self.affected) {
            if (regime.from_minute..regime.to_minute).contains(&minute) {
                *count += regimes.affected(regime.kind, minute, event);
            }
        }
        if minute != self.minute {
            self.minute = minute;
            self.load = self.simulator.load(minute);
        }
        for attempt in &event.attempts {
            self.observe_attempt(event, attempt);
        }
        self.observe_routing(event);
        self.observe_texts(event);
    }

    /// Counts a record that was sent broken on purpose.
    pub fn observe_bad(&mut self, kind: BadKind) {
        *self.bad_records.entry(kind.name()).or_default() += 1;
    }

    fn observe_attempt(&mut self, event: &Event<'_>, attempt: &Attempt<'_>) {
        self.attempts += 1;
        let verdict = verdict(attempt);
        if attempt.gateway_cache_hit {
            self.cache_hits += 1;
        } else if let Some(index) =
            attempt.endpoint_id.as_deref().and_then(|id| self.endpoint_at.get(id)).copied()
            && let Some(calls) = self.endpoints.get_mut(index)
        {
            calls.attempts += 1;
            let count = match verdict {
                Verdict::Success => &mut calls.success,
                Verdict::Fault => &mut calls.fault,
                Verdict::RateLimited => &mut calls.rate_limited,
                Verdict::ClientError => &mut calls.client_error,
                Verdict::Cancelled => &mut calls.cancelled,
            };
            *count += 1;
            if let Some(endpoint) = self.simulator.endpoints().get(index) {
                calls.expected += self.load.rates(index, endpoint).uptime();
            }
        }
        if verdict != Verdict::Success {
            return;
        }
        let started_at_us = attempt.started_at_us.unwrap_or(event.started_at_us);
        if let Some(cell) = self.cell(attempt, started_at_us) {
            let count = |value: Option<i64>| value.and_then(|n| u64::try_from(n).ok()).unwrap_or(0);
            cell.requests += 1;
            cell.input_tokens += count(attempt.input_tokens);
            cell.output_tokens += count(attempt.output_tokens);
            cell.tool_calls += count(attempt.tool_calls.map(i64::from));
            match attempt.cost_usd {
                Some(cost) => cell.cost_nano_usd += u64::try_from(cost).unwrap_or(0),
                None => cell.unpriced += 1,
            }
        }
    }

    fn observe_routing(&mut self, event: &Event<'_>) {
        let (Some(first), Some(last)) = (event.attempts.first(), event.attempts.last()) else { return };
        if first.gateway_cache_hit {
            return;
        }
        let first_verdict = verdict(first);
        let ended_ok = u64::from(verdict(last) == Verdict::Success);
        let counted = matches!(first_verdict, Verdict::Success | Verdict::Fault);
        if !counted && first_verdict != Verdict::RateLimited {
            return;
        }
        let started_at_us = first.started_at_us.unwrap_or(event.started_at_us);
        if let Some(Cell { routing: [requests, first_ok, routed_ok, all, all_ok], .. }) =
            self.cell(first, started_at_us)
        {
            *all += 1;
            *all_ok += ended_ok;
            if counted {
                *requests += 1;
                *first_ok += u64::from(first_verdict == Verdict::Success);
                *routed_ok += ended_ok;
            }
        }
    }

    fn observe_texts(&mut self, event: &Event<'_>) {
        let Some(texts) = &event.texts else { return };
        self.with_texts += 1;
        let Some(plan) = self.simulator.text_plan(event) else { return };
        let code = plan.code.filter(|_| texts.completion.is_some());
        let day = event.started_at_us.div_euclid(DAY_US);
        let counts = self.labels.entry((week(day), plan.language, code)).or_default();
        counts.0 += 1;
        counts.1 += u64::from(event.attempts.last().is_some_and(|last| verdict(last) == Verdict::Success));
    }

    fn cell(&mut self, attempt: &Attempt<'_>, started_at_us: i64) -> Option<&mut Cell> {
        let model = *self.model_at.get(attempt.model.as_deref()?)?;
        let models = self.names.len();
        let day = started_at_us.div_euclid(DAY_US);
        self.days.entry(day).or_insert_with(|| vec![Cell::default(); models]).get_mut(model)
    }

    /// Adds what another builder of the same simulator has counted.
    pub fn merge(&mut self, other: Self) {
        self.requests += other.requests;
        self.attempts += other.attempts;
        self.cache_hits += other.cache_hits;
        self.with_texts += other.with_texts;
        for (class, count) in other.gateway_errors {
            *self.gateway_errors.entry(class).or_default() += count;
        }
        for (kind, count) in other.bad_records {
            *self.bad_records.entry(kind).or_default() += count;
        }
        for (calls, more) in self.endpoints.iter_mut().zip(other.endpoints) {
            calls.add(&more);
        }
        for (day, cells) in other.days {
            let mine = self.days.entry(day).or_insert_with(|| vec![Cell::default(); cells.len()]);
            mine.iter_mut().zip(&cells).for_each(|(cell, more)| cell.add(more));
        }
        for (count, more) in self.affected.iter_mut().zip(other.affected) {
            *count += more;
        }
        for (key, (requests, served)) in other.labels {
            let counts = self.labels.entry(key).or_default();
            counts.0 += requests;
            counts.1 += served;
        }
    }

    /// The counts so far as the truth of `[from, to)`, minutes since the epoch.
    pub fn finish(self, from: i64, to: i64) -> Truth {
        let mut tables = Tables::default();
        for (day, cells) in &self.days {
            for (name, cell) in self.names.iter().zip(cells) {
                let author = name.split_once('/').map_or(*name, |(author, _)| author);
                tables.add(*day, name, author, cell);
            }
        }
        Truth {
            seed: self.simulator.config().seed,
            from_minute: from,
            to_minute: to,
            requests: self.requests,
            gateway_errors: self.gateway_errors,
            attempts: self.attempts,
            gateway_cache_hits: self.cache_hits,
            with_texts: self.with_texts,
            endpoints: endpoints(self.simulator, &self.endpoints),
            days_by_model: usage(tables.days_by_model),
            days_by_author: usage(tables.days_by_author),
            weeks_by_model: usage(tables.weeks_by_model),
            weeks_by_author: usage(tables.weeks_by_author),
            routing: tables.routing,
            labels: labels(self.labels),
            outages: outages(self.simulator, from, to),
            bad_records: self.bad_records.into_iter().map(|(kind, count)| (kind.to_owned(), count)).collect(),
            regimes: regimes_of(self.simulator, &self.affected, from, to),
        }
    }
}

const DAY_US: i64 = 86_400_000_000;

fn verdict(attempt: &Attempt<'_>) -> Verdict {
    match attempt.outcome.as_deref() {
        Some("ok") => Verdict::Success,
        Some("rate_limited") => Verdict::RateLimited,
        Some("client_error") => Verdict::ClientError,
        Some("cancelled") if attempt.output_tokens.is_some_and(|tokens| tokens >= 1) => Verdict::Success,
        Some("cancelled") => Verdict::Cancelled,
        _ => Verdict::Fault,
    }
}

#[derive(Default)]
struct Tables {
    days_by_model: BTreeMap<(String, String), Cell>,
    days_by_author: BTreeMap<(String, String), Cell>,
    weeks_by_model: BTreeMap<(String, String), Cell>,
    weeks_by_author: BTreeMap<(String, String), Cell>,
    routing: Vec<RoutingTruth>,
}

impl Tables {
    fn add(&mut self, day: i64, model: &str, author: &str, cell: &Cell) {
        let (date, week) = (date(day), week(day));
        let day = date.to_string();
        for (table, period, name) in [
            (&mut self.days_by_model, &day, model),
            (&mut self.days_by_author, &day, author),
            (&mut self.weeks_by_model, &week, model),
            (&mut self.weeks_by_author, &week, author),
        ] {
            table.entry((period.clone(), name.to_owned())).or_default().add(cell);
        }
        let [requests, first_ok, routed_ok, requests_with_rate_limits, routed_ok_with_rate_limits] =
            cell.routing;
        if requests_with_rate_limits > 0 {
            self.routing.push(RoutingTruth {
                date,
                model: model.to_owned(),
                requests,
                first_ok,
                routed_ok,
                requests_with_rate_limits,
                routed_ok_with_rate_limits,
            });
        }
    }
}

fn usage(table: BTreeMap<(String, String), Cell>) -> Vec<UsageTruth> {
    let rows = table.into_iter().filter(|(_, cell)| cell.requests > 0);
    rows.map(|((period, name), cell)| UsageTruth {
        period,
        name,
        requests: cell.requests,
        input_tokens: cell.input_tokens,
        output_tokens: cell.output_tokens,
        tool_calls: cell.tool_calls,
        cost_nano_usd: cell.cost_nano_usd,
        unpriced: cell.unpriced,
    })
    .collect()
}

fn endpoints(simulator: &Simulator, calls: &[Calls]) -> Vec<EndpointTruth> {
    let mut rows: Vec<EndpointTruth> = simulator
        .endpoints()
        .iter()
        .zip(calls)
        .filter(|(_, calls)| calls.attempts > 0)
        .map(|(endpoint, calls)| EndpointTruth {
            endpoint_id: endpoint.id.clone(),
            model: simulator.models().get(endpoint.model).map_or("", |model| model.name).to_owned(),
            provider: endpoint.provider.to_owned(),
            attempts: calls.attempts,
            success: calls.success,
            fault: calls.fault,
            rate_limited: calls.rate_limited,
            client_error: calls.client_error,
            cancelled: calls.cancelled,
            expected_uptime: six_places(calls.expected / calls.attempts as f64),
        })
        .collect();
    rows.sort_by(|a, b| a.endpoint_id.cmp(&b.endpoint_id));
    rows
}

fn labels(counts: BTreeMap<(String, &'static str, Option<&'static str>), (u64, u64)>) -> Vec<LabelTruth> {
    let row = |((week, language, code), (requests, served)): ((String, &str, Option<&str>), _)| LabelTruth {
        week,
        language: language.to_owned(),
        code: code.map(str::to_owned),
        requests,
        served,
    };
    counts.into_iter().map(row).collect()
}

fn outages(simulator: &Simulator, from: i64, to: i64) -> Vec<OutageTruth> {
    let row = |outage: &crate::outages::Outage| {
        let endpoint = simulator.endpoints().get(outage.endpoint)?;
        Some(OutageTruth {
            endpoint_id: endpoint.id.clone(),
            provider: endpoint.provider.to_owned(),
            from_minute: outage.from_minute,
            to_minute: outage.to_minute,
            cause: outage.cause,
            severity: six_places(outage.severity),
            provider_wide: outage.provider_wide,
        })
    };
    simulator.outages(from, to).filter_map(row).collect()
}

fn regimes_of(simulator: &Simulator, affected: &[u64], from: i64, to: i64) -> Vec<RegimeTruth> {
    let row = |(regime, affected): (&Regime, &u64)| {
        let missing = || {
            let (from, to) = (from.max(regime.from_minute), to.min(regime.to_minute));
            simulator.usual_requests(from, to).round() as u64
        };
        RegimeTruth {
            name: regime.kind.name().to_owned(),
            from_minute: regime.from_minute,
            to_minute: regime.to_minute,
            subject: regime.kind.subject(),
            strength: regime.kind.strength(),
            affected: if regime.kind == RegimeKind::Stop { missing() } else { *affected },
        }
    };
    simulator.regimes().all().iter().zip(affected).map(row).collect()
}

/// Few digits, so that a number is read back from JSON as it was written.
fn six_places(value: f64) -> f64 {
    (value * 1e6).round() / 1e6
}

fn date(day: i64) -> NaiveDate {
    i32::try_from(day).ok().and_then(NaiveDate::from_epoch_days).unwrap_or_default()
}

fn week(day: i64) -> String {
    let week = date(day).iso_week();
    format!("{}-W{:02}", week.year(), week.week())
}

impl Calls {
    fn add(&mut self, more: &Self) {
        self.attempts += more.attempts;
        self.success += more.success;
        self.fault += more.fault;
        self.rate_limited += more.rate_limited;
        self.client_error += more.client_error;
        self.cancelled += more.cancelled;
        self.expected += more.expected;
    }
}

impl Cell {
    fn add(&mut self, more: &Self) {
        self.requests += more.requests;
        self.input_tokens += more.input_tokens;
        self.output_tokens += more.output_tokens;
        self.tool_calls += more.tool_calls;
        self.cost_nano_usd += more.cost_nano_usd;
        self.unpriced += more.unpriced;
        self.routing.iter_mut().zip(more.routing).for_each(|(count, more)| *count += more);
    }
}
