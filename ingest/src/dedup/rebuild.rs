//! Reads a window back from `attempts`.

use std::error::Error as StdError;

use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::{DataType, Int64Type};
use bellwether_warehouse::{DataFile, Snapshot, TableId};
use futures::TryStreamExt;

use super::{Fingerprint, Window, mark};

#[derive(Debug, thiserror::Error)]
#[error("failed to read the event ids of `{topic}` partition {partition} from `attempts`")]
pub struct Error {
    topic: String,
    partition: i32,
    #[source]
    source: Box<dyn StdError + Send + Sync>,
}

const CONDITION: &str =
    "src_topic = $topic AND src_partition = $partition AND src_offset >= $from AND src_offset < $below";

/// The window as it was when everything below offset `below` had been pushed, and nothing else.
///
/// Files are taken newest offset first, as their statistics tell, until they must hold enough ids; so a restart
/// reads the end of the table, not the table.
///
/// # Errors
/// A file cannot be read.
pub async fn rebuild(
    attempts: &Snapshot,
    topic: &str,
    partition: i32,
    below: i64,
    limit: usize,
) -> Result<Window, Error> {
    let fail = |source| Error { topic: topic.to_owned(), partition, source };
    let mut files: Vec<(i64, DataFile)> = attempts
        .files()
        .iter()
        .map(|file| (newest_offset(file, topic), file.clone()))
        .filter(|(newest, _)| *newest >= 0)
        .collect();
    files.sort_by_key(|(newest, _)| std::cmp::Reverse(*newest));
    let mut taken = 0;
    let mut rows = 0;
    loop {
        // Twice the limit, so that a partition that shares its files with others rarely needs a second round.
        let want = (limit as i64).saturating_mul(2).max(rows + 1);
        while rows < want && taken < files.len() {
            rows += files.get(taken).map_or(0, |(_, file)| file.rows.max(1));
            taken += 1;
        }
        // Ids above the newest offset of the files left out are complete.
        let from = files.get(taken).map_or(0, |(newest, _)| newest.saturating_add(1));
        let chosen = files.iter().take(taken).map(|(_, file)| file.clone()).collect();
        let ids = read(attempts, chosen, topic, partition, from, below).await.map_err(fail)?;
        if ids.len() > limit || taken == files.len() {
            return Ok(window(ids, limit));
        }
        rows = rows.saturating_mul(2);
    }
}

fn window(mut ids: Vec<(i64, Fingerprint)>, limit: usize) -> Window {
    ids.sort_unstable();
    let mut window = Window::new(limit);
    for (offset, id) in ids {
        window.insert(offset, id);
    }
    window
}

/// Highest `src_offset` in the file; -1 where the file holds nothing of this topic; unknown counts as highest.
fn newest_offset(file: &DataFile, topic: &str) -> i64 {
    let stats: Option<serde_json::Value> =
        file.stats.as_deref().and_then(|stats| serde_json::from_str(stats).ok());
    let Some(stats) = stats else { return i64::MAX };
    let bound = |side: &str, column: &str| stats.get(side).and_then(|values| values.get(column)).cloned();
    let text = |side: &str| bound(side, "src_topic").and_then(|value| value.as_str().map(str::to_owned));
    // An upper bound may be cut short, so only one that cannot be a prefix excludes the file.
    let above = text("minValues").is_some_and(|least| least.as_str() > topic);
    let under =
        text("maxValues").is_some_and(|most| most.as_str() < topic && !topic.starts_with(most.as_str()));
    if above || under {
        return -1;
    }
    bound("maxValues", "src_offset").and_then(|value| value.as_i64()).unwrap_or(i64::MAX)
}

async fn read(
    attempts: &Snapshot,
    files: Vec<DataFile>,
    topic: &str,
    partition: i32,
    from: i64,
    below: i64,
) -> Result<Vec<(i64, Fingerprint)>, Box<dyn StdError + Send + Sync>> {
    if files.is_empty() {
        return Ok(Vec::new());
    }
    let ctx = attempts.session(2);
    ctx.register_table(TableId::Attempts.name(), attempts.provider_over(files))?;
    let statement = format!("SELECT {}, src_offset FROM attempts WHERE {CONDITION}", mark::COLUMNS);
    let rows = ctx.sql(&statement).await?.with_param_values(vec![
        ("topic", topic.into()),
        ("partition", partition.into()),
        ("from", from.into()),
        ("below", below.into()),
    ])?;
    let mut stream = rows.execute_stream().await?;
    let mut ids = Vec::new();
    while let Some(batch) = stream.try_next().await? {
        collect(&batch, &mut ids)?;
    }
    Ok(ids)
}

/// Takes `(src_offset, fingerprint)` of all that a window keeps of each row.
fn collect(batch: &RecordBatch, ids: &mut Vec<(i64, Fingerprint)>) -> Result<(), arrow::error::ArrowError> {
    let last = batch.num_columns() - 1;
    let offsets = arrow::compute::cast(batch.column(last), &DataType::Int64)?;
    let offsets = offsets.as_primitive::<Int64Type>();
    mark::each(batch, |row, mark| ids.extend(mark.kept().map(|id| (offsets.value(row), id))))
}
