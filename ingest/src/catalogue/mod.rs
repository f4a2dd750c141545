//! Names: raw model and provider strings to canonical ids, and ids to display names.
//!
//! A name that nothing maps goes through unchanged: never dropped, never guessed.

mod facts;
mod file;
mod hosts;
mod names;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, PoisonError, RwLock};

use chrono::NaiveDate;
use file::{Alias, File};

pub use facts::{Amount, ModelFacts, Price, ProviderFacts};

/// The catalogue that ships with the binary.
pub const STARTER: &str = include_str!("../../catalogue/starter.toml");

/// The variant of a model that no suffix names.
pub const STANDARD: &str = "standard";

/// Distinct combinations of raw names that are remembered; senders choose the names, so memory needs a bound.
const CACHE_ENTRIES: usize = 65_536;
/// Longer names are looked up anew each time, for the same reason.
const CACHED_NAME_BYTES: usize = 256;

#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    #[error("failed to read the catalogue as TOML")]
    Toml(#[source] Box<toml::de::Error>),
    #[error("model `{model_id}` of the catalogue is not `author/slug` with an author of the catalogue")]
    Model { model_id: String },
    #[error(
        "a price of the catalogue is of model `{model_id}` at provider `{provider_id}`, and one of the two is not in its lists; \
         add it there"
    )]
    PriceOfNobody { model_id: String, provider_id: String },
    #[error(
        "the price of `{model_id}` from {from} on ends before it begins, or another one of the same place holds on the same \
         day; correct `valid_from` and `valid_to`"
    )]
    PriceDays { model_id: String, from: NaiveDate },
}

/// What the raw names of an attempt mean.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolved {
    pub model_id: Option<String>,
    pub variant: String,
    /// None while the model is unmapped.
    pub author: Option<String>,
    pub provider_id: Option<String>,
    pub model_mapped: bool,
    pub provider_mapped: bool,
}

#[derive(Debug, Default)]
pub struct Catalogue {
    file: File,
    /// Author slug → position in `file.authors`, and so on.
    authors: HashMap<String, usize>,
    providers: HashMap<String, usize>,
    models: HashMap<String, usize>,
    /// Folded author names, slugs included → author slug.
    author_names: HashMap<String, String>,
    /// Folded provider names, ids included → provider id.
    provider_names: HashMap<String, String>,
    /// Folded model names → model id.
    model_names: HashMap<String, String>,
    hasher: RandomState,
    cache: RwLock<HashMap<u64, Arc<Entry>>>,
}

/// A remembered answer; the names stand beside it because two combinations may share a hash.
#[derive(Debug)]
struct Entry {
    names: Names<String>,
    resolved: Arc<Resolved>,
}

/// What an attempt's names are looked up by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Names<S> {
    source: S,
    model: Option<S>,
    provider: Option<S>,
    host: Option<S>,
}

impl Names<&str> {
    fn is(&self, other: &Names<String>) -> bool {
        self.source == other.source
            && self.model == other.model.as_deref()
            && self.provider == other.provider.as_deref()
            && self.host == other.host.as_deref()
    }

    fn is_cached(self) -> bool {
        let names = [Some(self.source), self.model, self.provider, self.host];
        names.into_iter().flatten().all(|name| name.len() <= CACHED_NAME_BYTES)
    }

    fn to_owned(self) -> Names<String> {
        Names {
            source: self.source.to_owned(),
            model: self.model.map(str::to_owned),
            provider: self.provider.map(str::to_owned),
            host: self.host.map(str::to_owned),
        }
    }
}

impl Catalogue {
    /// The catalogue that ships with the binary.
    pub fn starter() -> Self {
        #[expect(clippy::expect_used, reason = "the file is compiled in and a test reads it")]
        Self::from_toml(STARTER).expect("the starter catalogue is well-formed")
    }

    pub fn empty() -> Self {
        Self::default()
    }

    /// # Errors
    /// When the text is no catalogue, naming the line; or a model's author is not listed.
    pub fn from_toml(text: &str) -> Result<Self, Error> {
        Self::build(File::parse(text)?)
    }

    /// This catalogue and an operator's own; where both name the same thing, the own entry wins.
    ///
    /// # Errors
    /// As for `from_toml`; a model's author may be listed in either.
    pub fn overlaid(self, text: &str) -> Result<Self, Error> {
        Self::build(self.file.overlaid(File::parse(text)?))
    }

