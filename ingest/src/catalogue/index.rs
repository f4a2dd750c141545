//! Models by their keys.

use std::collections::{BTreeSet, HashMap};

use super::Error;
use super::explain::{Step, Steps};
use super::file::{Family, File};
use super::fold::{Cut, Fold, shortened};
use super::parse::{Parsed, parse, unmarked};
use super::spellings::Spellings;

#[derive(Debug, Default)]
pub(super) struct Index {
    fold: Fold,
    pub spellings: Spellings,
    families: Vec<Family>,
    /// Author → key → model id.
    listed: HashMap<String, HashMap<String, String>>,
    /// Key → ids, of every author.
    bare: HashMap<String, BTreeSet<String>>,
}

impl Index {
    pub fn new(file: &File) -> Result<Self, Error> {
        let stems = file.families.iter().filter(|family| family.splits);
        let fold = Fold::new(stems.map(|family| family.prefix.trim_end_matches('-').to_ascii_lowercase()));
        let spellings = Spellings::new(file, &fold);
        let mut index = Self { fold, spellings, families: file.families.clone(), ..Self::default() };
        for model in &file.models {
            let Some((author, slug)) = model.id.split_once('/') else { continue };
            for name in model.names.iter().map(String::as_str).chain([slug]) {
                index.add(author, name, &model.id)?;
            }
        }
        Ok(index)
    }

    fn add(&mut self, author: &str, name: &str, model_id: &str) -> Result<(), Error> {
        let key = self.fold.key(name);
        let of_author = self.listed.entry(author.to_owned()).or_default();
        let known = of_author.entry(key.clone()).or_insert_with(|| model_id.to_owned());
        if known != model_id {
            return Err(Error::SameKey { key, first: known.clone(), second: model_id.to_owned() });
        }
        self.bare.entry(key).or_default().insert(model_id.to_owned());
        Ok(())
    }

    /// The model of a raw name, and the provider that it names.
    pub fn resolve(&self, raw: &str, steps: &mut Steps) -> (Option<String>, Option<String>) {
        let Some(parsed) = parse(raw, &self.spellings, steps) else { return (None, None) };
        let found = self.look_up(&parsed, steps);
        (found, parsed.provider)
    }

    fn look_up(&self, parsed: &Parsed, steps: &mut Steps) -> Option<String> {
        for (cut, slug) in shortened(&parsed.slug) {
            if cut != Cut::Nothing {
                steps.note(|| Step::Shortened { cut, slug: slug.to_owned() });
            }
            if let Some(found) = self.by_slug(parsed, slug, steps) {
                return Some(found);
            }
            if let Some(slug) = unmarked(slug) {
                steps.note(|| Step::Unmarked { slug: slug.to_owned() });
                if let Some(found) = self.by_slug(parsed, slug, steps) {
                    return Some(found);
                }
            }
        }
        steps.note(|| Step::NotListed);
        None
    }

    fn by_slug(&self, parsed: &Parsed, slug: &str, steps: &mut Steps) -> Option<String> {
        let key = self.fold.key(slug);
        let mut found = None;
        if let Some(author) = &parsed.author {
            steps.note(|| Step::Key { key: key.clone(), author: Some(author.clone()) });
            found = self.of_author(author, &key).map(str::to_owned);
        }
        // A host is an author only of what is listed under it.
        if found.is_none() && (parsed.author.is_none() || parsed.is_host) {
            steps.note(|| Step::Key { key: key.clone(), author: None });
            found = self.of_any(slug, &key, steps);
        }
        if let Some(model_id) = &found {
            steps.note(|| Step::Met { model_id: model_id.clone() });
        }
        found
    }

    /// By its key, or by its key with the author's name in front that is there or is not: `meta-llama/Meta-Llama-3.1-8B`,
    /// `deepseek.v3.2`.
    fn of_author(&self, author: &str, key: &str) -> Option<&str> {
        let listed = self.listed.get(author)?;
        let shorter = || {
            let mut rests = self.spellings.in_front(key).filter(|(of, _)| *of == author);
            rests.find_map(|(_, rest)| listed.get(rest))
        };
        let longer = || self.spellings.keys(author).find_map(|name| listed.get(&format!("{name}-{key}")));
        listed.get(key).or_else(shorter).or_else(longer).map(String::as_str)
    }

    /// Of whichever author: the one that lists it; of several the one whose family it is; else one whose name stands in
    /// front of it.
    fn of_any(&self, slug: &str, key: &str, steps: &mut Steps) -> Option<String> {
        let starts = |family: &&Family| slug.starts_with(&family.prefix) || key.starts_with(&family.prefix);
        let family = || self.families.iter().find(starts).map(|family| family.author.as_str());
        let is_of = |id: &str, author: Option<&str>| id.split_once('/').map(|(of, _)| of) == author;
        let mut found: Vec<&String> = self.bare.get(key).into_iter().flatten().collect();
        // One word may be anything, unless its family says whose it is.
        if found.len() > 1 || !key.contains(|c: char| c == '-' || c.is_ascii_digit()) {
            let author = family();
            let all = std::mem::take(&mut found);
            found = all.iter().copied().filter(|id| is_of(id, author)).collect();
            if found.is_empty() && !all.is_empty() {
                steps.note(|| Step::Tied {
                    model_ids: all.iter().map(|id| (*id).clone()).collect(),
                    family: author.map(str::to_owned),
                });
                return None;
            }
        }
        if let [id] = found.as_slice() {
            return Some((*id).clone());
        }
        let in_front =
            self.spellings.in_front(key).filter_map(|(author, rest)| self.listed.get(author)?.get(rest));
        let in_front: BTreeSet<&String> = in_front.collect();
        match in_front.len() {
            0 => None,
            1 => in_front.first().map(|id| (*id).clone()),
            _ => {
                steps.note(|| Step::Tied {
                    model_ids: in_front.iter().map(|id| (*id).clone()).collect(),
                    family: None,
                });
                None
            }
        }
    }
}
