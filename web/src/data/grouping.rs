//! How rows are sorted into the groups of a query.

use super::dictionary::{AuthorId, Dictionary, ModelId, ProviderId, SeriesId, Sizes};
use super::usage::{Filter, Group, GroupBy};

/// How ids of rows become dense group numbers: one look-up per row.
pub(crate) struct Grouping {
    by: GroupBy,
    /// Group number of each series; `None` = filtered out. For providers any number stands for "kept".
    of_series: Vec<Option<u32>>,
    provider: Option<ProviderId>,
    pub len: usize,
}

impl Grouping {
    pub fn new(dictionary: &Dictionary, by: GroupBy, filter: &Filter) -> Self {
        let sizes = dictionary.sizes();
        let of_series = (0..sizes.series)
            .map(|index| {
                let series = SeriesId(u32::try_from(index).unwrap_or(0));
                filter.keeps_series(dictionary, series).then(|| {
                    let model = dictionary.series(series).model;
                    match by {
                        GroupBy::Model => model.0,
                        GroupBy::Series => series.0,
                        GroupBy::Author => dictionary.author_of(model).0,
                        GroupBy::Provider => 0,
                    }
                })
            })
            .collect();
        let Sizes { models, authors, providers, series, .. } = sizes;
        let len = match by {
            GroupBy::Model => models,
            GroupBy::Series => series,
            GroupBy::Author => authors,
            GroupBy::Provider => providers,
        };
        Self { by, of_series, provider: filter.provider, len }
    }

    #[inline]
    pub fn slot(&self, series: u32, provider: u32) -> Option<usize> {
        if self.provider.is_some_and(|wanted| wanted.0 != provider) {
            return None;
        }
        let group = (*self.of_series.get(series as usize)?)?;
        Some(if self.by == GroupBy::Provider { provider as usize } else { group as usize })
    }

    pub fn group(&self, slot: usize) -> Group {
        let id = u32::try_from(slot).unwrap_or(0);
        match self.by {
            GroupBy::Model => Group::Model(ModelId(id)),
            GroupBy::Series => Group::Series(SeriesId(id)),
            GroupBy::Author => Group::Author(AuthorId(id)),
            GroupBy::Provider => Group::Provider(ProviderId(id)),
        }
    }
}
