//! What a catalogue may know of its names beside their spellings, and what models cost by the list. What is left out is
//! unknown.

use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::str::FromStr;

use chrono::NaiveDate;
use serde::{Deserialize, Deserializer};

use super::{Error, STANDARD};
use crate::formats::decimal;

/// `facts` of an entry of `models`. Dates are texts such as `"2026-03-01"`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ModelFacts {
    pub released_on: Option<NaiveDate>,
    /// Of prompt and answer together.
    pub context_tokens: Option<u32>,
    pub max_output_tokens: Option<u32>,
    /// SPDX name where there is one.
    pub license: Option<String>,
    pub has_open_weights: Option<bool>,
    pub accepts_images: Option<bool>,
    pub accepts_audio: Option<bool>,
    pub accepts_video: Option<bool>,
    pub makes_images: Option<bool>,
    pub calls_tools: Option<bool>,
    /// Answers in a shape that the caller gives.
    pub structures_output: Option<bool>,
    pub reasons: Option<bool>,
}

/// `facts` of an entry of `providers`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ProviderFacts {
    /// Where it is at home, ISO 3166-1 alpha-2.
    pub country: Option<String>,
    /// For how long it keeps prompts; 0: not at all.
    pub retention_days: Option<u32>,
    /// Unless told otherwise.
    pub trains_on_prompts: Option<bool>,
}

/// An entry of `prices`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Price {
    /// `author/slug` of the list.
    pub model: String,
    #[serde(default = "standard")]
    pub variant: String,
    /// An id of the list; None: wherever no other price says otherwise.
    pub provider: Option<String>,
    /// First day; None: since it is known.
    pub valid_from: Option<NaiveDate>,
    /// Last day, inclusive; None: still.
    pub valid_to: Option<NaiveDate>,
    /// USD per million tokens, as the next three: texts such as `"0.25"`, so that none is rounded.
    pub input: Option<Amount>,
    pub cached_input: Option<Amount>,
    pub cache_write: Option<Amount>,
    pub output: Option<Amount>,
    /// USD per request.
    pub request: Option<Amount>,
    /// What takes the place of these amounts for some requests.
    #[serde(default)]
    pub tiers: Vec<Tier>,
}

/// An entry of `tiers` of a price: it holds for requests of a service tier, for long ones, or for both. An amount that is left
/// out is that of the price.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tier {
    /// `batch`, `flex`, `priority`, …; None: the standard one.
    pub service_tier: Option<String>,
    /// Holds for requests with more input tokens, cached ones included; None: for all.
    pub above_input_tokens: Option<u32>,
    pub input: Option<Amount>,
    pub cached_input: Option<Amount>,
    pub cache_write: Option<Amount>,
    pub output: Option<Amount>,
}

/// What there are amounts of: names of members, in the order of [`Price::amounts`]. A tier has all but the last.
pub(super) const METERS: [&str; 5] = ["input", "cached_input", "cache_write", "output", "request"];

/// 10⁻⁹ USD.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Amount(pub i128);

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl Amount {
    pub(super) fn parse(text: &str) -> Option<Self> {
        decimal::parse(text, 9).ok().map(Self)
    }
}

/// As the lists write it, without zeros that say nothing.
impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = Vec::new();
        decimal::write_nano(self.0, &mut text);
        f.write_str(&String::from_utf8_lossy(&text))
    }
}

impl FromStr for Amount {
    type Err = NoAmount;

    fn from_str(text: &str) -> Result<Self, NoAmount> {
        Self::parse(text).ok_or_else(|| NoAmount(text.to_owned()))
    }
}

/// A text that is no amount.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
#[error("`{0}` is no amount of USD such as `0.25`")]
pub struct NoAmount(String);

fn standard() -> String {
    STANDARD.to_owned()
}

/// What a price is of.
type Place<'a> = (&'a str, &'a str, Option<&'a str>);

