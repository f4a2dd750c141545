//! One day of `usage_by_day`: a list of rows a dimension.

use super::dictionary::{Dictionary, ModelId, ProviderId};
use super::group::{Filter, GroupBy};
use super::totals::{Measures, Totals};

/// Rows of one dimension; of each id there is one.
#[derive(Clone, Debug, Default)]
struct Rows {
    ids: Vec<u32>,
    measures: Measures,
}

impl Rows {
    fn of(&self, wanted: u32) -> Totals {
        let mut sum = Totals::default();
        for (row, _) in self.ids.iter().enumerate().filter(|(_, id)| **id == wanted) {
            sum.add_row(&self.measures, row);
        }
        sum
    }
}

/// Models at providers.
#[derive(Clone, Debug, Default)]
struct Pairs {
    models: Vec<ModelId>,
    providers: Vec<ProviderId>,
    measures: Measures,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct UsageDay {
    total: Totals,
    models: Rows,
    series: Rows,
    authors: Rows,
    providers: Rows,
    pairs: Pairs,
}

/// What one row is a row of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Of {
    Total,
    /// By the id of the dimension.
    Name(GroupBy, u32),
    Pair(ModelId, ProviderId),
}

impl UsageDay {
    /// Adds one stored row; `values` in the order of `totals::COLUMNS`.
    pub(super) fn add(&mut self, of: Of, values: impl Iterator<Item = u64>, cost_usd: u128) {
        match of {
            Of::Total => {
                let mut whole = Measures::default();
                whole.push(values, cost_usd);
                self.total.add_row(&whole, 0);
            }
            Of::Name(by, id) => {
                let rows = self.rows_mut(by);
                rows.ids.push(id);
                rows.measures.push(values, cost_usd);
            }
            Of::Pair(model, provider) => {
                self.pairs.models.push(model);
                self.pairs.providers.push(provider);
                self.pairs.measures.push(values, cost_usd);
            }
        }
    }

    /// A day without traffic, of a file that holds others.
    pub fn is_empty(&self) -> bool {
        self.models.ids.is_empty() && self.total == Totals::default()
    }

    pub fn requests(&self) -> u64 {
        self.total.requests
    }

    /// All of whose traffic it is.
    pub(super) fn whole(&self, filter: Filter) -> Totals {
        match filter {
            Filter::All => self.total,
            Filter::Model(id) => self.models.of(id.0),
            Filter::Author(id) => self.authors.of(id.0),
            Filter::Provider(id) => self.providers.of(id.0),
        }
    }

    /// Rows by group. Variants at one provider are in no dimension.
    pub(super) fn each(
        &self,
        dictionary: &Dictionary,
        by: GroupBy,
        filter: Filter,
        mut visit: impl FnMut(u32, &Measures, usize),
    ) {
        let author = |model: ModelId| dictionary.author_of(model);
        let model = |id: u32| match by {
            GroupBy::Series => dictionary.series(super::dictionary::SeriesId(id)).model,
            _ => ModelId(id),
        };
        match (by, filter) {
            (_, Filter::All) => self.visit(by, |_| true, &mut visit),
            (GroupBy::Provider, Filter::Provider(wanted)) => self.visit(by, |id| id == wanted.0, &mut visit),
            (GroupBy::Author, Filter::Author(wanted)) => self.visit(by, |id| id == wanted.0, &mut visit),
            (GroupBy::Model | GroupBy::Series, Filter::Model(wanted)) => {
                self.visit(by, |id| model(id) == wanted, &mut visit);
            }
            (GroupBy::Model | GroupBy::Series, Filter::Author(wanted)) => {
                self.visit(by, |id| author(model(id)) == wanted, &mut visit);
            }
            (GroupBy::Author, Filter::Model(wanted)) => {
                let group = author(wanted).0;
                self.visit(GroupBy::Model, |id| id == wanted.0, &mut |_, rows, row| visit(group, rows, row));
            }
            (GroupBy::Provider, Filter::Model(wanted)) => {
                self.visit_pairs(|pair, _| pair == wanted, |_, provider| provider.0, &mut visit);
            }
            (GroupBy::Provider, Filter::Author(wanted)) => {
                self.visit_pairs(|pair, _| author(pair) == wanted, |_, provider| provider.0, &mut visit);
            }
            (GroupBy::Model, Filter::Provider(wanted)) => {
                self.visit_pairs(|_, provider| provider == wanted, |pair, _| pair.0, &mut visit);
            }
            (GroupBy::Author, Filter::Provider(wanted)) => {
                self.visit_pairs(|_, provider| provider == wanted, |pair, _| author(pair).0, &mut visit);
            }
            (GroupBy::Series, Filter::Provider(_)) => {}
        }
    }

    fn visit(&self, by: GroupBy, keeps: impl Fn(u32) -> bool, visit: &mut impl FnMut(u32, &Measures, usize)) {
        let rows = self.rows(by);
        for (row, id) in rows.ids.iter().enumerate().filter(|(_, id)| keeps(**id)) {
            visit(*id, &rows.measures, row);
        }
    }

    fn visit_pairs(
        &self,
        keeps: impl Fn(ModelId, ProviderId) -> bool,
        group: impl Fn(ModelId, ProviderId) -> u32,
        visit: &mut impl FnMut(u32, &Measures, usize),
    ) {
        let pairs = self.pairs.models.iter().zip(&self.pairs.providers).enumerate();
        for (row, (model, provider)) in pairs.filter(|(_, (model, provider))| keeps(**model, **provider)) {
            visit(group(*model, *provider), &self.pairs.measures, row);
        }
    }

    fn rows(&self, by: GroupBy) -> &Rows {
        match by {
            GroupBy::Model => &self.models,
            GroupBy::Series => &self.series,
            GroupBy::Author => &self.authors,
            GroupBy::Provider => &self.providers,
        }
    }

    fn rows_mut(&mut self, by: GroupBy) -> &mut Rows {
        match by {
            GroupBy::Model => &mut self.models,
            GroupBy::Series => &mut self.series,
            GroupBy::Author => &mut self.authors,
            GroupBy::Provider => &mut self.providers,
        }
    }
}
