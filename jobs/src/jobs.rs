//! Handles on the tables that jobs read and write.

use bellwether_warehouse::{Table, TableId, Warehouse};
use chrono::{DateTime, NaiveDate, Utc};
use datafusion::prelude::SessionContext;

use crate::error::Error;
use crate::rollup::{FOLDED, Rollup};
use crate::{
    ExpireReport, FoldReport, RebuildReport, RoundReport, RoutingReport, SettleReport, Settling, Status,
    expire, fold, rebuild, routing, schedule, settle, status,
};

/// The jobs of one warehouse. Each of them may be stopped anywhere and run again.
#[derive(Debug)]
pub struct Jobs {
    pub(crate) attempts: Table,
    pub(crate) folded: Vec<Folded>,
    pub(crate) routing: Table,
    warehouse: Warehouse,
    threads: usize,
}

#[derive(Debug)]
pub(crate) struct Folded {
    pub rollup: Rollup,
    pub table: Table,
}

impl Jobs {
    /// # Errors
    /// When a table is missing or cannot be read.
    pub async fn open(warehouse: &Warehouse) -> Result<Self, Error> {
        let open = async |table: TableId| {
            warehouse.table(table).await.map_err(|source| Error::Open { table: table.name(), source })
        };
        let mut folded = Vec::new();
        for rollup in FOLDED {
            folded.push(Folded { rollup, table: open(rollup.table).await? });
        }
        Ok(Self {
            attempts: open(TableId::Attempts).await?,
            folded,
            routing: open(TableId::RoutingHourly).await?,
            warehouse: warehouse.clone(),
            threads: std::thread::available_parallelism().map_or(1, usize::from),
        })
    }

    /// Adds what was committed to `attempts` since the last fold to every folded table.
    pub async fn fold(&mut self, now: DateTime<Utc>) -> Result<FoldReport, Error> {
        fold::fold(self, now).await
    }

    /// Merges partial rows. Changes no answer, only how many files and rows it is read from.
    pub async fn settle(&mut self, settling: Settling, now: DateTime<Utc>) -> Result<SettleReport, Error> {
        settle::settle(self, settling, now).await
    }

    /// Recomputes `routing_hourly` for the dates that new attempts touch.
    pub async fn route(&mut self) -> Result<RoutingReport, Error> {
        routing::route(self).await
    }

    /// Computes whole dates afresh from `attempts`, each event counted once, and replaces them. Both ends
    /// are included.
    pub async fn rebuild(
        &mut self,
        from: NaiveDate,
        to: NaiveDate,
        now: DateTime<Utc>,
    ) -> Result<RebuildReport, Error> {
        rebuild::rebuild(self, from, to, now).await
    }

    /// Drops dates that a table no longer keeps.
    pub async fn expire(&mut self, now: DateTime<Utc>) -> Result<ExpireReport, Error> {
        expire::expire(self, now).await
    }

    /// Where every table of the jobs stands.
    pub async fn status(&mut self) -> Result<Status, Error> {
        status::status(self).await
    }

    /// Every job once, whatever ran when.
    pub async fn run_once(&mut self, now: DateTime<Utc>) -> RoundReport {
        schedule::run(self, &mut schedule::Timetable::default(), schedule::Part::Whole, now).await
    }

    pub(crate) fn warehouse(&self) -> &Warehouse {
        &self.warehouse
    }

    pub(crate) fn threads(&self) -> usize {
        self.threads
    }

    pub(crate) fn session(&self) -> SessionContext {
        self.warehouse.session(self.threads)
    }
}

/// Brings a handle up to date.
pub(crate) async fn refresh(table: &mut Table) -> Result<i64, Error> {
    let name = table.id().name();
    table.refresh().await.map_err(|source| Error::Log { table: name, source })
}
