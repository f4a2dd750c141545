//! Labelled traffic: natural languages, programming languages and their crosses, by the rules of the privacy notes:
//! shares with intervals, users as bands, one whole week or epoch at a time.
//!
//! These figures are estimated from a sample, over cells that hold users, so they cannot be a published table of sums:
//! whoever has the cells in memory asks [`Labels`]. Models go by whatever the caller numbers them with.

mod cells;
mod cross;
mod estimate;
mod languages;
mod sums;
#[cfg(test)]
mod tests;
mod users;

use std::collections::BTreeMap;
use std::hash::Hash;
use std::sync::Arc;

use bellwether_warehouse::tables::label_cells::{epoch_of_day, first_day_after};
use bellwether_warehouse::tables::rollup::Grain;
use chrono::{Days, NaiveDate};

pub use cells::{CellKey, CellSums, LabelView, LabelWeek};

/// How a caller names models.
pub trait Model: Copy + Ord + Hash {
    /// No model that may be named: its rows are folded with others.
    fn is_unknown(self) -> bool;
}

/// Weeks by their Mondays.
pub type ByWeek<M> = BTreeMap<NaiveDate, Arc<LabelView<M>>>;

/// What a cell needs before anything of it is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Needs {
    /// Users and samples behind a share of one label.
    pub users: u64,
    pub samples: u64,
    /// Users and effective samples behind a cross of two labels.
    pub cross_users: u64,
    pub cross_n_eff: u64,
    /// Users of a model row inside a cell; smaller rows are folded into one.
    pub model_users: u64,
}

/// Why a figure of labels is not told: what it needs (0: it does not ask for that), and what there is where that may
/// be said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Missing {
    pub n: Option<u64>,
    pub samples: u64,
    pub users: Option<u64>,
}

/// Labels of the weeks that a caller holds, and what it takes to tell of them.
pub struct Labels<'a, M> {
    pub weeks: &'a ByWeek<M>,
    pub needs: Needs,
    /// The running day: its week is never told.
    pub newest: NaiveDate,
    /// Windows that begin before are not whole.
    pub written_from: Option<NaiveDate>,
    /// Order of models that are equal otherwise.
    pub name: &'a dyn Fn(M) -> String,
    /// Served tokens of a window, labelled or not.
    pub served: &'a dyn Fn(LabelWindow) -> u64,
}

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
    fn week(monday: NaiveDate) -> Self {
        Self { period: LabelPeriod::Week, start: monday, end: Grain::Week.last_day(monday) }
    }

    fn weeks(self) -> impl Iterator<Item = NaiveDate> {
        let start = self.start;
        let weeks = ((self.end - self.start).num_days() + 1) / 7;
        (0..weeks.max(0)).filter_map(move |week| start.checked_add_days(Days::new(week.unsigned_abs() * 7)))
    }

    /// The equal span of weeks just before.
    fn previous(self) -> Self {
        let days = Days::new((self.end - self.start).num_days().unsigned_abs() + 1);
        Self {
            start: self.start.checked_sub_days(days).unwrap_or(self.start),
            end: self.end.checked_sub_days(days).unwrap_or(self.end),
            ..self
        }
    }
}

fn monday(date: NaiveDate) -> NaiveDate {
    Grain::Week.date(date)
}

/// First Monday of the epoch that holds `date`.
fn epoch_start(date: NaiveDate) -> NaiveDate {
    let before = epoch_of_day(i64::from(date.to_epoch_days())) - 1;
    i32::try_from(first_day_after(before)).ok().and_then(NaiveDate::from_epoch_days).unwrap_or(date)
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
pub struct CrossRow<M> {
    /// `None`: models with too few users, folded together.
    pub model: Option<M>,
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
    pub growth: Result<f64, Missing>,
    /// Share of requests that finished without an error the caller saw, mean over users.
    pub success: Result<(f64, Interval), Missing>,
}

/// The models inside one label or cross, most tokens first, the folded row last.
#[derive(Clone, Debug, PartialEq)]
pub struct Cross<M> {
    pub cell: LabelCell,
    pub rows: Vec<CrossRow<M>>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LabelLeader<M> {
    pub model: M,
    pub share: f64,
}

#[derive(Clone, Debug, PartialEq)]
pub struct LanguageShare<M> {
    /// BCP 47 code such as `ja`.
    pub code: String,
    pub cell: LabelCell,
    /// Percentage points against the equal window before.
    pub change: Option<f64>,
    /// Most used model inside, when the ranks can be told apart from noise.
    pub leader: Option<LabelLeader<M>>,
    /// Share in each of the weeks of [`Languages::weeks`]; `None` = withheld.
    pub weekly: Vec<Option<f64>>,
}

/// Shares of natural languages; shares below the thresholds are one row.
#[derive(Clone, Debug, PartialEq)]
pub struct Languages<M> {
    pub window: LabelWindow,
    pub source: LabelSource,
    pub rows: Vec<LanguageShare<M>>,
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
