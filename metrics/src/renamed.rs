//! Names that the catalogue tells otherwise than what is published, and dates whose logged names were read again: of closed
//! dates, the night shows it.
//!
//! What was told under is read from the published tables `models` and `providers`, so that whoever goes on needs no memory, nor
//! the catalogue of then.

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;

use arrow::array::{AsArray, RecordBatch};
use bellwether_warehouse::Snapshot;
use chrono::{Days, NaiveDate};
use datafusion::common::cast::as_date32_array;
use datafusion::error::DataFusionError;
use datafusion::prelude::{Expr, col, lit};

use crate::{Catalogue, Error, models, providers};

/// Word of the line that says that the night has begun.
const BEGUN: &str = "begun";
/// Word of the lines of days.
const REMAPPED: &str = "remapped";

/// Ids, by what they are of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Renamed {
    pub models: BTreeSet<String>,
    pub authors: BTreeSet<String>,
    pub providers: BTreeSet<String>,
    /// Days of attempts whose logged names were read again, and are taken for others.
    pub remapped: BTreeSet<NaiveDate>,
    /// The night has begun to show them; older dates follow in further publications.
    pub is_begun: bool,
}

impl Renamed {
    /// What `catalogue` tells otherwise than these two tables, and what it knows that they do not. None: it tells a name no
    /// more, so nothing may stay as it is.
    ///
    /// # Errors
    /// The tables cannot be read.
    pub async fn between(
        models: &Snapshot,
        providers: &Snapshot,
        catalogue: &Catalogue,
    ) -> Result<Option<Self>, Error> {
        let told = Told::read(models, providers).await;
        let told = told.map_err(|source| Error::Publications { source: Box::new(source) })?;
        Ok(told.differs_from(catalogue))
    }

    pub fn is_empty(&self) -> bool {
        self.models.is_empty()
            && self.authors.is_empty()
            && self.providers.is_empty()
            && self.remapped.is_empty()
    }

    pub fn add(&mut self, other: Self) {
        self.models.extend(other.models);
        self.authors.extend(other.authors);
        self.providers.extend(other.providers);
        self.remapped.extend(other.remapped);
    }

    /// Whether a row of a published table is of one of these names.
    pub fn is_in(&self, rows: &RecordBatch) -> bool {
        let of_column = |name: &str, ids: &BTreeSet<String>| {
            let texts = rows.column_by_name(name).and_then(|texts| texts.as_string_opt::<i32>());
            let holds = |text: Option<&str>| text.is_some_and(|text| ids.contains(text));
            !ids.is_empty() && texts.is_some_and(|texts| texts.iter().any(holds))
        };
        of_column("model", &self.models)
            || of_column("author", &self.authors)
            || of_column("provider", &self.providers)
            || of_column("best_provider", &self.providers)
    }

    /// Dates on which a rollup has one of them. Its rows say a model, and mostly no author: that is of the catalogue.
    ///
    /// # Errors
    /// The rollup cannot be read.
    pub async fn dates(
        &self,
        rollup: &Snapshot,
        catalogue: &Catalogue,
    ) -> Result<BTreeSet<NaiveDate>, Error> {
        let dates = self.read_dates(rollup, catalogue).await;
        dates.map_err(|source| Error::Publications { source: Box::new(source) })
    }

    async fn read_dates(
        &self,
        rollup: &Snapshot,
        catalogue: &Catalogue,
    ) -> Result<BTreeSet<NaiveDate>, DataFusionError> {
        let of_authors = catalogue.models.iter().filter(|model| self.authors.contains(&model.author));
        let models: BTreeSet<&str> =
            self.models.iter().map(String::as_str).chain(of_authors.map(|model| model.id.as_str())).collect();
        let schema = rollup.table().schema();
        let (authors, providers) = (ids(&self.authors), ids(&self.providers));
        let is_one = [("model_id", models), ("author", authors), ("provider_id", providers)]
            .into_iter()
            .filter(|(column, ids)| !ids.is_empty() && schema.field_with_name(column).is_ok())
            .map(|(column, ids)| col(column).in_list(ids.into_iter().map(lit).collect(), false))
            .reduce(Expr::or);
        let (Some(is_one), Some(date)) = (is_one, rollup.table().partition_column()) else {
            return Ok(BTreeSet::new());
        };
        let ctx = rollup.session(1);
        let rows = ctx.read_table(rollup.provider())?.filter(is_one)?.select(vec![col(date)])?.distinct()?;
        let mut dates = BTreeSet::new();
        for batch in rows.collect().await? {
            let days = as_date32_array(batch.column(0))?;
            let days = days.values().iter().filter_map(|day| u64::try_from(*day).ok());
            dates.extend(days.filter_map(|day| NaiveDate::default().checked_add_days(Days::new(day))));
        }
        Ok(dates)
    }
}

