//! How good the data are: what every page prints in its footer, of the table `quality_by_day`.

use std::collections::BTreeMap;
use std::sync::Arc;

use bellwether_metrics::quality_by_day;
use bellwether_warehouse::tables::declared::Type;
use chrono::NaiveDate;

use super::dictionary::Dictionary;
use super::group::{Filter, Group, GroupBy};
use super::totals::ratio;
use super::window::Window;
use super::{Dataset, Profile};

/// What the columns of reasons begin with.
const REASONS: &str = "rejects_";
/// Raw names that are told of.
const NAMES: usize = 100;

/// Shares are 0 to 1; `None` = nothing to divide by.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Quality {
    /// Tokens without a price / all tokens, last 7 complete days.
    pub unpriced: Option<f64>,
    /// Served requests of a model that the catalogue does not know / all, last 7 complete days.
    pub unmapped: Option<f64>,
    /// Served requests with a user id / all, last 7 complete days.
    pub with_user: Option<f64>,
    /// Rows that arrived in the last 7 days (by arrival) and what was dropped beside them.
    pub rows: u64,
    pub duplicates: u64,
    pub rejects: u64,
    /// Labelled tokens with a known natural language / all labelled tokens, newest published window.
    pub label_coverage: Option<f64>,
    /// Raw names, most requests first, newest two days; none on a public site.
    pub unmapped_names: Vec<UnmappedName>,
    /// Attempts with such a name for a model and for a provider.
    pub unmapped_attempts: Unmapped,
    /// Why records were refused in the last 7 days, most first.
    pub reject_reasons: Vec<RejectReason>,
}

impl Quality {
    /// Duplicates / everything that arrived, 0 to 1.
    pub fn duplicate_share(&self) -> Option<f64> {
        ratio(self.duplicates, self.rows + self.duplicates + self.rejects)
    }

    pub fn reject_share(&self) -> Option<f64> {
        ratio(self.rejects, self.rows + self.duplicates + self.rejects)
    }
}

/// Attempts of the newest two days.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Unmapped {
    pub models: u64,
    pub providers: u64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnmappedName {
    /// `model` or `provider`.
    pub kind: &'static str,
    pub name: String,
    pub requests: u64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RejectReason {
    pub reason: String,
    pub n: u64,
}

/// One date.
#[derive(Clone, Debug, Default)]
pub(crate) struct QualityDay {
    /// By column.
    counts: BTreeMap<&'static str, u64>,
}

impl QualityDay {
    /// Columns of counts.
    pub(super) fn columns() -> impl Iterator<Item = &'static str> {
        let columns = quality_by_day::TABLE.columns.iter();
        columns.filter(|column| column.of == Type::Integer).map(|column| column.name)
    }

    pub(super) fn set(&mut self, column: &'static str, count: u64) {
        self.counts.insert(column, count);
    }

    fn count(&self, column: &str) -> u64 {
        self.counts.get(column).copied().unwrap_or(0)
    }
}

pub(crate) type ByDay = BTreeMap<NaiveDate, Arc<QualityDay>>;

/// Sums of some days.
struct Days<'a>(Vec<&'a QualityDay>);

impl<'a> Days<'a> {
    fn of(days: &'a ByDay, window: Window) -> Self {
        Self(days.range(window.start..=window.end.max(window.start)).map(|(_, day)| &**day).collect())
    }

    fn sum(&self, column: &str) -> u64 {
        self.0.iter().fold(0, |sum, day| sum.saturating_add(day.count(column)))
    }

    fn reasons(&self) -> Vec<RejectReason> {
        let reasons = QualityDay::columns().filter_map(|column| {
            let n = self.sum(column);
            column
                .strip_prefix(REASONS)
                .filter(|_| n > 0)
                .map(|reason| RejectReason { reason: reason.into(), n })
        });
        let mut reasons: Vec<RejectReason> = reasons.collect();
        reasons.sort_by(|a, b| b.n.cmp(&a.n).then_with(|| a.reason.cmp(&b.reason)));
        reasons
    }
}

impl Dataset {
    /// `arrival` is the day up to which is counted what arrived.
    pub(super) fn quality_of(
        &self,
        days: &ByDay,
        arrival: NaiveDate,
        label_coverage: Option<f64>,
    ) -> Quality {
        let used = Days::of(days, self.trailing(7));
        let arrived = Days::of(days, Window::trailing(arrival, 7));
        let newest = Window::trailing(self.newest_date(), 2);
        let tried = Days::of(days, newest);
        let requests = used.sum("requests");
        Quality {
            unpriced: ratio(used.sum("unpriced_tokens"), used.sum("tokens")),
            unmapped: ratio(used.sum("unmapped_requests"), requests),
            with_user: ratio(requests.saturating_sub(used.sum("requests_without_user")), requests),
            rows: arrived.sum("rows_added"),
            duplicates: arrived.sum("duplicates"),
            rejects: arrived.sum("rejects"),
            label_coverage,
            unmapped_names: self.unmapped_names(newest),
            unmapped_attempts: Unmapped {
                models: tried.sum("unmapped_model_attempts"),
                providers: tried.sum("unmapped_provider_attempts"),
            },
            reject_reasons: arrived.reasons(),
        }
    }

    /// A raw name may tell what is nobody's business.
    fn unmapped_names(&self, window: Window) -> Vec<UnmappedName> {
        if self.profile == Profile::Public {
            return Vec::new();
        }
        let names = |by: GroupBy, kind| {
            let groups = self.totals(window, by, Filter::All).into_iter();
            groups.filter(|(group, _)| is_raw(&self.dictionary, *group)).map(move |(group, totals)| {
                UnmappedName { kind, name: self.key(group), requests: totals.requests }
            })
        };
        let mut found: Vec<UnmappedName> =
            names(GroupBy::Model, "model").chain(names(GroupBy::Provider, "provider")).collect();
        found.sort_by(|a, b| b.requests.cmp(&a.requests).then_with(|| a.name.cmp(&b.name)));
        found.truncate(NAMES);
        found
    }
}

fn is_raw(dictionary: &Dictionary, group: Group) -> bool {
    match group {
        Group::Model(id) => id.is_named() && dictionary.author_of(id).is_unknown(),
        Group::Provider(id) => id.is_named() && dictionary.provider(id).starts_with("host:"),
        Group::Series(_) | Group::Author(_) => false,
    }
}
