//! Ids by date: what an import compares with.

use std::collections::BTreeMap;

use bellwether_warehouse::{DataFile, Snapshot, TableId, session};
use futures::TryStreamExt;

use super::mark::{self, Former, Mark};
use super::{Fingerprints, set_bytes};

const MICROS_PER_DAY: i64 = 86_400_000_000;

/// UTC day number of an instant.
pub(super) fn date_of(at_us: i64) -> i64 {
    at_us.div_euclid(MICROS_PER_DAY)
}

#[derive(Debug, thiserror::Error)]
#[error("failed to read the event ids of {date} from `attempts`")]
pub struct Error {
    date: String,
    #[source]
    source: Box<dyn std::error::Error + Send + Sync>,
}

/// The ids of all rows of some dates. A date must be loaded before rows of it are looked up.
#[derive(Debug, Default)]
pub struct Dates {
    by_date: BTreeMap<i64, Fingerprints>,
}

impl Dates {
    /// Reads the ids of the date of `at_us`, unless they are there. True: they were read.
    ///
    /// # Errors
    /// A file cannot be read.
    pub async fn load(&mut self, attempts: &Snapshot, at_us: i64) -> Result<bool, Error> {
        let date = date_of(at_us);
        if self.by_date.contains_key(&date) {
            return Ok(false);
        }
        let name = i32::try_from(date)
            .ok()
            .and_then(chrono::NaiveDate::from_epoch_days)
            .map_or_else(String::new, |date| date.to_string());
        let files: Vec<DataFile> =
            attempts.files().iter().filter(|file| is_of_date(file, &name)).cloned().collect();
        let ids = read(attempts, files).await.map_err(|source| Error { date: name, source })?;
        self.by_date.insert(date, ids);
        Ok(true)
    }

    pub fn is_loaded(&self, at_us: i64) -> bool {
        self.by_date.contains_key(&date_of(at_us))
    }

    /// Forgets every date. Only right when all rows inserted since were committed.
    pub fn clear(&mut self) {
        self.by_date.clear();
    }

    pub fn size_bytes(&self) -> usize {
        self.by_date.values().map(set_bytes).sum()
    }

    pub(super) fn insert(&mut self, date: i64, mark: Mark) -> bool {
        insert(self.by_date.entry(date).or_default(), mark)
    }
}

fn insert(ids: &mut Fingerprints, mark: Mark) -> bool {
    match mark.former {
        Some(Former::Asks(former)) if ids.contains(&former) => false,
        Some(Former::Bears(former)) => {
            ids.insert(former);
            ids.insert(mark.id)
        }
        _ => ids.insert(mark.id),
    }
}

fn is_of_date(file: &DataFile, date: &str) -> bool {
    file.partition.iter().any(|(_, value)| value.as_deref() == Some(date))
}

async fn read(
    attempts: &Snapshot,
    files: Vec<DataFile>,
) -> Result<Fingerprints, Box<dyn std::error::Error + Send + Sync>> {
    let mut ids = Fingerprints::default();
    if files.is_empty() {
        return Ok(ids);
    }
    let ctx = session::session(2);
    ctx.register_table(TableId::Attempts.name(), attempts.provider_over(files))?;
    let statement = format!("SELECT {} FROM attempts", mark::COLUMNS);
    let mut stream = ctx.sql(&statement).await?.execute_stream().await?;
    while let Some(batch) = stream.try_next().await? {
        mark::each(&batch, |_, mark| {
            insert(&mut ids, mark);
        })?;
    }
    Ok(ids)
}
