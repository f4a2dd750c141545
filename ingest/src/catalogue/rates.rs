//! What a call costs by the list: the price that holds for a model at a provider on the day of the call.
//!
//! Amounts are exact until each is rounded, half up, once. What the list does not tell is unknown, and so is what depends
//! on it: a service tier that it does not have, a prompt longer than what the tier's price is for.

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::fmt::Write;
use std::ops::Range;

use super::STANDARD;
use super::facts::{Amount, Price, Tier};
use crate::formats::measure::MAX_COST;

/// What requests of such a variant are charged is a service tier of the standard one, where it has no prices of its own.
const BATCH: &str = "batch";
/// How providers call the tier of those who ask for none.
const STANDARD_TIERS: [&str; 4] = ["default", "standard", "standard_only", "on_demand"];
/// Tokens that an amount is for.
const TOKENS: i128 = 1_000_000;
const DAY_US: i64 = 86_400_000_000;

/// Where the prices of a model at a provider stand in the list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Offer {
    own: Range<usize>,
    /// What holds wherever `own` says nothing of a day.
    anywhere: Range<usize>,
    is_batch: bool,
}

/// What the price of a call depends on.
#[derive(Clone, Copy, Debug, Default)]
pub struct Call<'a> {
    pub started_at_us: i64,
    pub service_tier: Option<&'a str>,
    /// Cached and written ones included.
    pub input_tokens: Option<i64>,
    pub cached_input_tokens: Option<i64>,
    pub cache_write_tokens: Option<i64>,
    /// Those that are charged, reasoning included.
    pub output_tokens: Option<i64>,
}

/// In 10⁻⁹ USD.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cost {
    pub input: i128,
    pub output: i128,
    /// Of both, and of the request as such.
    pub total: i128,
}

#[derive(Debug, Default)]
pub(super) struct Rates {
    /// Of one place beside each other.
    entries: Vec<Entry>,
    by_model: HashMap<String, Vec<Place>>,
    /// `catalogue:` and what tells this list from others.
    source: String,
}

#[derive(Debug)]
struct Place {
    variant: String,
    provider: Option<String>,
    entries: Range<usize>,
}

/// What the list says of a model at any place, which limits what its other places say.
#[derive(Clone, Copy, Debug, Default)]
struct Known {
    /// Input tokens above which a prompt costs more somewhere.
    border: Option<u32>,
    is_cache_priced: bool,
}

/// A price, by days since 1970, both inclusive.
#[derive(Debug)]
struct Entry {
    /// More input tokens than these have no price, where the place does not tell of long prompts and another does.
    known_up_to: Option<u32>,
    is_cache_priced: bool,
    first_day: i32,
    last_day: i32,
    request: i128,
    amounts: Amounts,
    tiers: Vec<(Option<String>, u32, Amounts)>,
}

/// 10⁻⁹ USD per million tokens.
#[derive(Clone, Copy, Debug)]
struct Amounts {
    input: Option<Amount>,
    cached: Option<Amount>,
    written: Option<Amount>,
    output: Option<Amount>,
}

impl Rates {
    pub(super) fn new(prices: &[Price]) -> Self {
        let mut sorted: Vec<&Price> = prices.iter().collect();
        sorted.sort_by_key(|price| (price.place(), price.first()));
        let mut rates = Self { source: format!("catalogue:{}", version(&sorted)), ..Self::default() };
        let known = Known::by_model(prices);
        for of_place in sorted.chunk_by(|one, next| one.place() == next.place()) {
            let from = rates.entries.len();
            let of_model = of_place
                .first()
                .and_then(|price| known.get(price.model.as_str()))
                .copied()
                .unwrap_or_default();
            // A place that tells of long prompts at any time says all there is to say of them.
            let tells_of_long = of_place.iter().any(|price| lowest_border(price).is_some());
            let known = Known { border: of_model.border.filter(|_| !tells_of_long), ..of_model };
            rates.entries.extend(of_place.iter().map(|price| Entry::new(price, known)));
            let Some((model, variant, provider)) = of_place.first().map(|price| price.place()) else {
                continue;
            };
            let place = Place {
                variant: variant.to_owned(),
                provider: provider.map(str::to_owned),
                entries: from..rates.entries.len(),
            };
            rates.by_model.entry(model.to_owned()).or_default().push(place);
        }
        rates
    }

