//! Ids by date: what an import compares with.

use std::collections::BTreeMap;

use bellwether_warehouse::{DataFile, Snapshot, TableId};
use chrono::NaiveDate;
use futures::TryStreamExt;

use super::mark::{self, Former, Mark};
use super::{Fingerprints, set_bytes};
use crate::instant;

const MICROS_PER_DAY: i64 = 86_400_000_000;
/// Bytes of an id in a set that has just grown.
const ROW_BYTES: u64 = 18;

/// Into how many parts a day may be cut; each number divides the minutes of a day.
const PARTS: [i64; 8] = [1, 2, 4, 12, 48, 144, 480, 1440];
/// Parts are made so small that several fit into the budget, for the records of a file are not in order.
const PARTS_IN_BUDGET: u64 = 4;

#[derive(Debug, thiserror::Error)]
#[error("failed to read the event ids of {date} from `attempts`")]
pub struct Error {
    date: String,
    #[source]
    source: Box<dyn std::error::Error + Send + Sync>,
}

/// The ids of all rows of some dates, or of parts of dates that are too large to be held whole: an event that is
/// there already has the same start. What holds an instant must be loaded before rows of it are looked up.
#[derive(Debug, Default)]
pub struct Dates {
    max_bytes: u64,
    /// Of each date that was looked at, how many parts it has.
    parts: BTreeMap<i64, i64>,
    /// By date and part.
    ids: BTreeMap<(i64, i64), Fingerprints>,
}

impl Dates {
    /// Dates whose parts are small against `max_bytes`.
    pub fn new(max_bytes: u64) -> Self {
        Self { max_bytes, ..Self::default() }
    }

    /// Reads the ids of what holds `at_us`, unless they are there. True: they were read.
    ///
    /// # Errors
    /// A file cannot be read.
    pub async fn load(&mut self, attempts: &Snapshot, at_us: i64) -> Result<bool, Error> {
        let date = at_us.div_euclid(MICROS_PER_DAY);
        let day = i32::try_from(date).ok().and_then(NaiveDate::from_epoch_days);
        let of_day = || attempts.files().iter().filter(|file| day.is_some() && file.date() == day);
        let parts = match self.parts.get(&date) {
            Some(parts) => *parts,
            None => parts_of(of_day().map(|file| file.rows.unsigned_abs()).sum(), self.max_bytes),
        };
        self.parts.insert(date, parts);
        let slot = self.slot(at_us);
        if self.ids.contains_key(&slot) {
            return Ok(false);
        }
        let span = (parts > 1).then(|| {
            let length = MICROS_PER_DAY / parts;
            let from = date * MICROS_PER_DAY + slot.1 * length;
            (from, from + length)
        });
        let files = of_day().cloned().collect();
        let ids = read(attempts, files, span).await.map_err(|source| {
            let date = day.map_or_else(String::new, |day| day.to_string());
            Error { date, source }
        })?;
        self.ids.insert(slot, ids);
        Ok(true)
    }

    pub fn is_loaded(&self, at_us: i64) -> bool {
        self.ids.contains_key(&self.slot(at_us))
    }

    /// Forgets everything. Only right when all rows inserted since were committed.
    pub fn clear(&mut self) {
        self.ids.clear();
        self.parts.clear();
    }

    pub fn size_bytes(&self) -> usize {
        self.ids.values().map(set_bytes).sum()
    }

    pub(super) fn insert(&mut self, started_at_us: i64, mark: Mark) -> bool {
        insert(self.ids.entry(self.slot(started_at_us)).or_default(), mark)
    }

    fn slot(&self, at_us: i64) -> (i64, i64) {
        let date = at_us.div_euclid(MICROS_PER_DAY);
        let parts = self.parts.get(&date).copied().unwrap_or(1);
        (date, at_us.rem_euclid(MICROS_PER_DAY) / (MICROS_PER_DAY / parts))
    }
}

fn parts_of(rows: u64, max_bytes: u64) -> i64 {
    let bytes = rows.saturating_mul(ROW_BYTES).saturating_mul(PARTS_IN_BUDGET);
    let wanted = bytes.div_ceil(max_bytes.max(1));
    let [.., most] = PARTS;
    PARTS.into_iter().find(|parts| parts.unsigned_abs() >= wanted).unwrap_or(most)
}

fn shown(at_us: i64) -> String {
    let mut out = Vec::new();
    instant::write_rfc3339(at_us, &mut out);
    String::from_utf8(out).unwrap_or_default()
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

/// Ids of rows that began in `[from, to)` of the span, or of all.
async fn read(
    attempts: &Snapshot,
    files: Vec<DataFile>,
    span: Option<(i64, i64)>,
) -> Result<Fingerprints, Box<dyn std::error::Error + Send + Sync>> {
    let mut ids = Fingerprints::default();
    if files.is_empty() {
        return Ok(ids);
    }
    let ctx = attempts.session(2);
    ctx.register_table(TableId::Attempts.name(), attempts.provider_over(files))?;
    let condition = span.map_or_else(String::new, |(from, to)| {
        format!(" WHERE started_at >= '{}' AND started_at < '{}'", shown(from), shown(to))
    });
    let statement = format!("SELECT {} FROM attempts{condition}", mark::COLUMNS);
    let mut stream = ctx.sql(&statement).await?.execute_stream().await?;
    while let Some(batch) = stream.try_next().await? {
        mark::each(&batch, |_, mark| {
            insert(&mut ids, mark);
        })?;
    }
    Ok(ids)
}
