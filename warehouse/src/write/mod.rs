//! Rows → Parquet files in the table's folder, split by partition value, each with its Delta statistics.

mod encode;
mod split;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use arrow::array::RecordBatch;
use bytes::Bytes;
use futures::StreamExt;
use uuid::Uuid;

use crate::data_file::DataFile;
use crate::error::Error;
use crate::store::Storage;
use crate::streams::StreamNames;
use crate::tables::TableId;

/// Rows on their way into files that belong to the table only once a commit adds them. What was stored is
/// remembered, so a further try stores nothing twice, and giving up can delete it.
#[derive(Debug)]
pub struct Staging {
    id: TableId,
    storage: Arc<Storage>,
    streams: Arc<StreamNames>,
    parts: Vec<Part>,
}

/// Rows of one partition value.
#[derive(Debug)]
struct Part {
    partition: Option<(&'static str, String)>,
    /// Of its files; drawn before anything is waited for, so that which one is encoded first decides no name.
    name: Uuid,
    rest: encode::Rest,
    /// Encoded and named, but not known to be stored.
    waiting: Option<(DataFile, Bytes)>,
    stored: Vec<DataFile>,
}

pub(crate) use encode::{Encoded, Encoder};
pub(crate) use split::file_schema;

pub(crate) async fn stage(
    id: TableId,
    storage: &Arc<Storage>,
    batches: &[RecordBatch],
    streams: StreamNames,
) -> Result<Staging, Error> {
    let batches = batches.to_vec();
    let parts = blocking(id, move || split::split(id, &batches)).await?;
    let parts = parts
        .into_iter()
        .map(|split::Part { partition, batches }| Part {
            partition,
            name: storage.world().uuid(),
            rest: encode::Rest::new(batches),
            waiting: None,
            stored: Vec::new(),
        })
        .collect();
    Ok(Staging { id, storage: Arc::clone(storage), streams: Arc::new(streams), parts })
}

impl Staging {
    /// Stores what is not stored yet. Encoding is CPU work on a blocking thread; the upload follows at once, so
    /// at most one encoded file per core is in memory.
    ///
    /// # Errors
    /// The first that occurred. What was stored stays, and a further call goes on behind it.
    pub async fn store(&mut self) -> Result<(), Error> {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let (id, failed) = (self.id, Arc::new(AtomicBool::new(false)));
        let parts = std::mem::take(&mut self.parts).into_iter().map(|mut part| {
            let (storage, failed) = (Arc::clone(&self.storage), Arc::clone(&failed));
            let streams = Arc::clone(&self.streams);
            async move {
                // Each part that was begun is seen to its end: a write that is cut short may land all the same.
                if failed.load(Ordering::Relaxed) {
                    return (part, Ok(()));
                }
                let result = part.store(id, &storage, &streams).await;
                failed.fetch_or(result.is_err(), Ordering::Relaxed);
                (part, result)
            }
        });
        let ended: Vec<(Part, Result<(), Error>)> =
            futures::stream::iter(parts).buffered(cores).collect().await;
        let mut result = Ok(());
        for (part, of_part) in ended {
            self.parts.push(part);
            result = result.and(of_part);
        }
        result
    }

    /// What is stored, to be added by a commit.
    pub fn files(&self) -> Vec<DataFile> {
        self.parts.iter().flat_map(|part| part.stored.iter().cloned()).collect()
    }

    /// Deletes what was stored. Only for files that no commit can have added. What cannot be deleted is left to
    /// vacuum, like the files of a process that was killed.
    pub async fn discard(self) {
        for part in self.parts {
            for file in part.stored.into_iter().chain(part.waiting.map(|(file, _)| file)) {
                if let Err(error) = self.storage.delete(&file.path).await {
                    tracing::debug!(
                        table = self.id.name(),
                        file = file.path,
                        error = &error as &dyn std::error::Error,
                        "left a file that is not part of the table"
                    );
                }
            }
        }
    }
}

impl Part {
    async fn store(
        &mut self,
        id: TableId,
        storage: &Storage,
        streams: &Arc<StreamNames>,
    ) -> Result<(), Error> {
        loop {
            let (file, bytes) = match self.waiting.take() {
                Some(waiting) => waiting,
                None => match self.encode(id, streams).await? {
                    Some(encoded) => encoded,
                    None => return Ok(()),
                },
            };
            if let Err(error) = storage.put(&file.path, bytes.clone()).await {
                self.waiting = Some((file, bytes));
                return Err(error);
            }
            self.stored.push(file);
        }
    }

    /// The next file and its bytes. None when nothing is left.
    async fn encode(
        &mut self,
        id: TableId,
        streams: &Arc<StreamNames>,
    ) -> Result<Option<(DataFile, Bytes)>, Error> {
        let (mut rest, streams) = (self.rest.clone(), Arc::clone(streams));
        let (encoded, rest) = blocking(id, move || {
            let encoded = encode::next_file(id, &mut rest, &streams)?;
            Ok((encoded, rest))
        })
        .await?;
        self.rest = rest;
        let Some(encoded) = encoded else { return Ok(None) };
        let partition = self.partition.iter().map(|(c, v)| ((*c).to_owned(), Some(v.clone()))).collect();
        Ok(Some(named(file_name(self.name, self.stored.len()), partition, encoded)))
    }
}

/// Of the first file of a write or one behind it. No other file has it or will have it.
pub(crate) fn file_name(write: Uuid, nth: usize) -> String {
    match nth {
        0 => format!("part-{write}.parquet"),
        nth => format!("part-{write}-{nth}.parquet"),
    }
}

/// A new file of a partition.
pub(crate) fn named(
    name: String,
    partition: Vec<(String, Option<String>)>,
    encoded: Encoded,
) -> (DataFile, Bytes) {
    let path = match partition.as_slice() {
        [(column, Some(value))] => format!("{column}={value}/{name}"),
        _ => name,
    };
    let Encoded { bytes, rows, stats, streams } = encoded;
    let size_bytes = i64::try_from(bytes.len()).unwrap_or(i64::MAX);
    (DataFile { path, size_bytes, rows, partition, stats: Some(stats), streams }, bytes)
}

async fn blocking<T: Send + 'static>(
    id: TableId,
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    tokio::task::spawn_blocking(work).await.map_err(|source| Error::Task { table: id.name(), source })?
}
