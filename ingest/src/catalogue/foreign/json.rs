//! The lists that come as JSON.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use serde_json::{Map, Value};

use super::super::facts::{ModelFacts, Price};
use super::super::parse::split_variant;
use super::super::{Author, Catalogue, Entry, Model, STANDARD};
use super::{Error, Form, Listed, Prices, amount, place};

pub(super) fn read(value: &Value, catalogue: &Catalogue, since: NaiveDate) -> Result<Listed, Error> {
    let top = value.as_object().ok_or(Error::Form)?;
    if let Some(models) = top.get("data").and_then(Value::as_array) {
        return Ok(openrouter(models, catalogue, since));
    }
    let has =
        |member: &str, is: fn(&Value) -> bool| top.values().any(|entry| entry.get(member).is_some_and(is));
    if has("litellm_provider", Value::is_string) {
        return Ok(super::litellm::read(top, catalogue, since));
    }
    if has("models", Value::is_object) {
        return Ok(models_dev(top, catalogue, since));
    }
    Err(Error::Form)
}

fn models_dev(top: &Map<String, Value>, catalogue: &Catalogue, since: NaiveDate) -> Listed {
    let (mut prices, mut unlisted) = (Prices::default(), Vec::new());
    for (provider, entry) in top {
        let models = entry.get("models").and_then(Value::as_object);
        for (name, model) in models.into_iter().flatten() {
            let Some(price) = place(catalogue, name, provider, since) else {
                unlisted.push(format!("{provider}/{name}"));
                continue;
            };
            let per_million =
                |member: &str| amount(model.get("cost").and_then(|cost| cost.get(member)), false);
            let price = Price {
                input: per_million("input"),
                cached_input: per_million("cache_read"),
                cache_write: per_million("cache_write"),
                output: per_million("output"),
                ..price
            };
            prices.note(name, price);
        }
    }
    Listed { unlisted, ..Listed::of(Form::ModelsDev, prices.into_entries().collect()) }
}

/// The one list whose names are ids: what is new of them is a model.
fn openrouter(models: &[Value], catalogue: &Catalogue, since: NaiveDate) -> Listed {
    let (mut authors, mut listed) = (BTreeMap::new(), BTreeMap::new());
    let (mut prices, mut unlisted) = (Prices::default(), Vec::new());
    let serves = catalogue.provider_name("openrouter").is_some();
    for model in models {
        let Some(id) = model.get("id").and_then(Value::as_str) else { continue };
        let resolved = catalogue.resolve("openrouter", Some(id), Some("openrouter"), None);
        let (slug, variant) = split_variant(id);
        let known = resolved.model_id.clone().filter(|_| resolved.model_mapped);
        let model_id = match (known, slug.split_once('/')) {
            (Some(known), _) => known,
            // `~author/…` points to whichever model is the newest.
            (None, Some((author, _))) if !author.starts_with('~') => {
                if catalogue.author_name(author).is_none() {
                    authors.insert(author.to_owned(), author_of(author));
                }
                listed.entry(slug.to_owned()).or_insert_with(|| model_of(slug, model));
                slug.to_owned()
            }
            _ => {
                unlisted.push(id.to_owned());
                continue;
            }
        };
        if !serves {
            continue;
        }
        let pricing = |member: &str| model.get("pricing").and_then(|pricing| pricing.get(member));
        let price = Price {
            model: model_id,
            variant: variant.unwrap_or(STANDARD).to_owned(),
            provider: Some("openrouter".to_owned()),
            valid_from: Some(since),
            valid_to: None,
            input: amount(pricing("prompt"), true),
            cached_input: amount(pricing("input_cache_read"), true),
            cache_write: amount(pricing("input_cache_write"), true),
            output: amount(pricing("completion"), true),
            tiers: Vec::new(),
            // Per request, so as it stands; 0 is what the list writes where there is none.
            request: amount(pricing("request"), false).filter(|amount| amount.0 > 0),
        };
        prices.note(id, price);
    }
    let named = authors.into_values().map(Entry::Author);
    let entries = named.chain(listed.into_values().map(Entry::Model)).chain(prices.into_entries());
    Listed { unlisted, ..Listed::of(Form::OpenRouter, entries.collect()) }
}

fn author_of(slug: &str) -> Author {
    Author { slug: slug.to_owned(), name: slug.to_owned(), names: Vec::new() }
}

fn model_of(id: &str, model: &Value) -> Model {
    let name = model.get("name").and_then(Value::as_str).unwrap_or(id);
    // `Author: Model (free)`.
    let name = name.split_once(": ").map_or(name, |(_, name)| name);
    let name = name.strip_suffix(" (free)").unwrap_or(name);
    let whole = |value: Option<&Value>| value.and_then(Value::as_u64).and_then(|n| u32::try_from(n).ok());
    let words = |member: Option<&Value>| -> Option<Vec<String>> {
        let words = member?.as_array()?.iter().filter_map(Value::as_str);
        Some(words.map(str::to_owned).collect())
    };
    let of = |outer: &str, inner: &str| model.get(outer).and_then(|value| value.get(inner));
    let inputs = words(of("architecture", "input_modalities"));
    let outputs = words(of("architecture", "output_modalities"));
    let takes = words(model.get("supported_parameters"));
    let has = |words: &Option<Vec<String>>, word: &str| {
        words.as_ref().map(|words| words.iter().any(|one| one == word))
    };
    Model {
        id: id.to_owned(),
        name: name.to_owned(),
        names: Vec::new(),
        facts: ModelFacts {
            context_tokens: whole(model.get("context_length")).filter(|n| *n > 0),
            max_output_tokens: whole(of("top_provider", "max_completion_tokens")).filter(|n| *n > 0),
            accepts_images: has(&inputs, "image"),
            accepts_audio: has(&inputs, "audio"),
            accepts_video: has(&inputs, "video"),
            makes_images: has(&outputs, "image"),
            calls_tools: has(&takes, "tools"),
            structures_output: has(&takes, "structured_outputs"),
            reasons: has(&takes, "reasoning"),
            ..ModelFacts::default()
        },
    }
}