fn ids(ids: &BTreeSet<String>) -> BTreeSet<&str> {
    ids.iter().map(String::as_str).collect()
}

impl fmt::Display for Renamed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut lines = Vec::new();
        if self.is_begun {
            lines.push(BEGUN.to_owned());
        }
        for (word, ids) in [("model", &self.models), ("author", &self.authors), ("provider", &self.providers)]
        {
            lines.extend(ids.iter().map(|id| format!("{word} {id}")));
        }
        lines.extend(self.remapped.iter().map(|date| format!("{REMAPPED} {date}")));
        f.write_str(&lines.join("\n"))
    }
}

impl FromStr for Renamed {
    type Err = Infallible;

    /// What a later program may have added is left out.
    fn from_str(text: &str) -> Result<Self, Infallible> {
        let mut renamed = Self::default();
        for line in text.lines() {
            match line.split_once(' ') {
                Some(("model", id)) => renamed.models.insert(id.to_owned()),
                Some(("author", id)) => renamed.authors.insert(id.to_owned()),
                Some(("provider", id)) => renamed.providers.insert(id.to_owned()),
                Some((REMAPPED, date)) => date.parse().is_ok_and(|date| renamed.remapped.insert(date)),
                _ => {
                    renamed.is_begun |= line == BEGUN;
                    false
                }
            };
        }
        Ok(renamed)
    }
}

/// The catalogue as the tables of names tell it.
#[derive(Debug, Default)]
struct Told {
    /// Of those that it listed: author and name, by id.
    models: BTreeMap<String, (String, String)>,
    /// Names by id, and whether it listed a model of them.
    authors: BTreeMap<String, (String, bool)>,
    /// Names by id.
    providers: BTreeMap<String, String>,
}

impl Told {
    async fn read(models: &Snapshot, providers: &Snapshot) -> Result<Self, DataFusionError> {
        let mut told = Self::default();
        let columns = ["key", "author", "author_name", "display_name", "is_catalogued"];
        for batch in read(models, models::TABLE.name, &columns).await? {
            let [ids, authors, author_names, names] = texts(&batch);
            let is_listed = batch.column(4).as_boolean();
            for row in 0..batch.num_rows() {
                let (author, is_listed) = (&authors[row], is_listed.value(row));
                if is_listed {
                    told.models.insert(ids[row].clone(), (author.clone(), names[row].clone()));
                }
                if !author.is_empty() {
                    let known = told.authors.entry(author.clone()).or_default();
                    *known = (author_names[row].clone(), known.1 || is_listed);
                }
            }
        }
        for batch in read(providers, providers::TABLE.name, &["key", "display_name", "is_catalogued"]).await?
        {
            let [ids, names] = texts(&batch);
            let is_listed = batch.column(2).as_boolean();
            let listed = ids.into_iter().zip(names).zip(is_listed.values().iter());
            told.providers.extend(listed.filter(|(_, is_listed)| *is_listed).map(|(provider, _)| provider));
        }
        Ok(told)
    }

    fn differs_from(&self, catalogue: &Catalogue) -> Option<Renamed> {
        let models: BTreeMap<&str, (&str, &str)> = catalogue
            .models
            .iter()
            .map(|model| (model.id.as_str(), (model.author.as_str(), model.name.as_str())))
            .collect();
        let providers: BTreeMap<&str, &str> =
            catalogue.providers.iter().map(|named| (named.id.as_str(), named.name.as_str())).collect();
        // An author without an entry is called by its slug.
        let mut authors: BTreeMap<&str, &str> =
            catalogue.models.iter().map(|model| (model.author.as_str(), model.author.as_str())).collect();
        authors.extend(catalogue.authors.iter().map(|named| (named.id.as_str(), named.name.as_str())));

        let is_withdrawn = self.models.keys().any(|id| !models.contains_key(id.as_str()))
            || self.providers.keys().any(|id| !providers.contains_key(id.as_str()))
            || self.authors.iter().any(|(id, (name, is_listed))| {
                (*is_listed || name != id) && !authors.contains_key(id.as_str())
            });
        if is_withdrawn {
            return None;
        }
        let is_other_model = |(id, (author, name)): &(&str, (&str, &str))| {
            self.models.get(*id).is_none_or(|told| (told.0.as_str(), told.1.as_str()) != (*author, *name))
        };
        let is_other_author =
            |(id, name): &(&str, &str)| self.authors.get(*id).is_some_and(|(told, _)| told != name);
        let is_other_provider =
            |(id, name): &(&str, &str)| self.providers.get(*id).is_none_or(|told| told != name);
        Some(Renamed {
            models: models.into_iter().filter(is_other_model).map(|(id, _)| id.to_owned()).collect(),
            authors: authors.into_iter().filter(is_other_author).map(|(id, _)| id.to_owned()).collect(),
            providers: providers.into_iter().filter(is_other_provider).map(|(id, _)| id.to_owned()).collect(),
            ..Renamed::default()
        })
    }
}

