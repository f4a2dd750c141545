//! The models inside one label or inside a cross of two.

use std::collections::{BTreeMap, HashMap};

use chrono::{Days, NaiveDate};

use super::super::Dataset;
use super::super::dictionary::ModelId;
use super::super::figure::{Figure, NotEnough};
use super::super::window::monday;
use super::cells::CellSums;
use super::estimate::{n_eff, round, round_interval, wider, wilson};
use super::{Cross, CrossRow, Interval, LabelCell, LabelPeriod, LabelSource, LabelWindow, UsersBand};

/// Largest part of a cell that one user's tokens may count for in the users' interval.
const USER_CAP: f64 = 0.05;
/// Weight of the prior in the lift.
const LIFT_PRIOR: f64 = 20.0;

/// Effective samples of a row in both windows behind its growth.
const GROWTH_N_EFF: f64 = 30.0;

/// Labels a row must carry.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Wanted<'a> {
    pub nl: Option<&'a str>,
    pub code_out: Option<&'a str>,
}

impl Wanted<'_> {
    pub fn is_cross(&self) -> bool {
        self.nl.is_some() && self.code_out.is_some()
    }
}

/// Sums of one window: all labelled traffic, and the cell by model and user.
#[derive(Debug, Default)]
pub(super) struct Sums {
    pub all: CellSums,
    pub all_known: f64,
    pub all_models: HashMap<ModelId, f64>,
    pub cell: CellSums,
    pub by: BTreeMap<(ModelId, i64), CellSums>,
}

impl Sums {
    pub fn users(&self) -> u64 {
        let mut users: Vec<i64> = self.by.keys().map(|(_, user)| *user).filter(|user| *user != 0).collect();
        users.sort_unstable();
        users.dedup();
        users.len() as u64
    }

    /// Tokens of each user in the cell; user 0 stands for all rows without a user key.
    fn user_tokens(&self) -> HashMap<i64, f64> {
        let mut tokens = HashMap::new();
        for ((_, user), sums) in &self.by {
            *tokens.entry(*user).or_insert(0.0) += sums.wt;
        }
        tokens
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
        self.label_memo.cross((nl, code_out, period), || self.compute_cross(nl, code_out, period))
    }

    fn compute_cross(
        &self,
        nl: Option<&str>,
        code_out: Option<&str>,
        period: Option<LabelPeriod>,
    ) -> Figure<Cross> {
        let wanted = Wanted { nl, code_out };
        for window in self.label_windows(period) {
            let (source, sums) = self.label_sums(window, &wanted);
            if self.enough(&wanted, &sums) {
                return Ok(self.build_cross(window, source, &wanted, &sums));
            }
        }
        let (samples, users) = self.label_needs(&wanted);
        Err(NotEnough::labelled(samples, users))
    }