    fn build(file: File) -> Result<Self, Error> {
        let mut catalogue = Self::default();
        for (at, author) in file.authors.iter().enumerate() {
            catalogue.authors.insert(author.slug.clone(), at);
            for name in author.names.iter().chain([&author.slug]) {
                catalogue.author_names.insert(names::fold(name), author.slug.clone());
            }
        }
        for (at, provider) in file.providers.iter().enumerate() {
            catalogue.providers.insert(provider.id.clone(), at);
            for name in provider.names.iter().chain([&provider.id, &provider.name]) {
                catalogue.provider_names.insert(names::fold(name), provider.id.clone());
            }
        }
        for (at, model) in file.models.iter().enumerate() {
            let known =
                model.id.split_once('/').filter(|(author, _)| catalogue.authors.contains_key(*author));
            let Some((_, slug)) = known else { return Err(Error::Model { model_id: model.id.clone() }) };
            catalogue.models.insert(model.id.clone(), at);
            for name in model.names.iter().map(String::as_str).chain([slug]) {
                catalogue.model_names.insert(names::fold(name), model.id.clone());
            }
        }
        let knows_model = |id: &str| catalogue.models.contains_key(id);
        let knows_provider = |id: &str| catalogue.providers.contains_key(id);
        facts::check(&file.prices, knows_model, knows_provider)?;
        Ok(Self { file, ..catalogue })
    }

    /// Looks an attempt's names up. Answers are remembered, so a repeated combination costs a hash.
    pub fn resolve(
        &self,
        source: &str,
        raw_model: Option<&str>,
        raw_provider: Option<&str>,
        host: Option<&str>,
    ) -> Arc<Resolved> {
        let names = Names { source, model: raw_model, provider: raw_provider, host };
        if !names.is_cached() {
            return Arc::new(self.look_up(names));
        }
        let hash = self.hasher.hash_one(names);
        if let Some(entry) = self.cache.read().unwrap_or_else(PoisonError::into_inner).get(&hash)
            && names.is(&entry.names)
        {
            return Arc::clone(&entry.resolved);
        }
        let resolved = Arc::new(self.look_up(names));
        let mut cache = self.cache.write().unwrap_or_else(PoisonError::into_inner);
        if cache.len() < CACHE_ENTRIES {
            let entry = Entry { names: names.to_owned(), resolved: Arc::clone(&resolved) };
            cache.entry(hash).or_insert_with(|| Arc::new(entry));
        }
        resolved
    }

    fn look_up(&self, names: Names<&str>) -> Resolved {
        let alias = self.file.aliases.iter().find(|alias| alias.matches(&names));
        let (provider_id, provider_mapped) = self.provider(names, alias);
        let model = self.model(names, alias);
        let author = model
            .id
            .as_deref()
            .filter(|_| model.is_mapped)
            .and_then(|id| id.split_once('/'))
            .map(|(author, _)| author.to_owned());
        Resolved {
            model_id: model.id,
            variant: model.variant,
            author,
            provider_id,
            model_mapped: model.is_mapped,
            provider_mapped,
        }
    }

    fn provider(&self, names: Names<&str>, alias: Option<&Alias>) -> (Option<String>, bool) {
        if let Some(id) = alias.and_then(|alias| alias.provider_id.clone()) {
            return (Some(id), true);
        }
        let Some(raw) = names.provider else { return (None, false) };
        if let Some(host) = names.host.filter(|_| hosts::is_dialect(raw)) {
            let known = self.file.providers.iter().find(|provider| hosts::is_among(host, &provider.hosts));
            return match known {
                Some(provider) => (Some(provider.id.clone()), true),
                None => match hosts::well_known(host) {
                    Some(id) => (Some(id.to_owned()), self.providers.contains_key(id)),
                    None => (Some(format!("host:{}", host.to_ascii_lowercase())), false),
                },
            };
        }
        match self.provider_names.get(&names::fold(raw)) {
            Some(id) => (Some(id.clone()), true),
            None => (Some(raw.to_owned()), false),
        }
    }