    /// `price_source` of what is priced by this list.
    pub(super) fn source(&self) -> &str {
        &self.source
    }

    pub(super) fn offer(&self, model_id: &str, variant: &str, provider_id: &str) -> Offer {
        let places = self.by_model.get(model_id).map(Vec::as_slice).unwrap_or_default();
        let of = |variant: &str, is_batch| {
            let at = |provider: Option<&str>| {
                let place =
                    |place: &&Place| place.variant == variant && place.provider.as_deref() == provider;
                places.iter().find(place).map(|place| place.entries.clone()).unwrap_or_default()
            };
            Offer { own: at(Some(provider_id)), anywhere: at(None), is_batch }
        };
        let offer = of(variant, false);
        let is_listed = !offer.own.is_empty() || !offer.anywhere.is_empty();
        if variant == BATCH && !is_listed { of(STANDARD, true) } else { offer }
    }

    /// None: the list does not tell.
    pub(super) fn cost(&self, offer: &Offer, call: &Call<'_>) -> Option<Cost> {
        let day = i32::try_from(call.started_at_us.div_euclid(DAY_US)).ok()?;
        let on_day = |range: &Range<usize>| {
            let entries = self.entries.get(range.clone()).unwrap_or_default();
            entries.iter().find(|entry| entry.first_day <= day && day <= entry.last_day)
        };
        let entry = on_day(&offer.own).or_else(|| on_day(&offer.anywhere))?;
        let service = if offer.is_batch { Some(BATCH) } else { call.service() };
        let amounts = entry.amounts_of(service, call.input_tokens.unwrap_or(0))?;
        let (input, output) =
            (amounts.of_input(call, entry.is_cache_priced)?, times(call.output_tokens, amounts.output)?);
        let request = entry.request.checked_mul(TOKENS)?;
        let total = rounded(input.checked_add(output)?.checked_add(request)?);
        (total <= MAX_COST).then(|| Cost { input: rounded(input), output: rounded(output), total })
    }
}

impl Call<'_> {
    fn service(&self) -> Option<&str> {
        let is_standard = |tier: &str| STANDARD_TIERS.iter().any(|word| tier.eq_ignore_ascii_case(word));
        self.service_tier.filter(|tier| !tier.is_empty() && !is_standard(tier))
    }
}

/// Input tokens above which a prompt of no service tier has another price.
fn lowest_border(price: &Price) -> Option<u32> {
    let standard = price.tiers.iter().filter(|tier| tier.service_tier.is_none());
    standard.filter_map(|tier| tier.above_input_tokens).min()
}

impl Known {
    fn by_model(prices: &[Price]) -> HashMap<&str, Self> {
        let mut known: HashMap<&str, Self> = HashMap::new();
        for price in prices {
            let of_model = known.entry(&price.model).or_default();
            of_model.border = of_model.border.into_iter().chain(lowest_border(price)).min();
            let mut cached =
                price.tiers.iter().map(|tier| tier.cached_input).chain([price.cached_input]).flatten();
            of_model.is_cache_priced |= cached.any(|amount| amount.0 > 0);
        }
        known
    }
}

impl Entry {
    fn new(price: &Price, known: Known) -> Self {
        let amounts = Amounts {
            input: price.input,
            cached: price.cached_input,
            written: price.cache_write,
            output: price.output,
        };
        let tier = |tier: &Tier| {
            let amounts = Amounts {
                input: tier.input.or(amounts.input),
                cached: tier.cached_input.or(amounts.cached),
                written: tier.cache_write.or(amounts.written),
                output: tier.output.or(amounts.output),
            };
            (tier.service_tier.clone(), tier.above_input_tokens.unwrap_or(0), amounts.told())
        };
        // What is free is so at any length.
        let is_free = [price.input, price.output] == [Some(Amount(0)); 2];
        Self {
            known_up_to: known.border.filter(|_| !is_free),
            is_cache_priced: known.is_cache_priced,
            first_day: price.first().to_epoch_days(),
            last_day: price.last().to_epoch_days(),
            request: price.request.map_or(0, |amount| amount.0),
            amounts: amounts.told(),
            tiers: price.tiers.iter().map(tier).collect(),
        }
    }

