//! Housekeeping of one table: log clean-up, vacuum, compaction; and the rewriting of files whose rows are to say something else.
//!
//! Each of them looks first and says what it would do, then does it. What it does not do: decide when, and how far
//! the readers of a table's entries have got; that is with `jobs`.

mod clean;
mod compact;
mod rewrite;
mod vacuum;

use chrono::{DateTime, Utc};

pub use clean::{Cleaning, CleaningRule};
pub use compact::{CompactError, Compacted, Edit};
pub use rewrite::{Rewriting, Rewritten};
pub use vacuum::{Vacuum, VacuumRule};

use crate::error::Error;
use crate::store::Stat;
use crate::table::Table;

/// Files and their bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Amount {
    pub files: u64,
    pub bytes: u64,
}

impl Amount {
    fn add(&mut self, stat: &Stat) {
        self.files += 1;
        self.bytes += stat.size_bytes;
    }

    pub fn plus(self, other: Self) -> Self {
        Self { files: self.files + other.files, bytes: self.bytes + other.bytes }
    }
}

fn amount<'a>(stats: impl IntoIterator<Item = &'a Stat>) -> Amount {
    stats.into_iter().fold(Amount::default(), |mut sum, stat| {
        sum.add(stat);
        sum
    })
}

impl Table {
    /// What time it is by the clock that dates the table's files.
    ///
    /// # Errors
    /// The store cannot be written or read.
    pub async fn store_now(&self) -> Result<DateTime<Utc>, Error> {
        self.storage().now().await
    }
}