    fn model(&self, names: Names<&str>, alias: Option<&Alias>) -> Model {
        if let Some(alias) = alias
            && let Some(id) = &alias.model_id
        {
            let variant = alias.variant.clone().unwrap_or_else(|| STANDARD.to_owned());
            return Model { id: Some(id.clone()), variant, is_mapped: true };
        }
        let Some(raw) = names.model else {
            return Model { id: None, variant: STANDARD.to_owned(), is_mapped: false };
        };
        let in_openrouter_style = matches!(names.source, "native" | "openrouter");
        let (slug, variant) = match raw.strip_prefix("openrouter/").filter(|rest| rest.contains('/')) {
            Some(slug) => names::split_variant(slug),
            None if in_openrouter_style => names::split_variant(raw),
            None => (raw, STANDARD),
        };
        let found = if self.models.contains_key(slug) {
            Some(slug.to_owned())
        } else {
            self.by_author(slug, in_openrouter_style).or_else(|| self.by_name(slug))
        };
        match found {
            Some(id) => Model { id: Some(id), variant: variant.to_owned(), is_mapped: true },
            None => Model { id: Some(raw.to_owned()), variant: STANDARD.to_owned(), is_mapped: false },
        }
    }

    /// `author/slug` of a known author. In sources where the prefix may as well name a dialect, only when it
    /// does not.
    fn by_author(&self, raw: &str, in_openrouter_style: bool) -> Option<String> {
        let (author, slug) = raw.split_once('/')?;
        let is_author =
            self.authors.contains_key(author) && (in_openrouter_style || !hosts::is_dialect(author));
        if !is_author || slug.is_empty() || slug.contains('/') {
            return None;
        }
        let name = names::normalise(slug, |_| false);
        let listed = [names::fold(slug), names::fold(name.slug())].iter().find_map(|name| {
            self.model_names.get(name).filter(|id| id.split_once('/').is_some_and(|(a, _)| a == author))
        });
        let slug = if in_openrouter_style { slug.to_ascii_lowercase() } else { name.slug().to_owned() };
        Some(listed.cloned().unwrap_or_else(|| format!("{author}/{}", slug.replace(':', "-"))))
    }

    /// By the normalised name: a model of the list, then a family of its author. A name that stands behind an
    /// author we do not know may be anyone's variation, so nothing is made of it.
    fn by_name(&self, raw: &str) -> Option<String> {
        let name = names::normalise(raw, |segment| self.provider_names.contains_key(&names::fold(segment)));
        let slug = name.slug();
        let listed = self.model_names.get(&names::fold(slug));
        let author = match name.author() {
            Some(spelling) => {
                let author = self.author_names.get(&names::fold(spelling))?;
                if let Some(id) = listed.filter(|id| id.split_once('/').is_some_and(|(of, _)| of == author)) {
                    return Some(id.clone());
                }
                author
            }
            None => match listed {
                Some(id) => return Some(id.clone()),
                None => &self.file.families.iter().find(|family| slug.starts_with(&family.prefix))?.author,
            },
        };
        Some(format!("{author}/{}", slug.replace(':', "-")))
    }

    pub fn author_name(&self, slug: &str) -> Option<&str> {
        self.file.authors.get(*self.authors.get(slug)?).map(|author| author.name.as_str())
    }

    pub fn provider_name(&self, id: &str) -> Option<&str> {
        self.file.providers.get(*self.providers.get(id)?).map(|provider| provider.name.as_str())
    }

    pub fn model_name(&self, id: &str) -> Option<&str> {
        self.file.models.get(*self.models.get(id)?).map(|model| model.name.as_str())
    }

    /// `(slug, display name)` in the order of the file.
    pub fn authors(&self) -> impl Iterator<Item = (&str, &str)> {
        self.file.authors.iter().map(|author| (author.slug.as_str(), author.name.as_str()))
    }

    /// `(provider_id, display name)` in the order of the file.
    pub fn providers(&self) -> impl Iterator<Item = (&str, &str)> {
        self.file.providers.iter().map(|provider| (provider.id.as_str(), provider.name.as_str()))
    }

    /// `(model_id, facts)` in the order of the file.
    pub fn model_facts(&self) -> impl Iterator<Item = (&str, &ModelFacts)> {
        self.file.models.iter().map(|model| (model.id.as_str(), &model.facts))
    }

    /// `(provider_id, facts)` in the order of the file.
    pub fn provider_facts(&self) -> impl Iterator<Item = (&str, &ProviderFacts)> {
        self.file.providers.iter().map(|provider| (provider.id.as_str(), &provider.facts))
    }

    pub fn prices(&self) -> &[Price] {
        &self.file.prices
    }

    /// `(model_id, display name)` in the order of the file.
    pub fn models(&self) -> impl Iterator<Item = (&str, &str)> {
        self.file.models.iter().map(|model| (model.id.as_str(), model.name.as_str()))
    }
}

struct Model {
    id: Option<String>,
    variant: String,
    is_mapped: bool,
}
