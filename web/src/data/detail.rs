//! How exactly amounts of health are told: of a name that may not stand beside usage, and of a model at a provider, by
//! their size only. Published rows of health say so themselves and are told as they are.

use arrow::array::{Array, BooleanArray};

use super::figure::NotEnough;
use crate::tally::Tally;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Detail {
    #[default]
    Exact,
    Banded,
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
