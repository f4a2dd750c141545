//! What a catalogue file may say by itself, before it is laid over another: names that pages and files can have, aliases that
//! agree, amounts that somebody can mean.

use std::collections::HashMap;

use super::Error;
use super::facts::{METERS, Price};
use super::file::{Alias, File};

/// The form of the files that this program reads; a file without `version` has it.
pub(super) const VERSION: u32 = 1;
/// Longest id and longest name to show, in bytes and in characters. Ids stand in addresses and in every row.
const ID_BYTES: usize = 128;
const NAME_CHARS: usize = 200;
/// Longest spelling, in bytes: more than any cloud's longest resource name.
const SPELLING_BYTES: usize = 2_048;
/// Endings of the data files of a page, which an id may not have: both would be one address.
const SUFFIXES: [&str; 8] = [".json", ".csv", ".parquet", ".arrow", ".svg", ".png", ".md", ".atom"];

/// USD per million tokens, and per request. The dearest model of the shipped list costs 600 per million tokens: what is above
/// this is an amount of cents, or per thousand million.
const MAX_USD_PER_MILLION: i128 = 10_000;
const MAX_USD_PER_REQUEST: i128 = 1_000;
const USD: i128 = 1_000_000_000;

pub(super) fn check(file: &File) -> Result<(), Error> {
    for author in &file.authors {
        entry("authors", &author.slug, &author.name, &author.names)?;
    }
    for provider in &file.providers {
        entry("providers", &provider.id, &provider.name, &provider.names)?;
    }
    for model in &file.models {
        // That it has an author is asked for once the authors are known.
        let slug = model.id.split_once('/').map_or(model.id.as_str(), |(_, slug)| slug);
        id("models", &model.id, slug)?;
        shown("models", &model.id, &model.name)?;
        spelled("models", &model.id, &model.names)?;
    }
    aliases(&file.aliases)?;
    file.prices.iter().try_for_each(price)
}

fn entry(list: &'static str, key: &str, name: &str, names: &[String]) -> Result<(), Error> {
    id(list, key, key)?;
    shown(list, key, name)?;
    spelled(list, key, names)
}

/// `slug` is what of the id stands as one part of an address.
fn id(list: &'static str, key: &str, slug: &str) -> Result<(), Error> {
    let refused = |why: String, remedy: &'static str| Err(Error::Id { list, id: cut(key), why, remedy });
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_' | '+');
    let lower = slug.to_ascii_lowercase();
    if slug.is_empty() || key.len() > ID_BYTES {
        return refused(format!("is not 1 to {ID_BYTES} bytes long"), "give it a shorter one");
    }
    if let Some(c) = slug.chars().find(|c| !is_plain(*c)) {
        return refused(
            format!("has the character {c:?}"),
            "ids have ASCII letters, digits and `-._+`; any script may stand in `name` and `names`",
        );
    }
    match SUFFIXES.iter().find(|suffix| lower.ends_with(**suffix)) {
        Some(suffix) => refused(
            format!("ends in `{suffix}`, as the data file of a page does"),
            "leave the ending out of the id and list the whole in `names`",
        ),
        None if lower.chars().all(|c| c == '.') => {
            refused("is nothing but points".into(), "give it a letter or a digit")
        }
        None => Ok(()),
    }
}

fn shown(list: &'static str, key: &str, name: &str) -> Result<(), Error> {
    let refused =
        |why: String, remedy: &'static str| Err(Error::ShownName { list, id: cut(key), why, remedy });
    if name.trim().is_empty() || name.chars().count() > NAME_CHARS {
        return refused(
            format!("is not 1 to {NAME_CHARS} characters long"),
            "give the name that pages are to show",
        );
    }
    match name.chars().find(|c| c.is_control()) {
        Some(c) => refused(format!("has the control character {c:?}"), "write it in one line of text"),
        None => Ok(()),
    }
}

fn spelled(list: &'static str, key: &str, names: &[String]) -> Result<(), Error> {
    let is_wrong = |name: &&String| name.trim().is_empty() || name.len() > SPELLING_BYTES;
    match names.iter().find(is_wrong) {
        Some(_) => Err(Error::Spelling { list, id: cut(key), bytes: SPELLING_BYTES }),
        None => Ok(()),
    }
}

