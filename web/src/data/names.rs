//! Display names of models, authors and providers; the catalogue gives them, ids stand in where it has none.

use std::collections::BTreeMap;

use bellwether_metrics::{Catalogue, Model, Named};

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Names {
    /// `author/slug` to a name such as `DeepSeek V3.2`.
    pub models: BTreeMap<String, String>,
    pub authors: BTreeMap<String, String>,
    pub providers: BTreeMap<String, String>,
}

impl Names {
    /// As statements see it.
    pub(super) fn catalogue(&self) -> Catalogue {
        let named = |names: &BTreeMap<String, String>| {
            names.iter().map(|(id, name)| Named { id: id.clone(), name: name.clone() }).collect()
        };
        let model = |(id, name): (&String, &String)| {
            // Every id of a catalogue is `author/slug`.
            let author = id.split_once('/').map_or(id.as_str(), |(author, _)| author);
            Model { id: id.clone(), author: author.to_owned(), name: name.clone() }
        };
        Catalogue {
            models: self.models.iter().map(model).collect(),
            authors: named(&self.authors),
            providers: named(&self.providers),
            ..Catalogue::default()
        }
    }

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
