//! Labelled traffic as pages ask for it: the estimators' answers over the weeks held here, kept while these stay the
//! same.

use bellwether_metrics::labels::{self, Labels, Missing, Model, Needs};
use bellwether_warehouse::tables::label_cells::{epoch_of_day, first_day_after};
use chrono::{Days, NaiveDate};

use super::Dataset;
use super::dictionary::ModelId;
use super::figure::{Figure, NotEnough, Untold};
use super::group::Filter;
use super::window::{Window, monday};

mod memo;
mod spelling;

pub(crate) use bellwether_metrics::labels::{CellKey, CellSums};
pub use bellwether_metrics::labels::{
    Dimension, Interval, LabelCell, LabelPeriod, LabelSource, LabelWindow, UsersBand,
};
pub(crate) use memo::Memo;
pub use spelling::{code_name, language_name};

pub(crate) type ByWeek = labels::ByWeek<ModelId>;
pub(crate) type LabelWeek = labels::LabelWeek<ModelId>;
pub type Cross = labels::Cross<ModelId>;
pub type CrossRow = labels::CrossRow<ModelId>;
pub type LanguageShare = labels::LanguageShare<ModelId>;
pub type Languages = labels::Languages<ModelId>;

impl Model for ModelId {
    fn is_unknown(self) -> bool {
        Self::is_unknown(self)
    }
}

/// First day of the windows that [`Labels`] tries: the newest complete week, its epoch and the one before.
fn first_tried(period: Option<LabelPeriod>, newest: NaiveDate) -> NaiveDate {
    let before = |date: NaiveDate, days| date.checked_sub_days(Days::new(days)).unwrap_or(date);
    let week = before(monday(newest), 7);
    if period == Some(LabelPeriod::Week) {
        return week;
    }
    let epoch = epoch_of_day(i64::from(week.to_epoch_days()));
    i32::try_from(first_day_after(epoch - 2)).ok().and_then(NaiveDate::from_epoch_days).unwrap_or(week)
}

impl From<Missing> for NotEnough {
    fn from(missing: Missing) -> Self {
        Self { n: missing.n, needs: missing.samples, needs_users: missing.users }
    }
}

impl From<Missing> for Untold {
    fn from(missing: Missing) -> Self {
        NotEnough::from(missing).into()
    }
}

impl Dataset {
    /// Models inside a natural language, a code language, or the cross of both. `period` asks for one kind of
    /// window; `None` takes the newest complete week and falls back to the epoch.
    pub fn cross(
        &self,
        nl: Option<&str>,
        code_out: Option<&str>,
        period: Option<LabelPeriod>,
    ) -> Figure<Cross> {
        let ask = |labels: &Labels<'_, ModelId>| labels.cross(nl, code_out, period);
        let answer = || self.ask(ask).map_err(|missing| self.untold(period, missing));
        self.label_memo.cross((nl, code_out, period), answer)
    }

    /// Every value of a dimension seen in the newest labelled weeks, most tokens first; `und` and `none` left out.
    pub fn label_values(&self, dimension: Dimension) -> Vec<String> {
        self.ask(|labels| labels.values(dimension))
    }

    /// Share of each natural language; `Err` = no window holds enough labelled traffic.
    pub fn languages(&self, period: Option<LabelPeriod>) -> Figure<Languages> {
        let ask = |labels: &Labels<'_, ModelId>| labels.languages(period);
        let answer = || self.ask(ask).map_err(|missing| self.untold(period, missing));
        self.label_memo.languages(period, answer)
    }

    /// Why no window is told of: one that is still to come might hold enough.
    fn untold(&self, period: Option<LabelPeriod>, missing: Missing) -> Untold {
        let first = first_tried(period, self.newest_date());
        let is_due = self.standing.written_from().is_some_and(|from| first < from);
        if is_due { self.not_yet().into() } else { missing.into() }
    }

    /// Growth of a row in a window against the equal one before.
    pub fn label_growth(&self, row: &CrossRow, window: LabelWindow) -> Figure<f64> {
        let before = Window { start: window.start, end: window.end }.previous();
        let is_due = self.standing.written_from().is_some_and(|from| before.start < from);
        row.growth.map_err(|missing| if is_due { self.not_yet().into() } else { missing.into() })
    }

    fn ask<T>(&self, question: impl FnOnce(&Labels<'_, ModelId>) -> T) -> T {
        let thresholds = &self.thresholds;
        question(&Labels {
            weeks: &self.labels,
            needs: Needs {
                users: thresholds.label_users,
                samples: thresholds.label_samples,
                cross_users: thresholds.cross_users,
                cross_n_eff: thresholds.cross_n_eff,
                model_users: thresholds.model_users,
            },
            newest: self.newest_date(),
            written_from: self.standing.written_from(),
            name: &|model| self.dictionary.model(model).to_owned(),
            served: &|window| {
                self.total(Window { start: window.start, end: window.end }, Filter::All).tokens()
            },
        })
    }
}
