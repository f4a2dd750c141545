//! Two lanes publish beside each other: the fast one what is of now, the slow one all else. Each commits tables of its own
//! and takes those of the other at the versions of the newest row, so that neither waits for the other.
//!
//! `usage_by_day` is put by both, the running day by the fast lane alone. Commits of a table say their lane and terms: the
//! slow lane goes on beyond those of the fast one, and this stays away while the table has any that no publication names but
//! its own. So no version is ever named that holds rows of other terms, nor rows of a publication that was cut off.
//!
//! Under other terms the slow lane puts everything once, and only then the fast one goes on.

use std::collections::BTreeSet;

use bellwether_metrics::publications::{self, Publication};
use bellwether_metrics::{Lane, METRICS, Metric};
use bellwether_warehouse::{CommitEntry, Snapshot};
use chrono::NaiveDate;
use serde_json::Value;

use super::changes::{self, Changed};
use super::due::Due;
use super::place::dates_of;
use super::scope::{LANE, Scope, TERMS};
use super::{Published, Publisher, Round};
use crate::error::Error;

impl Publisher {
    pub(super) fn puts(&self, metric: &Metric, is_anew: bool) -> bool {
        match self.scope {
            Scope::Everything => true,
            Scope::Fast => metric.lane != Lane::Slow,
            // Of former terms nothing may be named any more.
            Scope::Slow => metric.lane != Lane::Fast || is_anew,
        }
    }

    /// Tables that a lane reads and does not put, as the newest publication names them; empty where it names none yet.
    pub(super) async fn named_by(
        &self,
        last: Option<&Publication>,
        is_anew: bool,
    ) -> Result<Vec<Snapshot>, Error> {
        let mut snapshots = Vec::new();
        let others = self.tables.iter().filter(|published| !self.puts(published.metric, is_anew));
        for Published { metric, table } in others {
            let name = metric.table.name;
            let version = last.and_then(|last| last.versions.get(name).copied()).unwrap_or(0);
            snapshots.push(table.at(version).await.map_err(|source| Error::Log { table: name, source })?);
        }
        Ok(snapshots)
    }

    /// Whether a commit is of the fast lane under our terms, or changes nothing.
    pub(super) fn is_of_fast_lane(&self, commit: &CommitEntry) -> bool {
        let says = |member: &str| commit.info.get(member).and_then(Value::as_str);
        let is_empty = commit.added.is_empty() && commit.removed.is_empty();
        is_empty || (says(LANE) == Some(Scope::Fast.name()) && says(TERMS) == Some(&self.fingerprint))
    }

    /// What has changed in a published table that no publication names and that is not told apart as the fast lane's.
    pub(super) async fn unnamed(
        &self,
        Published { metric, table }: &Published,
        last: Option<&Publication>,
    ) -> Result<Changed, Error> {
        let version = last.and_then(|last| last.versions.get(metric.table.name).copied());
        let is_shared = metric.lane == Lane::Today && self.scope != Scope::Everything;
        changes::since_but(table, version, Some(metric), |commit| is_shared && self.is_of_fast_lane(commit))
            .await
    }

    /// Dates of a table of the fast lane: all that it has, and those that it may get.
    pub(super) async fn due_now(&self, published: &Published, round: &Round) -> Result<Due, Error> {
        let Published { metric, table } = published;
        let today = round.terms.today;
        let unnamed = self.unnamed(published, round.last.as_ref()).await?;
        let mut due = Due { is_unnamed: unnamed != Changed::Dates(BTreeSet::new()), ..Due::default() };
        due.dates.insert(today);
        if metric.lane == Lane::Today {
            if due.is_unnamed {
                due = Due { is_left: true, ..Due::default() };
            }
        } else if metric.date_column().is_none() {
            let version = round.last.as_ref().and_then(|last| last.versions.get(metric.table.name).copied());
            let is_ours = |commit: &CommitEntry| self.is_of_fast_lane(commit);
            let foreign = changes::since_but(table, version, Some(metric), is_ours).await?;
            due.keeps_windows = foreign == Changed::Dates(BTreeSet::new());
        } else {
            let stands = table.snapshot().files().iter().flat_map(|file| dates_of(metric, file));
            due.dates.extend(stands.chain(today.pred_opt()).filter(|date: &NaiveDate| *date <= today));
        }
        Ok(due)
    }

