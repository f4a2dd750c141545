//! Interned names. Ids are dense, stable for the life of the process and shared by every dataset, so a
//! block loaded once stays valid. Id 0 of every kind means "unknown": a raw name that no alias mapped. Id 1 means
//! "hidden": all that may not be named, whatever it is.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::{Names, Profile};

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(pub u32);

        impl $name {
            pub const UNKNOWN: Self = Self(0);
            pub const HIDDEN: Self = Self(1);

            pub fn is_unknown(self) -> bool {
                self.0 == 0
            }

            /// Neither unknown nor hidden.
            pub fn is_named(self) -> bool {
                self.0 > 1
            }

            pub(crate) fn index(self) -> usize {
                self.0 as usize
            }
        }
    };
}

id!(
    /// A model without its variant: `author/slug`.
    ModelId
);
id!(AuthorId);
id!(ProviderId);
/// `standard`, `free`, `batch`, …
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct VariantId(pub u32);

impl VariantId {
    pub const UNKNOWN: Self = Self(0);
}

id!(
    /// A model in one variant: what a ranking row is by default.
    SeriesId
);

/// How the hidden rows of every kind are called in files.
const HIDDEN: &str = "hidden";

#[derive(Clone, Debug, Default)]
struct Interner {
    names: Vec<Arc<str>>,
    ids: HashMap<Arc<str>, u32>,
}

impl Interner {
    fn new() -> Self {
        let mut interner = Self::default();
        interner.intern("");
        // Found under no name, not even its own.
        interner.names.push(HIDDEN.into());
        interner
    }

    fn intern(&mut self, name: &str) -> u32 {
        if let Some(id) = self.ids.get(name) {
            return *id;
        }
        let id = u32::try_from(self.names.len()).unwrap_or(0);
        let name: Arc<str> = name.into();
        self.names.push(name.clone());
        self.ids.insert(name, id);
        id
    }

    fn name(&self, id: u32) -> &str {
        self.names.get(id as usize).map_or("", |name| name)
    }

