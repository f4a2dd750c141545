//! What the catalogue knows of names, as statements see it.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringArray};
use arrow::error::ArrowError;

use crate::Facts;

/// Names in the catalogue. What is in none of these lists is known by nobody.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Catalogue {
    pub models: Vec<Model>,
    pub authors: Vec<Named>,
    pub providers: Vec<Named>,
    pub facts: Facts,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Model {
    /// `author/slug`
    pub id: String,
    pub author: String,
    pub name: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    pub id: String,
    pub name: String,
}

impl Catalogue {
    /// Columns model_id, author, name.
    pub(crate) fn model_rows(&self) -> Result<RecordBatch, ArrowError> {
        batch([
            ("model_id", self.models.iter().map(|model| model.id.as_str()).collect()),
            ("author", self.models.iter().map(|model| model.author.as_str()).collect()),
            ("name", self.models.iter().map(|model| model.name.as_str()).collect()),
        ])
    }

    /// Columns author, name.
    pub(crate) fn author_rows(&self) -> Result<RecordBatch, ArrowError> {
        named("author", &self.authors)
    }

    /// Columns provider_id, name.
    pub(crate) fn provider_rows(&self) -> Result<RecordBatch, ArrowError> {
        named("provider_id", &self.providers)
    }
}

fn named(id: &'static str, rows: &[Named]) -> Result<RecordBatch, ArrowError> {
    let ids = rows.iter().map(|row| row.id.as_str()).collect();
    batch([(id, ids), ("name", rows.iter().map(|row| row.name.as_str()).collect())])
}

fn batch<const N: usize>(columns: [(&'static str, Vec<&str>); N]) -> Result<RecordBatch, ArrowError> {
    RecordBatch::try_from_iter(
        columns.map(|(name, values)| (name, Arc::new(StringArray::from(values)) as ArrayRef)),
    )
}
