//! How exactly amounts of health are told: of a name that may not stand beside usage, and of a model at a provider, by
//! their size only. Published rows of health say so themselves and are told as they are.

use arrow::array::{Array, BooleanArray};

use super::Dataset;
use super::figure::NotEnough;
use super::gate::{Kind, variant_key};
use super::health::Scope;

/// A count, or the power of ten that it reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tally {
    Exact(u64),
    /// At least so many: 100, 1,000, 10,000, …; `None`: fewer than 100.
    Band(Option<u64>),
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Detail {
    #[default]
    Exact,
    Banded,
}

impl Default for Tally {
    fn default() -> Self {
        Self::Exact(0)
    }
}

impl Tally {
    pub fn exact(self) -> Option<u64> {
        if let Self::Exact(n) = self { Some(n) } else { None }
    }
}

impl Detail {
    /// As a row says it in `counts_are_bands`: what does not say that it is exact is not taken for it.
    pub(super) fn of(are_bands: &BooleanArray, row: usize) -> Self {
        let is_exact = are_bands.is_valid(row) && !are_bands.value(row);
        if is_exact { Self::Exact } else { Self::Banded }
    }

    pub fn is_exact(self) -> bool {
        self == Self::Exact
    }

    pub fn count(self, n: u64) -> Tally {
        match self {
            Self::Exact => Tally::Exact(n),
            Self::Banded => Tally::Band(n.checked_ilog10().filter(|power| *power >= 2).map(|p| 10u64.pow(p))),
        }
    }

    /// A ratio from 0 to 1, in whole hundredths.
    pub fn share(self, value: Option<f64>) -> Option<f64> {
        value.map(|value| if self.is_exact() { value } else { (value * 100.0).round() / 100.0 })
    }

    /// Any other figure, to three digits.
    pub fn rough(self, value: Option<f64>) -> Option<f64> {
        value.map(
            |value| if self.is_exact() { value } else { format!("{value:.2e}").parse().unwrap_or(value) },
        )
    }

    /// Of what is missing, how much there is, where that may be told.
    pub(super) fn reason(self, why: NotEnough) -> NotEnough {
        NotEnough { n: why.n.filter(|_| self.is_exact()), ..why }
    }
}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_band_is_the_power_of_ten_below() {
        let band = |n| Detail::Banded.count(n);
        assert_eq!([band(0), band(1), band(99)], [Tally::Band(None); 3]);
        assert_eq!([band(100), band(999)], [Tally::Band(Some(100)); 2]);
        assert_eq!(
            [band(1_000), band(u64::MAX)],
            [1_000, 10_000_000_000_000_000_000].map(|n| Tally::Band(Some(n)))
        );
        assert_eq!(Detail::Exact.count(7), Tally::Exact(7));
    }

    #[test]
    fn ratios_are_rounded_where_counts_are_bands() {
        assert_eq!(Detail::Banded.share(Some(2.0 / 3.0)), Some(0.67));
        assert_eq!(Detail::Banded.rough(Some(1_234.5)), Some(1_230.0));
        assert_eq!(Detail::Exact.share(Some(1.0 / 3.0)), Some(1.0 / 3.0));
        let why = Detail::Banded.reason(NotEnough::counts(37, 100));
        assert_eq!(why, NotEnough { n: None, needs: 100, needs_users: None });
    }
}
