//! Where traffic is counted: one model or variant at one provider, and what is the same there at any time.

use crate::calibration as cal;
use crate::chance::{hash, hash_name, normal_probability};
use crate::population::{Endpoint, Model, Population, Price};
use crate::roster::Kind;
use crate::shares::Constants;

use super::names::Names;

/// One endpoint of one model or variant; or, without a provider, what the router's own cache answers for it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    pub model_id: String,
    pub author: String,
    pub variant: String,
    pub provider_id: Option<String>,
    pub endpoint_id: Option<String>,
    pub region: Option<&'static str>,
}

/// What is the same at a place at any time.
pub(super) struct Figures {
    /// Index of the part of the market, and into its models and endpoints.
    pub part: usize,
    pub model: usize,
    pub endpoint: Option<usize>,
    pub salt: u64,
    /// Share of the model's requests that are sent here first.
    pub share: f64,
    /// Calls for each of them, fallbacks from elsewhere included.
    pub calls: f64,
    /// Chance that a request which failed here is served by another endpoint.
    pub fallback: f64,
    pub price: Option<Price>,
    pub costs_nothing: bool,
    pub cached: f64,
    pub tool_error: f64,
    pub bills_cancelled: bool,
    pub input: f64,
    pub output: f64,
    pub agentic: f64,
    pub kind: Kind,
    /// Shares of requests by context bucket, cumulative.
    pub context: [f64; 4],
    /// Medians: ms, ms, tokens/s, tokens/s, µs.
    pub speeds: [f64; 5],
    /// Users who are drawn from here, and the salt of the model's users.
    pub users: u64,
    pub users_salt: u64,
}

/// All places of one part of the market, those of the router's cache included.
pub(super) fn places(
    seed: u64,
    part: usize,
    population: &Population,
    names: &mut Names,
) -> Vec<(Place, Figures)> {
    let mut places = Vec::new();
    for (at, model) in population.models.iter().enumerate() {
        let (model_id, author, variant) = names.model(part, model);
        let of_model = Figures::of_model(seed, part, at, model, population);
        let cache = Place { model_id, author, variant, provider_id: None, endpoint_id: None, region: None };
        for index in model.endpoints.clone() {
            let Some(endpoint) = population.endpoints.get(index) else { continue };
            let (provider, id) = names.endpoint(part, endpoint, &cache.model_id, &cache.variant);
            let region = endpoint.row.regions[(hash(&[seed, 11, hash_name(&endpoint.id)]) % 3) as usize];
            let place = Place {
                provider_id: Some(provider),
                endpoint_id: Some(id),
                region: Some(region),
                ..cache.clone()
            };
            places.push((place, of_model.at(index, endpoint)));
        }
        places.push((cache, of_model));
    }
    places
}

impl Figures {
    /// Those of what the router's own cache answers.
    fn of_model(seed: u64, part: usize, at: usize, model: &Model, population: &Population) -> Self {
        let constants = Constants::new(model, population);
        let row = model.row;
        let (output, several) = (row.output, model.endpoints.len() > 1);
        let salt = hash(&[seed, part as u64, hash_name(model.name)]);
        Self {
            part,
            model: at,
            endpoint: None,
            salt,
            share: cal::GATEWAY_CACHE_HIT,
            calls: constants.calls,
            fallback: if several { cal::FALLBACK * constants.served } else { 0.0 },
            price: None,
            costs_nothing: true,
            cached: 0.0,
            tool_error: 0.0,
            bills_cancelled: false,
            input: (1000.0 * row.k_tokens - output).max(100.0),
            output: if row.kind == Kind::Embeds { 0.0 } else { output },
            agentic: model.agentic,
            kind: row.kind,
            context: context(model),
            speeds: [0.0; 5],
            users: 1,
            users_salt: salt,
        }
    }

    fn at(&self, index: usize, endpoint: &Endpoint) -> Self {
        let writing_ms = 1000.0 * self.output / endpoint.tokens_per_s;
        let duration_ms = endpoint.ttft_ms + writing_ms;
        Self {
            endpoint: Some(index),
            salt: hash(&[self.salt, hash_name(&endpoint.id)]),
            share: endpoint.weight * (1.0 - cal::GATEWAY_CACHE_HIT - cal::GATEWAY_ERROR),
            price: endpoint.price,
            costs_nothing: false,
            cached: endpoint.cached,
            tool_error: endpoint.tool_error,
            bills_cancelled: endpoint.invented,
            speeds: [
                endpoint.ttft_ms,
                duration_ms,
                1000.0 * self.output / duration_ms.max(1.0),
                endpoint.tokens_per_s,
                cal::OVERHEAD_MEDIAN_US,
            ],
            ..*self
        }
    }
}

/// Shares of requests with at most 1 K, 10 K, 100 K and 1 M input tokens.
fn context(model: &Model) -> [f64; 4] {
    [1e3, 1e4, 1e5, 1e6].map(|bound: f64| {
        let kind = |mean: f64, sigma: f64| {
            let median = (mean - model.row.output).max(100.0) / (sigma * sigma / 2.0).exp();
            normal_probability((bound / median).ln() / sigma)
        };
        model.agentic * kind(model.agentic_tokens, cal::AGENTIC_SIGMA)
            + (1.0 - model.agentic) * kind(model.conversation_tokens, cal::CONVERSATION_SIGMA)
    })
}
