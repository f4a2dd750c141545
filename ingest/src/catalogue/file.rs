//! The catalogue's TOML file.

use std::collections::HashMap;

use serde::Deserialize;

use super::facts::{ModelFacts, Price, ProviderFacts};
use super::{Error, Names, hosts};
use crate::account;

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    #[serde(default)]
    pub authors: Vec<Author>,
    #[serde(default)]
    pub providers: Vec<Provider>,
    #[serde(default)]
    pub models: Vec<Model>,
    #[serde(default)]
    pub families: Vec<Family>,
    #[serde(default)]
    pub aliases: Vec<Alias>,
    #[serde(default)]
    pub prices: Vec<Price>,
}

impl File {
    pub fn parse(text: &str) -> Result<Self, Error> {
        let mut file: Self = toml::from_str(text).map_err(|error| Error::Toml(Box::new(error)))?;
        // What it is compared with has no account either.
        for name in file.aliases.iter_mut().filter_map(|alias| alias.raw_model.as_mut()) {
            if let Some(blanked) = account::blanked(name) {
                *name = blanked;
            }
        }
        Ok(file)
    }

    /// Entries of `over` replace those of the same id or follow them; its rules come before the old ones.
    pub fn overlaid(mut self, over: Self) -> Self {
        lay(&mut self.authors, over.authors, |author| &author.slug);
        lay(&mut self.providers, over.providers, |provider| &provider.id);
        lay(&mut self.models, over.models, |model| &model.id);
        self.families.splice(0..0, over.families);
        self.aliases.splice(0..0, over.aliases);
        // A list of prices of one place is one thing: days of two lists may not fit each other.
        self.prices.retain(|price| over.prices.iter().all(|other| other.place() != price.place()));
        self.prices.extend(over.prices);
        self
    }
}

fn lay<T>(entries: &mut Vec<T>, over: Vec<T>, id: impl Fn(&T) -> &String) {
    let mut places: HashMap<String, usize> =
        entries.iter().enumerate().map(|(at, entry)| (id(entry).clone(), at)).collect();
    for entry in over {
        match places.get(id(&entry)).and_then(|at| entries.get_mut(*at)) {
            Some(known) => *known = entry,
            None => {
                places.insert(id(&entry).clone(), entries.len());
                entries.push(entry);
            }
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Author {
    pub slug: String,
    pub name: String,
    /// Other spellings in front of a model's name.
    #[serde(default)]
    pub names: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Provider {
    pub id: String,
    pub name: String,
    /// Other spellings in logs.
    #[serde(default)]
    pub names: Vec<String>,
    /// Hosts of its OpenAI-compatible API; a leading dot stands for every name below.
    #[serde(default)]
    pub hosts: Vec<String>,
    /// Behind a colon its names say which variant is meant, as OpenRouter's slugs do.
    #[serde(default)]
    pub has_variants: bool,
    #[serde(default)]
    pub facts: ProviderFacts,
}

#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Model {
    /// `author/slug`.
    pub id: String,
    pub name: String,
    /// Other slugs in logs that have another key, without provider prefix, region and date.
    #[serde(default)]
    pub names: Vec<String>,
    #[serde(default)]
    pub facts: ModelFacts,
}

/// Of several models with one key, the one by this author is meant when the name starts so. It never makes a model.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Family {
    pub prefix: String,
    pub author: String,
    /// `llama3` is spelled for `llama-3`.
    #[serde(default)]
    pub splits: bool,
}

/// A rule for whole names, whatever their case; members that are left out match anything.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Alias {
    pub source: Option<String>,
    pub raw_model: Option<String>,
    pub raw_provider: Option<String>,
    pub host: Option<String>,
    pub model_id: Option<String>,
    pub provider_id: Option<String>,
    pub variant: Option<String>,
}

impl Alias {
    pub fn matches(&self, names: &Names<&str>) -> bool {
        let fits = |rule: &Option<String>, raw: Option<&str>| match rule.as_deref() {
            None => true,
            Some(rule) => raw.is_some_and(|raw| raw.eq_ignore_ascii_case(rule)),
        };
        let fits_host = |rule: &str| names.host.is_some_and(|host| hosts::matches(host, rule));
        fits(&self.source, Some(names.source))
            && fits(&self.raw_model, names.model)
            && fits(&self.raw_provider, names.provider)
            && self.host.as_deref().is_none_or(fits_host)
    }
}
