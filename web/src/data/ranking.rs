//! Leaderboards: rank, rank change, share and change over a window.

use std::cmp::Ordering;
use std::collections::{HashMap, HashSet};

use super::dictionary::Series;
use super::figure::{Change, NotEnough};
use super::gate::{Kind, variant_key};
use super::group::{Filter, Group, GroupBy};
use super::totals::Totals;
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
        let before = self.before.filter(|_| self.metric == Metric::Users);
        std::iter::once(of(self.window)).chain(before.map(of)).collect()
    }
}

#[derive(Clone, Debug)]
pub struct RankingRow {
    pub group: Group,
    /// 1 = largest; ties are ordered by name and do not share a rank. `None`: the value is not known.
    pub rank: Option<u32>,
    /// Rank among all named rows of the window before. `None`: not among them, or no comparison.
    pub rank_before: Option<u32>,
    pub totals: Totals,
    pub before: Option<Totals>,
    /// It could not be named all through the window before, with which it is therefore not compared.
    pub hidden_before: bool,
    /// Distinct users; `None` = not known or below the threshold.
    pub users: Option<u64>,
    /// Value of the metric in the metric's unit. `None`: a spend of which nothing has a price, or too few users.
    pub value: Option<f64>,
    /// 0 to 1, of everything including hidden and unmapped rows; `None` for users, which are no parts of a sum.
    pub share: Option<f64>,
    pub share_before: Option<f64>,
    pub change: Change,
}

impl RankingRow {
    /// Places won (positive) or lost since the window before.
    pub fn rank_change(&self) -> Option<i64> {
        self.rank_before.zip(self.rank).map(|(before, now)| i64::from(before) - i64::from(now))
    }
}

/// Several rows as one: hidden, unmapped, or the rest after the first n.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Remainder {
    pub rows: usize,
    pub totals: Totals,
    pub before: Totals,
    pub value: Option<f64>,
    pub share: Option<f64>,
    pub share_before: Option<f64>,
}

#[derive(Clone, Debug)]
pub struct Ranking {
    pub query: RankingQuery,
    /// Named rows, best first; those without a value last.
    pub rows: Vec<RankingRow>,
    /// Named rows of the window before without traffic in this one, with their rank then.
    pub gone: Vec<(Group, u32)>,
    /// All that may not be named, as one row: how many names it holds is told to nobody.
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
            rest.value = plus(rest.value, row.value);
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
        let whole_days = self.is_closed(query.window.end);
        let query = RankingQuery { before: query.before.filter(|_| whole_days), ..query };
        let now = self.totals(query.window, query.by, query.filter);
        let before: HashMap<Group, Totals> =
            match query.before.filter(|window| window.end >= self.first_date()) {
                Some(window) => self.totals(window, query.by, query.filter).into_iter().collect(),
                None => HashMap::new(),
            };
        let users = self.users(&UserQuery { window: query.window, by: query.by, filter: query.filter });
        let users_before = query
            .before
            .and_then(|window| self.users(&UserQuery { window, by: query.by, filter: query.filter }));
        let compared = query.before.filter(|window| window.start >= self.first_date());
        let uncompared = match query.before {
            Some(_) if compared.is_none() && self.is_filling() => Change::NotYet,
            _ => Change::Unknown,
        };

        let total = sum(now.iter().map(|(_, totals)| totals));
        let total_before = compared.map(|_| sum(before.values()));
        let enough = |count: u64| Some(count).filter(|count| *count > 0 && *count >= self.thresholds.users);
        let value = |group: Group, totals: &Totals, users: Option<&UserCounts>| match query.metric {
            Metric::Users => users.and_then(|users| enough(users.of(group))).map(|users| users as f64),
            metric => totals.get(metric),
        };
        let share = |value: Option<f64>, total: Option<f64>| {
            total.filter(|total| *total > 0.0).and_then(|total| Some(value? / total))
        };
        let whole = total.get(query.metric);
        let whole_before = total_before.and_then(|total| total.get(query.metric));

