//! What publications are made under, as the configuration has it.

use bellwether_ingest::catalogue;
use bellwether_metrics::{Catalogue, Facts, Keyless, Model, ModelFacts, Named, Price, ProviderFacts, Terms};
use bellwether_web::config::Profile;
use chrono::{DateTime, NaiveDate};
use serde::Deserialize;

use super::Config;

/// What happens to keys of which most requests carry no id of a user.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum WithoutIds {
    #[default]
    Hide,
    Show,
}

impl Config {
    /// The watermark and the running day are those of each publication.
    pub fn terms(&self, catalogue: &catalogue::Catalogue) -> Terms {
        let thresholds = self.web.thresholds();
        let count = |value: u64| u32::try_from(value).unwrap_or(u32::MAX);
        Terms {
            catalogue: names(catalogue),
            users: count(thresholds.users),
            keyless: match self.publication.without_ids {
                WithoutIds::Hide => Keyless::Hide,
                WithoutIds::Show => Keyless::Show,
            },
            has_raw_names: self.web.profile != Profile::Public,
            growth_requests: count(thresholds.growth_requests),
            counted_attempts: count(thresholds.counted_attempts),
            speed_requests: count(thresholds.speed_requests),
            watermark: DateTime::UNIX_EPOCH,
            today: NaiveDate::default(),
        }
    }
}

fn names(catalogue: &catalogue::Catalogue) -> Catalogue {
    let named = |(id, name): (&str, &str)| Named { id: id.to_owned(), name: name.to_owned() };
    let model = |(id, name): (&str, &str)| {
        // Every id of a catalogue is `author/slug`.
        let author = id.split_once('/').map_or(id, |(author, _)| author);
        Model { id: id.to_owned(), author: author.to_owned(), name: name.to_owned() }
    };
    Catalogue {
        models: catalogue.models().map(model).collect(),
        authors: catalogue.authors().map(named).collect(),
        providers: catalogue.providers().map(named).collect(),
        facts: facts(catalogue),
    }
}

fn facts(catalogue: &catalogue::Catalogue) -> Facts {
    let model = |(id, facts): (&str, &catalogue::ModelFacts)| {
        let facts = ModelFacts {
            released_on: facts.released_on,
            context_tokens: facts.context_tokens.map(i64::from),
            max_output_tokens: facts.max_output_tokens.map(i64::from),
            license: facts.license.clone(),
            has_open_weights: facts.has_open_weights,
            accepts_images: facts.accepts_images,
            accepts_audio: facts.accepts_audio,
            accepts_video: facts.accepts_video,
            makes_images: facts.makes_images,
        };
        (id.to_owned(), facts)
    };
    let provider = |(id, facts): (&str, &catalogue::ProviderFacts)| {
        let facts = ProviderFacts {
            country: facts.country.clone(),
            retention_days: facts.retention_days.map(i64::from),
            trains_on_prompts: facts.trains_on_prompts,
        };
        (id.to_owned(), facts)
    };
    let price = |price: &catalogue::Price| {
        let amount = |amount: Option<catalogue::Amount>| amount.map(|amount| amount.0);
        Price {
            model: price.model.clone(),
            variant: price.variant.clone(),
            provider: price.provider.clone(),
            valid_from: price.valid_from,
            valid_to: price.valid_to,
            input: amount(price.input),
            cached_input: amount(price.cached_input),
            cache_write: amount(price.cache_write),
            output: amount(price.output),
            request: amount(price.request),
        }
    };
    // An entry that knows nothing is as good as none.
    let (no_model, no_provider) = (catalogue::ModelFacts::default(), catalogue::ProviderFacts::default());
    Facts {
        models: catalogue.model_facts().filter(|(_, facts)| **facts != no_model).map(model).collect(),
        providers: catalogue
            .provider_facts()
            .filter(|(_, facts)| **facts != no_provider)
            .map(provider)
            .collect(),
        prices: catalogue.prices().iter().map(price).collect(),
    }
}

