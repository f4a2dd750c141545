//! Which names may stand beside amounts on which day, as the table `gate` has decided. Where usage rows become blocks
//! in memory these decisions are asked, once: whatever sums blocks can name nothing else.

use std::collections::{BTreeMap, HashMap};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use bellwether_warehouse::TableId;
use chrono::NaiveDate;

use super::window::Window;

pub(crate) const TABLE: TableId = TableId::Declared(&bellwether_metrics::gate::TABLE);

/// What a key is a key of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    Variant,
    Provider,
}

impl Kind {
    /// Word in column `dimension`.
    pub fn parse(word: &str) -> Option<Self> {
        match word {
            "variant" => Some(Self::Variant),
            "provider" => Some(Self::Provider),
            _ => None,
        }
    }
}

/// Decisions by key and date.
type Decisions = HashMap<Box<str>, BTreeMap<NaiveDate, bool>>;

/// Rows of the table in one month.
#[derive(Clone, Debug, Default)]
pub(crate) struct GateMonth {
    variants: Decisions,
    providers: Decisions,
}

impl GateMonth {
    pub fn add(&mut self, kind: Kind, key: &str, date: NaiveDate, is_public: bool) {
        let decisions = match kind {
            Kind::Variant => &mut self.variants,
            Kind::Provider => &mut self.providers,
        };
        let dates = match decisions.get_mut(key) {
            Some(dates) => dates,
            None => decisions.entry(key.into()).or_default(),
        };
        // Of two rows for one day the one that hides counts.
        dates.entry(date).and_modify(|known| *known &= is_public).or_insert(is_public);
    }
}

/// The decisions of a key, where they change; each holds until the next one.
#[derive(Debug, Default)]
struct Course(Vec<(NaiveDate, bool)>);

impl Course {
    fn decide(&mut self, date: NaiveDate, is_public: bool) {
        if self.0.last().is_none_or(|(_, last)| *last != is_public) {
            self.0.push((date, is_public));
        }
    }

    /// `None` before the first decision.
    fn at(&self, date: NaiveDate) -> Option<bool> {
        let known = self.0.partition_point(|(from, _)| *from <= date);
        known.checked_sub(1).and_then(|last| self.0.get(last)).map(|(_, is_public)| *is_public)
    }

    fn hides_within(&self, window: Window) -> bool {
        let inside = self.0.iter().any(|(from, is_public)| !is_public && window.contains(*from));
        inside || self.at(window.start) == Some(false)
    }
}

/// Every decision of one version of the table.
#[derive(Debug, Default)]
pub(crate) struct Gate {
    /// A site that needs no users asks nobody.
    open: bool,
    variants: HashMap<Box<str>, Course>,
    providers: HashMap<Box<str>, Course>,
    /// Keys of the variants of each model.
    models: HashMap<Box<str>, Vec<Box<str>>>,
    /// What may be named from a date on, as one number: equal numbers, equal blocks.
    stamps: BTreeMap<NaiveDate, u64>,
}

impl Gate {
    /// Everything may be named.
    pub fn open() -> Self {
        Self { open: true, ..Self::default() }
    }

    /// Months in ascending order.
    pub fn of(months: &BTreeMap<NaiveDate, Arc<GateMonth>>) -> Self {
        let mut gate = Self::default();
        let mut changes: BTreeMap<NaiveDate, u64> = BTreeMap::new();
        for (kind, courses, of) in [
            (Kind::Variant, &mut gate.variants, (|month| &month.variants) as fn(&GateMonth) -> &Decisions),
            (Kind::Provider, &mut gate.providers, |month| &month.providers),
        ] {
            for (key, dates) in months.values().flat_map(|month| of(month)) {
                let course = match courses.get_mut(key) {
                    Some(course) => course,
                    None => courses.entry(key.clone()).or_default(),
                };
                for (date, is_public) in dates {
                    course.decide(*date, *is_public);
                }
            }
            for (key, course) in courses.iter() {
                let mut hasher = DefaultHasher::new();
                (kind, key).hash(&mut hasher);
                let own = hasher.finish();
                // The first decision of a key changes nothing if it hides: so did the lack of one.
                let turns = course.0.iter().skip_while(|(_, is_public)| !is_public);
                for (date, _) in turns {
                    *changes.entry(*date).or_default() ^= own;
                }
            }
        }
        for key in gate.variants.keys() {
            // A raw name may hold a colon itself: its whole is a model, too.
            let model = key.rsplit_once(':').map(|(model, _)| model);
            for model in model.into_iter().chain([&**key]) {
                gate.models.entry(model.into()).or_default().push(key.clone());
            }
        }
        let mut now = 0;
        gate.stamps = changes
            .into_iter()
            .map(|(date, change)| {
                (date, {
                    now ^= change;
                    now
                })
            })
            .collect();
        gate
    }