    fn find(&self, name: &str) -> Option<u32> {
        self.ids.get(name).copied().filter(|id| *id != 0)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Series {
    pub model: ModelId,
    pub variant: VariantId,
}

/// Everything that has been named by the tables so far.
#[derive(Clone, Debug)]
pub struct Dictionary {
    models: Interner,
    authors: Interner,
    providers: Interner,
    variants: Interner,
    model_authors: Vec<AuthorId>,
    series: Vec<Series>,
    series_ids: HashMap<Series, u32>,
    /// Raw names and hosts are unknown to a public site: they may name what is nobody's business.
    pub(super) raw_names: bool,
    /// Author of every model that the catalogue or a row gives one. Any other model is a raw name.
    pub(super) known: HashMap<Box<str>, Known>,
    /// Raw names met so far, on a site that does not tell them.
    pub(super) taken_for_raw: HashSet<Box<str>>,
    /// Grows when one of those turns out to be known: what was read before then has to be read again.
    epoch: u64,
    revision: u64,
}

#[derive(Clone, Debug)]
pub(super) struct Known {
    author: Box<str>,
    /// Said by the catalogue of today, which no row overrules.
    is_catalogued: bool,
}

impl Default for Dictionary {
    fn default() -> Self {
        let unknown = Series { model: ModelId::UNKNOWN, variant: VariantId::UNKNOWN };
        let hidden = Series { model: ModelId::HIDDEN, ..unknown };
        Self {
            models: Interner::new(),
            authors: Interner::new(),
            providers: Interner::new(),
            variants: Interner::new(),
            model_authors: vec![AuthorId::UNKNOWN, AuthorId::HIDDEN],
            series: vec![unknown, hidden],
            series_ids: HashMap::from([(unknown, 0), (hidden, 1)]),
            raw_names: true,
            known: HashMap::new(),
            taken_for_raw: HashSet::new(),
            epoch: 0,
            revision: 0,
        }
    }
}

impl Dictionary {
    /// Public sites list mapped models and named providers only; all the rest is hidden.
    pub(crate) fn of(profile: Profile, names: &Names) -> Self {
        let mut dictionary = Self { raw_names: profile != Profile::Public, ..Self::default() };
        for model in names.models.keys() {
            // An author is the part of the name before the slash.
            if let Some((author, _)) = model.split_once('/') {
                let known = Known { author: author.into(), is_catalogued: true };
                dictionary.known.insert(model.as_str().into(), known);
            }
        }
        dictionary
    }

    /// Takes the author that a row gives its model. All rows have to be learnt from before any is read, so that it
    /// does not matter in which order they come.
    pub(crate) fn learn(&mut self, model: &str, author: &str) {
        if model.is_empty() || author.is_empty() {
            return;
        }
        let known = self.known.get(model);
        // Of several authors of one model the first by name, whoever comes first.
        if known.is_some_and(|known| known.is_catalogued || *known.author <= *author) {
            return;
        }
        let is_news = known.is_none();
        self.known.insert(model.into(), Known { author: author.into(), is_catalogued: false });
        self.revision += 1;
        if let Some(id) = self.find_model(model) {
            self.set_author(id);
        }
        if is_news && self.taken_for_raw.remove(model) {
            self.epoch += 1;
        }
    }

    /// Blocks made in another epoch took known models for raw names.
    pub(crate) fn epoch(&self) -> u64 {
        self.epoch
    }

    /// Changes whenever a name or an author does.
    pub(crate) fn revision(&self) -> u64 {
        self.revision
    }

    fn set_author(&mut self, id: ModelId) {
        let name = self.models.name(id.0);
        let author = self.known.get(name).map_or("", |known| &*known.author);
        let author = AuthorId(self.authors.intern(author));
        if id.index() >= self.model_authors.len() {
            self.model_authors.resize(id.index() + 1, AuthorId::UNKNOWN);
        }
        if let Some(slot) = self.model_authors.get_mut(id.index()) {
            *slot = author;
        }
    }

    /// Unknown for a raw name on a site that does not tell them.
    pub(crate) fn intern_model(&mut self, model: Option<&str>) -> ModelId {
        let Some(model) = model.filter(|name| !name.is_empty()) else { return ModelId::UNKNOWN };
        if let Some(id) = self.find_model(model) {
            return id;
        }
        if !self.raw_names && !self.known.contains_key(model) {
            self.taken_for_raw.insert(model.into());
            return ModelId::UNKNOWN;
        }
        let id = ModelId(self.models.intern(model));
        self.set_author(id);
        self.revision += 1;
        id
    }

    pub(super) fn tells_provider(&self, provider: &str) -> bool {
        self.raw_names || !provider.starts_with("host:")
    }

    pub(crate) fn intern_author(&mut self, author: &str) -> AuthorId {
        self.revision += u64::from(self.find_author(author).is_none());
        AuthorId(self.authors.intern(author))
    }

    pub(crate) fn intern_provider(&mut self, provider: Option<&str>) -> ProviderId {
        let Some(provider) = provider.filter(|name| !name.is_empty() && self.tells_provider(name)) else {
            return ProviderId::UNKNOWN;
        };
        self.revision += u64::from(self.find_provider(provider).is_none());
        ProviderId(self.providers.intern(provider))
    }

    pub(crate) fn intern_series(&mut self, model: Option<&str>, variant: &str) -> SeriesId {
        let model = self.intern_model(model);
        if model.is_unknown() {
            // Unmapped traffic is one row whatever its variant.
            return SeriesId::UNKNOWN;
        }
        let series = Series { model, variant: VariantId(self.variants.intern(variant)) };
        if let Some(id) = self.series_ids.get(&series) {
            return SeriesId(*id);
        }
        let id = u32::try_from(self.series.len()).unwrap_or(0);
        self.series.push(series);
        self.series_ids.insert(series, id);
        self.revision += 1;
        SeriesId(id)
    }

    /// `author/slug`; empty for unknown.
    pub fn model(&self, id: ModelId) -> &str {
        self.models.name(id.0)
    }

    pub fn author(&self, id: AuthorId) -> &str {
        self.authors.name(id.0)
    }

    pub fn provider(&self, id: ProviderId) -> &str {
        self.providers.name(id.0)
    }

    /// `standard`, `free`, `batch`, …
    pub fn variant(&self, id: VariantId) -> &str {
        self.variants.name(id.0)
    }

    pub fn author_of(&self, id: ModelId) -> AuthorId {
        self.model_authors.get(id.index()).copied().unwrap_or(AuthorId::UNKNOWN)
    }

    pub fn series(&self, id: SeriesId) -> Series {
        self.series
            .get(id.index())
            .copied()
            .unwrap_or(Series { model: ModelId::UNKNOWN, variant: VariantId::UNKNOWN })
    }

    pub fn find_model(&self, id: &str) -> Option<ModelId> {
        self.models.find(id).map(ModelId)
    }

    pub fn find_author(&self, id: &str) -> Option<AuthorId> {
        self.authors.find(id).map(AuthorId)
    }

    pub fn find_provider(&self, id: &str) -> Option<ProviderId> {
        self.providers.find(id).map(ProviderId)
    }

    pub fn find_variant(&self, id: &str) -> Option<VariantId> {
        self.variants.find(id).map(VariantId)
    }

    pub(crate) fn find_series(&self, model: Option<&str>, variant: &str) -> SeriesId {
        let Some(model) = model.and_then(|model| self.find_model(model)) else { return SeriesId::UNKNOWN };
        let Some(variant) = self.find_variant(variant) else { return SeriesId::UNKNOWN };
        self.series_ids.get(&Series { model, variant }).map_or(SeriesId::UNKNOWN, |id| SeriesId(*id))
    }

    /// Every named model, in the order of first sight.
    pub fn models(&self) -> impl Iterator<Item = ModelId> + '_ {
        (2..self.models.names.len()).map(|id| ModelId(u32::try_from(id).unwrap_or(0)))
    }

    pub fn authors(&self) -> impl Iterator<Item = AuthorId> + '_ {
        (2..self.authors.names.len()).map(|id| AuthorId(u32::try_from(id).unwrap_or(0)))
    }