    /// Windows to try, best first: the newest complete week, its epoch so far, the epoch before.
    pub(super) fn label_windows(&self, period: Option<LabelPeriod>) -> Vec<LabelWindow> {
        let running = monday(self.newest_date());
        let Some(week) = running.checked_sub_days(Days::new(7)) else { return Vec::new() };
        let week_window = LabelWindow { period: LabelPeriod::Week, start: week, end: last_day(week) };
        let epoch = epoch_start(week);
        let epoch_window = LabelWindow { period: LabelPeriod::Epoch, start: epoch, end: last_day(week) };
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
    pub(super) fn label_sums(&self, window: LabelWindow, wanted: &Wanted<'_>) -> (LabelSource, Sums) {
        let mut by_source = [Sums::default(), Sums::default()];
        // Part of a window would be taken for all of it.
        if self.history.is_some_and(|written| window.start < written.from) {
            return (LabelSource::Text, Sums::default());
        }
        // A router label on a dimension that is asked for makes the row a router row.
        let told = |nl: LabelSource, code: LabelSource| {
            wanted.nl.is_some() && nl == LabelSource::Router
                || wanted.code_out.is_some() && code == LabelSource::Router
        };
        for week in window.weeks() {
            let Some(week) = self.labels.get(&week) else { continue };
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
    fn label_needs(&self, wanted: &Wanted<'_>) -> (u64, u64) {
        let thresholds = &self.thresholds;
        if wanted.is_cross() {
            (thresholds.cross_n_eff, thresholds.cross_users)
        } else {
            (thresholds.label_samples, thresholds.label_users)
        }
    }

    /// Users, samples and dominance rules of one cell.
    pub(super) fn enough(&self, wanted: &Wanted<'_>, sums: &Sums) -> bool {
        let n = if wanted.is_cross() { n_eff(sums.cell.wt, sums.cell.wt2) as u64 } else { sums.cell.n };
        let (needs, needs_users) = self.label_needs(wanted);
        n >= needs && sums.users() >= needs_users && !dominated(sums)
    }

    pub(super) fn build_cell(&self, window: LabelWindow, source: LabelSource, sums: &Sums) -> LabelCell {
        let share = sums.cell.wt / sums.all.wt.max(f64::MIN_POSITIVE);
        let effective = n_eff(sums.all.wt, sums.all.wt2);
        LabelCell {
            window,
            source,
            n: sums.cell.n,
            n_eff: n_eff(sums.cell.wt, sums.cell.wt2),
            users: UsersBand::of(sums.users()),
            share: round(share, effective),
            interval: round_interval(wilson(share, effective), effective),
            coverage: (sums.all.wt > 0.0).then(|| sums.all_known / sums.all.wt),
        }
    }

    fn build_cross(
        &self,
        window: LabelWindow,
        source: LabelSource,
        wanted: &Wanted<'_>,
        sums: &Sums,
    ) -> Cross {
        let cell = self.build_cell(window, source, sums);
        let before = self.label_sums(previous(window), wanted);
        let before = (before.0 == source && self.enough(wanted, &before.1)).then_some(before.1);
        let users = Users::new(sums);
        let mut groups = model_groups(sums, self.thresholds.model_users);
        groups.sort_by(|a, b| {
            let name =
                |models: &[ModelId]| models.first().map(|model| self.dictionary.model(*model).to_owned());
            let folded = |group: &ModelGroup| group.folded;
            folded(a)
                .cmp(&folded(b))
                .then(b.tokens.total_cmp(&a.tokens))
                .then_with(|| name(&a.models).cmp(&name(&b.models)))
        });
        let raw: Vec<(f64, Interval)> = groups
            .iter()
            .map(|group| {
                let share = group.tokens / sums.cell.wt.max(f64::MIN_POSITIVE);
                let by_requests = wilson(share, cell.n_eff);
                (share, wider(by_requests, wilson(users.capped_share(&group.models), users.capped_n_eff)))
            })
            .collect();
        let rows = groups
            .iter()
            .zip(&raw)
            .map(|(group, (share, interval))| {
                let users_share = users.vote_share(&group.models);
                let model = group.models.first().copied().filter(|_| !group.folded);
                CrossRow {
                    model,
                    rank: model.map(|_| rank_range(*interval, groups.iter().zip(&raw))),
                    share: round(*share, cell.n_eff),
                    interval: round_interval(*interval, cell.n_eff),
                    users_share: round(users_share, users.n),
                    users_interval: round_interval(wilson(users_share, users.n), users.n),
                    users: UsersBand::of(group.users),
                    lift: model.and_then(|model| lift(sums, model, *share, *interval, cell.n_eff)),
                    growth: growth(sums, before.as_ref(), group, self.thresholds.model_users),
                    success: users.success(&group.models, self.thresholds.label_users),
                }
            })
            .collect();
        Cross { cell, rows }
    }
}

fn last_day(monday: NaiveDate) -> NaiveDate {
    monday.checked_add_days(Days::new(6)).unwrap_or(monday)
}

/// First Monday of the 28-day epoch that holds `date`; epochs are counted from Monday 1970-01-05.
fn epoch_start(date: NaiveDate) -> NaiveDate {
    let origin = NaiveDate::from_ymd_opt(1970, 1, 5).unwrap_or_default();
    let days = (date - origin).num_days().max(0);
    origin.checked_add_days(Days::new((days - days % 28).unsigned_abs())).unwrap_or(date)
}

/// The equal span of weeks just before.
pub(super) fn previous(window: LabelWindow) -> LabelWindow {
    let days = Days::new((window.end - window.start).num_days().unsigned_abs() + 1);
    LabelWindow {
        start: window.start.checked_sub_days(days).unwrap_or(window.start),
        end: window.end.checked_sub_days(days).unwrap_or(window.end),
        ..window
    }
}

/// One user above 30 % or two above 50 % of the cell's tokens.
fn dominated(sums: &Sums) -> bool {
    let mut tokens: Vec<f64> =
        sums.user_tokens().into_iter().filter(|(user, _)| *user != 0).map(|(_, tokens)| tokens).collect();
    tokens.sort_by(|a, b| b.total_cmp(a));
    let first = tokens.first().copied().unwrap_or(0.0);
    let second = tokens.get(1).copied().unwrap_or(0.0);
    first > 0.3 * sums.cell.wt || first + second > 0.5 * sums.cell.wt
}

struct ModelGroup {
    models: Vec<ModelId>,
    users: u64,
    tokens: f64,
    n_eff: f64,
    folded: bool,
}

/// One group per model with enough users; the rest as one group, enlarged until it has enough too.
fn model_groups(sums: &Sums, needs: u64) -> Vec<ModelGroup> {
    let mut models: BTreeMap<ModelId, (Vec<i64>, CellSums)> = BTreeMap::new();
    for ((model, user), cell) in &sums.by {
        let entry = models.entry(*model).or_default();
        if *user != 0 {
            entry.0.push(*user);
        }
        entry.1.add(cell);
    }
    let mut rows: Vec<(ModelId, Vec<i64>, CellSums)> =
        models.into_iter().map(|(model, (users, cell))| (model, users, cell)).collect();
    rows.sort_by(|a, b| a.1.len().cmp(&b.1.len()).then(a.2.wt.total_cmp(&b.2.wt)));
    let mut small: Vec<(ModelId, Vec<i64>, CellSums)> = Vec::new();
    let mut groups = Vec::new();
    let mut folded_users: Vec<i64> = Vec::new();
    for row in rows {
        let unpublishable = (row.1.len() as u64) < needs || row.0.is_unknown();
        if unpublishable || (!small.is_empty() && (folded_users.len() as u64) < needs) {
            folded_users.extend(&row.1);
            folded_users.sort_unstable();
            folded_users.dedup();
            small.push(row);
        } else {
            groups.push(ModelGroup {
                users: row.1.len() as u64,
                tokens: row.2.wt,
                n_eff: n_eff(row.2.wt, row.2.wt2),
                models: vec![row.0],
                folded: false,
            });
        }
    }
    if !small.is_empty() {
        let cell = small.iter().fold(CellSums::default(), |mut sum, row| {
            sum.add(&row.2);
            sum
        });
        groups.push(ModelGroup {
            users: folded_users.len() as u64,
            tokens: cell.wt,
            n_eff: n_eff(cell.wt, cell.wt2),
            models: small.into_iter().map(|row| row.0).collect(),
            folded: true,
        });
    }
    groups
}

/// 1 + models surely above, M − models surely below.
fn rank_range<'a>(
    own: Interval,
    rows: impl Iterator<Item = (&'a ModelGroup, &'a (f64, Interval))> + Clone,
) -> (u32, u32) {
    let others = rows.filter(|(group, _)| !group.folded).map(|(_, (_, interval))| interval);
    let count = |test: &dyn Fn(&Interval) -> bool| {
        u32::try_from(others.clone().filter(|interval| test(interval)).count()).unwrap_or(u32::MAX)
    };
    (1 + count(&|other| other.low > own.high), count(&|_| true) - count(&|other| other.high < own.low))
}

/// Times as much as in all traffic, shrunk towards 1; `None` when the interval includes 1.
fn lift(sums: &Sums, model: ModelId, share: f64, interval: Interval, effective: f64) -> Option<f64> {
    let all = sums.all_models.get(&model).copied().unwrap_or(0.0) / sums.all.wt.max(f64::MIN_POSITIVE);
    if all <= 0.0 || (interval.low <= all && all <= interval.high) {
        return None;
    }
    Some((effective * share + LIFT_PRIOR * all) / (effective + LIFT_PRIOR) / all)
}

fn growth(sums: &Sums, before: Option<&Sums>, group: &ModelGroup, needs_users: u64) -> Figure<f64> {
    let missing = NotEnough::labelled(GROWTH_N_EFF as u64, needs_users);
    let before = before.ok_or(missing)?;
    let mut old = CellSums::default();
    let mut users: Vec<i64> = Vec::new();
    for ((model, user), cell) in &before.by {
        if group.models.contains(model) {
            old.add(cell);
            users.push(*user);
        }
    }
    users.sort_unstable();
    users.dedup();
    let old_n = n_eff(old.wt, old.wt2);
    let (n, count) = (group.n_eff.min(old_n), group.users.min(users.len() as u64));
    if n < GROWTH_N_EFF || count < needs_users || old.wt <= 0.0 {
        return Err(missing);
    }
    Ok((group.tokens / sums.cell.wt) / (old.wt / before.cell.wt))
}

/// Per-user views of a cell.
struct Users<'a> {
    sums: &'a Sums,
    tokens: HashMap<i64, f64>,
    /// Number of known users.
    n: f64,
    cap: f64,
    capped_total: f64,
    capped_n_eff: f64,
}

impl<'a> Users<'a> {
    fn new(sums: &'a Sums) -> Self {
        let mut tokens = sums.user_tokens();
        tokens.remove(&0);
        let cap = USER_CAP * sums.cell.wt;
        let (mut total, mut squares) = (0.0, 0.0);
        for value in tokens.values() {
            let value = value.min(cap);
            total += value;
            squares += value * value;
        }
        Self {
            sums,
            n: tokens.len() as f64,
            tokens,
            cap,
            capped_total: total,
            capped_n_eff: n_eff(total, squares),
        }
    }

