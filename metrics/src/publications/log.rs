//! The log of revisions: which publications replaced rows of which closed dates.

use arrow::array::AsArray;
use arrow::datatypes::{Int64Type, TimestampMicrosecondType};
use bellwether_warehouse::Snapshot;
use chrono::{DateTime, NaiveDate, Utc};
use datafusion::error::DataFusionError;

use crate::Error;
use crate::revisions::Revised;

const LOG: &str = include_str!("log.sql");

/// One publication that replaced rows of closed dates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revision {
    pub number: i64,
    pub published_at: DateTime<Utc>,
    pub revised: Revised,
}

/// All that publications tell of replaced dates, oldest first.
#[derive(Clone, Debug, Default)]
pub struct Log {
    revisions: Vec<Revision>,
}

impl Log {
    /// # Errors
    /// The rows of `publications` cannot be read.
    pub async fn read(publications: &Snapshot) -> Result<Self, Error> {
        let read = async {
            let ctx = publications.session(1);
            let files = publications.provider_over(publications.files().to_vec());
            ctx.register_table(super::NAME, files)?;
            let mut revisions = Vec::new();
            for batch in ctx.sql(LOG).await?.collect().await? {
                let numbers = batch.column(0).as_primitive::<Int64Type>();
                let instants = batch.column(1).as_primitive::<TimestampMicrosecondType>();
                let texts = batch.column(2).as_string::<i32>();
                for ((number, at), text) in numbers.values().iter().zip(instants.values()).zip(texts) {
                    let published_at = DateTime::from_timestamp_micros(*at).unwrap_or_default();
                    for line in text.unwrap_or_default().lines() {
                        revisions.push(Revision { number: *number, published_at, revised: line.parse()? });
                    }
                }
            }
            Ok(Self { revisions })
        };
        read.await.map_err(|source: DataFusionError| Error::Publications { source: Box::new(source) })
    }

    /// Of one date of a table.
    pub fn of<'a>(&'a self, table: &'a str, date: NaiveDate) -> impl Iterator<Item = &'a Revision> + use<'a> {
        let is_of =
            move |revised: &Revised| revised.table == table && revised.first <= date && date <= revised.last;
        self.revisions.iter().filter(move |revision| is_of(&revision.revised))
    }

    /// The number that a closed date has.
    pub fn revision(&self, table: &str, date: NaiveDate) -> i64 {
        self.of(table, date).map(|revision| revision.revised.revision).max().unwrap_or(0)
    }
}
