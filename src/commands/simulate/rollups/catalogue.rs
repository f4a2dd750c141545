//! A catalogue of the names that the starter does not know, in the form of the operator's own.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;

use bellwether_ingest::catalogue::Catalogue;
use bellwether_simulate::Market;

use crate::exit::usage;

pub fn write(file: &Path, market: &Market) -> anyhow::Result<()> {
    std::fs::write(file, text(market))
        .map_err(|error| usage(format!("--catalogue `{}`: cannot write there: {error}", file.display())))
}

fn text(market: &Market) -> String {
    let starter = Catalogue::starter();
    let known = |ids: Vec<&str>| ids.into_iter().map(str::to_owned).collect::<BTreeSet<String>>();
    let authors = known(starter.authors().map(|(id, _)| id).collect());
    let models = known(starter.models().map(|(id, _)| id).collect());
    let providers = known(starter.providers().map(|(id, _)| id).collect());
    let named = |known: &BTreeSet<String>, ids: Vec<&str>| -> BTreeSet<String> {
        ids.into_iter().filter(|id| !known.contains(*id)).map(str::to_owned).collect()
    };
    let places = market.places();
    let mut text = String::from(
        "# Names that `bellwether simulate --rollups` invented. For `file` in [catalogue] of the configuration.\n",
    );
    let mut entry = |table: &str, key: &str, id: &str| {
        let name = id.rsplit('/').next().unwrap_or(id).replace('-', " ");
        let mut letters = name.chars();
        let first = letters.next().map(|letter| letter.to_ascii_uppercase()).into_iter();
        let name: String = first.chain(letters).collect();
        // Writing to a string cannot fail.
        let _ = write!(text, "\n[[{table}]]\n{key} = \"{id}\"\nname = \"{name}\"\n");
    };
    for id in named(&authors, places.iter().map(|place| &*place.author).collect()) {
        entry("authors", "slug", &id);
    }
    for id in named(&providers, places.iter().filter_map(|place| place.provider_id.as_deref()).collect()) {
        entry("providers", "id", &id);
    }
    for id in named(&models, places.iter().map(|place| &*place.model_id).collect()) {
        entry("models", "id", &id);
    }
    text
}

#[cfg(test)]
mod tests {
    use bellwether_ingest::catalogue::Catalogue;
    use bellwether_simulate::{Market, Size};

    use super::text;

    #[test]
    fn every_name_of_the_market_is_known_with_it() {
        let market = Market::new(Size::S10, 1, "2026-11-25".parse().unwrap());
        let catalogue = Catalogue::starter().overlaid(&text(&market)).unwrap();
        for place in market.places() {
            let provider = place.provider_id.as_deref();
            let found = catalogue.resolve("native", Some(&place.model_id), provider, None);
            assert_eq!(found.model_id.as_deref(), Some(&*place.model_id));
            assert_eq!(found.author.as_deref(), Some(&*place.author));
            assert_eq!((found.provider_id.as_deref(), found.model_mapped), (provider, true), "{place:?}");
        }
        assert_eq!(catalogue.model_name("author-001/model-0001"), Some("Model 0001"));
        // The roster's own names keep what the starter calls them.
        let own = Market::new(Size::S1, 1, "2026-11-25".parse().unwrap());
        assert_eq!(text(&own).lines().count(), 1);
    }
}
