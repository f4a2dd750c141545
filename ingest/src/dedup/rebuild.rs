//! Reads a window back from `attempts`.

use std::error::Error as StdError;

use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::{DataType, Int64Type};
use bellwether_warehouse::{DataFile, Snapshot, TableId};
use futures::TryStreamExt;

use super::newest::Newest;
use super::reach::{self, Wanted};
use super::{Window, mark};

/// Files of one statement.
const MOST_FILES: usize = 256;

#[derive(Debug, thiserror::Error)]
#[error("failed to read the event ids of `{stream}` from `attempts`")]
pub struct Error {
    stream: String,
    #[source]
    source: Box<dyn StdError + Send + Sync>,
}

const CONDITION: &str =
    "src_topic = $topic AND src_partition = $partition AND src_offset >= $from AND src_offset < $below";

/// The window as it was when everything below the wanted offset had been pushed, and nothing else.
///
/// Files are read from the one with the newest offset on, until those left hold nothing new enough; so a restart reads
/// the end of a log, not the table.
///
/// # Errors
/// A file cannot be read.
pub async fn rebuild(attempts: &Snapshot, wanted: Wanted<'_>, limit: usize) -> Result<Window, Error> {
    let mut newest = Newest::new(limit);
    let mut left = reach::candidates(attempts.files(), &wanted).into_iter().peekable();
    while left.peek().is_some_and(|next| next.last >= newest.from()) {
        let (mut files, mut rows) = (Vec::new(), 0_u64);
        // As many as are likely to be enough.
        while files.len() < MOST_FILES
            && let Some(next) = left.next_if(|next| files.is_empty() || !newest.would_do(next.last, rows))
        {
            rows = rows.saturating_add(next.rows);
            files.push(next.file.clone());
        }
        read(attempts, files, &wanted, &mut newest).await.map_err(|source| {
            let stream = wanted.stream.to_owned();
            Error { stream, source }
        })?;
        newest.cut();
    }
    Ok(newest.into_window())
}

async fn read(
    attempts: &Snapshot,
    files: Vec<DataFile>,
    wanted: &Wanted<'_>,
    newest: &mut Newest,
) -> Result<(), Box<dyn StdError + Send + Sync>> {
    let ctx = attempts.session(2);
    ctx.register_table(TableId::Attempts.name(), attempts.provider_over(files))?;
    let statement = format!("SELECT {}, src_offset FROM attempts WHERE {CONDITION}", mark::COLUMNS);
    let rows = ctx.sql(&statement).await?.with_param_values(vec![
        ("topic", wanted.topic.into()),
        ("partition", wanted.partition.into()),
        ("from", newest.from().into()),
        ("below", wanted.below.into()),
    ])?;
    let mut stream = rows.execute_stream().await?;
    while let Some(batch) = stream.try_next().await? {
        collect(&batch, newest)?;
    }
    Ok(())
}

/// Takes all that a window keeps of each row.
fn collect(batch: &RecordBatch, newest: &mut Newest) -> Result<(), arrow::error::ArrowError> {
    let last = batch.num_columns() - 1;
    let offsets = arrow::compute::cast(batch.column(last), &DataType::Int64)?;
    let offsets = offsets.as_primitive::<Int64Type>();
    mark::each(batch, |row, mark| mark.kept().for_each(|id| newest.push(offsets.value(row), id)))
}