    /// Rows of these models with the user's total: (own tokens of the row, all tokens of the user, sums).
    fn rows(&self, models: &'a [ModelId]) -> impl Iterator<Item = (f64, f64, i64, &CellSums)> {
        self.sums
            .by
            .iter()
            .filter(|((model, user), _)| *user != 0 && models.contains(model))
            .filter_map(|((_, user), cell)| Some((cell.wt, *self.tokens.get(user)?, *user, cell)))
    }

    fn capped_share(&self, models: &'a [ModelId]) -> f64 {
        let part: f64 = self
            .rows(models)
            .map(|(own, all, ..)| if all > 0.0 { own / all * all.min(self.cap) } else { 0.0 })
            .sum();
        part / self.capped_total.max(f64::MIN_POSITIVE)
    }

    fn vote_share(&self, models: &'a [ModelId]) -> f64 {
        let votes: f64 =
            self.rows(models).map(|(own, all, ..)| if all > 0.0 { own / all } else { 0.0 }).sum();
        votes / self.n.max(1.0)
    }

    fn success(&self, models: &'a [ModelId], needs: u64) -> Figure<(f64, Interval)> {
        let mut per_user: HashMap<i64, (f64, f64)> = HashMap::new();
        for (_, _, user, cell) in self.rows(models) {
            let entry = per_user.entry(user).or_default();
            entry.0 += cell.w_ok;
            entry.1 += cell.w;
        }
        let users = per_user.len() as u64;
        if users < needs {
            return Err(NotEnough::labelled(0, needs));
        }
        let rate = per_user.values().map(|(ok, all)| if *all > 0.0 { ok / all } else { 0.0 }).sum::<f64>()
            / users as f64;
        Ok((round(rate, users as f64), round_interval(wilson(rate, users as f64), users as f64)))
    }
}
