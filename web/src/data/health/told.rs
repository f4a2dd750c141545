//! How exactly amounts are told where no row says it of them.

use super::Scope;
use crate::data::Dataset;
use crate::data::detail::Detail;
use crate::data::gate::{Kind, variant_key};

impl Dataset {
    /// How exactly amounts of a scope may be told that no row says it of.
    pub fn detail(&self, scope: Scope) -> Detail {
        let is_told = match (scope.model, scope.provider) {
            _ if self.gate.is_open() => true,
            (None, None) => true,
            (Some(_), Some(_)) => false,
            (model, provider) => {
                model.is_none_or(|model| {
                    // With a hidden variant among them, its attempts would be what the told ones leave over.
                    let keys = self.dictionary.series_of(model).map(|series| {
                        let variant = self.dictionary.variant(series.variant);
                        variant_key(self.dictionary.model(model), variant)
                    });
                    let date = self.newest_date();
                    let mut decided =
                        keys.filter_map(|key| self.gate.decision(Kind::Variant, &key, date)).peekable();
                    decided.peek().is_some() && decided.all(|is_public| is_public)
                }) && provider.is_none_or(|provider| {
                    self.gate.names(Kind::Provider, self.dictionary.provider(provider), self.newest_date())
                })
            }
        };
        if is_told { Detail::Exact } else { Detail::Banded }
    }
}
