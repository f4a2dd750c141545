//! What publications are made under, as the configuration has it.

use bellwether_ingest::catalogue;
use bellwether_metrics::{Catalogue, Facts, Keyless, Model, Named, Terms};
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
        facts: Facts::default(),
    }
}

#[cfg(test)]
mod tests {
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
    }
}
