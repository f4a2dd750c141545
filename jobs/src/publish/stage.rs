//! Much is published in stages, the newest days first, each one a publication of its own: a reader has the days of now
//! after seconds, and not after all that an operator may have kept. `publications` says of each table from which date on it
//! has all of them, so that whoever goes on needs no memory.
//!
//! A table that reads another published one waits where that one still lacks days: no figure is made of less than it is
//! said to be. What is left over of former terms is taken out with the first stage, whatever its date, and comes back
//! later.

use std::collections::{BTreeMap, BTreeSet};

use bellwether_metrics::publications::Publication;
use bellwether_metrics::revisions::Reason;
use bellwether_metrics::{History, Metric, gate, quality_by_day, rankings, usage_by_day, users_by_window};
use bellwether_warehouse::tables::declared::Declaration;
use bellwether_warehouse::{DataFile, Error as WarehouseError, Followed, Snapshot, TableId};
use chrono::{Datelike, Days, NaiveDate};

use super::place::dates_of;
use super::{Published, Publisher, Round};
use crate::error::Error;

/// Days of the first stage: what most pages show, and what tables of a recent history begin with.
const FIRST: Days = Days::new(35);
/// Days that are published at once where nothing stands yet: of more, pages open with what they cannot do without.
const LITTLE: usize = 7;
/// That first stage: tables without which a page shows nothing, and how many days of each beside the running one. All else
/// comes a stage later.
const OPENING: [(&Declaration, Days); 5] = [
    (&gate::TABLE, FIRST),
    (&usage_by_day::TABLE, FIRST),
    (&quality_by_day::TABLE, FIRST),
    // The day before may not have closed yet.
    (&users_by_window::TABLE, Days::new(2)),
    (&rankings::TABLE, Days::new(2)),
];
/// More dates of a table than this, and some of them older than the first stage, are put in stages though the terms are the
/// same. More: readers wait longer for the newest; fewer: each late row of an old day makes several publications.
const MANY: usize = 62;

/// First date that each table has in a publication that lacks older ones.
pub(super) type Froms = BTreeMap<String, NaiveDate>;

/// Whether the rollups have more days than are published at once.
pub(super) fn is_much(sources: &Followed) -> bool {
    let files = sources.snapshot(TableId::UsageDaily).map(Snapshot::files).unwrap_or_default();
    files.iter().filter_map(DataFile::date).collect::<BTreeSet<_>>().len() > LITTLE
}

/// First date of a table in the first stage of all; tomorrow for what is not in it.
fn opening(metric: &Metric, today: NaiveDate) -> NaiveDate {
    let days = OPENING.iter().find(|(table, _)| *table == metric.table).map(|(_, days)| *days);
    let first = days.map(|days| today.checked_sub_days(days).unwrap_or(NaiveDate::MIN));
    first.or(today.succ_opt()).unwrap_or(NaiveDate::MAX)
}

impl Publisher {
    /// Of the tables that still lack days of the first stage, the next one: each has a publication of its own, so that what
    /// arrives while they are computed is told in between. Those whose newest rows pages have already come last.
    fn turn(&self, round: &Round, first: NaiveDate) -> Option<&'static str> {
        let from = &round.last.as_ref()?.complete_from;
        let waits = |metric: &&Metric| {
            self.puts(metric, round.is_anew())
                && from.get(metric.table.name).is_some_and(|from| *from > first)
        };
        let waiting = self.tables.iter().map(|published| published.metric);
        // Windows are what most pages of health show.
        let rank = |metric: &&Metric| {
            (OPENING.iter().any(|(table, _)| *table == metric.table), !metric.is_of_windows())
        };
        let next = waiting.filter(waits).min_by_key(rank);
        next.map(|metric| metric.table.name)
    }

    /// First date of the stage that is next for a table, if not all of `due` is put at once.
    pub(super) fn edge(
        &self,
        metric: &Metric,
        due: &BTreeSet<NaiveDate>,
        stands_from: Option<NaiveDate>,
        is_all: bool,
        round: &Round,
        froms: &Froms,
    ) -> Option<NaiveDate> {
        let today = round.terms.today;
        let first = today.checked_sub_days(FIRST).unwrap_or(NaiveDate::MIN);
        let next = match stands_from {
            // Whole months, none that has nothing, and half as many days as stand already: each stage has its own cost, and
            // who sees much waits longer for the rest.
            Some(from) if from <= first => due.range(..from).next_back().and_then(|newest| {
                let half = (today - from).num_days().unsigned_abs() / 2;
                let reached = from.checked_sub_days(Days::new(half)).unwrap_or(NaiveDate::MIN);
                newest.min(&reached).with_day(1)
            }),
            Some(from) if self.turn(round, first) != Some(metric.table.name) => Some(from),
            // It has waited for others. Without windows of a history there is little to it.
            Some(_) => (metric.history != History::Whole).then_some(first),
            None if round.is_opening => Some(opening(metric, today)),
            None => (is_all || due.len() > MANY).then_some(first),
        };
        let lacking = metric.inputs.iter().filter_map(|input| froms.get(input.name()));
        let reached = lacking.filter_map(|from| {
            let last = from.pred_opt().map(|date| *(metric.touched)(date).end())?;
            Some(last.succ_opt().unwrap_or(NaiveDate::MAX))
        });
        // What waits altogether is said to begin tomorrow.
        let after = today.succ_opt().unwrap_or(NaiveDate::MAX);
        reached.chain(next).max().map(|edge| edge.min(after))
    }

    /// Dates that a table had when it last had all, those of earlier terms included: one of a recent history knows them from
    /// nowhere else. With them, what has changed in the terms since.
    pub(super) async fn stood(
        &self,
        published: &Published,
    ) -> Result<(BTreeSet<NaiveDate>, Option<Reason>), Error> {
        let Published { metric, table } = published;
        let name = metric.table.name;
        let whole = Publication::newest_whole(self.publications.snapshot(), name).await;
        let whole = whole.map_err(Error::metric)?;
        let former = whole.as_ref().filter(|whole| whole.terms != self.fingerprint);
        let under = former.map(|former| self.differs_from(former));
        let Some(version) = whole.and_then(|whole| whole.versions.get(name).copied()) else {
            return Ok((BTreeSet::new(), under));
        };
        match table.at(version).await {
            Ok(snapshot) => {
                Ok((snapshot.files().iter().flat_map(|file| dates_of(metric, file)).collect(), under))
            }
            Err(WarehouseError::VersionGone { .. }) => {
                tracing::warn!(
                    table = name,
                    version,
                    "the version that last had all dates is gone; those that stand and recent ones are computed"
                );
                Ok((BTreeSet::new(), under))
            }
            Err(source) => Err(Error::Log { table: name, source }),
        }
    }
}
