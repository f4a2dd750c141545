//! LiteLLM's map of prices: per token, with what long prompts and service tiers cost in members of their own.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use serde_json::{Map, Value};

use super::super::Catalogue;
use super::super::facts::{Amount, Price, Tier};
use super::{Form, Listed, Prices, amount, place};

/// Input, cached input, cache write and output.
const METERS: [&str; 4] = [
    "input_cost_per_token",
    "cache_read_input_token_cost",
    "cache_creation_input_token_cost",
    "output_cost_per_token",
];
const SERVICES: [(&str, &str); 3] = [("_batches", "batch"), ("_flex", "flex"), ("_priority", "priority")];
/// Parts of names of models that search at each request; others have a price of searches, too, for those who ask for one.
const ALWAYS_SEARCH: [&str; 5] = ["sonar", "-online", "-search-preview", "-search-api", "deep-research"];

type Amounts = [Option<Amount>; 4];

pub(super) fn read(top: &Map<String, Value>, catalogue: &Catalogue, since: NaiveDate) -> Listed {
    let (mut prices, mut unlisted, mut charged_apart) = (Prices::default(), Vec::new(), Vec::new());
    for (name, entry) in top {
        let Some(provider) = entry.get("litellm_provider").and_then(Value::as_str) else { continue };
        if name == "sample_spec" {
            continue;
        }
        let Some(price) = place(catalogue, name, provider, since) else {
            unlisted.push(name.clone());
            continue;
        };
        if is_charged_apart(name, entry) {
            charged_apart.push(name.clone());
            continue;
        }
        let base = METERS.map(|meter| amount(entry.get(meter), true));
        let [input, cached_input, cache_write, output] = base;
        let tiers = entry.as_object().map_or_else(Vec::new, |entry| tiers(entry, base, provider));
        prices.note(name, Price { input, cached_input, cache_write, output, tiers, ..price });
    }
    Listed { form: Form::LiteLlm, entries: prices.into_entries().collect(), unlisted, charged_apart }
}

fn is_charged_apart(name: &str, entry: &Value) -> bool {
    let is_some = |value: &Value| amount(Some(value), false).is_some_and(|amount| amount.0 > 0);
    let mut searches = entry
        .get("search_context_cost_per_query")
        .and_then(Value::as_object)
        .into_iter()
        .flat_map(Map::values);
    entry.get("input_cost_per_request").is_some_and(is_some)
        || (searches.any(is_some) && ALWAYS_SEARCH.iter().any(|word| name.contains(word)))
}

/// Where a tier lacks an amount, LiteLLM takes that of its service tier, of its length, or of the price, and so do we.
fn tiers(entry: &Map<String, Value>, base: Amounts, provider: &str) -> Vec<Tier> {
    let mut own: BTreeMap<(Option<&str>, u32), Amounts> = BTreeMap::new();
    for (name, value) in entry {
        let found =
            METERS.iter().enumerate().find_map(|(at, meter)| Some((at, of(name.strip_prefix(meter)?)?)));
        let Some(((at, (service, above)), told)) = found.zip(amount(Some(value), true)) else { continue };
        if service.is_none() && above == 0 {
            continue;
        }
        // xAI counts a prompt of just that length among the long ones.
        let above = if provider == "xai" { above.saturating_sub(1) } else { above };
        if let Some(amount) = own.entry((service, above)).or_default().get_mut(at) {
            *amount = Some(told);
        }
    }
    // One that says what the cache costs and no more is none.
    let priced = own.iter().filter(|(_, [input, ..])| input.is_some());
    let tier = |(&(service, above), amounts): (&(Option<&str>, u32), &Amounts)| {
        let near = [Some(amounts), own.get(&(service, 0)), own.get(&(None, above)), Some(&base)];
        let of = |at: usize| near.into_iter().flatten().find_map(|amounts| *amounts.get(at)?);
        Tier {
            service_tier: service.map(str::to_owned),
            above_input_tokens: Some(above).filter(|above| *above > 0),
            input: of(0),
            cached_input: of(1),
            cache_write: of(2),
            output: of(3),
        }
    };
    priced.map(tier).collect()
}

/// Service tier and input tokens above which it holds, by what stands behind the name of a meter.
fn of(rest: &str) -> Option<(Option<&'static str>, u32)> {
    let service = SERVICES.iter().find_map(|(end, service)| Some((rest.strip_suffix(end)?, *service)));
    let (rest, service) = service.map_or((rest, None), |(rest, service)| (rest, Some(service)));
    if rest.is_empty() {
        return Some((service, 0));
    }
    let thousands: u32 = rest.strip_prefix("_above_")?.strip_suffix("k_tokens")?.parse().ok()?;
    Some((service, thousands.checked_mul(1_000)?))
}
