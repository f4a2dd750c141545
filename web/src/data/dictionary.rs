//! Interned names. Ids are dense, stable for the life of the process and shared by every dataset, so a
//! block loaded once stays valid. Id 0 of every kind means "unknown": a raw name that no alias mapped.

use std::collections::HashMap;
use std::sync::Arc;

use super::Profile;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(pub u32);

        impl $name {
            pub const UNKNOWN: Self = Self(0);

            pub fn is_unknown(self) -> bool {
                self.0 == 0
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
id!(
    /// One (series, provider, endpoint, region): what health is counted for.
    EndpointKey
);

#[derive(Clone, Debug, Default)]
struct Interner {
    names: Vec<Arc<str>>,
    ids: HashMap<Arc<str>, u32>,
}

impl Interner {
    fn new() -> Self {
        let mut interner = Self::default();
        interner.intern("");
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

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Endpoint {
    pub series: SeriesId,
    pub provider: ProviderId,
    endpoint: u32,
    region: u32,
}

/// Everything that has been named by the tables so far.
#[derive(Clone, Debug)]
pub struct Dictionary {
    models: Interner,
    authors: Interner,
    providers: Interner,
    variants: Interner,
    texts: Interner,
    model_authors: Vec<AuthorId>,
    series: Vec<Series>,
    series_ids: HashMap<Series, u32>,
    endpoints: Vec<Endpoint>,
    endpoint_ids: HashMap<Endpoint, u32>,
    /// Raw names and hosts are unknown to a public site: they may name what is nobody's business.
    raw_names: bool,
}

impl Default for Dictionary {
    fn default() -> Self {
        let unknown = Series { model: ModelId::UNKNOWN, variant: VariantId::UNKNOWN };
        let nowhere =
            Endpoint { series: SeriesId::UNKNOWN, provider: ProviderId::UNKNOWN, endpoint: 0, region: 0 };
        Self {
            models: Interner::new(),
            authors: Interner::new(),
            providers: Interner::new(),
            variants: Interner::new(),
            texts: Interner::new(),
            model_authors: vec![AuthorId::UNKNOWN],
            series: vec![unknown],
            series_ids: HashMap::from([(unknown, 0)]),
            endpoints: vec![nowhere],
            endpoint_ids: HashMap::from([(nowhere, 0)]),
            raw_names: true,
        }
    }
}

impl Dictionary {
    /// Public sites list mapped models and named providers only; all the rest is one row.
    pub(crate) fn of(profile: Profile) -> Self {
        Self { raw_names: profile != Profile::Public, ..Self::default() }
    }

    /// A row without an author is unmapped, and its model is a raw name.
    pub(crate) fn intern_model(&mut self, model: Option<&str>, author: Option<&str>) -> ModelId {
        let Some(model) = model.filter(|name| !name.is_empty()) else { return ModelId::UNKNOWN };
        // Labels have no author: their models are those that usage, read before, has named.
        if !self.raw_names && author.is_none() && self.find_model(model).is_none() {
            return ModelId::UNKNOWN;
        }
        let id = ModelId(self.models.intern(model));
        if id.index() >= self.model_authors.len() {
            self.model_authors.resize(id.index() + 1, AuthorId::UNKNOWN);
        }
        if self.model_authors.get(id.index()).is_none_or(|known| known.is_unknown()) {
            let author = AuthorId(self.authors.intern(author.unwrap_or("")));
            if let Some(slot) = self.model_authors.get_mut(id.index()) {
                *slot = author;
            }
        }
        id
    }

    pub(crate) fn intern_provider(&mut self, provider: Option<&str>) -> ProviderId {
        let provider = provider.filter(|name| self.raw_names || !name.starts_with("host:"));
        ProviderId(self.providers.intern(provider.unwrap_or("")))
    }

    pub(crate) fn intern_series(
        &mut self,
        model: Option<&str>,
        author: Option<&str>,
        variant: &str,
    ) -> SeriesId {
        let model = self.intern_model(model, author);
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
        SeriesId(id)
    }

    pub(crate) fn intern_endpoint(
        &mut self,
        series: SeriesId,
        provider: ProviderId,
        endpoint: Option<&str>,
        region: Option<&str>,
    ) -> EndpointKey {
        let endpoint = Endpoint {
            series,
            provider,
            endpoint: self.texts.intern(endpoint.unwrap_or("")),
            region: self.texts.intern(region.unwrap_or("")),
        };
        if let Some(id) = self.endpoint_ids.get(&endpoint) {
            return EndpointKey(*id);
        }
        let id = u32::try_from(self.endpoints.len()).unwrap_or(0);
        self.endpoints.push(endpoint);
        self.endpoint_ids.insert(endpoint, id);
        EndpointKey(id)
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

    pub fn endpoint(&self, id: EndpointKey) -> Option<Endpoint> {
        self.endpoints.get(id.index()).copied()
    }

    pub fn endpoint_name(&self, endpoint: Endpoint) -> &str {
        self.texts.name(endpoint.endpoint)
    }

    pub fn endpoint_region(&self, endpoint: Endpoint) -> &str {
        self.texts.name(endpoint.region)
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

    /// Every known model, unknown left out, in the order of first sight.
    pub fn models(&self) -> impl Iterator<Item = ModelId> + '_ {
        (1..self.models.names.len()).map(|id| ModelId(u32::try_from(id).unwrap_or(0)))
    }

    pub fn authors(&self) -> impl Iterator<Item = AuthorId> + '_ {
        (1..self.authors.names.len()).map(|id| AuthorId(u32::try_from(id).unwrap_or(0)))
    }

    pub fn providers(&self) -> impl Iterator<Item = ProviderId> + '_ {
        (1..self.providers.names.len()).map(|id| ProviderId(u32::try_from(id).unwrap_or(0)))
    }

    pub(crate) fn sizes(&self) -> Sizes {
        Sizes {
            models: self.models.names.len(),
            authors: self.authors.names.len(),
            providers: self.providers.names.len(),
            series: self.series.len(),
            endpoints: self.endpoints.len(),
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
    pub endpoints: usize,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_raw_name_has_no_author_whatever_it_looks_like() {
        let mut names = Dictionary::of(Profile::Private);
        let raw = names.intern_model(Some("my-team/llama"), None);
        assert_eq!((names.model(raw), names.author_of(raw)), ("my-team/llama", AuthorId::UNKNOWN));
        assert_eq!(names.find_author("my-team"), None);
        // An alias added later gives it one.
        assert_eq!(names.intern_model(Some("my-team/llama"), Some("meta")), raw);
        assert_eq!(names.author(names.author_of(raw)), "meta");
    }

    #[test]
    fn a_public_site_knows_neither_raw_models_nor_hosts() {
        let mut names = Dictionary::of(Profile::Public);
        assert!(names.intern_model(Some("my-team/llama"), None).is_unknown());
        assert!(names.intern_provider(Some("host:10.0.0.7:8000")).is_unknown());
        assert_eq!(names.find_provider("host:10.0.0.7:8000"), None);
        let mapped = names.intern_model(Some("acme/one"), Some("acme"));
        assert_eq!(names.intern_model(Some("acme/one"), None), mapped);

        let mut private = Dictionary::of(Profile::Private);
        let host = private.intern_provider(Some("host:10.0.0.7:8000"));
        assert_eq!(private.provider(host), "host:10.0.0.7:8000");
    }
}