#[cfg(test)]
mod tests {
    use bellwether_ingest::reject::Reason;

    use super::*;

    fn terms(text: &str) -> Terms {
        let mut config: Config = toml::from_str(text).unwrap();
        config.web.profile = config.publication.profile;
        config.web.thresholds = config.publication.thresholds;
        let catalogue = "[[authors]]\nslug = \"acme\"\nname = \"Acme\"\n\
                         [[models]]\nid = \"acme/one\"\nname = \"One\"\n";
        config.terms(&catalogue::Catalogue::from_toml(catalogue).unwrap())
    }

    #[test]
    fn a_profile_says_how_many_users_a_name_needs_and_a_key_replaces_it() {
        let of = |text: &str| {
            let terms = terms(text);
            (terms.users, terms.keyless, terms.has_raw_names)
        };
        assert_eq!(of(""), (20, Keyless::Hide, false));
        assert_eq!(of("[publication]\nprofile = \"private\""), (0, Keyless::Hide, true));
        assert_eq!(of("[publication]\nprofile = \"demo\""), (3, Keyless::Hide, true));
        let own = "[publication]\nwithout_ids = \"show\"\nthresholds = { users = 7 }";
        assert_eq!(of(own), (7, Keyless::Show, false));
        let error = toml::from_str::<Config>("[publication]\nwithout_ids = \"maybe\"").unwrap_err();
        assert!(error.to_string().contains("`hide` or `show`"), "{error}");
    }

    #[test]
    fn names_are_those_of_the_catalogue() {
        let catalogue = terms("").catalogue;
        let one = Model { id: "acme/one".into(), author: "acme".into(), name: "One".into() };
        assert_eq!(catalogue.models, [one]);
        assert_eq!(catalogue.authors, [Named { id: "acme".into(), name: "Acme".into() }]);
        assert!(catalogue.providers.is_empty());
        assert_eq!(catalogue.facts, Facts::default());
    }

    #[test]
    fn facts_and_prices_are_those_of_the_catalogue() {
        let text = r#"
            authors = [{ slug = "acme", name = "Acme" }]
            providers = [{ id = "north", name = "North", facts = { country = "NO", trains_on_prompts = true } }]
            models = [
                { id = "acme/one", name = "One", facts = { context_tokens = 9, makes_images = false, license = "MIT" } },
                { id = "acme/two", name = "Two" },
            ]
            prices = [
                { model = "acme/one", provider = "north", valid_from = "2026-01-01", input = "0.25", cache_write = "3" },
            ]
        "#;
        let facts = Config::default().terms(&catalogue::Catalogue::from_toml(text).unwrap()).catalogue.facts;
        let one = ModelFacts {
            context_tokens: Some(9),
            license: Some("MIT".into()),
            makes_images: Some(false),
            ..ModelFacts::default()
        };
        assert_eq!(facts.models, [("acme/one".to_owned(), one)].into());
        let north = ProviderFacts {
            country: Some("NO".into()),
            trains_on_prompts: Some(true),
            ..ProviderFacts::default()
        };
        assert_eq!(facts.providers, [("north".to_owned(), north)].into());
        let price = Price {
            model: "acme/one".into(),
            variant: "standard".into(),
            provider: Some("north".into()),
            valid_from: "2026-01-01".parse().ok(),
            input: Some(250_000_000),
            cache_write: Some(3_000_000_000),
            ..Price::default()
        };
        assert_eq!(facts.prices, [price]);
    }

    #[test]
    fn each_reason_to_refuse_a_record_is_counted_in_a_column_of_its_own() {
        let columns = bellwether_metrics::quality_by_day::TABLE.columns;
        let known = columns.iter().filter_map(|column| column.name.strip_prefix("rejects_"));
        let reasons: Vec<&str> = Reason::ALL.into_iter().map(Reason::as_str).chain(["other"]).collect();
        assert_eq!(known.collect::<Vec<_>>(), reasons);
    }
}
