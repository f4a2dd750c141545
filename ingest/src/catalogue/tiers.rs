//! Tiers of the prices that ship with the binary: one line each, as the prices have.

use std::collections::HashMap;

use super::cells::{self, Cells};
use super::facts::{Price, Tier};
use super::{Error, STANDARD};

const TIERS: &str = include_str!("../../catalogue/tiers.csv");

/// Gives the prices of the lists their tiers.
pub(super) fn add_to(prices: &mut [Price]) -> Result<(), Error> {
    add(prices, TIERS)
}

fn add(prices: &mut [Price], text: &str) -> Result<(), Error> {
    let read = cells::rows(text, "model,variant,provider,service_tier,", row)?;
    let mut by_place: HashMap<_, Vec<Tier>> = HashMap::new();
    for (place, tier) in read {
        by_place.entry(place).or_default().push(tier);
    }
    for price in prices {
        let provider = price.provider.clone().unwrap_or_default();
        let place = (price.model.clone(), price.variant.clone(), provider);
        price.tiers.append(&mut by_place.remove(&place).unwrap_or_default());
    }
    // What is left is of no price.
    match by_place.into_keys().min() {
        Some((model_id, _, provider_id)) => Err(Error::PriceOfNobody { model_id, provider_id }),
        None => Ok(()),
    }
}

/// Model, variant and provider.
type Place = (String, String, String);

fn row(cells: &mut Cells<'_>) -> Option<(Place, Tier)> {
    let model = cells.text()?.to_owned();
    let variant = Some(cells.text()?).filter(|text| !text.is_empty()).unwrap_or(STANDARD).to_owned();
    let place = (model, variant, cells.text()?.to_owned());
    let tier = Tier {
        service_tier: cells.value()?,
        above_input_tokens: cells.value()?,
        input: cells.amount()?,
        cached_input: cells.amount()?,
        cache_write: cells.amount()?,
        output: cells.amount()?,
    };
    Some((place, tier))
}

#[cfg(test)]
mod tests {
    use super::super::facts::Amount;
    use super::super::{Call, Catalogue};
    use super::*;

    const HEAD: &str =
        "model,variant,provider,service_tier,above_input_tokens,input,cached_input,cache_write,output\n";

    #[test]
    fn a_tier_is_one_of_the_price_of_its_place() {
        let price = |provider: &str| Price {
            model: "acme/one".into(),
            variant: STANDARD.into(),
            provider: Some(provider.into()),
            ..Price::default()
        };
        let mut prices = [price("north"), price("south")];
        let text = format!("{HEAD}acme/one,,south,,200000,2,,,3\nacme/one,standard,south,flex,,0.5,,,\n");
        add(&mut prices, &text).unwrap();
        let usd = |amount| Some(Amount(amount));
        let long = Tier {
            above_input_tokens: Some(200_000),
            input: usd(2_000_000_000),
            output: usd(3_000_000_000),
            ..Tier::default()
        };
        let flex = Tier { service_tier: Some("flex".into()), input: usd(500_000_000), ..Tier::default() };
        assert!(prices[0].tiers.is_empty());
        assert_eq!(prices[1].tiers, [long, flex]);
        let west = add(&mut prices, &format!("{HEAD}acme/one,,west,,1,2,,,\n")).unwrap_err();
        assert!(matches!(west, Error::PriceOfNobody { provider_id, .. } if provider_id == "west"));
        assert!(matches!(
            add(&mut prices, &format!("{HEAD}acme/one,,south,flex\n")),
            Err(Error::Line { line: 2 })
        ));
    }

    /// By what LiteLLM's map says of the model: 1.25 and 10, above 200,000 tokens 2.5 and 15; half of each in a batch, and 1.8
    /// times each with priority.
    #[test]
    fn the_list_that_ships_knows_long_prompts_and_service_tiers() {
        let catalogue = Catalogue::starter();
        let offer = catalogue.offer("google/gemini-2.5-pro", STANDARD, "google-vertex");
        let total = |service_tier: Option<&str>, input| {
            let call = Call {
                // 2026-12-01.
                started_at_us: 1_796_083_200_000_000,
                service_tier,
                input_tokens: Some(input),
                output_tokens: Some(1_000),
                ..Call::default()
            };
            catalogue.cost(&offer, &call).map(|cost| cost.total)
        };
        let nano = |input: i128, output: i128| Some(input + output);
        assert_eq!(total(None, 200_000), nano(250_000_000, 10_000_000));
        assert_eq!(total(None, 300_000), nano(750_000_000, 15_000_000));
        assert_eq!(total(Some("batch"), 200_000), nano(125_000_000, 5_000_000));
        assert_eq!(total(Some("batch"), 300_000), nano(375_000_000, 7_500_000));
        assert_eq!(total(Some("priority"), 300_000), nano(1_350_000_000, 27_000_000));
        assert_eq!(total(Some("scale"), 300_000), None);
    }
}
