//! What each parameter means and which values it has: for problems, and for the description of the API.

use super::print::{HEALTH, LABELS};
use super::state::{By, Param, Period, SortKey, State, Variants, View, Vs};
use crate::data::Metric;

/// The values that a parameter understands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Values {
    Words(Vec<&'static str>),
    /// A word of these, alone or after a minus sign for the largest first.
    Keys(Vec<&'static str>),
    Date,
    /// What an author is called in addresses.
    Author,
    /// Both included.
    Whole {
        least: u32,
        most: u32,
    },
}

impl Values {
    /// In words, for a problem.
    pub fn allowed(&self) -> Vec<String> {
        match self {
            Self::Words(words) | Self::Keys(words) => words.iter().map(|word| (*word).to_owned()).collect(),
            Self::Date => vec!["a date such as 2026-11-24".to_owned()],
            Self::Author => vec!["an author's slug such as deepseek".to_owned()],
            Self::Whole { least, most } => vec![format!("{least} to {most}")],
        }
    }
}

impl Param {
    pub fn values(self) -> Values {
        match self {
            Self::Metric => Values::Words(Metric::ALL.map(Metric::word).into()),
            Self::Period => Values::Words(Period::PICKS.map(Period::word).into()),
            Self::From | Self::To => Values::Date,
            Self::Vs => Values::Words(Vs::ALL.map(Vs::word).into()),
            Self::By => Values::Words(By::ALL.map(By::word).into()),
            Self::Variants => Values::Words(Variants::ALL.map(Variants::word).into()),
            Self::Author => Values::Author,
            Self::Window => Values::Words(HEALTH.map(|(_, word)| word).into()),
            Self::LabelWindow => Values::Words(LABELS.map(|(_, word)| word).into()),
            Self::Sort => Values::Keys(SortKey::ALL.map(SortKey::word).into()),
            Self::View => Values::Words(View::ALL.map(View::word).into()),
            Self::N => Values::Words(vec!["all"]),
            Self::Skip => Values::Whole { least: 0, most: 10_000 },
            Self::Limit => Values::Whole { least: 1, most: State::MAX_ROWS },
            Self::Offset => Values::Whole { least: 0, most: 1_000_000 },
        }
    }

    /// What is taken where it is not given; `None` where that is no value of its own.
    pub fn default_value(self) -> Option<String> {
        let word = |word: &str| Some(word.to_owned());
        match self {
            Self::Metric => word(Metric::default().word()),
            Self::Period => word(Period::default().word()),
            Self::Vs => word(Vs::default().word()),
            Self::By => word(By::default().word()),
            Self::Variants => word(Variants::default().word()),
            Self::View => word(View::default().word()),
            Self::Window => {
                let health = State::default().health;
                HEALTH.into_iter().find(|(span, _)| *span == health).map(|(_, word)| word.to_owned())
            }
            Self::Skip => word("0"),
            Self::Limit => Some(State::ROWS.to_string()),
            Self::Offset => word("0"),
            Self::From | Self::To | Self::Author | Self::LabelWindow | Self::Sort | Self::N => None,
        }
    }

    pub const fn meaning(self) -> &'static str {
        match self {
            Self::Metric => "The measure that rows are ordered by.",
            Self::Period => "The last complete days up to the newest one; `12m` is 52 weeks.",
            Self::From => "First of chosen days, in place of `period`; `to` is needed too.",
            Self::To => "Last of chosen days, included; at most 366 days from `from` on.",
            Self::Vs => {
                "What the window is compared with: the one before it, or the same weekdays 52 weeks earlier."
            }
            Self::By => "What shares are of.",
            Self::Variants => "Whether `:free` and the like are rows of their own or of their model.",
            Self::Author => "Only models of this author.",
            Self::Window => "The time that health is told of, up to the newest complete five minutes.",
            Self::LabelWindow => {
                "An ISO week, or the newest epoch of 28 days; without it the newest of them that holds enough."
            }
            Self::Sort => "Order of rows by a column; largest first after a minus sign.",
            Self::View => "Chart and table, or the table alone.",
            Self::N => "All rows.",
            Self::Skip => "Ranks that are left out before those that are named.",
            Self::Limit => "Rows at most; the rest is one row, `other`.",
            Self::Offset => "Rows before the first one that is listed.",
        }
    }
}
