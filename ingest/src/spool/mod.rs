//! The spool: a durable log in a folder, between the HTTP intake and ingest.
//!
//! Append-only segments of checksummed records; a record's number is its offset. One writer thread syncs once
//! per group of appends, and an append is answered only after that sync. Readers see nothing beyond the last
//! sync. A torn end of the **last** segment is cut and reported when the spool is opened; damage anywhere else
//! is an error that names file and byte. What the table holds is freed by whole segments.

mod manifest;
mod reader;
mod recover;
mod segment;
mod writer;

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};
use std::thread::JoinHandle;

use tokio::sync::{oneshot, watch};
use uuid::Uuid;

pub use reader::{Reader, Record};
pub use recover::Cut;

use crate::config;
use manifest::{Head, Lock, Manifest};
use writer::{Append, Writer};

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("failed to read or write `{path}`")]
    Io {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("no spool in `{dir}`; start the intake role first")]
    NotFound { dir: PathBuf },
    #[error("spool `{dir}` is written by another process; stop it or name another folder")]
    Locked { dir: PathBuf },
    #[error("spool file `{path}` has version {version}, which a newer build wrote; use that build")]
    Newer { path: PathBuf, version: u32 },
    #[error(
        "spool file `{file}` is damaged at byte {byte}; restore it, or move the folder away to start a new log"
    )]
    Damaged { file: PathBuf, byte: u64 },
    #[error("spool `{dir}` holds offsets {low} to {head}, but {offset} was asked for")]
    OutOfRange { dir: PathBuf, offset: i64, low: i64, head: i64 },
}

#[derive(Clone, Debug, thiserror::Error)]
pub enum AppendError {
    #[error("the spool's disk is full")]
    Full,
    #[error("the spool cannot be written: {0}")]
    Failed(String),
    #[error("the spool stopped after a failed fsync; restart the process")]
    Stopped,
    #[error("a record of {0} bytes is longer than the spool takes")]
    TooLarge(usize),
}

impl AppendError {
    fn of(error: &std::io::Error, is_broken: bool) -> Self {
        match error.kind() {
            _ if is_broken => Self::Stopped,
            std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => Self::Full,
            _ => Self::Failed(error.to_string()),
        }
    }
}

/// The writing side. Cheap to clone; the folder is released with the last clone.
#[derive(Clone, Debug)]
pub struct Spool {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    dir: PathBuf,
    uuid: Uuid,
    cut: Option<Cut>,
    head: watch::Receiver<Head>,
    /// None only while dropping.
    appends: Option<Sender<Append>>,
    thread: Option<JoinHandle<()>>,
    _lock: Lock,
}

impl Spool {
    /// Opens or creates the spool in `dir` and starts its writer.
    ///
    /// # Errors
    /// Another process writes it, it is damaged elsewhere than at its end, or the folder cannot be written.
    pub fn open(dir: &Path, config: &config::Spool) -> Result<Self, Error> {
        let io = |source| Error::Io { path: dir.to_owned(), source };
        std::fs::create_dir_all(dir).map_err(io)?;
        let lock = Lock::take(dir)?;
        let mut manifest = match Manifest::read(dir)? {
            Some(manifest) => manifest,
            None => Manifest::create(dir)?,
        };
        let found = recover::recover(dir, &mut manifest)?;
        if let Some(cut) = &found.cut {
            tracing::warn!(
                file = %cut.file.display(), byte = cut.byte, bytes = cut.bytes, lost_records = cut.lost_records,
                "cut the torn end of the spool"
            );
            recover::apply(cut).map_err(io)?;
        }
        let (published, head) = watch::channel(found.head);
        let writer = Writer::new(dir, config.segment.0, found.head, published)?;
        let (appends, receiver) = channel();
        let thread = std::thread::Builder::new()
            .name("spool-writer".to_owned())
            .spawn(move || writer.run(&receiver))
            .map_err(io)?;
        Ok(Self {
            inner: Arc::new(Inner {
                dir: dir.to_owned(),
                uuid: manifest.uuid,
                cut: found.cut,
                head,
                appends: Some(appends),
                thread: Some(thread),
                _lock: lock,
            }),
        })
    }

    pub fn uuid(&self) -> Uuid {
        self.inner.uuid
    }

    pub fn dir(&self) -> &Path {
        &self.inner.dir
    }

    /// What opening had to cut.
    pub fn cut(&self) -> Option<&Cut> {
        self.inner.cut.as_ref()
    }

    /// Next offset; everything before it is on disk.
    pub fn head(&self) -> i64 {
        self.inner.head.borrow().offset
    }

    /// Appends records one after the other and resolves with their offsets once they are on disk. Dropping the
    /// future does not take them back.
    ///
    /// # Errors
    /// Nothing of these records was kept.
    pub async fn append(&self, records: Vec<Vec<u8>>) -> Result<Range<i64>, AppendError> {
        if let Some(long) = records.iter().find(|record| record.len() > segment::MAX_PAYLOAD) {
            return Err(AppendError::TooLarge(long.len()));
        }
        let (done, answer) = oneshot::channel();
        let sender = self.inner.appends.as_ref().ok_or(AppendError::Stopped)?;
        sender.send(Append { records, done }).map_err(|_| AppendError::Stopped)?;
        answer.await.map_err(|_| AppendError::Stopped)?
    }

    /// A reader at the oldest record, woken by this writer.
    ///
    /// # Errors
    /// The folder cannot be listed.
    pub fn reader(&self) -> Result<Reader, Error> {
        let mut reader =
            Reader::new(&self.inner.dir, self.inner.uuid, reader::Watch::Local(self.inner.head.clone()));
        reader.seek(reader.low()?)?;
        Ok(reader)
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.appends = None;
        if let Some(thread) = self.thread.take() {
            // The thread only ends its last group; a panic in it was logged by the hook.
            let _ = thread.join();
        }
    }
}

/// Removes the segments whose records all lie below `offset`. Returns how many.
///
/// # Errors
/// A file cannot be removed.
pub fn prune(dir: &Path, offset: i64) -> Result<usize, Error> {
    let firsts = segment::list(dir).map_err(|source| Error::Io { path: dir.to_owned(), source })?;
    let mut removed = 0;
    for pair in firsts.windows(2) {
        let [first, next] = pair else { continue };
        if *next > offset {
            break;
        }
        let path = segment::path(dir, *first);
        std::fs::remove_file(&path).map_err(|source| Error::Io { path, source })?;
        removed += 1;
    }
    if removed > 0 {
        manifest::sync_dir(dir)?;
    }
    Ok(removed)
}

#[cfg(test)]
mod tests;
