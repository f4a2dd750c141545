//! Which dates of a table have to be computed.

use std::collections::BTreeSet;

use bellwether_metrics::publications::Publication;
use bellwether_metrics::revisions::Reason;
use bellwether_metrics::{History, Lane, Metric, gate};
use bellwether_warehouse::{DataFile, TableId};
use chrono::{DateTime, NaiveDate, Utc};

use super::changes::{self, Changed};
use super::late;
use super::place::{dates_of, days_between};
use super::scope::Scope;
use super::stage::Froms;
use super::{Published, Publisher, Round};
use crate::dates::date_of;
use crate::error::Error;

#[derive(Debug, Default)]
pub(super) struct Due {
    pub dates: BTreeSet<NaiveDate>,
    /// Dates whose rows are taken out and come back in a later stage.
    pub dropped: BTreeSet<NaiveDate>,
    /// Dates before it are left to later stages.
    pub from: Option<NaiveDate>,
    /// Dates from it on that stand are left to the night.
    pub late_from: Option<NaiveDate>,
    /// Another lane has to put first what is there.
    pub is_left: bool,
    /// Windows that have not moved may stay as they stand.
    pub keeps_windows: bool,
    /// The table has content that no publication names.
    pub is_unnamed: bool,
    /// Dates of that content: it may be of other terms, so it only stays where it is what is computed.
    pub unnamed: BTreeSet<NaiveDate>,
    /// What differs from the terms under which these dates stood. None: nothing.
    pub came_back: Option<(BTreeSet<NaiveDate>, Reason)>,
}

impl Publisher {
    /// `froms`: of the tables that this publication has put before.
    pub(super) async fn due(&self, at: usize, round: &Round, froms: &Froms) -> Result<Due, Error> {
        let Some(published) = self.tables.get(at) else { return Ok(Due::default()) };
        let Published { metric, table } = published;
        let name = metric.table.name;
        if self.scope == Scope::Fast {
            return self.due_now(published, round).await;
        }
        let last = round.last.as_ref();
        // What somebody left who was ended before his publication may be of other terms.
        let own = self.unnamed(published, last).await?;
        let mut due = Due { is_unnamed: own != Changed::Dates(BTreeSet::new()), ..Due::default() };
        let today = round.terms.today;
        if metric.date_column().is_none() {
            // What is of now moves by itself; pages open without it.
            due.dates.extend((!round.is_opening).then_some(today));
            return Ok(due);
        }
        let is_afresh = round.is_afresh || own == Changed::Everything;
        let mut is_all = is_afresh;
        let unnamed = own.into_known();
        due.dates.extend(&unnamed);
        due.unnamed.clone_from(&unnamed);
        for input in inputs(metric) {
            match self.changed(input, last).await? {
                Changed::Everything => is_all = true,
                Changed::Dates(dates) => due.dates.extend(touched(metric, dates)),
            }
        }
        let stands: BTreeSet<NaiveDate> =
            table.snapshot().files().iter().flat_map(|file| dates_of(metric, file)).collect();
        let mut known = stands.clone();
        let from = last.filter(|_| !is_afresh).and_then(|last| last.complete_from.get(name).copied());
        if is_all || from.is_some() {
            if metric.history != History::Whole || metric.is_revised() {
                let (stood, reason) = self.came_back(published, round).await?;
                known.extend(&stood);
                due.came_back = reason.map(|reason| (stood, reason));
            }
            // Also what stands of days that are in no input any more.
            let mut all = known.clone();
            all.extend(touched(metric, self.held(metric)?));
            all.retain(|date| is_all || from.is_some_and(|from| *date < from));
            due.dates.extend(all);
        }
        let turned = touched(metric, late::turned(round));
        due.dates.extend(turned.iter().chain(&self.of_names(metric, &stands, round).await?));
        due.dates.retain(|date| *date <= today && (metric.begins_by(*date, today) || known.contains(date)));
        match self.scope {
            Scope::Slow if metric.is_put_off() && !is_all && from.is_none() => {
                let stays = unnamed.union(&turned).copied().collect();
                due.late_from = late::put_off(metric, &mut due.dates, &stands, &stays, round);
            }
            _ => due.dates.extend(late::all(metric, &stands, round)),
        }
        let is_foreign = is_afresh || round.takes_over || unnamed.contains(&today);
        if self.scope == Scope::Slow && metric.lane == Lane::Today && !is_foreign {
            due.dates.remove(&today);
        }
        // Who may be named is decided before all else, for all days.
        if metric.id() != gate::METRIC.id()
            && let Some(edge) = self.edge(metric, &due.dates, from, is_all, round, froms)
        {
            let now = due.dates.split_off(&edge);
            due.from = (!due.dates.is_empty()).then_some(edge);
            due.dropped = stands.range(..edge).copied().collect();
            due.dropped.retain(|date| is_afresh || unnamed.contains(date));
            due.dates = now;
        }
        Ok(due)
    }