/// One name leads to one thing, whatever its case; an alias that stands there twice is one.
fn aliases(aliases: &[Alias]) -> Result<(), Error> {
    let lower = |text: &Option<String>| text.as_ref().map(|text| text.to_ascii_lowercase());
    let mut known = HashMap::new();
    for alias in aliases {
        let key = [&alias.source, &alias.raw_model, &alias.raw_provider, &alias.host].map(lower);
        let first: &Alias = known.entry(key).or_insert(alias);
        if first.target() != alias.target() {
            return Err(Error::Aliases { of: alias.key(), first: told(first), second: told(alias) });
        }
    }
    Ok(())
}

fn told(alias: &Alias) -> String {
    let (model, variant, provider) = alias.target();
    let parts = [("model", model), ("variant", variant), ("provider", provider)];
    let parts = parts.into_iter().filter_map(|(what, id)| Some(format!("{what} `{}`", cut(id?))));
    parts.collect::<Vec<_>>().join(" ")
}

fn price(price: &Price) -> Result<(), Error> {
    let of_tiers = price.tiers.iter().flat_map(|tier| METERS.into_iter().zip(tier.amounts()));
    for (meter, amount) in METERS.into_iter().zip(price.amounts()).chain(of_tiers) {
        let (most, per) = match meter {
            "request" => (MAX_USD_PER_REQUEST, "request"),
            _ => (MAX_USD_PER_MILLION, "million tokens"),
        };
        if amount.is_some_and(|amount| amount.0 > most * USD) {
            return Err(Error::PriceTooHigh { model_id: cut(&price.model), meter, most, per });
        }
    }
    match (price.valid_from, price.valid_to) {
        (Some(from), Some(to)) if from > to => {
            Err(Error::PriceBackwards { model_id: cut(&price.model), from, to })
        }
        _ => Ok(()),
    }
}