    /// What a request of a service tier pays that has so many input tokens.
    fn amounts_of(&self, service: Option<&str>, input_tokens: i64) -> Option<Amounts> {
        let nearest = |service: Option<&str>| {
            let is_of = |tier: Option<&str>| match (tier, service) {
                (Some(tier), Some(service)) => tier.eq_ignore_ascii_case(service),
                (tier, service) => tier == service,
            };
            let holds = |above: u32| above == 0 || input_tokens > i64::from(above);
            let tiers = self.tiers.iter().filter(|(tier, above, _)| is_of(tier.as_deref()) && holds(*above));
            tiers.max_by_key(|(_, above, _)| *above).map(|(_, above, amounts)| (*above, *amounts))
        };
        let standard = nearest(None);
        let beyond = self.known_up_to.filter(|above| input_tokens > i64::from(*above));
        if service.is_none() {
            return Some(standard.map_or(self.amounts, |(_, amounts)| amounts)).filter(|_| beyond.is_none());
        }
        // Where long prompts cost others more and the list says nothing of this tier's, nobody knows what they cost it.
        let (above, amounts) = nearest(service)?;
        let border = beyond.or(standard.map(|(above, _)| above)).unwrap_or(0);
        (above >= border).then_some(amounts)
    }
}

impl Amounts {
    /// A cache that is written for nothing where a prompt costs something is one of which the list says nothing.
    fn told(self) -> Self {
        let is_unsaid = self.written == Some(Amount(0)) && self.input.is_some_and(|input| input.0 > 0);
        Self { written: self.written.filter(|_| !is_unsaid), ..self }
    }

    /// In 10⁻⁹ USD per million. Tokens of which it is not told how they were cached are like others, and so are cached ones
    /// of a model whose cache has a price nowhere. What a cache is written for is told or unknown.
    fn of_input(&self, call: &Call<'_>, is_cache_priced: bool) -> Option<i128> {
        let (cached, written) = (call.cached_input_tokens.unwrap_or(0), call.cache_write_tokens.unwrap_or(0));
        let fresh = match call.input_tokens {
            Some(all) => Some(all.checked_sub(cached)?.checked_sub(written).filter(|fresh| *fresh >= 0)?),
            None => None,
        };
        let is_free = self.input == Some(Amount(0));
        let cached_as_input = self.input.filter(|_| is_free || !is_cache_priced);
        times(fresh, self.input)?
            .checked_add(times(Some(cached), self.cached.or(cached_as_input))?)?
            .checked_add(times(Some(written), self.written.or(self.input.filter(|_| is_free)))?)
    }
}

/// Nothing of whatever price costs nothing, and so does whatever costs nothing.
fn times(tokens: Option<i64>, amount: Option<Amount>) -> Option<i128> {
    match (tokens, amount) {
        (Some(0), _) | (_, Some(Amount(0))) => Some(0),
        (Some(tokens), Some(Amount(amount))) => i128::from(tokens).checked_mul(amount),
        _ => None,
    }
}

/// Half up.
fn rounded(of_million: i128) -> i128 {
    let rest = of_million % TOKENS;
    of_million / TOKENS + i128::from(rest >= TOKENS / 2)
}

/// The same prices have the same one, in whatever order they are listed.
fn version(sorted: &[&Price]) -> String {
    let mut hasher = blake3::Hasher::new();
    let mut line = String::new();
    for price in sorted {
        line.clear();
        let amount =
            |amount: &Option<Amount>| amount.map_or_else(|| "-".to_owned(), |amount| amount.0.to_string());
        let amounts = |amounts: &[Option<Amount>]| amounts.iter().map(amount).collect::<Vec<_>>().join(" ");
        // Writing to a text cannot fail.
        let _ = write!(
            line,
            "{:?} {} {} {}",
            price.place(),
            price.first(),
            price.last(),
            amounts(&price.amounts())
        );
        for tier in price.sorted_tiers() {
            let of = amounts(&tier.amounts());
            let _ = write!(line, " {:?} {:?} {of}", tier.service_tier, tier.above_input_tokens);
        }
        line.push('\n');
        hasher.update(line.as_bytes());
    }
    hasher.finalize().to_hex().chars().take(16).collect()
}