impl Price {
    pub(super) fn place(&self) -> Place<'_> {
        (&self.model, &self.variant, self.provider.as_deref())
    }

    pub(super) fn amounts(&self) -> [Option<Amount>; METERS.len()] {
        [self.input, self.cached_input, self.cache_write, self.output, self.request]
    }

    /// In one order, whichever they stand in.
    pub(super) fn sorted_tiers(&self) -> Vec<&Tier> {
        let mut tiers: Vec<&Tier> = self.tiers.iter().collect();
        tiers.sort_by_key(|tier| (&tier.service_tier, tier.above_input_tokens));
        tiers
    }

    /// Of no request two tiers say the same, and none says what the price itself does.
    fn has_clear_tiers(&self) -> bool {
        let mut seen = HashSet::new();
        let is_clear = |tier: &Tier| {
            let service_tier = tier.service_tier.as_deref().map(str::to_ascii_lowercase);
            let says_something = service_tier.is_some() || tier.above_input_tokens.is_some();
            (says_something, (service_tier, tier.above_input_tokens))
        };
        self.tiers.iter().map(is_clear).all(|(says_something, of)| says_something && seen.insert(of))
    }

    pub(super) fn first(&self) -> NaiveDate {
        self.valid_from.unwrap_or(NaiveDate::MIN)
    }

    pub(super) fn last(&self) -> NaiveDate {
        self.valid_to.unwrap_or(NaiveDate::MAX)
    }
}

impl Tier {
    /// In the order of [`METERS`].
    pub(super) fn amounts(&self) -> [Option<Amount>; 4] {
        [self.input, self.cached_input, self.cache_write, self.output]
    }
}

