//! The catalogue that a process goes by: another one takes its place as a whole, between two records.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use super::Catalogue;

/// Cheap to clone; all clones are one.
#[derive(Clone, Debug, Default)]
pub struct Current(Arc<RwLock<Arc<Catalogue>>>);

impl Current {
    pub fn new(catalogue: Catalogue) -> Self {
        Self(Arc::new(RwLock::new(Arc::new(catalogue))))
    }

    /// For one record, or one look: whoever keeps it does not see the next one. Answers are remembered in the catalogue
    /// itself, so none of a former one is given under the next.
    pub fn get(&self) -> Arc<Catalogue> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Puts another one in its place. Returns what it tells otherwise. Thousands of entries are compared, so it is not for a
    /// thread of tasks; whoever asks for the current one waits for none of it.
    pub fn put(&self, next: Catalogue) -> Difference {
        let difference = Difference::between(&self.get(), &next);
        let next = Arc::new(next);
        let former = std::mem::replace(&mut *self.0.write().unwrap_or_else(PoisonError::into_inner), next);
        // After the lock: it may be the last one to hold it.
        drop(former);
        difference
    }
}

/// Entries of two catalogues, of whatever list, counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Difference {
    pub added: usize,
    pub changed: usize,
    pub withdrawn: usize,
}

impl Difference {
    fn between(former: &Catalogue, next: &Catalogue) -> Self {
        let (former, next) = (entries(former), entries(next));
        let mut difference = Self::default();
        for (key, entry) in &next {
            match former.get(key) {
                None => difference.added += 1,
                Some(known) if known != entry => difference.changed += 1,
                Some(_) => {}
            }
        }
        difference.withdrawn = former.keys().filter(|key| !next.contains_key(*key)).count();
        difference
    }

    pub fn is_none(self) -> bool {
        self == Self::default()
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { added, changed, withdrawn } = self;
        write!(f, "{added} entries added, {changed} changed, {withdrawn} withdrawn")
    }
}

/// Every entry in words, by what it is of. A rule has no name but itself.
fn entries(catalogue: &Catalogue) -> BTreeMap<(&'static str, String), String> {
    let file = &catalogue.file;
    let authors = file.authors.iter().map(|author| ("author", author.slug.clone(), format!("{author:?}")));
    let providers =
        file.providers.iter().map(|provider| ("provider", provider.id.clone(), format!("{provider:?}")));
    let models = file.models.iter().map(|model| ("model", model.id.clone(), format!("{model:?}")));
    let families = file.families.iter().map(|family| ("family", format!("{family:?}"), String::new()));
    let aliases = file.aliases.iter().map(|alias| ("alias", format!("{alias:?}"), String::new()));
    let prices = file
        .prices
        .iter()
        .map(|price| ("price", format!("{:?} {:?}", price.place(), price.valid_from), format!("{price:?}")));
    let all = authors.chain(providers).chain(models).chain(families).chain(aliases).chain(prices);
    all.map(|(list, key, entry)| ((list, key), entry)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const FORMER: &str = r#"
        authors = [{ slug = "acme", name = "Acme" }]
        models = [{ id = "acme/one", name = "One" }, { id = "acme/two", name = "Two" }]
        aliases = [{ raw_model = "prod", model_id = "acme/one" }]
    "#;

    #[test]
    fn another_catalogue_answers_at_once_and_says_what_it_tells_otherwise() {
        let current = Current::new(Catalogue::from_toml(FORMER).unwrap());
        let model = |name| current.get().resolve("litellm", Some(name), None, None).model_id.clone();
        assert_eq!(model("prod").as_deref(), Some("acme/one"));
        let held = current.get();
        let next = FORMER
            .replace("model_id = \"acme/one\"", "model_id = \"acme/two\"")
            .replace("\"Two\"", "\"Second\"");
        let next = next
            .replace("{ id = \"acme/one\", name = \"One\" }, ", "{ id = \"acme/new\", name = \"New\" }, ");
        // Withdrawn: a model and a rule; added: a model and a rule.
        let difference = current.put(Catalogue::from_toml(&next).unwrap());
        assert_eq!(difference, Difference { added: 2, changed: 1, withdrawn: 2 });
        assert_eq!(difference.to_string(), "2 entries added, 1 changed, 2 withdrawn");
        assert_eq!(model("prod").as_deref(), Some("acme/two"));
        assert_eq!(held.resolve("litellm", Some("prod"), None, None).model_id.as_deref(), Some("acme/one"));
        assert!(current.put(Catalogue::from_toml(&next).unwrap()).is_none());
    }
}
