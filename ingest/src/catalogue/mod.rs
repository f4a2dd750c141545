//! Names: raw model and provider strings to canonical ids, and ids to display names.
//!
//! A name leads only to a model that is listed, and one that leads to none goes through unchanged: never dropped, never
//! guessed. It is looked up as it stands, then by its fold key without what stands around it (`parse`), then without
//! date, version and offer (`fold`); the first that is listed is meant (`index`). `explain` tells each step. What a call costs
//! by the list follows from both names and its day (`rates`).

mod again;
mod cells;
mod checks;
mod current;
mod error;
mod explain;
mod facts;
mod file;
mod fold;
pub mod foreign;
mod hosts;
mod index;
mod lists;
mod overlay;
mod parse;
mod rates;
mod read;
mod resolved;
mod spellings;
#[cfg(test)]
mod tests;
mod tiers;

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, PoisonError, RwLock};

use explain::Steps;
use file::File;
use index::Index;
use rates::Rates;

pub use current::{Current, Difference};
pub use error::Error;
pub use explain::{Explanation, Step};
pub use facts::{Amount, ModelFacts, Price, ProviderFacts, Tier};
pub use file::{Alias, Author, Family, Model, Provider};
pub use fold::Cut;
pub use overlay::{Entry, Overlay, Standing};
pub use rates::{Call, Cost, Offer};
pub use resolved::Resolved;

/// The variant of a model that no suffix names.
pub const STANDARD: &str = "standard";

/// Distinct combinations of raw names that are remembered; senders choose the names, so memory needs a bound.
const CACHE_ENTRIES: usize = 65_536;
/// Longer names are looked up anew each time, for the same reason.
const CACHED_NAME_BYTES: usize = 256;

#[derive(Debug, Default)]
pub struct Catalogue {
    file: File,
    /// Author slug → position in `file.authors`, and so on.
    authors: HashMap<String, usize>,
    providers: HashMap<String, usize>,
    models: HashMap<String, usize>,
    index: Index,
    rates: Rates,
    hasher: RandomState,
    cache: RwLock<HashMap<u64, Arc<Answer>>>,
}

