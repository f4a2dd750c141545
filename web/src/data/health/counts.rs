//! Attempts by outcome with the uptime that is published of them, and states.

use arrow::array::{BooleanArray, Float64Array};

use crate::data::detail::Detail;
use crate::data::figure::{Figure, NotEnough, NotYet, Thresholds};
use crate::data::load::{Columns, CountColumn, LoadError, percent, real_at};
use crate::tally::Tally;

/// Attempts of one thing over one period, as published: exact, or bands as `detail` says.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Counts {
    pub attempts: u64,
    pub fault: u64,
    pub rate_limited: u64,
    pub detail: Detail,
    counted: u64,
    success: u64,
    /// Percent.
    uptime: Option<f64>,
    /// Nobody has counted.
    not_yet: Option<NotYet>,
}

impl Counts {
    /// Of a row that there is not: no attempt, or it is still to be published.
    pub(super) fn missing(detail: Detail, not_yet: Option<NotYet>) -> Self {
        Self { detail, not_yet, ..Self::default() }
    }

    /// Attempts that count as success: ended ok, or cancelled by the caller after delivery began.
    pub fn success(&self) -> u64 {
        self.success
    }

    /// Attempts that count for uptime: success + fault.
    pub fn counted(&self) -> u64 {
        self.counted
    }

    /// One of these counts as it is told; None: nobody has counted yet.
    pub fn tally(&self, n: u64) -> Option<Tally> {
        self.not_yet.is_none().then(|| self.detail.count(n))
    }

    /// Uptime in percent, or how many counted attempts it needs.
    pub fn uptime(&self, thresholds: &Thresholds) -> Figure<f64> {
        if let Some(not_yet) = self.not_yet {
            return Err(not_yet.into());
        }
        let why = NotEnough::counts(self.counted, thresholds.counted_attempts.max(1));
        self.uptime.ok_or_else(|| self.detail.reason(why).into())
    }

    #[cfg(test)]
    pub(crate) fn of(counted: u64, uptime: Option<f64>) -> Self {
        Self { attempts: counted, success: counted, counted, uptime, ..Self::default() }
    }
}

/// The columns of [`Counts`].
pub(super) struct Rows {
    counts: Vec<CountColumn>,
    are_bands: BooleanArray,
    uptime: Float64Array,
}

const COUNTS: [&str; 5] = ["attempts", "counted", "success", "fault", "rate_limited"];

impl Rows {
    pub fn names() -> impl Iterator<Item = String> {
        COUNTS.into_iter().chain(["counts_are_bands", "uptime"]).map(str::to_owned)
    }

    pub fn of(columns: &Columns<'_>) -> Result<Self, LoadError> {
        Ok(Self {
            counts: columns.counts(&COUNTS)?,
            are_bands: columns.flag("counts_are_bands")?,
            uptime: columns.float("uptime")?,
        })
    }

    pub fn at(&self, row: usize) -> Counts {
        let mut counts = self.counts.iter().map(|column| column.value(row));
        let mut next = || counts.next().unwrap_or(0);
        Counts {
            attempts: next(),
            counted: next(),
            success: next(),
            fault: next(),
            rate_limited: next(),
            detail: Detail::of(&self.are_bands, row),
            uptime: real_at(&self.uptime, row).map(percent),
            not_yet: None,
        }
    }
}

/// State of a provider, model or endpoint, as its 30-minute window makes it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum State {
    Down,
    Degraded,
    Operational,
    #[default]
    NoData,
}

impl State {
    pub const ALL: [Self; 4] = [Self::Down, Self::Degraded, Self::Operational, Self::NoData];

    /// The word in tables and the API.
    pub fn word(self) -> &'static str {
        match self {
            Self::Down => "down",
            Self::Degraded => "degraded",
            Self::Operational => "operational",
            Self::NoData => "no_data",
        }
    }

    pub(super) fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.word() == word)
    }

    pub fn label(self) -> &'static str {
        match self {
            Self::Down => "Down",
            Self::Degraded => "Degraded",
            Self::Operational => "Operational",
            Self::NoData => "No data",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Profile;

    #[test]
    fn without_an_uptime_it_is_said_what_one_needs() {
        let thresholds = Profile::Public.thresholds();
        let few = Counts::of(99, None);
        assert_eq!(few.uptime(&thresholds), Err(NotEnough::counts(99, 100).into()));
        let banded = Counts { detail: Detail::Banded, ..few };
        assert_eq!(
            banded.uptime(&thresholds),
            Err(NotEnough { n: None, needs: 100, needs_users: None }.into())
        );
        assert_eq!(Counts::of(7, Some(99.5)).uptime(&thresholds), Ok(99.5), "what is published is told");
        let uncounted = Counts::missing(Detail::Exact, Some(NotYet::default()));
        assert_eq!(uncounted.uptime(&thresholds), Err(NotYet::default().into()));
        assert_eq!((uncounted.tally(0), few.tally(99)), (None, Some(Tally::Exact(99))));
    }

    #[test]
    fn states_are_those_of_the_table() {
        assert_eq!(State::parse("degraded"), Some(State::Degraded));
        assert_eq!(State::parse("wobbly"), None);
    }
}