/// Prices of names of the list, of which no two hold on one day.
pub(super) fn check(
    prices: &[Price],
    knows_model: impl Fn(&str) -> bool,
    knows_provider: impl Fn(&str) -> bool,
) -> Result<(), Error> {
    let mut by_place: BTreeMap<Place<'_>, Vec<&Price>> = BTreeMap::new();
    for price in prices {
        if !knows_model(&price.model) || price.provider.as_deref().is_some_and(|id| !knows_provider(id)) {
            return Err(Error::PriceOfNobody {
                model_id: price.model.clone(),
                provider_id: price.provider.clone().unwrap_or_default(),
            });
        }
        by_place.entry(price.place()).or_default().push(price);
    }
    if let Some(price) = prices.iter().find(|price| !price.has_clear_tiers()) {
        return Err(Error::Tiers { model_id: price.model.clone(), from: price.first() });
    }
    for of_place in by_place.values_mut() {
        of_place.sort_by_key(|price| price.first());
        let overlap =
            of_place.windows(2).find(|pair| matches!(pair, [one, next] if one.last() >= next.first()));
        if let Some(price) = overlap.and_then(|pair| pair.last()) {
            return Err(Error::PriceDays { model_id: price.model.clone(), from: price.first() });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::Catalogue;
    use super::*;

    const NAMES: &str = r#"
        authors = [{ slug = "acme", name = "Acme" }]
        providers = [
            { id = "north", name = "North", facts = { country = "NO", retention_days = 0 } },
            { id = "south", name = "South" },
        ]
        models = [
            { id = "acme/one", name = "One", facts = { released_on = "2026-03-01", context_tokens = 200_000, license = "MIT" } },
            { id = "acme/two", name = "Two" },
        ]
    "#;

    fn with(prices: &str) -> Result<Catalogue, Error> {
        Catalogue::from_toml(&format!("{NAMES}\nprices = [{prices}]"))
    }

    #[test]
    fn facts_are_those_of_the_entry_and_unknown_where_it_has_none() {
        let catalogue = with("").unwrap();
        let models: Vec<_> = catalogue.model_facts().collect();
        let one = ModelFacts {
            released_on: Some("2026-03-01".parse().unwrap()),
            context_tokens: Some(200_000),
            license: Some("MIT".into()),
            ..ModelFacts::default()
        };
        assert_eq!(models, [("acme/one", &one), ("acme/two", &ModelFacts::default())]);
        let providers: Vec<_> = catalogue.provider_facts().collect();
        let north =
            ProviderFacts { country: Some("NO".into()), retention_days: Some(0), trains_on_prompts: None };
        assert_eq!(providers, [("north", &north), ("south", &ProviderFacts::default())]);
        // An entry of the operator's own replaces the whole.
        let over = r#"models = [{ id = "acme/one", name = "Uno" }]"#;
        let catalogue = catalogue.overlaid(over).unwrap();
        assert_eq!(catalogue.model_facts().next(), Some(("acme/one", &ModelFacts::default())));
        let error = Catalogue::from_toml(&NAMES.replace("license", "licence")).unwrap_err();
        assert!(std::error::Error::source(&error).unwrap().to_string().contains("licence"));
    }

    #[test]
    fn amounts_are_exact_and_nothing_else_is_one() {
        let catalogue = with(
            r#"{ model = "acme/one", input = "0.25", output = "1e1", request = "0.000000001" },
               { model = "acme/one", variant = "free", provider = "north", valid_from = "2026-01-01", input = "0" }"#,
        )
        .unwrap();
        let prices = catalogue.prices();
        let amounts = [prices[0].input, prices[0].output, prices[0].request, prices[0].cached_input];
        let usd = 1_000_000_000;
        assert_eq!(amounts, [Some(Amount(usd / 4)), Some(Amount(10 * usd)), Some(Amount(1)), None]);
        assert_eq!(prices[0].place(), ("acme/one", "standard", None));
        assert_eq!(prices[1].place(), ("acme/one", "free", Some("north")));
        for wrong in ["\"-1\"", "\"a\"", "\"\"", "0.25", "\"nan\""] {
            let error = with(&format!("{{ model = \"acme/one\", input = {wrong} }}")).unwrap_err();
            assert!(matches!(error, Error::Toml(_)), "{wrong}: {error}");
        }
    }

    #[test]
    fn a_price_is_of_names_of_the_list_and_of_days_of_its_own() {
        for wrong in [r#"{ model = "acme/three" }"#, r#"{ model = "acme/one", provider = "west" }"#] {
            assert!(matches!(with(wrong).unwrap_err(), Error::PriceOfNobody { .. }), "{wrong}");
        }
        let days = |from: &str, to: &str| {
            let day = |name: &str, day: &str| {
                if day.is_empty() { String::new() } else { format!(", {name} = \"{day}\"") }
            };
            format!("{{ model = \"acme/one\"{}{} }},", day("valid_from", from), day("valid_to", to))
        };
        let of =
            |pairs: &[(&str, &str)]| with(&pairs.iter().map(|(from, to)| days(from, to)).collect::<String>());
        assert!(of(&[("2026-02-01", ""), ("", "2026-01-31")]).is_ok());
        for wrong in [&[("2026-02-01", ""), ("", "2026-02-01")][..], &[("", ""), ("", "")]] {
            assert!(matches!(of(wrong).unwrap_err(), Error::PriceDays { .. }), "{wrong:?}");
        }
    }

    #[test]
    fn tiers_of_a_price_hold_for_other_requests_each() {
        let of = |tiers: &str| with(&format!("{{ model = \"acme/one\", input = \"1\", tiers = [{tiers}] }}"));
        let clear = r#"{ service_tier = "flex" }, { above_input_tokens = 200_000 }, { above_input_tokens = 500_000 },
                       { service_tier = "flex", above_input_tokens = 200_000, output = "0.5" }"#;
        let catalogue = of(clear).unwrap();
        let last = Tier {
            service_tier: Some("flex".into()),
            above_input_tokens: Some(200_000),
            output: Some(Amount(500_000_000)),
            ..Tier::default()
        };
        assert_eq!(catalogue.prices()[0].tiers.last(), Some(&last));
        for wrong in [
            r#"{ input = "2" }"#,
            r#"{ service_tier = "flex", input = "2" }, { service_tier = "Flex", output = "2" }"#,
            "{ above_input_tokens = 1 }, { above_input_tokens = 1 }",
        ] {
            assert!(matches!(of(wrong).unwrap_err(), Error::Tiers { .. }), "{wrong}");
        }
        assert!(matches!(of("{ tier = \"flex\" }").unwrap_err(), Error::Toml(_)));
    }

    #[test]
    fn prices_of_an_operator_take_the_place_of_all_of_the_same_place() {
        let catalogue = with(
            r#"{ model = "acme/one", valid_to = "2026-01-31", input = "1" }, { model = "acme/one", valid_from = "2026-02-01" },
               { model = "acme/two", input = "3" }"#,
        );
        let over = r#"prices = [{ model = "acme/one", input = "7" }]"#;
        let catalogue = catalogue.unwrap().overlaid(over).unwrap();
        let found: Vec<_> =
            catalogue.prices().iter().map(|price| (price.model.as_str(), price.input)).collect();
        let usd = 1_000_000_000;
        assert_eq!(found, [("acme/two", Some(Amount(3 * usd))), ("acme/one", Some(Amount(7 * usd)))]);
    }
}
