//! Labelled traffic: natural languages and crosses, published by the rules of the privacy notes: shares with
//! intervals, users as bands, one whole week or epoch at a time.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{Days, NaiveDate};

use super::dictionary::ModelId;
use super::figure::Figure;

mod cells;
mod cross;
mod estimate;
mod languages;
mod memo;
mod spelling;

pub(crate) use cells::{CellKey, CellSums, LabelView, LabelWeek};
pub(crate) use memo::Memo;
pub use spelling::{code_name, language_name};

pub(crate) type ByWeek = BTreeMap<NaiveDate, Arc<LabelView>>;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Dimension {
    /// Natural language of the prompt.
    Nl,
    /// Programming language of the completion.
    CodeOut,
}

/// Labels of one window come from one of these, never mixed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum LabelSource {
    /// Detected in the text.
    Text,
    /// Told by the router.
    Router,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum LabelPeriod {
    Week,
    /// 28 days in which user keys stay the same.
    Epoch,
}

/// Whole ISO weeks, both days included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LabelWindow {
    pub period: LabelPeriod,
    pub start: NaiveDate,
    pub end: NaiveDate,
}

impl LabelWindow {
    pub(crate) fn weeks(self) -> impl Iterator<Item = NaiveDate> {
        let start = self.start;
        let weeks = ((self.end - self.start).num_days() + 1) / 7;
        (0..weeks.max(0)).filter_map(move |week| start.checked_add_days(Days::new(week.unsigned_abs() * 7)))
    }
}

/// 95 % interval of a share, 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interval {
    pub low: f64,
    pub high: f64,
}

/// Users as "at least"; `None` = fewer than the smallest band.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct UsersBand(pub Option<u64>);

impl UsersBand {
    pub const BANDS: [u64; 7] = [10, 20, 50, 100, 200, 500, 1_000];

    pub fn of(users: u64) -> Self {
        Self(Self::BANDS.into_iter().rev().find(|band| users >= *band))
    }
}

/// One label (or a cross of two) as a whole.
#[derive(Clone, Debug, PartialEq)]
pub struct LabelCell {
    pub window: LabelWindow,
    pub source: LabelSource,
    /// Labelled requests.
    pub n: u64,
    /// Effective sample size.
    pub n_eff: f64,
    pub users: UsersBand,
    /// Share of labelled tokens, 0 to 1, rounded as published.
    pub share: f64,
    pub interval: Interval,
    /// Tokens with a known natural language / labelled tokens.
    pub coverage: Option<f64>,
}

/// One model inside a cell.
#[derive(Clone, Debug, PartialEq)]
pub struct CrossRow {
    /// `None`: models with too few users, folded together.
    pub model: Option<ModelId>,
    /// Best and worst rank that the intervals allow; `None` for the folded row.
    pub rank: Option<(u32, u32)>,
    /// Share of the cell's tokens, 0 to 1, rounded as published.
    pub share: f64,
    pub interval: Interval,
    /// One vote per user, split by own tokens.
    pub users_share: f64,
    pub users_interval: Interval,
    pub users: UsersBand,
    /// Times as much as in all traffic; `None`: the interval includes 1 ("about 1").
    pub lift: Option<f64>,
    /// Factor to the equal window before.
    pub growth: Figure<f64>,
    /// Share of requests that finished without an error the caller saw, mean over users.
    pub success: Figure<(f64, Interval)>,
}

/// The models inside one label or cross, most tokens first, the folded row last.
#[derive(Clone, Debug, PartialEq)]
pub struct Cross {
    pub cell: LabelCell,
    pub rows: Vec<CrossRow>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LabelLeader {
    pub model: ModelId,
    pub share: f64,
}

#[derive(Clone, Debug, PartialEq)]
pub struct LanguageShare {
    /// BCP 47 code such as `ja`.
    pub code: String,
    pub cell: LabelCell,
    /// Percentage points against the equal window before.
    pub change: Option<f64>,
    /// Most used model inside, when the ranks can be told apart from noise.
    pub leader: Option<LabelLeader>,
    /// Share in each of the weeks of [`Languages::weeks`]; `None` = withheld.
    pub weekly: Vec<Option<f64>>,
}

/// Shares of natural languages; shares below the thresholds are one row.
#[derive(Clone, Debug, PartialEq)]
pub struct Languages {
    pub window: LabelWindow,
    pub source: LabelSource,
    pub rows: Vec<LanguageShare>,
    /// Share of languages that are not publishable one by one.
    pub other: f64,
    /// Share of labelled tokens whose language is not known.
    pub undetermined: f64,
    /// Mondays of the weekly series, oldest first.
    pub weeks: Vec<NaiveDate>,
    pub n: u64,
    /// Labelled tokens / all served tokens of the window.
    pub sampled: Option<f64>,
}
