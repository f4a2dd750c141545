//! Sums of one window, and whether they are enough to be told.

use std::collections::{BTreeMap, HashMap};

use chrono::Days;

use super::cells::CellSums;
use super::estimate::n_eff;
use super::{LabelPeriod, LabelSource, LabelWindow, Labels, Model, epoch_start, monday};

/// Labels a row must carry.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Wanted<'a> {
    pub nl: Option<&'a str>,
    pub code_out: Option<&'a str>,
}

impl Wanted<'_> {
    fn is_cross(&self) -> bool {
        self.nl.is_some() && self.code_out.is_some()
    }
}

/// All labelled traffic of a window, and the cell by model and user.
#[derive(Debug)]
pub(super) struct Sums<M> {
    pub all: CellSums,
    pub all_known: f64,
    pub all_models: HashMap<M, f64>,
    pub cell: CellSums,
    pub by: BTreeMap<(M, i64), CellSums>,
}

impl<M> Default for Sums<M> {
    fn default() -> Self {
        Self {
            all: CellSums::default(),
            all_known: 0.0,
            all_models: HashMap::new(),
            cell: CellSums::default(),
            by: BTreeMap::new(),
        }
    }
}

impl<M: Model> Sums<M> {
    pub(super) fn users(&self) -> u64 {
        let mut users: Vec<i64> = self.by.keys().map(|(_, user)| *user).filter(|user| *user != 0).collect();
        users.sort_unstable();
        users.dedup();
        users.len() as u64
    }

    /// Tokens of each user in the cell; user 0 stands for all rows without a user key.
    pub(super) fn user_tokens(&self) -> HashMap<i64, f64> {
        let mut tokens = HashMap::new();
        for ((_, user), sums) in &self.by {
            *tokens.entry(*user).or_insert(0.0) += sums.wt;
        }
        tokens
    }

    /// One user above 30 % or two above 50 % of the cell's tokens.
    fn is_dominated(&self) -> bool {
        let mut tokens: Vec<f64> =
            self.user_tokens().into_iter().filter(|(user, _)| *user != 0).map(|(_, tokens)| tokens).collect();
        tokens.sort_by(|a, b| b.total_cmp(a));
        let first = tokens.first().copied().unwrap_or(0.0);
        let second = tokens.get(1).copied().unwrap_or(0.0);
        first > 0.3 * self.cell.wt || first + second > 0.5 * self.cell.wt
    }
}

impl<M: Model> Labels<'_, M> {
    /// Windows to try, best first: the newest complete week, its epoch so far, the epoch before.
    pub(super) fn windows(&self, period: Option<LabelPeriod>) -> Vec<LabelWindow> {
        let running = monday(self.newest);
        let Some(week) = running.checked_sub_days(Days::new(7)) else { return Vec::new() };
        let week_window = LabelWindow::week(week);
        let epoch = epoch_start(week);
        let epoch_window = LabelWindow { period: LabelPeriod::Epoch, start: epoch, end: week_window.end };
        let before = epoch.checked_sub_days(Days::new(28)).unwrap_or(epoch);
        let before_window =
            LabelWindow { period: LabelPeriod::Epoch, start: before, end: epoch.pred_opt().unwrap_or(epoch) };
        match period {
            Some(LabelPeriod::Week) => vec![week_window],
            Some(LabelPeriod::Epoch) => vec![epoch_window, before_window],
            None => vec![week_window, epoch_window, before_window],
        }
    }

    /// Sums over the source that holds more of the window's tokens.
    pub(super) fn sums(&self, window: LabelWindow, wanted: &Wanted<'_>) -> (LabelSource, Sums<M>) {
        let mut by_source = [Sums::default(), Sums::default()];
        // Part of a window would be taken for all of it.
        if self.written_from.is_some_and(|from| window.start < from) {
            return (LabelSource::Text, Sums::default());
        }
        // A router label on a dimension that is asked for makes the row a router row.
        let told = |nl: LabelSource, code: LabelSource| {
            wanted.nl.is_some() && nl == LabelSource::Router
                || wanted.code_out.is_some() && code == LabelSource::Router
        };
        for week in window.weeks() {
            let Some(week) = self.weeks.get(&week) else { continue };
            for ((nl, code), totals) in &week.totals {
                let [text, router] = &mut by_source;
                let into = if told(*nl, *code) { router } else { text };
                into.all.add(&totals.all);
                into.all_known += totals.known;
                for (model, tokens) in &totals.models {
                    *into.all_models.entry(*model).or_insert(0.0) += tokens;
                }
            }
            let nl = wanted.nl.map(|nl| week.find_word(nl));
            let code = wanted.code_out.map(|code| week.find_word(code));
            let lists = week.by_nl.iter().filter(|(word, _)| nl.is_none_or(|nl| nl == Some(**word)));
            for (key, sums) in lists.flat_map(|(_, cells)| cells) {
                if code.is_none_or(|code| code == Some(key.code_out)) {
                    let [text, router] = &mut by_source;
                    let into = if told(key.nl_source, key.code_source) { router } else { text };
                    into.cell.add(sums);
                    into.by.entry((key.model, key.user)).or_default().add(sums);
                }
            }
        }
        let [text, told] = by_source;
        if told.all.wt > text.all.wt { (LabelSource::Router, told) } else { (LabelSource::Text, text) }
    }

    /// Samples and users that a cell needs.
    pub(super) fn needs_of(&self, wanted: &Wanted<'_>) -> (u64, u64) {
        let needs = &self.needs;
        if wanted.is_cross() { (needs.cross_n_eff, needs.cross_users) } else { (needs.samples, needs.users) }
    }

    /// Users, samples and dominance rules of one cell.
    pub(super) fn are_enough(&self, wanted: &Wanted<'_>, sums: &Sums<M>) -> bool {
        let n = if wanted.is_cross() { n_eff(sums.cell.wt, sums.cell.wt2) as u64 } else { sums.cell.n };
        let (needs, needs_users) = self.needs_of(wanted);
        n >= needs && sums.users() >= needs_users && !sums.is_dominated()
    }
}