        let mut rows = Vec::with_capacity(now.len());
        let (mut hidden, mut unmapped) = (None, None);
        for (group, totals) in &now {
            let old = before.get(group).copied();
            let row_value = value(*group, totals, users.as_ref());
            if !group.is_named() {
                let old = old.unwrap_or_default();
                let share_before = compared.and_then(|_| share(old.get(query.metric), whole_before));
                let share = share(row_value, whole);
                let of = Remainder {
                    rows: 1,
                    totals: *totals,
                    before: old,
                    value: row_value,
                    share,
                    share_before,
                };
                let into = if group.is_hidden() { &mut hidden } else { &mut unmapped };
                *into = Some(of);
                continue;
            }
            let hidden_before =
                query.before.is_some_and(|window| self.is_hidden_within(*group, window, old.is_some()));
            let told_before = compared.filter(|_| !hidden_before);
            let is_compared = told_before.is_some() && !self.is_hidden_within(*group, query.window, true);
            let old_value = old.and_then(|old| value(*group, &old, users_before.as_ref()));
            rows.push(RankingRow {
                group: *group,
                rank: None,
                rank_before: None,
                totals: *totals,
                before: old.filter(|_| told_before.is_some()),
                hidden_before,
                users: users.as_ref().and_then(|users| enough(users.of(*group))),
                value: row_value,
                share: share(row_value, whole),
                share_before: told_before.and_then(|_| match old {
                    None => share(Some(0.0), whole_before),
                    Some(_) => share(old_value, whole_before),
                }),
                change: match compared {
                    Some(_) if is_compared => self.change(totals, old.as_ref(), row_value, old_value),
                    None if !hidden_before => uncompared,
                    _ => Change::Unknown,
                },
            });
        }
        let named_before = before.iter().filter(|(group, _)| {
            compared.is_some_and(|window| group.is_named() && !self.is_hidden_within(**group, window, true))
        });
        let places = self.places(
            named_before
                .filter_map(|(group, old)| Some((*group, value(*group, old, users_before.as_ref())?))),
        );
        self.rank(&mut rows, &places);
        let still: HashSet<Group> = now.iter().map(|(group, _)| *group).collect();
        // What may no longer be named is not gone.
        let is_gone =
            |group: Group| !still.contains(&group) && !self.is_hidden_within(group, query.window, false);
        let mut gone: Vec<(Group, u32)> = places.into_iter().filter(|(group, _)| is_gone(*group)).collect();
        gone.sort_by_key(|(_, place)| *place);
        let total_users = users.as_ref().and_then(|users| enough(users.total()));
        let total_value = match query.metric {
            Metric::Users => total_users.map(|users| users as f64),
            metric => total.get(metric),
        };
        let total_value_before = match query.metric {
            Metric::Users => users_before.as_ref().and_then(|users| enough(users.total())).map(|n| n as f64),
            metric => total_before.and_then(|total| total.get(metric)),
        };
        let is_active = |(group, totals): &&(Group, Totals)| group.is_named() && totals.requests >= 100;
        Ranking {
            query,
            active_100: now.iter().filter(is_active).count(),
            rows,
            gone,
            hidden,
            unmapped,
            total_change: match compared {
                Some(_) => self.change(&total, total_before.as_ref(), total_value, total_value_before),
                None => uncompared,
            },
            total,
            total_before,
            total_users,
        }
    }

    /// Whether the gate keeps a group from being named on days of a window, so that its sum is none of the whole. A
    /// model or an author is the sum of what of it may be named: it is hidden when nothing was told.
    fn is_hidden_within(&self, group: Group, window: Window, is_told: bool) -> bool {
        let dictionary = &self.dictionary;
        let hides = |series: Series| {
            let key = variant_key(dictionary.model(series.model), dictionary.variant(series.variant));
            self.gate.hides_within(Kind::Variant, &key, window)
        };
        match group {
            Group::Series(id) => hides(dictionary.series(id)),
            Group::Provider(id) => self.gate.hides_within(Kind::Provider, dictionary.provider(id), window),
            Group::Model(_) | Group::Author(_) if is_told => false,
            Group::Model(id) => dictionary.series_of(id).any(hides),
            Group::Author(id) => {
                let of_author = dictionary.models().filter(|model| dictionary.author_of(*model) == id);
                of_author.flat_map(|model| dictionary.series_of(model)).any(hides)
            }
        }
    }

    /// Whether a group may be named on every day of a window.
    pub fn is_told_throughout(&self, group: Group, window: Window) -> bool {
        !self.is_hidden_within(group, window, true)
    }

    /// Rank of every group with a value; ties are ordered by name.
    fn places(&self, values: impl Iterator<Item = (Group, f64)>) -> HashMap<Group, u32> {
        let mut order: Vec<(f64, String, Group)> =
            values.map(|(group, value)| (value, self.key(group), group)).collect();
        order.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
        order.into_iter().zip(1..).map(|((_, _, group), place)| (group, place)).collect()
    }

    fn rank(&self, rows: &mut [RankingRow], before: &HashMap<Group, u32>) {
        for row in rows.iter_mut() {
            row.rank_before = before.get(&row.group).copied();
        }
        rows.sort_by(|a, b| by_value(b.value, a.value).then_with(|| self.by_name(a.group, b.group)));
        for (row, place) in rows.iter_mut().zip(1..) {
            row.rank = row.value.map(|_| place);
        }
    }

    /// Change of a value between two windows, guarded by the number of requests in each.
    pub fn change(
        &self,
        now: &Totals,
        before: Option<&Totals>,
        value: Option<f64>,
        value_before: Option<f64>,
    ) -> Change {
        let needs = self.thresholds.growth_requests;
        match (before.filter(|before| before.requests > 0), value.zip(value_before)) {
            (None, _) => Change::New,
            (Some(before), _) if before.requests.min(now.requests) < needs => {
                Change::NotEnough(NotEnough::counts(before.requests.min(now.requests), needs))
            }
            (Some(_), Some((value, old))) if old > 0.0 => Change::Ratio(value / old - 1.0),
            (Some(_), _) => Change::Unknown,
        }
    }
}

/// The sum of two values that may be unknown: what is known of it.
pub(crate) fn plus(a: Option<f64>, b: Option<f64>) -> Option<f64> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a + b),
        (a, b) => a.or(b),
    }
}

/// Order of values; those that are not known are the least.
fn by_value(a: Option<f64>, b: Option<f64>) -> Ordering {
    match (a, b) {
        (Some(a), Some(b)) => a.total_cmp(&b),
        (a, b) => a.is_some().cmp(&b.is_some()),
    }
}

fn sum<'a>(totals: impl Iterator<Item = &'a Totals>) -> Totals {
    totals.fold(Totals::default(), |mut sum, totals| {
        sum.add(totals);
        sum
    })
}
