//! The catalogue's TOML file.

use std::collections::HashMap;

use serde::Deserialize;

use super::facts::{ModelFacts, Price, ProviderFacts};
use super::{Names, hosts};

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    /// Of the form of the file; none: the first.
    pub version: Option<u32>,
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

/// Who makes models.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Author {
    pub slug: String,
    pub name: String,
    /// Other spellings in front of a model's name.
    #[serde(default)]
    pub names: Vec<String>,
}

/// Who serves models.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Provider {
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

/// An entry of `models`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Model {
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
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Family {
    pub prefix: String,
    pub author: String,
    /// `llama3` is spelled for `llama-3`.
    #[serde(default)]
    pub splits: bool,
}

/// A rule for whole names, whatever their case; members that are left out match anything.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Alias {
    pub source: Option<String>,
    pub raw_model: Option<String>,
    pub raw_provider: Option<String>,
    pub host: Option<String>,
    pub model_id: Option<String>,
    pub provider_id: Option<String>,
    pub variant: Option<String>,
}

impl Alias {
    /// Model, variant and provider that it leads to.
    pub(super) fn target(&self) -> (Option<&str>, Option<&str>, Option<&str>) {
        (self.model_id.as_deref(), self.variant.as_deref(), self.provider_id.as_deref())
    }

    /// What must equal what is given, for people.
    pub(super) fn key(&self) -> String {
        let members = [
            ("source", &self.source),
            ("raw_model", &self.raw_model),
            ("raw_provider", &self.raw_provider),
            ("host", &self.host),
        ];
        let members =
            members.into_iter().filter_map(|(name, text)| Some(format!("{name} `{}`", text.as_ref()?)));
        members.collect::<Vec<_>>().join(", ")
    }

    /// Whether another rule is for the very same names.
    pub(super) fn is_for(&self, other: &Self) -> bool {
        let same = |one: &Option<String>, other: &Option<String>| match (one, other) {
            (Some(one), Some(other)) => one.eq_ignore_ascii_case(other),
            (one, other) => one == other,
        };
        same(&self.source, &other.source)
            && same(&self.raw_model, &other.raw_model)
            && same(&self.raw_provider, &other.raw_provider)
            && same(&self.host, &other.host)
    }

    /// Whether it matches all that another one does.
    pub(super) fn covers(&self, other: &Self) -> bool {
        let wider = |one: &Option<String>, other: &Option<String>| match (one, other) {
            (None, _) => true,
            (Some(one), Some(other)) => one.eq_ignore_ascii_case(other),
            (Some(_), None) => false,
        };
        wider(&self.source, &other.source)
            && wider(&self.raw_model, &other.raw_model)
            && wider(&self.raw_provider, &other.raw_provider)
            && wider(&self.host, &other.host)
    }

    pub(super) fn matches(&self, names: &Names<&str>) -> bool {
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