    /// Dates that stood when the table last had all, and what differs from the terms of then.
    async fn came_back(
        &self,
        published: &Published,
        round: &Round,
    ) -> Result<(BTreeSet<NaiveDate>, Option<Reason>), Error> {
        let (stood, under) = self.stood(published).await?;
        // Where it never had all, or had it under these terms, the last publication is what differs.
        let last = round.last.as_ref().filter(|_| round.is_afresh);
        Ok((stood, under.or_else(|| last.map(|last| self.differs_from(last)))))
    }

    async fn changed(&self, input: TableId, last: Option<&Publication>) -> Result<Changed, Error> {
        let name = input.name();
        if let Some(published) = self.published(input) {
            let named = |last: &Publication| match published.metric.lane {
                Lane::Today => last.seen.get(name).copied(),
                Lane::Fast | Lane::Slow => last.versions.get(name).copied(),
            };
            let after = last.and_then(named);
            return changes::since(&published.table, after, Some(published.metric)).await;
        }
        let after = last.and_then(|last| last.seen.get(name).copied());
        match self.sources.table(input) {
            Some(table) => changes::since(table, after, None).await,
            None => Ok(Changed::Dates(BTreeSet::new())),
        }
    }

    /// Dates of which the inputs have rows.
    fn held(&self, metric: &Metric) -> Result<BTreeSet<NaiveDate>, Error> {
        let mut held = BTreeSet::new();
        for input in inputs(metric) {
            self.add_held(input, &mut held)?;
        }
        Ok(held)
    }

    /// Dates of which an input has rows.
    fn add_held(&self, input: TableId, held: &mut BTreeSet<NaiveDate>) -> Result<(), Error> {
        if let Some(Published { metric, table }) = self.published(input) {
            held.extend(table.snapshot().files().iter().flat_map(|file| dates_of(metric, file)));
        } else if let Some(snapshot) = self.sources.snapshot(input) {
            for file in snapshot.files() {
                held.insert(date_of(input, file)?);
            }
        }
        Ok(())
    }

    pub(super) fn published(&self, id: TableId) -> Option<&Published> {
        self.tables.iter().find(|published| published.metric.id() == id)
    }

    /// When the newest event began, as far as that is not after now.
    pub(super) fn newest_event(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let files =
            self.sources.snapshot(TableId::Attempts).map(|attempts| attempts.files()).unwrap_or_default();
        // Partitions are dates, so the newest events are in the files of the last one.
        let newest = files.iter().map(|file| &file.partition).max();
        let of_newest = files.iter().filter(|file| Some(&file.partition) == newest);
        let started_at =
            of_newest.filter_map(|file: &DataFile| file.bounds().instant("started_at").most).max();
        started_at.map(|at| at.min(now))
    }
}

/// All but the table itself. A name that may be shown no longer concerns every table.
pub(super) fn inputs(metric: &Metric) -> BTreeSet<TableId> {
    let mut inputs: BTreeSet<TableId> = metric.inputs.iter().copied().chain([gate::METRIC.id()]).collect();
    inputs.remove(&metric.id());
    inputs
}

pub(super) fn touched(metric: &Metric, dates: BTreeSet<NaiveDate>) -> BTreeSet<NaiveDate> {
    let mut touched = BTreeSet::new();
    for date in dates {
        let range = (metric.touched)(date);
        touched.extend(days_between(*range.start(), *range.end()));
    }
    touched
}
