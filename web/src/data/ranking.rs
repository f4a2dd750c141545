//! Leaderboards: rank, rank change, share and change over a window.

use std::collections::{HashMap, HashSet};

use super::figure::{Change, NotEnough};
use super::usage::{Filter, Group, GroupBy, Totals};
use super::users::{UserCounts, UserQuery};
use super::window::Window;
use super::{Dataset, Metric};

/// What to rank.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RankingQuery {
    pub by: GroupBy,
    pub metric: Metric,
    pub window: Window,
    /// The window to compare with; `None` = no comparison.
    pub before: Option<Window>,
    pub filter: Filter,
}

impl RankingQuery {
    /// The users figures this ranking needs; load them with [`Dataset::load_users`] first.
    pub fn users(&self) -> Vec<UserQuery> {
        let of = |window| UserQuery { window, by: self.by, filter: self.filter };
        // Those of the window before decide what of it may be shown.
        std::iter::once(of(self.window)).chain(self.before.map(of)).collect()
    }
}

#[derive(Clone, Debug)]
pub struct RankingRow {
    pub group: Group,
    /// 1 = largest; ties are ordered by name and do not share a rank.
    pub rank: u32,
    /// Rank among all publishable rows of the window before. `None`: not among them, or no comparison.
    pub rank_before: Option<u32>,
    pub totals: Totals,
    pub before: Option<Totals>,
    /// Too few users in the window before: nothing of that window is shown.
    pub hidden_before: bool,
    /// Distinct users; `None` = not known or below the threshold.
    pub users: Option<u64>,
    /// Value of the metric in the metric's unit.
    pub value: f64,
    /// 0 to 1, of everything including hidden and unmapped rows; `None` for users, which are no parts of a sum.
    pub share: Option<f64>,
    pub share_before: Option<f64>,
    pub change: Change,
}

impl RankingRow {
    /// Places won (positive) or lost since the window before.
    pub fn rank_change(&self) -> Option<i64> {
        self.rank_before.map(|before| i64::from(before) - i64::from(self.rank))
    }
}

/// Several rows as one: hidden, unmapped, or the rest after the first n.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Remainder {
    pub rows: usize,
    pub totals: Totals,
    pub before: Totals,
    pub value: f64,
    pub share: Option<f64>,
    pub share_before: Option<f64>,
}

#[derive(Clone, Debug)]
pub struct Ranking {
    pub query: RankingQuery,
    /// Publishable rows, best first.
    pub rows: Vec<RankingRow>,
    /// Publishable rows of the window before without traffic in this one, with their rank then.
    pub gone: Vec<(Group, u32)>,
    /// Rows with too few users to be shown.
    pub hidden: Option<Remainder>,
    /// Traffic whose raw name no alias maps.
    pub unmapped: Option<Remainder>,
    /// Everything, hidden and unmapped rows included.
    pub total: Totals,
    pub total_before: Option<Totals>,
    /// Distinct users over all rows.
    pub total_users: Option<u64>,
    /// Change of the total in the metric.
    pub total_change: Change,
    /// Rows with at least 100 requests.
    pub active_100: usize,
}

impl Ranking {
    /// Rows after the first `limit`, as one.
    pub fn rest(&self, limit: usize) -> Option<Remainder> {
        let rows = self.rows.get(limit..).filter(|rows| !rows.is_empty())?;
        let mut rest = Remainder { rows: rows.len(), ..Remainder::default() };
        for row in rows {
            rest.totals.add(&row.totals);
            rest.value += row.value;
            if let Some(before) = &row.before {
                rest.before.add(before);
            }
        }
        let sum = |get: fn(&RankingRow) -> Option<f64>| rows.iter().filter_map(get).reduce(|a, b| a + b);
        rest.share = sum(|row| row.share);
        rest.share_before = sum(|row| row.share_before);
        Some(rest)
    }

    pub fn find(&self, group: Group) -> Option<&RankingRow> {
        self.rows.iter().find(|row| row.group == group)
    }

    /// Sum of the shares of the first `n` rows.
    pub fn top_share(&self, n: usize) -> Option<f64> {
        self.rows.iter().take(n).filter_map(|row| row.share).reduce(|a, b| a + b)
    }

    /// Σ share² × 10,000 over the rows.
    pub fn hhi(&self) -> Option<f64> {
        self.rows
            .iter()
            .filter_map(|row| row.share)
            .map(|share| share * share * 10_000.0)
            .reduce(|a, b| a + b)
    }
}

