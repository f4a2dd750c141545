//! An operator's own catalogue file, and what may be put into it.

mod entry;
mod insert;

use super::file::File;
use super::read::read;
use super::{Catalogue, Error};

pub use entry::Entry;

/// The text of a catalogue file and what it says.
#[derive(Debug)]
pub struct Overlay {
    text: String,
    file: File,
}

/// How an entry stands to what is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    New,
    /// It says nothing else.
    Known,
    /// The own file says something else under the same key: both in words.
    Own {
        key: String,
        has: String,
    },
    /// The shipped list does.
    Shipped {
        key: String,
        has: String,
    },
}

impl Overlay {
    /// # Errors
    /// As for `Catalogue::from_toml`, but for authors, models and providers that only the shipped list has.
    pub fn parse(text: String) -> Result<Self, Error> {
        let file = read(&text)?;
        Ok(Self { text, file })
    }

    pub fn text(&self) -> &str {
        &self.text
    }

    /// All that the file says, in the order in which it can be added to another one.
    pub fn into_entries(self) -> Vec<Entry> {
        let File { version: _, authors, providers, models, families, aliases, prices } = self.file;
        let named = authors.into_iter().map(Entry::Author).chain(providers.into_iter().map(Entry::Provider));
        let listed = models.into_iter().map(Entry::Model).chain(families.into_iter().map(Entry::Family));
        let rules = aliases.into_iter().map(Entry::Alias).chain(prices.into_iter().map(Entry::Price));
        named.chain(listed).chain(rules).collect()
    }

    /// `shipped` is what lies below this file.
    pub fn standing(&self, entry: &Entry, shipped: &Catalogue) -> Standing {
        let said = |file: &File| entry.said(file);
        match (said(&self.file), said(&shipped.file)) {
            (Some(has), _) | (None, Some(has)) if entry.says(&has) => Standing::Known,
            (Some(has), _) => Standing::Own { key: entry.key(), has: has.told() },
            (None, Some(has)) => Standing::Shipped { key: entry.key(), has: has.told() },
            (None, None) => Standing::New,
        }
    }

    /// The alias of the file, in one line, that takes all names of a new one behind it.
    pub fn hides(&self, entry: &Entry) -> Option<String> {
        let Entry::Alias(new) = entry else { return None };
        let first = self.file.aliases.iter().find(|known| known.covers(new))?;
        Some(Entry::Alias(first.clone()).told())
    }

    /// Whether the file has the very entry.
    pub fn has(&self, entry: &Entry) -> bool {
        match entry {
            Entry::Author(own) => self.file.authors.contains(own),
            Entry::Provider(own) => self.file.providers.contains(own),
            Entry::Model(own) => self.file.models.contains(own),
            Entry::Family(own) => self.file.families.contains(own),
            Entry::Alias(own) => self.file.aliases.contains(own),
            Entry::Price(own) => self.file.prices.contains(own),
        }
    }

    /// Puts entries behind those of their kind. What the file says then is for the caller to check, as a whole.
    ///
    /// # Errors
    /// When the text that comes of it is no catalogue file.
    pub fn add(&mut self, entries: &[Entry]) -> Result<(), Error> {
        let mut text = self.text.clone();
        for list in Entry::LISTS {
            let rows: Vec<_> =
                entries.iter().filter(|entry| entry.list() == list).map(Entry::members).collect();
            if !rows.is_empty() {
                text = insert::insert(&text, list, &rows)?;
            }
        }
        *self = Self::parse(text)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests;