async fn read(table: &Snapshot, name: &str, columns: &[&str]) -> Result<Vec<RecordBatch>, DataFusionError> {
    let ctx = table.session(1);
    ctx.register_table(name, table.provider())?;
    ctx.table(name).await?.select_columns(columns)?.collect().await
}

/// The first columns, as long as texts are asked for. Null is empty.
fn texts<const N: usize>(batch: &RecordBatch) -> [Vec<String>; N] {
    std::array::from_fn(|at| {
        let texts = batch.column(at).as_string::<i32>();
        texts.iter().map(|text| text.unwrap_or_default().to_owned()).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Model, Named};

    fn told(authors: &[(&str, &str, bool)]) -> Told {
        let author =
            |(id, name, is_listed): &(&str, &str, bool)| ((*id).to_owned(), ((*name).to_owned(), *is_listed));
        Told {
            models: BTreeMap::from([("acme/one".into(), ("acme".into(), "One".into()))]),
            authors: authors.iter().map(author).collect(),
            providers: BTreeMap::from([("north".into(), "North".into())]),
        }
    }

    fn named(names: &[(&str, &str)]) -> Vec<Named> {
        names.iter().map(|(id, name)| Named { id: (*id).into(), name: (*name).into() }).collect()
    }

    fn catalogue(
        models: &[(&str, &str, &str)],
        authors: &[(&str, &str)],
        providers: &[(&str, &str)],
    ) -> Catalogue {
        let model = |(id, author, name): &(&str, &str, &str)| Model {
            id: (*id).into(),
            author: (*author).into(),
            name: (*name).into(),
        };
        Catalogue {
            models: models.iter().map(model).collect(),
            authors: named(authors),
            providers: named(providers),
            ..Catalogue::default()
        }
    }

    #[test]
    fn names_that_differ_or_are_new_are_told_and_one_that_is_gone_is_everything() {
        let one = ("acme/one", "acme", "One");
        let (acme, north) = (("acme", "Acme"), ("north", "North"));
        let stands = told(&[("acme", "Acme", true)]);
        let lines = |told: &Told, catalogue: Catalogue| {
            told.differs_from(&catalogue).map(|renamed| renamed.to_string().replace('\n', ", "))
        };
        for (models, authors, providers, expected) in [
            (vec![one], vec![acme], vec![north], Some("")),
            (vec![("acme/one", "acme", "Uno")], vec![acme], vec![north], Some("model acme/one")),
            (vec![("acme/one", "bolt", "One")], vec![acme], vec![north], Some("model acme/one")),
            // Nobody is called that any more.
            (vec![("acme/one", "bolt", "One")], vec![("bolt", "Bolt")], vec![north], None),
            (vec![one, ("bolt/two", "bolt", "Two")], vec![acme], vec![north], Some("model bolt/two")),
            (vec![one], vec![("acme", "Acme Inc.")], vec![north], Some("author acme")),
            // Its slug stands for it.
            (vec![one], vec![], vec![north], Some("author acme")),
            (
                vec![one],
                vec![acme],
                vec![("north", "Nord"), ("south", "South")],
                Some("provider north, provider south"),
            ),
            (vec![], vec![acme], vec![north], None),
            (vec![one], vec![acme], vec![], None),
        ] {
            let found = lines(&stands, catalogue(&models, &authors, &providers));
            assert_eq!(found.as_deref(), expected, "{models:?} {authors:?} {providers:?}");
        }
        // An author of whom the log alone knows is none of the catalogue's, before or after.
        let logged = told(&[("acme", "Acme", true), ("solo", "solo", false)]);
        let same = catalogue(&[one], &[acme], &[north]);
        assert_eq!(lines(&logged, same).as_deref(), Some(""));
    }

    #[test]
    fn what_waits_is_read_as_it_was_written() {
        let text = "begun\nmodel acme/one\nmodel acme/two\nauthor acme\nprovider host:with blank\nremapped 2026-11-24";
        let renamed: Renamed = text.parse().unwrap();
        assert!(
            renamed.is_begun && renamed.models.len() == 2 && renamed.providers.contains("host:with blank")
        );
        assert_eq!(renamed.to_string(), text);
        assert_eq!("".parse::<Renamed>().unwrap(), Renamed::default());
        assert_eq!("of a later program\nauthor acme".parse::<Renamed>().unwrap().to_string(), "author acme");
    }
}