/// What of a name an error shows.
fn cut(text: &str) -> String {
    const SHOWN: usize = 80;
    match text.char_indices().nth(SHOWN) {
        Some((at, _)) => format!("{}…", text.get(..at).unwrap_or_default()),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::Catalogue;

    const NAMES: &str = r#"
        authors = [{ slug = "acme", name = "Acme" }]
        providers = [{ id = "north", name = "North" }]
    "#;
    const MODELS: &str = r#"models = [{ id = "acme/one", name = "One" }, { id = "acme/two", name = "Two" }]"#;

    /// What a file that has `more` beside a few names is refused for, in one line.
    fn refusal(more: &str) -> Option<String> {
        let models = if more.starts_with("models = ") { "" } else { MODELS };
        let text = format!("{more}\n{models}\n{NAMES}");
        let error = Catalogue::empty().overlaid(&text).err()?;
        Some(bellwether_warehouse::chain(&error))
    }

    #[test]
    fn what_a_file_may_not_say_is_one_line_with_key_and_remedy() {
        let model = |id: &str, name: &str| format!("models = [{{ id = {id:?}, name = {name:?} }}]");
        let alias = |more: &str| {
            format!(
                "aliases = [{{ raw_model = \"x\", raw_provider = \"North\", model_id = \"acme/one\" }}, {{ {more} }}]"
            )
        };
        let price = |more: &str| format!("prices = [{{ model = \"acme/one\", {more} }}]");
        let long = "m".repeat(129 - "acme/".len());
        for (text, wanted) in [
            (
                alias("raw_model = \"X\", raw_provider = \"north\", model_id = \"acme/two\""),
                &[
                    "`aliases`",
                    "raw_model `X`, raw_provider `north`",
                    "model `acme/one`",
                    "model `acme/two`",
                    "keep one",
                ][..],
            ),
            (
                alias(
                    "raw_model = \"x\", raw_provider = \"north\", model_id = \"acme/one\", variant = \"free\"",
                ),
                &["`aliases`", "variant `free`"],
            ),
            (
                price("valid_from = \"2026-02-02\", valid_to = \"2026-02-01\""),
                &["`prices`", "`acme/one`", "2026-02-02", "2026-02-01", "ends before it begins", "correct"],
            ),
            (
                price("input = \"1000000\""),
                &["`input` of `acme/one`", "`prices`", "10000 USD per million tokens"],
            ),
            (price("output = \"10000.000000001\""), &["`output` of `acme/one`"]),
            (
                price("input = \"1\", tiers = [{ service_tier = \"flex\", cached_input = \"10001\" }]"),
                &["`cached_input` of `acme/one`"],
            ),
            (price("request = \"1000.1\""), &["`request` of `acme/one`", "1000 USD per request"]),
            ("version = 2".to_owned(), &["`version` 2", "reads version 1", "update"]),
            ("version = 2\nshapes = []".to_owned(), &["`version` 2", "update"]),
            ("version = 0".to_owned(), &["`version` 0"]),
            (model("acme/one.json", "One"), &["`models`", "`acme/one.json`", "ends in `.json`", "`names`"]),
            (model("acme/ONE.Csv", "One"), &["`.csv`"]),
            (model("acme/one.parquet", "One"), &["`.parquet`"]),
            (model("acme/one.arrow", "One"), &["`.arrow`"]),
            (model("acme/one.svg", "One"), &["`.svg`"]),
            (model("acme/one.png", "One"), &["`.png`"]),
            (model("acme/one.md", "One"), &["`.md`"]),
            (model("acme/one.atom", "One"), &["`.atom`"]),
            (
                model("acme/模型", "One"),
                &["`models`", "`acme/模型`", "'模'", "any script may stand in `name`"],
            ),
            (model("acme/one two", "One"), &["' '"]),
            (model("acme/a/b", "One"), &["'/'"]),
            (model("acme/..", "One"), &["nothing but points"]),
            (model("acme/", "One"), &["1 to 128 bytes"]),
            (model(&format!("acme/{long}"), "One"), &["`models`", "1 to 128 bytes", "…", "shorter"]),
            (model("acme/one", ""), &["`name` of `acme/one` in `models`", "1 to 200 characters"]),
            (model("acme/one", &"名".repeat(201)), &["1 to 200 characters"]),
            (
                "models = [{ id = \"acme/one\", name = \"a\\u0007b\" }]".to_owned(),
                &["control character '\\u{7}'", "one line"],
            ),
            (
                "models = [{ id = \"acme/one\", name = \"One\", names = [\" \"] }]".to_owned(),
                &["`names` of `acme/one` in `models`", "1 to 2048 bytes"],
            ),
        ] {
            let told = refusal(&text).unwrap_or_else(|| panic!("taken: {text}"));
            for word in wanted {
                assert!(told.contains(word), "`{word}` is missing in: {told}");
            }
            assert!(!told.contains('\n') && told.len() < 400, "{told}");
        }
    }

    #[test]
    fn what_a_file_may_say_is_taken() {
        for text in [
            "version = 1".to_owned(),
            "prices = [{ model = \"acme/one\", input = \"0\", output = \"10000\", request = \"1000\" }]".to_owned(),
            "prices = [{ model = \"acme/one\", valid_from = \"2026-02-01\", valid_to = \"2026-02-01\" }]".to_owned(),
            // The same twice, and another host.
            "aliases = [{ raw_model = \"x\", model_id = \"acme/one\" }, { raw_model = \"X\", model_id = \"acme/one\" },\n\
             { raw_model = \"x\", host = \"a.example\", model_id = \"acme/two\" }]"
                .to_owned(),
            format!("models = [{{ id = \"acme/{}\", name = \"{}\" }}]", "m".repeat(123), "名".repeat(200)),
            "models = [{ id = \"acme/one.jsonl\", name = \"модель نموذج 模型 👩🏽‍🚀\", names = [\"模型.json\"] }]".to_owned(),
        ] {
            assert_eq!(refusal(&text), None, "{text}");
        }
        let text = format!(
            "aliases = [{{ raw_model = \"模型-生产\", model_id = \"acme/one\" }}]\n{MODELS}\n{NAMES}"
        );
        let catalogue = Catalogue::from_toml(&text).unwrap();
        let resolved = catalogue.resolve("native", Some("模型-生产"), None, None);
        assert_eq!(resolved.model_id.as_deref(), Some("acme/one"));
    }

    #[test]
    fn the_shipped_lists_keep_the_rules() {
        super::check(&super::super::lists::starter().unwrap()).unwrap();
    }
}
