//! What an attempt cost: as its record says, else by the list of the catalogue.
//!
//! The list tells what a provider asks for tokens of text. Where something else decides, what was paid stays unknown.

#[cfg(test)]
mod tests;

use bellwether_warehouse::tables::attempts::{AttemptRow, Outcome};

use crate::catalogue::{Call, Catalogue, Cost, Offer};

const LOGGED: &str = "logged";
/// A logged cost is far from the list's beyond one part in so many of it.
const FAR: u128 = 5;

/// How a row came by its price.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Priced {
    Unknown,
    Logged,
    /// Logged, and more than a fifth away from what the list says.
    FarFromList,
    ByList,
}

/// A logged price wins over the list.
pub(super) fn settle<'r>(
    row: &mut AttemptRow<'r>,
    outcome: Outcome,
    offer: &Offer,
    catalogue: &'r Catalogue,
) -> Priced {
    if row.gateway_cache_hit {
        // Its answer costs nothing, whatever the log says.
        (row.cost_usd, row.input_cost_usd, row.output_cost_usd) = (Some(0), Some(0), Some(0));
    } else if is_unpriced_zero(row, outcome) {
        (row.cost_usd, row.input_cost_usd, row.output_cost_usd) = (None, None, None);
    }
    row.price_source = row.cost_usd.map(|_| LOGGED);
    let listed = by_list(row, outcome, offer, catalogue);
    match (row.cost_usd, listed) {
        (Some(logged), Some(listed)) if is_far(logged, listed.total) => Priced::FarFromList,
        (Some(_), _) => Priced::Logged,
        // A record that tells one part of the cost has a price, of which the other part is unknown.
        (None, Some(listed)) if row.input_cost_usd.is_none() && row.output_cost_usd.is_none() => {
            row.cost_usd = Some(listed.total);
            (row.input_cost_usd, row.output_cost_usd) = (Some(listed.input), Some(listed.output));
            row.price_source = Some(catalogue.price_source());
            Priced::ByList
        }
        (None, _) => Priced::Unknown,
    }
}

/// As of a record that comes now, for a row that has other names than before. What a former list said does not count; a zero that
/// was taken for no price does not come back, because that it was logged is not told.
pub fn price_again<'r>(row: &mut AttemptRow<'r>, catalogue: &'r Catalogue) {
    let Some(outcome) = Outcome::parse(row.outcome) else { return };
    if row.price_source.is_some_and(|source| source != LOGGED) {
        (row.cost_usd, row.input_cost_usd, row.output_cost_usd) = (None, None, None);
    }
    let offer = match (row.model_id, row.variant, row.provider_id) {
        (Some(model), Some(variant), Some(provider)) => {
            catalogue.offer_of(row.raw_model, model, variant, provider)
        }
        _ => Offer::default(),
    };
    settle(row, outcome, &offer, catalogue);
}

/// A zero that no price stands behind. The name of a free variant is its price.
fn is_unpriced_zero(row: &AttemptRow<'_>, outcome: Outcome) -> bool {
    let tokens = row.input_tokens.unwrap_or(0).saturating_add(row.output_tokens.unwrap_or(0));
    row.cost_usd == Some(0) && tokens > 0 && is_answered(outcome) && row.variant != Some("free")
}

fn is_answered(outcome: Outcome) -> bool {
    matches!(outcome, Outcome::Ok | Outcome::Cancelled)
}

fn by_list(row: &AttemptRow<'_>, outcome: Outcome, offer: &Offer, catalogue: &Catalogue) -> Option<Cost> {
    let is_told_billed = row.billed_output_tokens.is_some_and(|tokens| tokens > 0);
    // Providers charge what they answered. Of a failed call only a record that says so tells that it was charged.
    let is_charged = !row.gateway_cache_hit && (is_answered(outcome) || is_told_billed);
    // Who brings a key of their own pays the provider, and to the gateway what no list of prices tells.
    if !is_charged || row.is_byok == Some(true) || !is_text(row) {
        return None;
    }
    let is_embedding = row.operation == Some("embeddings");
    let output_tokens = row.billed_output_tokens.or(row.output_tokens);
    let call = Call {
        started_at_us: row.started_at,
        service_tier: row.service_tier,
        input_tokens: row.input_tokens,
        cached_input_tokens: row.cached_input_tokens,
        cache_write_tokens: row.cache_write_tokens,
        // A vector has no tokens, and not every log says so.
        output_tokens: output_tokens.or(is_embedding.then_some(0)),
    };
    catalogue.cost(offer, &call)
}

/// Whether tokens of text are all that is paid for. Tokens of images in a prompt cost what those of text do; sound, films,
/// pictures that are made and searches have prices of their own, which the list does not have.
fn is_text(row: &AttemptRow<'_>) -> bool {
    let is_some = |count: Option<i32>| count.is_some_and(|count| count > 0);
    let others = [row.input_audio, row.input_video, row.output_images, row.web_searches];
    matches!(row.operation, None | Some("chat" | "text_completion" | "embeddings"))
        && !others.into_iter().any(is_some)
}

fn is_far(logged: i128, listed: i128) -> bool {
    logged.abs_diff(listed).saturating_mul(FAR) > listed.unsigned_abs()
}