impl Dataset {
    /// Ranks every group with traffic in the window.
    pub fn ranking(&self, query: RankingQuery) -> Ranking {
        // A window with the running day is shorter than the one before: the two are not compared.
        let whole_days = query.window.end < self.newest_date();
        let query = RankingQuery { before: query.before.filter(|_| whole_days), ..query };
        let now = self.totals(query.window, query.by, &query.filter);
        let before: HashMap<Group, Totals> =
            match query.before.filter(|window| window.end >= self.first_date()) {
                Some(window) => self.totals(window, query.by, &query.filter).into_iter().collect(),
                None => HashMap::new(),
            };
        let users = self.users(&UserQuery { window: query.window, by: query.by, filter: query.filter });
        let users_before = query
            .before
            .and_then(|window| self.users(&UserQuery { window, by: query.by, filter: query.filter }));
        let compared = query.before.is_some_and(|window| window.start >= self.first_date());

        let total = sum(now.iter().map(|(_, totals)| totals));
        let total_before = compared.then(|| sum(before.values()));
        let value = |group: Group, totals: &Totals, users: Option<&UserCounts>| match query.metric {
            Metric::Users => users.map_or(0.0, |users| users.of(group) as f64),
            metric => totals.get(metric).unwrap_or(0.0),
        };
        let share =
            |value: f64, total: Option<f64>| total.filter(|total| *total > 0.0).map(|total| value / total);
        let whole = total.get(query.metric);
        let whole_before = total_before.and_then(|total| total.get(query.metric));

        let mut rows = Vec::with_capacity(now.len());
        let (mut hidden, mut unmapped) = (Remainder::default(), Remainder::default());
        for (group, totals) in &now {
            let old = before.get(group).copied();
            let hidden_before = old.is_some_and(|old| self.hides(*group, &old, users_before.as_deref()));
            let count = users.as_ref().map(|users| users.of(*group));
            let row_value = value(*group, totals, users.as_deref());
            let old_value = old.map(|old| value(*group, &old, users_before.as_deref()));
            if group.is_unknown() || self.hides(*group, totals, users.as_deref()) {
                let into = if group.is_unknown() { &mut unmapped } else { &mut hidden };
                into.rows += 1;
                into.totals.add(totals);
                into.before.add(&old.unwrap_or_default());
                into.value += row_value;
                continue;
            }
            rows.push(RankingRow {
                group: *group,
                rank: 0,
                rank_before: None,
                totals: *totals,
                before: old.filter(|_| compared && !hidden_before),
                hidden_before,
                users: count.filter(|count| *count > 0 && *count >= self.thresholds.users),
                value: row_value,
                share: share(row_value, whole),
                share_before: (compared && !hidden_before)
                    .then(|| share(old_value.unwrap_or(0.0), whole_before))
                    .flatten(),
                change: self.change(compared && !hidden_before, totals, old.as_ref(), row_value, old_value),
            });
        }
        let publishable_before = before.iter().filter(|(group, old)| {
            compared && !group.is_unknown() && !self.hides(**group, old, users_before.as_deref())
        });
        let places = self.places(
            publishable_before.map(|(group, old)| (*group, value(*group, old, users_before.as_deref()))),
        );
        self.rank(&mut rows, &places);
        let still: HashSet<Group> = now.iter().map(|(group, _)| *group).collect();
        let mut gone: Vec<(Group, u32)> =
            places.into_iter().filter(|(group, _)| !still.contains(group)).collect();
        gone.sort_by_key(|(_, place)| *place);
        let total_users =
            users.as_ref().map(|users| users.total()).filter(|n| *n > 0 && *n >= self.thresholds.users);
        let total_value = match query.metric {
            Metric::Users => users.as_ref().map_or(0.0, |users| users.total() as f64),
            metric => total.get(metric).unwrap_or(0.0),
        };
        let total_value_before = match query.metric {
            Metric::Users => users_before.as_ref().map(|users| users.total() as f64),
            metric => total_before.and_then(|total| total.get(metric)),
        };
        for remainder in [&mut hidden, &mut unmapped] {
            remainder.share = share(remainder.value, whole);
            remainder.share_before = compared
                .then(|| share(remainder.before.get(query.metric).unwrap_or(0.0), whole_before))
                .flatten();
        }
        Ranking {
            query,
            active_100: now
                .iter()
                .filter(|(group, totals)| !group.is_unknown() && totals.requests >= 100)
                .count(),
            rows,
            gone,
            hidden: (hidden.rows > 0).then_some(hidden),
            unmapped: (unmapped.rows > 0).then_some(unmapped),
            total_change: self.change(
                compared,
                &total,
                total_before.as_ref(),
                total_value,
                total_value_before,
            ),
            total,
            total_before,
            total_users,
        }
    }

    /// Rank of every group with a value; ties are ordered by name.
    fn places(&self, values: impl Iterator<Item = (Group, f64)>) -> HashMap<Group, u32> {
        let mut order: Vec<(f64, String, Group)> = values
            .filter(|(_, value)| *value > 0.0)
            .map(|(group, value)| (value, self.key(group), group))
            .collect();
        order.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
        order.into_iter().zip(1..).map(|((_, _, group), place)| (group, place)).collect()
    }

    fn rank(&self, rows: &mut [RankingRow], before: &HashMap<Group, u32>) {
        for row in rows.iter_mut() {
            row.rank_before = before.get(&row.group).copied();
        }
        rows.sort_by(|a, b| {
            b.value.total_cmp(&a.value).then_with(|| self.key(a.group).cmp(&self.key(b.group)))
        });
        for (row, place) in rows.iter_mut().zip(1..) {
            row.rank = place;
        }
    }

    /// Change of a value between two windows, guarded by the number of requests in each.
    pub fn change(
        &self,
        compared: bool,
        now: &Totals,
        before: Option<&Totals>,
        value: f64,
        value_before: Option<f64>,
    ) -> Change {
        if !compared {
            return Change::Unknown;
        }
        let needs = self.thresholds.growth_requests;
        match (before.filter(|before| before.requests > 0), value_before) {
            (None, _) => Change::New,
            (Some(before), _) if before.requests.min(now.requests) < needs => {
                Change::NotEnough(NotEnough::counts(before.requests.min(now.requests), needs))
            }
            (Some(_), Some(old)) if old > 0.0 => Change::Ratio(value / old - 1.0),
            (Some(_), _) => Change::Unknown,
        }
    }
}

fn sum<'a>(totals: impl Iterator<Item = &'a Totals>) -> Totals {
    totals.fold(Totals::default(), |mut sum, totals| {
        sum.add(totals);
        sum
    })
}
