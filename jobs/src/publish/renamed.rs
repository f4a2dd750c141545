//! A catalogue that tells names otherwise. Where nothing else of the terms differs and no name is withdrawn, what is open goes on
//! under it at once, and closed dates that hold such a name are computed again at night, whoever runs then: the row of the
//! publication says which names wait. Their files stay as they are until then.
//!
//! Days of attempts whose logged names were read again wait in the same row: commits to rollups tell them. Closed dates that are
//! made of such a day stay as they are until the night, which shows them for that reason.

use std::collections::BTreeSet;

use bellwether_metrics::publications::{self, Publication};
use bellwether_metrics::{Lane, Metric, Renamed, models, providers};
use bellwether_warehouse::{Error as WarehouseError, Snapshot, TableId};
use chrono::NaiveDate;
use serde_json::Value;

use super::changes;
use super::due::{inputs, touched};
use super::scope::Scope;
use super::{Publisher, Round, Stage};
use crate::error::Error;
use crate::replace::REMAPPED;

impl Round {
    /// Nothing of the running day may stay as it stands.
    pub(super) fn is_anew(&self) -> bool {
        self.is_afresh || self.takes_over
    }

    /// Dates of a table that are made of days whose logged names were read again.
    pub(super) fn remapped_of(&self, metric: &Metric) -> BTreeSet<NaiveDate> {
        touched(metric, self.renamed.remapped.clone())
    }

    /// Names that still wait once this is published.
    pub(super) fn renamed_after(&self, stage: &Stage) -> Renamed {
        let is_begun = self.is_night || self.renamed.is_begun;
        if self.renamed.is_empty() || (is_begun && stage.froms.is_empty()) {
            return Renamed::default();
        }
        Renamed { is_begun, ..Renamed::clone(&self.renamed) }
    }
}

impl Publisher {
    /// What our catalogue tells otherwise than `last`. None: something else differs, or a name is told no more.
    pub(super) async fn renamed_since(&self, last: &Publication) -> Result<Option<Renamed>, Error> {
        // What lacks dates may still be of other terms.
        let is_alone = !last.catalogue.is_empty()
            && last.settings == self.terms.settings_fingerprint()
            && last.complete_from.is_empty();
        if !is_alone || self.scope == Scope::Fast {
            return Ok(None);
        }
        let models = self.as_named(models::METRIC.id(), last).await?;
        let providers = self.as_named(providers::METRIC.id(), last).await?;
        let (Some(models), Some(providers)) = (models, providers) else { return Ok(None) };
        Renamed::between(&models, &providers, &self.terms.catalogue).await.map_err(Error::metric)
    }

    /// Days whose logged names were read again since `last`, as the rollups have it.
    pub(super) async fn remapped_since(&self, last: &Publication) -> Result<BTreeSet<NaiveDate>, Error> {
        let mut days = BTreeSet::new();
        for id in publications::sources() {
            let (Some(table), Some(after)) = (self.sources.table(id), last.seen.get(id.name())) else {
                continue;
            };
            for commit in changes::news(table, *after).await?.unwrap_or_default() {
                let told = commit.info.get(REMAPPED).and_then(Value::as_array);
                let dates =
                    told.into_iter().flatten().filter_map(|date| date.as_str()?.parse::<NaiveDate>().ok());
                days.extend(dates);
            }
        }
        Ok(days)
    }

    async fn as_named(&self, id: TableId, last: &Publication) -> Result<Option<Snapshot>, Error> {
        let name = id.name();
        let (Some(published), Some(version)) = (self.published(id), last.versions.get(name)) else {
            return Ok(None);
        };
        match published.table.at(*version).await {
            Ok(snapshot) => Ok(Some(snapshot)),
            Err(WarehouseError::VersionGone { .. }) => Ok(None),
            Err(source) => Err(Error::Log { table: name, source }),
        }
    }

    /// Dates that stand and are put now because of names: the open ones of a catalogue that takes over, and at night all that
    /// hold a name.
    pub(super) async fn of_names(
        &self,
        metric: &Metric,
        stands: &BTreeSet<NaiveDate>,
        round: &Round,
    ) -> Result<BTreeSet<NaiveDate>, Error> {
        let mut dates = BTreeSet::new();
        if round.takes_over {
            let open_from = round.terms.open_from();
            let is_open = |date: &&NaiveDate| metric.last_day(**date) >= open_from;
            dates.extend(stands.iter().filter(|date| metric.lane == Lane::Fast || is_open(date)));
        }
        if round.is_night && !round.renamed.is_empty() {
            let rollups = inputs(metric).into_iter().filter(|input| *input != TableId::Attempts);
            for rollup in rollups.filter_map(|input| self.sources.snapshot(input)) {
                let held = round.renamed.dates(rollup, &self.terms.catalogue).await;
                let held = touched(metric, held.map_err(Error::metric)?);
                dates.extend(held.intersection(stands));
            }
            dates.extend(round.remapped_of(metric).intersection(stands));
        }
        Ok(dates)
    }
}
