//! The models and endpoints of the roster with the figures drawn for them from the published spreads.

use crate::calibration as cal;
use crate::chance::{cumulate, hash, hash_name, interpolate, interpolate_log, unit};
use crate::roster::{Kind, ModelRow, ProviderRow, Roster};

/// A model or a variant of one.
pub struct Model {
    /// `author/slug`, with `:variant` where it is not the standard one.
    pub name: &'static str,
    pub author: &'static str,
    pub(crate) row: &'static ModelRow,
    /// Indexes into [`Population::endpoints`].
    pub(crate) endpoints: std::ops::Range<usize>,
    /// Cumulative first choice over `endpoints`.
    pub(crate) first_choice: Box<[f32]>,
    /// Share of requests that come from agents.
    pub(crate) agentic: f64,
    /// Mean tokens of an agentic and of a conversational request.
    pub(crate) agentic_tokens: f64,
    pub(crate) conversation_tokens: f64,
}

/// One model at one provider. Probabilities are those outside outages.
pub struct Endpoint {
    pub id: String,
    /// Index into the models.
    pub model: usize,
    pub provider: &'static str,
    /// Whether the provider's name is invented; only such providers have outages.
    pub invented: bool,
    pub fault: f64,
    pub rate_limit: f64,
    /// Medians.
    pub ttft_ms: f64,
    pub tokens_per_s: f64,
    pub(crate) weight: f64,
    pub(crate) price: Option<Price>,
    pub(crate) cached: f64,
    pub(crate) tool_error: f64,
    pub(crate) row: &'static ProviderRow,
}

/// In 10⁻⁹ USD per token, which is USD per million tokens times a thousand.
#[derive(Clone, Copy)]
pub(crate) struct Price {
    pub input: i64,
    pub cached: i64,
    pub output: i64,
}

pub(crate) struct Population {
    pub models: Vec<Model>,
    pub endpoints: Vec<Endpoint>,
}

impl Population {
    pub(crate) fn new(seed: u64) -> Self {
        let mut endpoints = Vec::new();
        let mut models = Vec::new();
        let roster = Roster::shared();
        for row in &roster.models {
            let from = endpoints.len();
            endpoints.extend(row.endpoints.iter().filter_map(|(at, weight)| {
                Some(endpoint(seed, row, models.len(), roster.providers.get(*at)?, *weight))
            }));
            models.push(model(row, from..endpoints.len(), &endpoints));
        }
        let mut population = Self { models, endpoints };
        population.spread_health(seed);
        population.spread_speed(seed);
        population.spread_prices(seed);
        population
    }

    /// Faults and rate limits after the published quantiles over endpoints. Faults: the providers with real names
    /// first, small endpoints before big ones, where two faults in half an hour would look bad; then the
    /// invented ones, whose busy endpoints tend to be their better ones. Rate limits: on free variants first, and
    /// on small endpoints rather than big ones.
    fn spread_health(&mut self, seed: u64) {
        let salt = |endpoint: &Endpoint, what: u64| unit(hash(&[seed, what, hash_name(&endpoint.id)]));
        let traffic = self.traffic();

        let named =
            ranked(
                &self.endpoints,
                |i, e| if e.invented { None } else { Some(traffic[i] * (0.5 + salt(e, 1))) },
            );
        let invented =
            ranked(&self.endpoints, |i, e| e.invented.then(|| salt(e, 8) - 0.12 * traffic[i].max(1e-9).ln()));
        let split = named.len() as f64 / self.endpoints.len().max(1) as f64;
        for (rank, &index) in named.iter().enumerate() {
            let at = split * (rank as f64 + 0.5) / named.len() as f64;
            let percent = interpolate_log(&cal::FAULT_PERCENT, at).min(cal::FAULT_PERCENT_NAMED);
            self.endpoints[index].fault = percent / 100.0;
        }
        for (rank, &index) in invented.iter().enumerate() {
            let at = split + (1.0 - split) * (rank as f64 + 0.5) / invented.len() as f64;
            self.endpoints[index].fault = interpolate_log(&cal::FAULT_PERCENT, at) / 100.0;
        }

        let limited = ranked(&self.endpoints, |i, e| {
            let free = self.models[e.model].row.name.ends_with(":free");
            Some(salt(e, 2) * 0.8 + if free { 2.0 } else { 0.0 } - 0.02 * (traffic[i] * 1e4).max(0.01).ln())
        });
        for (rank, &index) in limited.iter().enumerate() {
            let at = (rank as f64 + 0.5) / limited.len() as f64;
            self.endpoints[index].rate_limit = interpolate_log(&cal::RATE_LIMIT_PERCENT, at) / 100.0;
        }
    }

