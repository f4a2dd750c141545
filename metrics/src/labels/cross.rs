//! The models inside one label or inside a cross of two.

use std::collections::BTreeMap;

use super::cells::CellSums;
use super::estimate::{n_eff, round, round_interval, wider, wilson};
use super::sums::{Sums, Wanted};
use super::users::Users;
use super::{
    Cross, CrossRow, Interval, LabelCell, LabelPeriod, LabelSource, LabelWindow, Labels, Missing, Model,
    UsersBand,
};

/// Weight of the prior in the lift.
const LIFT_PRIOR: f64 = 20.0;

/// Effective samples of a row in both windows behind its growth.
const GROWTH_N_EFF: f64 = 30.0;

impl<M: Model> Labels<'_, M> {
    /// Models inside a natural language, a code language, or the cross of both. `period` asks for one kind of
    /// window; `None` takes the newest complete week and falls back to the epoch.
    ///
    /// # Errors
    /// What a window would have needed, when none holds enough.
    pub fn cross(
        &self,
        nl: Option<&str>,
        code_out: Option<&str>,
        period: Option<LabelPeriod>,
    ) -> Result<Cross<M>, Missing> {
        let wanted = Wanted { nl, code_out };
        for window in self.windows(period) {
            let (source, sums) = self.sums(window, &wanted);
            if self.are_enough(&wanted, &sums) {
                return Ok(self.models_of(window, source, &wanted, &sums));
            }
        }
        let (samples, users) = self.needs_of(&wanted);
        Err(Missing { n: None, samples, users: Some(users) })
    }

    pub(super) fn cell(window: LabelWindow, source: LabelSource, sums: &Sums<M>) -> LabelCell {
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

    pub(super) fn models_of(
        &self,
        window: LabelWindow,
        source: LabelSource,
        wanted: &Wanted<'_>,
        sums: &Sums<M>,
    ) -> Cross<M> {
        let cell = Self::cell(window, source, sums);
        let before = self.sums(window.previous(), wanted);
        let before = (before.0 == source && self.are_enough(wanted, &before.1)).then_some(before.1);
        let users = Users::new(sums);
        let mut groups = model_groups(sums, self.needs.model_users);
        groups.sort_by(|a, b| {
            let name = |models: &[M]| models.first().map(|model| (self.name)(*model));
            let folded = |group: &ModelGroup<M>| group.folded;
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
                    growth: growth(sums, before.as_ref(), group, self.needs.model_users),
                    success: users.success(&group.models, self.needs.users),
                }
            })
            .collect();
        Cross { cell, rows }
    }
}

struct ModelGroup<M> {
    models: Vec<M>,
    users: u64,
    tokens: f64,
    n_eff: f64,
    folded: bool,
}

/// One group per model with enough users; the rest as one group, enlarged until it has enough too.
fn model_groups<M: Model>(sums: &Sums<M>, needs: u64) -> Vec<ModelGroup<M>> {
    let mut models: BTreeMap<M, (Vec<i64>, CellSums)> = BTreeMap::new();
    for ((model, user), cell) in &sums.by {
        let entry = models.entry(*model).or_default();
        if *user != 0 {
            entry.0.push(*user);
        }
        entry.1.add(cell);
    }
    let mut rows: Vec<(M, Vec<i64>, CellSums)> =
        models.into_iter().map(|(model, (users, cell))| (model, users, cell)).collect();
    rows.sort_by(|a, b| a.1.len().cmp(&b.1.len()).then(a.2.wt.total_cmp(&b.2.wt)));
    let mut small: Vec<(M, Vec<i64>, CellSums)> = Vec::new();
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
fn rank_range<'a, M: Model + 'a>(
    own: Interval,
    rows: impl Iterator<Item = (&'a ModelGroup<M>, &'a (f64, Interval))> + Clone,
) -> (u32, u32) {
    let others = rows.filter(|(group, _)| !group.folded).map(|(_, (_, interval))| interval);
    let count = |test: &dyn Fn(&Interval) -> bool| {
        u32::try_from(others.clone().filter(|interval| test(interval)).count()).unwrap_or(u32::MAX)
    };
    (1 + count(&|other| other.low > own.high), count(&|_| true) - count(&|other| other.high < own.low))
}

/// Times as much as in all traffic, shrunk towards 1; `None` when the interval includes 1.
fn lift<M: Model>(sums: &Sums<M>, model: M, share: f64, interval: Interval, effective: f64) -> Option<f64> {
    let all = sums.all_models.get(&model).copied().unwrap_or(0.0) / sums.all.wt.max(f64::MIN_POSITIVE);
    if all <= 0.0 || (interval.low <= all && all <= interval.high) {
        return None;
    }
    Some((effective * share + LIFT_PRIOR * all) / (effective + LIFT_PRIOR) / all)
}

fn growth<M: Model>(
    sums: &Sums<M>,
    before: Option<&Sums<M>>,
    group: &ModelGroup<M>,
    needs_users: u64,
) -> Result<f64, Missing> {
    let missing = Missing { n: None, samples: GROWTH_N_EFF as u64, users: Some(needs_users) };
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
