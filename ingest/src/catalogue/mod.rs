//! Names: raw model and provider strings to canonical ids, and ids to display names.

use std::sync::Arc;

/// The catalogue that ships with the binary.
pub const STARTER: &str = include_str!("../../catalogue/starter.toml");

#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    #[error("failed to read the catalogue")]
    Toml(#[source] Box<toml::de::Error>),
}

/// What the raw names of an attempt mean.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolved {
    pub model_id: Option<String>,
    pub variant: String,
    pub author: Option<String>,
    pub provider_id: Option<String>,
    pub model_mapped: bool,
    pub provider_mapped: bool,
}

#[derive(Debug, Default)]
pub struct Catalogue {}

impl Catalogue {
    pub fn starter() -> Self {
        unimplemented!()
    }

    pub fn empty() -> Self {
        Self::default()
    }

    pub fn from_toml(text: &str) -> Result<Self, Error> {
        let _ = text;
        unimplemented!()
    }

    pub fn resolve(
        &self,
        source: &str,
        raw_model: Option<&str>,
        raw_provider: Option<&str>,
        host: Option<&str>,
    ) -> Arc<Resolved> {
        let _ = (source, raw_model, raw_provider, host);
        unimplemented!()
    }

    pub fn author_name(&self, slug: &str) -> Option<&str> {
        let _ = slug;
        unimplemented!()
    }

    pub fn provider_name(&self, id: &str) -> Option<&str> {
        let _ = id;
        unimplemented!()
    }

    pub fn model_name(&self, id: &str) -> Option<&str> {
        let _ = id;
        unimplemented!()
    }

    /// `(slug, name)`, `(id, name)`, `(model_id, name)` in the order of the file.
    pub fn authors(&self) -> impl Iterator<Item = (&str, &str)> {
        std::iter::empty()
    }

    pub fn providers(&self) -> impl Iterator<Item = (&str, &str)> {
        std::iter::empty()
    }

    pub fn models(&self) -> impl Iterator<Item = (&str, &str)> {
        std::iter::empty()
    }
}
