//! Which files are compacted together.
//!
//! Partitions are dates, or weeks. Of one that is still written to, files of a size are merged when there are very
//! many of them, so that a row is rewritten a few times on its way to a large file and not once a round. Of one that
//! has closed, everything small is merged once it is more than a few files.
//!
//! Label rows of a week may be destroyed while they are merged. Both commits remove the same files, so the second of
//! them is refused: no row comes back. A label epoch is whole weeks, so no file has rows of two.

use std::collections::BTreeMap;

use bellwether_warehouse::maintain::CompactError;
use bellwether_warehouse::{AppId, DataFile, Table, TableId};
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};

use super::{Action, Intent, MaintainSettings, Step, TableReport};
use crate::error::Error;

/// Small files of a partition that is written to, by size: up to so many bytes, merged from so many on.
const OPEN: [(i64, usize); 2] = [(4 * 1024 * 1024, 64), (64 * 1024 * 1024, 32)];
/// Small files that a closed one may have. Fewer: each late row has more of its partition rewritten.
const CLOSED: usize = 16;
/// New files that one commit makes at most. More: more is lost when it is refused.
const FILES_AT_ONCE: i64 = 16;

/// Tables whose rows stay as they came. Rollups are settled.
fn is_compacted(table: TableId) -> bool {
    matches!(table, TableId::Attempts | TableId::Rejects | TableId::LabelCells | TableId::Imports)
}

/// From the first day of a partition to that of the next.
fn days_of_partition(table: TableId) -> TimeDelta {
    TimeDelta::days(if table == TableId::LabelCells { 7 } else { 1 })
}

pub(super) async fn compact(
    table: &mut Table,
    settings: &MaintainSettings,
    intent: Intent,
    now: DateTime<Utc>,
    found: &mut TableReport,
) -> Result<(), Error> {
    let name = table.id().name();
    if !is_compacted(table.id()) {
        return Ok(());
    }
    let target = i64::try_from(settings.target_file_bytes).unwrap_or(i64::MAX);
    let days = days_of_partition(table.id());
    for Crowd { partition, files } in crowds(table.snapshot().files(), days, target, now.date_naive()) {
        let why = format!("{} small files of {partition}", files.len());
        let mut action = Action { files: files.len() as u64, bytes: bytes(&files).unsigned_abs(), why };
        if intent == Intent::Do {
            let app = AppId(format!("compact/{partition}"));
            let target = usize::try_from(settings.target_file_bytes).unwrap_or(usize::MAX);
            match table.compact(files, app, target).await {
                Ok(done) => action.why = format!("{}, now {}", action.why, done.files_after),
                Err(error) if error.is_refusal() => {
                    tracing::info!(table = name, partition, "files changed while they were compacted");
                    continue;
                }
                Err(error @ CompactError::Columns { .. }) => {
                    tracing::warn!(table = name, error = &error as &dyn std::error::Error, "not compacted");
                    return Ok(());
                }
                Err(source) => return Err(Error::Compact { table: name, source: Box::new(source) }),
            }
        }
        found.push(Step::Compact, action);
    }
    Ok(())
}

/// Files of one partition that are to be merged.
#[derive(Debug, PartialEq)]
struct Crowd {
    partition: String,
    files: Vec<DataFile>,
}

fn crowds(active: &[DataFile], days: TimeDelta, target: i64, today: NaiveDate) -> Vec<Crowd> {
    let mut partitions: BTreeMap<&str, Vec<&DataFile>> = BTreeMap::new();
    for file in active {
        let value = file.partition.first().and_then(|(_, value)| value.as_deref()).unwrap_or("all");
        partitions.entry(value).or_default().push(file);
    }
    let mut crowds = Vec::new();
    for (partition, files) in partitions {
        let has_closed = partition.parse::<NaiveDate>().is_ok_and(|first| today - first >= days);
        let tiers: Vec<Vec<&DataFile>> = match has_closed {
            true => vec![of_size(&files, 0, target / 2)]
                .into_iter()
                .filter(|small| small.len() > CLOSED)
                .collect(),
            false => open_tiers(&files, target),
        };
        for chunk in tiers.into_iter().flat_map(|tier| chunks(tier, target.saturating_mul(FILES_AT_ONCE))) {
            let files = chunk.into_iter().cloned().collect();
            crowds.push(Crowd { partition: partition.to_owned(), files });
        }
    }
    crowds
}

