//! What the users of a cell say, each with one voice, or with at most a twentieth of its tokens.

use std::collections::HashMap;

use super::cells::CellSums;
use super::estimate::{n_eff, round, round_interval, wilson};
use super::sums::Sums;
use super::{Interval, Missing, Model};

/// Largest part of a cell that one user's tokens may count for in the users' interval.
const USER_CAP: f64 = 0.05;

/// Per-user views of a cell.
pub(super) struct Users<'a, M> {
    sums: &'a Sums<M>,
    tokens: HashMap<i64, f64>,
    /// Number of known users.
    pub n: f64,
    cap: f64,
    capped_total: f64,
    pub capped_n_eff: f64,
}

impl<'a, M: Model> Users<'a, M> {
    pub(super) fn new(sums: &'a Sums<M>) -> Self {
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
    fn rows(&self, models: &'a [M]) -> impl Iterator<Item = (f64, f64, i64, &CellSums)> {
        self.sums
            .by
            .iter()
            .filter(|((model, user), _)| *user != 0 && models.contains(model))
            .filter_map(|((_, user), cell)| Some((cell.wt, *self.tokens.get(user)?, *user, cell)))
    }

    pub(super) fn capped_share(&self, models: &'a [M]) -> f64 {
        let part: f64 = self
            .rows(models)
            .map(|(own, all, ..)| if all > 0.0 { own / all * all.min(self.cap) } else { 0.0 })
            .sum();
        part / self.capped_total.max(f64::MIN_POSITIVE)
    }

    pub(super) fn vote_share(&self, models: &'a [M]) -> f64 {
        let votes: f64 =
            self.rows(models).map(|(own, all, ..)| if all > 0.0 { own / all } else { 0.0 }).sum();
        votes / self.n.max(1.0)
    }

    pub(super) fn success(&self, models: &'a [M], needs: u64) -> Result<(f64, Interval), Missing> {
        let mut per_user: HashMap<i64, (f64, f64)> = HashMap::new();
        for (_, _, user, cell) in self.rows(models) {
            let entry = per_user.entry(user).or_default();
            entry.0 += cell.w_ok;
            entry.1 += cell.w;
        }
        let users = per_user.len() as u64;
        if users < needs {
            return Err(Missing { n: None, samples: 0, users: Some(needs) });
        }
        let rate = per_user.values().map(|(ok, all)| if *all > 0.0 { ok / all } else { 0.0 }).sum::<f64>()
            / users as f64;
        Ok((round(rate, users as f64), round_interval(wilson(rate, users as f64), users as f64)))
    }
}
