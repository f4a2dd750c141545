//! Display names of models, authors and providers; the catalogue gives them, ids stand in where it has none.

use std::collections::BTreeMap;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Names {
    /// `author/slug` to a name such as `DeepSeek V3.2`.
    pub models: BTreeMap<String, String>,
    pub authors: BTreeMap<String, String>,
    pub providers: BTreeMap<String, String>,
}

impl Names {
    /// The slug's last part when the catalogue has no name.
    pub fn model<'a>(&'a self, id: &'a str) -> &'a str {
        match self.models.get(id) {
            Some(name) => name,
            None => id.split_once('/').map_or(id, |(_, slug)| slug),
        }
    }

    pub fn author<'a>(&'a self, id: &'a str) -> &'a str {
        self.authors.get(id).map_or(id, String::as_str)
    }

    pub fn provider<'a>(&'a self, id: &'a str) -> &'a str {
        self.providers.get(id).map_or(id, String::as_str)
    }
}