    pub fn is_open(&self) -> bool {
        self.open
    }

    /// Of every name that may be told on this day.
    pub fn stamp(&self, date: NaiveDate) -> u64 {
        self.stamps.range(..=date).next_back().map_or(0, |(_, stamp)| *stamp)
    }

    /// Whether amounts of a key may stand under its name. A day without a decision follows the one before it; without
    /// any, nothing may.
    pub fn names(&self, kind: Kind, key: &str, date: NaiveDate) -> bool {
        self.decision(kind, key, date).unwrap_or(false)
    }

    /// The decision itself, where there is one.
    pub fn decision(&self, kind: Kind, key: &str, date: NaiveDate) -> Option<bool> {
        if self.open { Some(true) } else { self.course(kind, key)?.at(date) }
    }

    /// Whether any variant of a model may be named.
    pub fn names_model(&self, model: &str, date: NaiveDate) -> bool {
        self.open
            || self.models.get(model).is_some_and(|variants| {
                variants.iter().any(|variant| self.names(Kind::Variant, variant, date))
            })
    }

    /// Whether a decision keeps the key from being named on a day of the window.
    pub fn hides_within(&self, kind: Kind, key: &str, window: Window) -> bool {
        !self.open && self.course(kind, key).is_some_and(|course| course.hides_within(window))
    }

    fn course(&self, kind: Kind, key: &str) -> Option<&Course> {
        match kind {
            Kind::Variant => self.variants.get(key),
            Kind::Provider => self.providers.get(key),
        }
    }
}

/// Key of a variant: `author/model`, `author/model:free`.
pub(crate) fn variant_key<'a>(model: &'a str, variant: &str) -> std::borrow::Cow<'a, str> {
    match variant {
        "" | "standard" => model.into(),
        variant => format!("{model}:{variant}").into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::testing::day;

    fn gate(rows: &[(&str, &str, bool)]) -> Gate {
        let mut months: BTreeMap<NaiveDate, GateMonth> = BTreeMap::new();
        for (key, date, is_public) in rows {
            let month = day(&format!("{}-01", &date[..7]));
            months.entry(month).or_default().add(Kind::Variant, key, day(date), *is_public);
        }
        Gate::of(&months.into_iter().map(|(month, rows)| (month, Arc::new(rows))).collect())
    }

    #[test]
    fn a_day_without_a_decision_follows_the_one_before() {
        let gate = gate(&[("a/b", "2026-10-30", true), ("a/b", "2026-11-03", false)]);
        let names = |date: &str| gate.names(Kind::Variant, "a/b", day(date));
        assert!(!names("2026-10-29") && names("2026-10-30") && names("2026-11-02"));
        assert!(!names("2026-11-03") && !names("2027-01-01"));
        assert!(!gate.names(Kind::Provider, "a/b", day("2026-10-30")));
        assert!(!gate.names(Kind::Variant, "a/c", day("2026-10-30")));
        assert!(Gate::open().names(Kind::Variant, "a/c", day("2026-10-30")));
    }

    #[test]
    fn of_two_rows_for_one_day_the_one_that_hides_counts() {
        for first in [true, false] {
            let gate = gate(&[("a/b", "2026-11-03", first), ("a/b", "2026-11-03", !first)]);
            assert!(!gate.names(Kind::Variant, "a/b", day("2026-11-03")));
        }
    }

    #[test]
    fn stamps_differ_just_where_other_names_may_be_told() {
        let before = gate(&[("a/b", "2026-11-01", true), ("a/c", "2026-11-01", false)]);
        let after = gate(&[
            ("a/b", "2026-11-01", true),
            ("a/c", "2026-11-01", false),
            ("a/b", "2026-11-02", true),
            ("a/c", "2026-11-03", true),
        ]);
        for (date, same) in [("2026-10-31", true), ("2026-11-01", true), ("2026-11-02", true)] {
            assert_eq!(before.stamp(day(date)) == after.stamp(day(date)), same, "{date}");
        }
        assert_ne!(before.stamp(day("2026-11-03")), after.stamp(day("2026-11-03")));
        assert_ne!(before.stamp(day("2026-11-01")), before.stamp(day("2026-10-31")));
    }

    #[test]
    fn a_window_with_a_hidden_day_is_known() {
        let gate = gate(&[("a/b", "2026-11-03", false), ("a/b", "2026-11-05", true)]);
        let hides = |start: &str, end: &str| {
            gate.hides_within(Kind::Variant, "a/b", Window { start: day(start), end: day(end) })
        };
        assert!(hides("2026-11-01", "2026-11-03") && hides("2026-11-04", "2026-11-09"));
        assert!(!hides("2026-11-01", "2026-11-02") && !hides("2026-11-05", "2026-11-09"));
    }
}