/// A remembered answer; the names stand beside it because two combinations may share a hash.
#[derive(Debug)]
struct Answer {
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
        #[expect(clippy::expect_used, reason = "the lists are compiled in and a test reads them")]
        lists::starter().and_then(Self::build).expect("the starter catalogue is well-formed")
    }

    pub fn empty() -> Self {
        Self::default()
    }

    /// # Errors
    /// When the text is no catalogue, naming the line; or a model's author is not listed.
    pub fn from_toml(text: &str) -> Result<Self, Error> {
        Self::build(read::read(text)?)
    }

    /// This catalogue and an operator's own; where both name the same thing, the own entry wins.
    ///
    /// # Errors
    /// As for `from_toml`; a model's author may be listed in either.
    pub fn overlaid(self, text: &str) -> Result<Self, Error> {
        Self::build(self.file.overlaid(read::read(text)?))
    }

    fn build(file: File) -> Result<Self, Error> {
        let index = Index::new(&file)?;
        let mut catalogue = Self { index, ..Self::default() };
        let at = |ids: Vec<&String>| ids.into_iter().cloned().enumerate().map(|(at, id)| (id, at)).collect();
        catalogue.authors = at(file.authors.iter().map(|author| &author.slug).collect());
        catalogue.providers = at(file.providers.iter().map(|provider| &provider.id).collect());
        catalogue.models = at(file.models.iter().map(|model| &model.id).collect());
        let knows_author =
            |id: &str| id.split_once('/').is_some_and(|(of, _)| catalogue.authors.contains_key(of));
        if let Some(model) = file.models.iter().find(|model| !knows_author(&model.id)) {
            return Err(Error::Model { model_id: model.id.clone() });
        }
        let knows_model = |id: &str| catalogue.models.contains_key(id);
        let knows_provider = |id: &str| catalogue.providers.contains_key(id);
        facts::check(&file.prices, knows_model, knows_provider)?;
        let rates = Rates::new(&file.prices);
        Ok(Self { file, rates, ..catalogue })
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
            return Arc::new(self.look_up(names, &mut Steps::default()));
        }
        let hash = self.hasher.hash_one(names);
        if let Some(entry) = self.cache.read().unwrap_or_else(PoisonError::into_inner).get(&hash)
            && names.is(&entry.names)
        {
            return Arc::clone(&entry.resolved);
        }
        let resolved = Arc::new(self.look_up(names, &mut Steps::default()));
        let mut cache = self.cache.write().unwrap_or_else(PoisonError::into_inner);
        if cache.len() < CACHE_ENTRIES {
            let entry = Answer { names: names.to_owned(), resolved: Arc::clone(&resolved) };
            cache.entry(hash).or_insert_with(|| Arc::new(entry));
        }
        resolved
    }

    /// What `resolve` answers, and how it came to it.
    pub fn explain(
        &self,
        source: &str,
        raw_model: Option<&str>,
        raw_provider: Option<&str>,
        host: Option<&str>,
    ) -> Explanation {
        let mut steps = Steps::asked();
        let names = Names { source, model: raw_model, provider: raw_provider, host };
        let resolved = self.look_up(names, &mut steps);
        Explanation { steps: steps.into_noted(), resolved }
    }

    fn look_up(&self, names: Names<&str>, steps: &mut Steps) -> Resolved {
        let alias = self.file.aliases.iter().find(|alias| alias.matches(&names));
        if let Some(alias) = alias {
            let (model_id, provider_id) = (alias.model_id.clone(), alias.provider_id.clone());
            steps.note(|| Step::Alias { model_id, provider_id });
        }
        let model = self.model(names, alias, steps);
        let (provider_id, provider_mapped) = self.provider(names, alias, model.provider);
        let author = model
            .id
            .as_deref()
            .filter(|_| model.is_mapped)
            .and_then(|id| id.split_once('/'))
            .map(|(author, _)| author.to_owned());
        let offer = match (&model.id, &provider_id) {
            (Some(model_id), Some(provider_id)) if model.is_mapped && provider_mapped => {
                self.offer_of(names.model, model_id, &model.variant, provider_id)
            }
            _ => Offer::default(),
        };
        Resolved {
            model_id: model.id,
            variant: model.variant,
            author,
            provider_id,
            model_mapped: model.is_mapped,
            provider_mapped,
            offer,
        }
    }

    /// `named` is the provider that the model's name names.
    fn provider(
        &self,
        names: Names<&str>,
        alias: Option<&Alias>,
        named: Option<String>,
    ) -> (Option<String>, bool) {
        if let Some(id) = alias.and_then(|alias| alias.provider_id.clone()) {
            return (Some(id), true);
        }
        let Some(raw) = names.provider else {
            let is_named = named.is_some();
            return (named, is_named);
        };
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
        match self.index.spellings.provider(raw) {
            Some(id) => (Some(id.to_owned()), true),
            None => (Some(raw.to_owned()), false),
        }
    }

    fn model(&self, names: Names<&str>, alias: Option<&Alias>, steps: &mut Steps) -> Found {
        if let Some(alias) = alias
            && let Some(id) = &alias.model_id
        {
            let variant = alias.variant.clone().unwrap_or_else(|| STANDARD.to_owned());
            return Found { id: Some(id.clone()), variant, is_mapped: true, provider: None };
        }
        let unmapped = |id: Option<String>, provider| Found {
            id,
            variant: STANDARD.to_owned(),
            is_mapped: false,
            provider,
        };
        let Some(raw) = names.model else { return unmapped(None, None) };
        let by_openrouter =
            || names.provider.and_then(|raw| self.index.spellings.provider(raw)) == Some("openrouter");
        let is_slug = matches!(names.source, "native" | "openrouter") || by_openrouter();
        let (slug, variant) = match raw.strip_prefix("openrouter/").filter(|rest| rest.contains('/')) {
            Some(slug) => parse::split_variant(slug),
            None if is_slug => parse::split_variant(raw),
            None => (raw, None),
        };
        if let Some(suffix) = variant {
            steps.note(|| Step::Variant { suffix: suffix.to_owned() });
        }
        let (found, provider) = if self.models.contains_key(slug) {
            steps.note(|| Step::Exact { model_id: slug.to_owned() });
            (Some(slug.to_owned()), None)
        } else {
            self.index.resolve(slug, steps)
        };
        // What stands in front of OpenRouter's slugs is an author, and says nothing of who served.
        let provider = provider.filter(|_| !is_slug);
        let (found, variant) = match found {
            None => self.of_variant(slug, names.provider.or(provider.as_deref()), steps),
            found => (found, variant),
        };
        match found {
            Some(id) => {
                let variant = variant.unwrap_or(STANDARD).to_owned();
                Found { id: Some(id), variant, is_mapped: true, provider }
            }
            None => unmapped(Some(raw.to_owned()), provider),
        }
    }

    /// A name that a provider with variants has ended in one. A model of that whole name would have been found, so none that
    /// is a model of its own becomes a variant of another.
    fn of_variant<'a>(
        &self,
        slug: &'a str,
        provider: Option<&str>,
        steps: &mut Steps,
    ) -> (Option<String>, Option<&'a str>) {
        let id = provider.and_then(|raw| self.index.spellings.provider(raw));
        let known = id.and_then(|id| self.file.providers.get(*self.providers.get(id)?));
        let split = known.filter(|known| known.has_variants).and_then(|_| parse::split_known_variant(slug));
        let Some((slug, variant)) = split else { return (None, None) };
        steps.note(|| Step::Variant { suffix: variant.to_owned() });
        let (found, _) = self.index.resolve(slug, steps);
        // Where thinking cannot be asked for, who thinks is another model.
        let found = found.filter(|id| variant != parse::THINKING || self.reasons(id));
        (found, Some(variant))
    }

    fn reasons(&self, id: &str) -> bool {
        let known = self.models.get(id).and_then(|at| self.file.models.get(*at));
        known.is_some_and(|model| model.facts.reasons == Some(true))
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

    /// Where the prices of a model at a provider of the lists stand.
    pub fn offer(&self, model_id: &str, variant: &str, provider_id: &str) -> Offer {
        // An alias may name a provider that is not listed.
        if !self.providers.contains_key(provider_id) {
            return Offer::default();
        }
        self.rates.offer(model_id, variant, provider_id)
    }

    /// None of a raw name that says another offer than the plain one, unless an alias is for that name.
    pub fn offer_of(
        &self,
        raw_model: Option<&str>,
        model_id: &str,
        variant: &str,
        provider_id: &str,
    ) -> Offer {
        let is_other = |raw: &&str| fold::says_other_offer(raw, model_id);
        let is_told = |raw: &str| {
            let mut aliases = self.file.aliases.iter().filter(|alias| alias.model_id.is_some());
            aliases.any(|alias| alias.raw_model.as_deref().is_some_and(|of| of.eq_ignore_ascii_case(raw)))
        };
        match raw_model.filter(is_other) {
            Some(raw) if !is_told(raw) => Offer::default(),
            _ => self.offer(model_id, variant, provider_id),
        }
    }

    /// What a call costs by the list. None: it does not tell.
    pub fn cost(&self, offer: &Offer, call: &Call<'_>) -> Option<Cost> {
        self.rates.cost(offer, call)
    }

    /// `price_source` of a row that is priced so: `catalogue:` and what tells this list of prices from others.
    pub fn price_source(&self) -> &str {
        self.rates.source()
    }

    pub fn prices(&self) -> &[Price] {
        &self.file.prices
    }

    /// `(model_id, display name)` in the order of the file.
    pub fn models(&self) -> impl Iterator<Item = (&str, &str)> {
        self.file.models.iter().map(|model| (model.id.as_str(), model.name.as_str()))
    }
}

struct Found {
    id: Option<String>,
    variant: String,
    is_mapped: bool,
    /// The provider that the name names.
    provider: Option<String>,
}