fn open_tiers<'a>(files: &[&'a DataFile], target: i64) -> Vec<Vec<&'a DataFile>> {
    let mut from = 0;
    let mut tiers = Vec::new();
    for (below, many) in OPEN {
        let tier = of_size(files, from, below.min(target / 2));
        if tier.len() >= many {
            tiers.push(tier);
        }
        from = below;
    }
    tiers
}

/// Files of `[from, below)` bytes.
fn of_size<'a>(files: &[&'a DataFile], from: i64, below: i64) -> Vec<&'a DataFile> {
    files.iter().copied().filter(|file| (from..below).contains(&file.size_bytes)).collect()
}

/// Runs of about `most` bytes; one of a single file would change nothing.
fn chunks(files: Vec<&DataFile>, most: i64) -> Vec<Vec<&DataFile>> {
    let mut chunks: Vec<Vec<&DataFile>> = Vec::new();
    let mut sum = 0_i64;
    for file in files {
        sum = sum.saturating_add(file.size_bytes);
        match chunks.last_mut() {
            Some(chunk) if sum <= most => chunk.push(file),
            _ => {
                sum = file.size_bytes;
                chunks.push(vec![file]);
            }
        }
    }
    chunks.retain(|chunk| chunk.len() > 1);
    chunks
}

fn bytes(files: &[DataFile]) -> i64 {
    files.iter().map(|file| file.size_bytes).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: i64 = 1024 * 1024;

    fn files(date: &str, sizes: impl IntoIterator<Item = i64>) -> Vec<DataFile> {
        let file = |(at, size_bytes)| DataFile {
            path: format!("event_date={date}/{at}.parquet"),
            size_bytes,
            rows: 1,
            partition: vec![("event_date".to_owned(), Some(date.to_owned()))],
            stats: None,
            streams: None,
        };
        (0..).zip(sizes).map(file).collect()
    }

    fn counts(files: &[DataFile]) -> Vec<(String, usize)> {
        let today = "2026-11-25".parse().unwrap();
        let crowds = crowds(files, days_of_partition(TableId::Attempts), 128 * MIB, today);
        crowds.into_iter().map(|crowd| (crowd.partition, crowd.files.len())).collect()
    }

    #[test]
    fn a_closed_date_keeps_a_few_small_files_and_any_number_of_large_ones() {
        let many = |small: usize| {
            let sizes = std::iter::repeat_n(MIB, small).chain(std::iter::repeat_n(64 * MIB, 40));
            files("2026-11-24", sizes)
        };
        assert_eq!(counts(&many(16)), []);
        assert_eq!(counts(&many(17)), [("2026-11-24".to_owned(), 17)]);
    }

    #[test]
    fn a_date_that_is_written_to_is_merged_by_size_and_only_when_there_are_very_many() {
        let today = |tiny: usize, small: usize| {
            files("2026-11-25", std::iter::repeat_n(MIB, tiny).chain(std::iter::repeat_n(5 * MIB, small)))
        };
        assert_eq!(counts(&today(63, 31)), []);
        assert_eq!(counts(&today(64, 31)), [("2026-11-25".to_owned(), 64)]);
        assert_eq!(counts(&today(63, 32)), [("2026-11-25".to_owned(), 32)]);
    }

    #[test]
    fn a_week_has_closed_when_the_next_one_has_begun() {
        let week = files("2026-11-16", std::iter::repeat_n(MIB, 17));
        let count = |today: &str| {
            let days = days_of_partition(TableId::LabelCells);
            crowds(&week, days, 128 * MIB, today.parse().unwrap()).len()
        };
        assert_eq!((count("2026-11-17"), count("2026-11-22"), count("2026-11-23")), (0, 0, 1));
    }

    #[test]
    fn a_large_date_is_merged_in_several_commits() {
        // 100 × 63 MiB; 16 × 128 MiB = 2,048 MiB hold 32 of them.
        let found = counts(&files("2026-11-24", std::iter::repeat_n(63 * MIB, 100)));
        assert_eq!(found.iter().map(|(_, files)| *files).collect::<Vec<_>>(), [32, 32, 32, 4]);
    }
}