    fn spread_speed(&mut self, seed: u64) {
        let slow = |what: u64| {
            move |_: usize, e: &Endpoint| {
                Some(0.5 * unit(hash(&[seed, what, hash_name(&e.id)])) + 0.5 * e.row.pace)
            }
        };
        for (rank, index) in ranked(&self.endpoints, slow(3)).into_iter().enumerate() {
            let at = (rank as f64 + 0.5) / self.endpoints.len() as f64;
            self.endpoints[index].ttft_ms = interpolate(&cal::TTFT_MS, at);
        }
        for (rank, index) in ranked(&self.endpoints, slow(4)).into_iter().enumerate() {
            let at = 1.0 - (rank as f64 + 0.5) / self.endpoints.len() as f64;
            self.endpoints[index].tokens_per_s = interpolate(&cal::THROUGHPUT, at);
        }
    }

    fn spread_prices(&mut self, seed: u64) {
        for model in &self.models {
            let spread = interpolate_log(&cal::PRICE_SPREAD, unit(hash(&[seed, 5, hash_name(model.name)])));
            for (order, index) in model.endpoints.clone().enumerate() {
                let Some(endpoint) = self.endpoints.get_mut(index) else { continue };
                let (input, output) = match model.row.price {
                    None => (0.0, 0.0),
                    Some(_) if endpoint.provider == cal::UNPRICED_PROVIDER => continue,
                    Some(price) => price,
                };
                let dearer = match order {
                    0 => 0.0,
                    1 => 1.0,
                    _ => unit(hash(&[seed, 6, hash_name(&endpoint.id)])),
                };
                let nano =
                    |usd_per_million: f64| (usd_per_million * spread.powf(dearer) * 1000.0).round() as i64;
                endpoint.price = Some(Price {
                    input: nano(input),
                    cached: nano(input * cal::CACHED_PRICE),
                    output: nano(output),
                });
            }
        }
    }

    /// Share of all requests that each endpoint gets first at the end of the year, roughly.
    fn traffic(&self) -> Vec<f64> {
        let requests = |model: &Model| model.row.weight.1 / model.row.k_tokens;
        let all: f64 = self.models.iter().map(requests).sum();
        let share = |endpoint: &Endpoint| {
            self.models.get(endpoint.model).map_or(0.0, |model| requests(model) / all * endpoint.weight)
        };
        self.endpoints.iter().map(share).collect()
    }
}

fn model(row: &'static ModelRow, endpoints: std::ops::Range<usize>, all: &[Endpoint]) -> Model {
    let between = cal::AGENTIC_K_TOKENS - cal::CONVERSATION_K_TOKENS;
    let embeds = row.kind == Kind::Embeds;
    let agentic =
        if embeds { 0.0 } else { ((row.k_tokens - cal::CONVERSATION_K_TOKENS) / between).clamp(0.03, 0.95) };
    // What the two means of the calibration would give, against what the roster says: both kinds are scaled.
    let mean = agentic * cal::AGENTIC_K_TOKENS + (1.0 - agentic) * cal::CONVERSATION_K_TOKENS;
    let scale = 1000.0 * row.k_tokens / mean;
    Model {
        name: row.name,
        author: row.name.split_once('/').map_or(row.name, |(author, _)| author),
        row,
        first_choice: cumulate(all[endpoints.clone()].iter().map(|endpoint| endpoint.weight)),
        endpoints,
        agentic,
        agentic_tokens: cal::AGENTIC_K_TOKENS * scale,
        conversation_tokens: cal::CONVERSATION_K_TOKENS * scale,
    }
}

fn endpoint(
    seed: u64,
    row: &ModelRow,
    model: usize,
    provider: &'static ProviderRow,
    weight: f64,
) -> Endpoint {
    // A model may be named like the variant of another, so the variant is set off in its own way.
    let slug = row.name.split_once('/').map_or(row.name, |(_, slug)| slug).replace(':', "_");
    let id = format!("{}-{slug}", provider.id);
    let luck = unit(hash(&[seed, 7, hash_name(&id)]));
    let sum: f64 = row.endpoints.iter().map(|(_, weight)| weight).sum();
    Endpoint {
        cached: (row.cached * provider.cache_hit).min(0.95),
        tool_error: 0.002 + 0.05 * luck * luck * luck,
        id,
        model,
        provider: provider.id,
        invented: provider.invented,
        fault: 0.0,
        rate_limit: 0.0,
        ttft_ms: 0.0,
        tokens_per_s: 1.0,
        weight: weight / sum,
        price: None,
        row: provider,
    }
}

/// Indexes of the endpoints that have a score, ascending by it; ties by id.
fn ranked(endpoints: &[Endpoint], score: impl Fn(usize, &Endpoint) -> Option<f64>) -> Vec<usize> {
    let mut scored: Vec<(f64, &str, usize)> = endpoints
        .iter()
        .enumerate()
        .filter_map(|(index, endpoint)| Some((score(index, endpoint)?, endpoint.id.as_str(), index)))
        .collect();
    scored.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(b.1)));
    scored.into_iter().map(|(_, _, index)| index).collect()
}
