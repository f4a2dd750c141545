//! How authors and providers are spelled.

use std::collections::HashMap;

use super::file::File;
use super::fold::Fold;

#[derive(Debug, Default)]
pub(super) struct Spellings {
    /// Spelling → slug.
    authors: HashMap<String, String>,
    /// Spelling → id.
    providers: HashMap<String, String>,
    /// Fold key of a spelling → slug, for authors in front of a model's name.
    author_keys: HashMap<String, String>,
    /// Slug → fold keys of its spellings.
    keys: HashMap<String, Vec<String>>,
}

impl Spellings {
    pub fn new(file: &File, fold: &Fold) -> Self {
        let mut spellings = Self::default();
        for author in &file.authors {
            for name in author.names.iter().chain([&author.slug]) {
                spellings.authors.insert(plain(name), author.slug.clone());
                spellings.author_keys.insert(fold.key(name), author.slug.clone());
                spellings.keys.entry(author.slug.clone()).or_default().push(fold.key(name));
            }
        }
        for provider in &file.providers {
            for name in provider.names.iter().chain([&provider.id, &provider.name]) {
                spellings.providers.insert(plain(name), provider.id.clone());
            }
        }
        spellings
    }

    pub fn author(&self, name: &str) -> Option<&str> {
        self.authors.get(&plain(name)).map(String::as_str)
    }

    pub fn provider(&self, name: &str) -> Option<&str> {
        self.providers.get(&plain(name)).map(String::as_str)
    }

    /// Authors whose names a key begins with, and what stands behind the name.
    pub fn in_front<'a>(&'a self, key: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> {
        key.match_indices('-').filter_map(|(at, _)| {
            let (front, rest) = key.split_at_checked(at)?;
            Some((self.author_keys.get(front)?.as_str(), rest.get(1..)?))
        })
    }

    pub fn keys(&self, author: &str) -> impl Iterator<Item = &str> {
        self.keys.get(author).into_iter().flatten().map(String::as_str)
    }
}

/// Case and punctuation do not matter in the name of an author or a provider.
fn plain(name: &str) -> String {
    name.chars().flat_map(char::to_lowercase).filter(|c| !matches!(c, '.' | '-' | '_' | ' ')).collect()
}