    /// Whether all that was published between these two is of the other lane, so that what was computed from the first one
    /// still holds.
    pub(super) fn is_beside(
        &self,
        then: Option<&Publication>,
        now: Option<&Publication>,
        round: &Round,
    ) -> bool {
        let (Some(then), Some(now)) = (then, now) else { return then.is_none() && now.is_none() };
        if then.number == now.number {
            return true;
        }
        let same = |lane: Lane| {
            let mut of_lane = METRICS.iter().filter(|metric| metric.lane == lane);
            of_lane.all(|metric| then.versions.get(metric.table.name) == now.versions.get(metric.table.name))
        };
        now.terms == then.terms
            && match self.scope {
                Scope::Fast => same(Lane::Fast),
                Scope::Everything if !round.is_anew() => false,
                Scope::Everything | Scope::Slow => {
                    same(Lane::Slow) && now.seen == then.seen && now.attempts_version == then.attempts_version
                }
            }
    }

    /// The row that names what this publication has put, after the newest one.
    pub(super) fn row(
        &self,
        newest: Option<&Publication>,
        round: &Round,
        stage: &super::Stage,
        what: String,
    ) -> Publication {
        let of_ours = newest.filter(|newest| newest.terms == self.fingerprint);
        let mut row = newest.cloned().unwrap_or_default();
        row.number = newest.map_or(0, |newest| newest.number + 1);
        row.watermark =
            of_ours.map_or(round.terms.watermark, |ours| ours.watermark.max(round.terms.watermark));
        let event = self.newest_event(round.now);
        row.newest_event_at = of_ours.map_or(event, |ours| ours.newest_event_at.max(event));
        row.terms.clone_from(&self.fingerprint);
        row.published_at = round.now;
        row.what = what;
        row.catalogue = self.terms.catalogue_fingerprint();
        row.settings = self.terms.settings_fingerprint();
        row.revised.clone_from(&stage.revised);
        if self.scope != Scope::Fast {
            row.renamed = round.renamed_after(stage);
        }
        if self.scope != Scope::Fast {
            row.attempts_version = round.attempts_version;
            row.seen = self.seen();
        }
        if self.scope != Scope::Slow || round.is_anew() {
            row.live_attempts_version = round.attempts_version;
        }
        for Published { metric, table } in &self.tables {
            let name = metric.table.name;
            if !self.puts(metric, round.is_anew()) || stage.left.contains(name) {
                continue;
            }
            // Of what both lanes put, the other one may have named more meanwhile.
            let named = of_ours.filter(|_| metric.lane == Lane::Today);
            let named = named.and_then(|ours| ours.versions.get(name).copied());
            let version = table.snapshot().version();
            row.versions.insert(name.to_owned(), named.map_or(version, |named| named.max(version)));
            if self.scope != Scope::Slow || metric.lane != Lane::Today || round.is_anew() {
                row.as_of.insert(name.to_owned(), round.terms.watermark);
            }
            // The fast lane puts all dates of its own, those included that the slow one left when it put everything.
            if self.scope != Scope::Fast || metric.lane == Lane::Fast {
                for (said, is_now) in [
                    (&mut row.complete_from, stage.froms.get(name)),
                    (&mut row.late_from, stage.lates.get(name)),
                ] {
                    match is_now {
                        Some(from) => said.insert(name.to_owned(), *from),
                        None => said.remove(name),
                    };
                }
            }
        }
        row
    }

    /// Whether the last publication says another thing of what our tables lack than is true now.
    pub(super) fn lacks_other(&self, last: &Publication, round: &Round, stage: &super::Stage) -> bool {
        let mut put = self.tables.iter().filter(|published| {
            let is_ours = self.scope != Scope::Fast || published.metric.lane == Lane::Fast;
            is_ours && self.puts(published.metric, round.is_anew())
        });
        let waits_for_other = self.scope != Scope::Fast && last.renamed != round.renamed_after(stage);
        waits_for_other
            || put.any(|Published { metric, .. }| {
                let name = metric.table.name;
                last.complete_from.get(name) != stage.froms.get(name)
                    || last.late_from.get(name) != stage.lates.get(name)
            })
    }

    /// How far everything was read that is followed.
    fn seen(&self) -> std::collections::BTreeMap<String, i64> {
        let shared: Vec<_> = publications::shared().collect();
        let shared = self
            .tables
            .iter()
            .map(|published| published.table.snapshot())
            .filter(|snapshot| shared.contains(&snapshot.table()));
        let sources = publications::sources().into_iter().filter_map(|id| self.sources.snapshot(id));
        let read = sources.chain(shared);
        read.map(|snapshot| (snapshot.table().name().to_owned(), snapshot.version())).collect()
    }
}
