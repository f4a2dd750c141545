//! Rows → Parquet files in the table's folder, split by partition value, each with its Delta statistics.

mod encode;
mod split;

use std::sync::Arc;

use arrow::array::RecordBatch;
use futures::{StreamExt, TryStreamExt};

use crate::error::Error;
use crate::store::Storage;
use crate::table::DataFile;
use crate::tables::TableId;

/// Rows of one partition value. Encoding is CPU work on a blocking thread; the upload follows at once, so
/// at most one encoded file per core is in memory.
pub(crate) async fn write(
    id: TableId,
    storage: &Arc<Storage>,
    batches: &[RecordBatch],
) -> Result<Vec<DataFile>, Error> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let parts = {
        let batches = batches.to_vec();
        blocking(id, move || split::split(id, &batches)).await?
    };
    let files: Vec<Vec<DataFile>> = futures::stream::iter(parts)
        .map(|part| write_part(id, Arc::clone(storage), part))
        .buffered(cores)
        .try_collect()
        .await?;
    Ok(files.into_iter().flatten().collect())
}

async fn write_part(id: TableId, storage: Arc<Storage>, part: split::Part) -> Result<Vec<DataFile>, Error> {
    let mut files = Vec::new();
    let split::Part { partition, batches } = part;
    let mut rest = encode::Rest::new(batches);
    loop {
        let encoded;
        (encoded, rest) = blocking(id, move || {
            let encoded = encode::next_file(id, &mut rest)?;
            Ok((encoded, rest))
        })
        .await?;
        let Some(encoded) = encoded else {
            return Ok(files);
        };
        let name = format!("part-{}.parquet", uuid::Uuid::new_v4());
        let path = match &partition {
            Some((column, value)) => format!("{column}={value}/{name}"),
            None => name,
        };
        let size_bytes = i64::try_from(encoded.bytes.len()).unwrap_or(i64::MAX);
        storage.put(&path, encoded.bytes).await?;
        files.push(DataFile {
            path,
            size_bytes,
            rows: encoded.rows,
            partition: partition.iter().map(|(c, v)| ((*c).to_owned(), Some(v.clone()))).collect(),
            stats: Some(encoded.stats),
        });
    }
}

async fn blocking<T: Send + 'static>(
    id: TableId,
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    tokio::task::spawn_blocking(work).await.map_err(|source| Error::Task { table: id.name(), source })?
}