    pub fn providers(&self) -> impl Iterator<Item = ProviderId> + '_ {
        (2..self.providers.names.len()).map(|id| ProviderId(u32::try_from(id).unwrap_or(0)))
    }

    /// Variants of a model that have been named.
    pub(crate) fn series_of(&self, model: ModelId) -> impl Iterator<Item = Series> + '_ {
        self.series.iter().filter(move |series| series.model == model).copied()
    }

    pub(crate) fn sizes(&self) -> Sizes {
        Sizes {
            models: self.models.names.len(),
            authors: self.authors.names.len(),
            providers: self.providers.names.len(),
            series: self.series.len(),
        }
    }
}

/// Number of ids of each kind, unknown included: the length of a dense table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sizes {
    pub models: usize,
    pub authors: usize,
    pub providers: usize,
    pub series: usize,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_raw_name_has_no_author_whatever_it_looks_like() {
        let mut names = Dictionary::of(Profile::Private, &Names::default());
        let raw = names.intern_model(Some("my-team/llama"));
        assert_eq!((names.model(raw), names.author_of(raw)), ("my-team/llama", AuthorId::UNKNOWN));
        assert_eq!(names.find_author("my-team"), None);
        // An alias added later gives it one.
        names.learn("my-team/llama", "meta");
        assert_eq!(names.intern_model(Some("my-team/llama")), raw);
        assert_eq!(names.author(names.author_of(raw)), "meta");
    }

    #[test]
    fn a_public_site_knows_neither_raw_models_nor_hosts() {
        let mut names = Dictionary::of(Profile::Public, &Names::default());
        assert!(names.intern_model(Some("my-team/llama")).is_unknown());
        assert!(names.intern_provider(Some("host:10.0.0.7:8000")).is_unknown());
        assert_eq!(names.find_provider("host:10.0.0.7:8000"), None);
        names.learn("acme/one", "acme");
        let mapped = names.intern_model(Some("acme/one"));
        assert!(mapped.is_named());
        assert_eq!(names.author(names.author_of(mapped)), "acme");

        let mut private = Dictionary::of(Profile::Private, &Names::default());
        let host = private.intern_provider(Some("host:10.0.0.7:8000"));
        assert_eq!(private.provider(host), "host:10.0.0.7:8000");
    }

    #[test]
    fn the_order_of_rows_decides_no_author() {
        for [first, second] in [["b", "a"], ["a", "b"]] {
            let mut names = Dictionary::of(Profile::Public, &Names::default());
            names.learn("x/y", first);
            let id = names.intern_model(Some("x/y"));
            names.learn("x/y", second);
            assert_eq!(names.author(names.author_of(id)), "a");
        }
        let catalogue = Names { models: [("x/y".into(), "Y".into())].into(), ..Names::default() };
        let mut names = Dictionary::of(Profile::Public, &catalogue);
        names.learn("x/y", "a");
        let id = names.intern_model(Some("x/y"));
        assert_eq!(names.author(names.author_of(id)), "x");
    }

    #[test]
    fn what_was_read_before_its_name_was_known_is_of_another_epoch() {
        let mut names = Dictionary::of(Profile::Public, &Names::default());
        names.learn("acme/one", "acme");
        assert_eq!(names.epoch(), 0);
        assert!(names.intern_model(Some("acme/two")).is_unknown());
        names.learn("acme/two", "acme");
        assert_eq!(names.epoch(), 1);
        assert!(names.intern_model(Some("acme/two")).is_named());
    }

    #[test]
    fn nothing_is_found_under_the_name_of_what_is_hidden() {
        let mut names = Dictionary::of(Profile::Private, &Names::default());
        assert_eq!((names.find_model("hidden"), names.find_provider("hidden")), (None, None));
        let real = names.intern_provider(Some("hidden"));
        assert!(real.is_named() && real != ProviderId::HIDDEN);
    }
}
