//! What was published under terms that hold no more: it may name what must not be named now, so its files stay for nobody.

use bellwether_metrics::publications::{self, TermsSince};
use bellwether_warehouse::{Table, TableId};
use chrono::{DateTime, TimeDelta, Utc};

use crate::error::Error;
use crate::jobs::refresh;

/// Readers take the newest publication within seconds, and end what they have begun in less.
const STILL_READ: TimeDelta = TimeDelta::minutes(10);
/// The slowest lane has published everything anew by then, and no file of before is left that may be read.
const SETTLED_AFTER: TimeDelta = TimeDelta::hours(24);
/// For so long every round looks, and later those that list folders anyway.
const URGENT: TimeDelta = TimeDelta::hours(1);

/// When terms changed last, while that matters.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Withdrawn {
    since: Option<DateTime<Utc>>,
}

impl Withdrawn {
    /// `terms`: what the rounds before have read.
    pub async fn read(
        tables: &mut [Table],
        terms: &mut TermsSince,
        now: DateTime<Utc>,
    ) -> Result<Self, Error> {
        let Some(table) = tables.iter_mut().find(|table| table.id() == publications::id()) else {
            return Ok(Self::default());
        };
        refresh(table).await?;
        let since = terms.follow(table.snapshot()).await.map_err(Error::metric)?;
        Ok(Self { since: since.filter(|since| now - *since < SETTLED_AFTER) })
    }

    pub fn is_urgent(self, id: TableId, now: DateTime<Utc>) -> bool {
        is_published(id) && self.since.is_some_and(|since| now - since < URGENT)
    }

    /// Files of the table that were removed before that instant may go. None: as ever.
    pub fn removed_before(self, id: TableId, store_now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        (is_published(id) && self.since.is_some()).then(|| store_now - STILL_READ)
    }
}

fn is_published(id: TableId) -> bool {
    id != publications::id() && bellwether_metrics::tables().contains(&id)
}
