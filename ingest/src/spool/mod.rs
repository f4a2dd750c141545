//! The spool: durable logs in a folder, between the HTTP intake and ingest.
//!
//! Append-only segments of checksummed records; a record's number is its offset. One writer thread syncs once
//! per group of appends, and an append is answered only after that sync. Readers see nothing beyond the last
//! sync.
//!
//! Each opening begins a new log; those before it are ended: a torn end of the **last** segment is cut and
//! reported, damage anywhere else stops the reading of that log with an error that names file and byte. Ingest
//! takes them oldest first and deletes them; in a log that is still written, whole segments are freed.

mod append;
mod ballast;
mod logs;
mod manifest;
mod owner;
mod reader;
mod recover;
mod room;
mod segment;
mod writer;

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use bellwether_warehouse::World;
use bellwether_warehouse::health::State;
use tokio::sync::{Semaphore, oneshot};
use uuid::Uuid;

pub use append::AppendError;
pub use ballast::Ballast;
pub use logs::{Log, Logs, Unreadable, Waiting, logs};
pub use owner::{Owner, claim};
pub use reader::{Reader, Record};
pub use recover::Cut;
pub use room::used_bytes;

use crate::config;
use append::{Append, QUEUE_BYTES};
use manifest::{Lock, Manifest};
use room::Room;
use writer::Writer;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("failed to read or write `{path}`")]
    Io {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("cannot write to `{dir}`; check its owner and mode")]
    Unwritable {
        dir: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("spool `{dir}` is written by another process; stop it or name another folder")]
    Locked { dir: PathBuf },
    #[error("spool `{dir}` is ingested by another process; stop it or name another folder")]
    ReadElsewhere { dir: PathBuf },
    #[error("spool file `{path}` has version {version}, which a newer build wrote; use that build")]
    Newer { path: PathBuf, version: u32 },
    #[error("`{dir}` holds records but no manifest.json; restore it, or move the folder away")]
    NoManifest { dir: PathBuf },
    #[error("spool file `{file}` is damaged at byte {byte}; restore it, or move its folder away")]
    Damaged { file: PathBuf, byte: u64 },
    #[error(
        "log `{dir}` of the spool was not ended: it publishes its records up to {published}, its files hold them up to \
         {found}; start the intake again, which ends it, or move the folder away"
    )]
    NotEnded { dir: PathBuf, published: i64, found: i64 },
    #[error(
        "spool `{dir}` belongs to the warehouse at `{before}`, of which `{now}` is a copy; if that one is given up, \
         start once with --adopt, else give the copy a spool of its own"
    )]
    Copied { dir: PathBuf, before: String, now: String },
    #[error("spool `{dir}` holds offsets {low} to {head}, but {offset} was asked for")]
    OutOfRange { dir: PathBuf, offset: i64, low: i64, head: i64 },
}

/// The writing side. Cheap to clone; the folder is released with the last clone.
#[derive(Clone, Debug)]
pub struct Spool {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    dir: PathBuf,
    log: Log,
    cuts: Vec<Cut>,
    room: Arc<Room>,
    ballast: Ballast,
    trouble: Trouble,
    queue: Arc<Semaphore>,
    /// None only while dropping.
    appends: Option<Sender<Append>>,
    thread: Option<JoinHandle<()>>,
    _lock: Lock,
}

/// Why the newest append failed; None since one went well.
#[derive(Clone, Debug, Default)]
struct Trouble(Arc<Mutex<Option<AppendError>>>);

impl Trouble {
    fn set(&self, trouble: Option<AppendError>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = trouble;
    }

    fn get(&self) -> Option<AppendError> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Spool {
    /// Opens or creates the spool in `dir`, ends the logs of before and starts the writer of a new one, which
    /// shows in the folder with its first record.
    ///
    /// # Errors
    /// Another process writes it, or the folder cannot be read. A log of before that is damaged is no error here.
    pub fn open(dir: &Path, config: &config::Spool) -> Result<Self, Error> {
        Self::open_in(dir, config, World::default())
    }

    /// The same by a clock and dice that are given.
    ///
    /// # Errors
    /// As there.
    pub fn open_in(dir: &Path, config: &config::Spool, world: World) -> Result<Self, Error> {
        let io = |source| Error::Io { path: dir.to_owned(), source };
        std::fs::create_dir_all(dir).map_err(io)?;
        let lock = Lock::of_writer(dir)?;
        writer::clear_unfinished(dir).map_err(io)?;
        let found = logs(dir)?;
        let cuts = end(&found);
        let ballast = Ballast::new(dir, config.ballast.0);
        if let Err(error) = ballast.prepare() {
            tracing::warn!(
                spool = %dir.display(), error = &error as &dyn std::error::Error,
                "no ballast: a disk that is shared with the tables and full may stay full"
            );
        }
        let manifest = Manifest::behind(world.uuid(), found.readable.iter().map(|log| &log.manifest));
        let log = Log { dir: dir.join(manifest.uuid.to_string()), manifest };
        let (room, trouble) = (Arc::new(Room::new(dir, config.max_bytes.0)), Trouble::default());
        let writer = Writer::new(
            dir,
            log.clone(),
            config.segment.0,
            Arc::clone(&room),
            ballast.clone(),
            trouble.clone(),
            world,
        );
        let (appends, receiver) = channel();
        let thread = std::thread::Builder::new()
            .name("spool-writer".to_owned())
            .spawn(move || writer.run(&receiver))
            .map_err(io)?;
        Ok(Self {
            inner: Arc::new(Inner {
                dir: dir.to_owned(),
                log,
                cuts,
                room,
                ballast,
                trouble,
                queue: Arc::new(Semaphore::new(QUEUE_BYTES)),
                appends: Some(appends),
                thread: Some(thread),
                _lock: lock,
            }),
        })
    }

    pub fn dir(&self) -> &Path {
        &self.inner.dir
    }

    /// The log that this writer appends to.
    pub fn log(&self) -> &Log {
        &self.inner.log
    }

    pub fn uuid(&self) -> Uuid {
        self.inner.log.uuid()
    }

    /// What had to be cut from the logs of before.
    pub fn cuts(&self) -> &[Cut] {
        &self.inner.cuts
    }

    /// Next offset; everything before it is on disk.
    pub fn head(&self) -> i64 {
        self.inner.log.head()
    }

    /// Why an append would be refused now, as far as can be told without one.
    pub fn refusal(&self) -> Option<AppendError> {
        if self.inner.ballast.is_given_up() {
            Some(AppendError::DiskFull)
        } else if !self.inner.room.fits(1) {
            Some(AppendError::Bound)
        } else {
            None
        }
    }

    /// For the readiness of the process. Where records are refused only until ingest or an operator has made
    /// room, nobody is helped by a process that counts as dead: the rest of it works, and senders are told.
    pub fn state(&self) -> State {
        if self.inner.thread.as_ref().is_none_or(JoinHandle::is_finished) {
            return State::Down(AppendError::Stopped.to_string());
        }
        match self.refusal().or_else(|| self.inner.trouble.get()) {
            None => State::Works,
            Some(error @ (AppendError::Bound | AppendError::DiskFull)) => {
                State::Impaired(format!("{error}; goes on by itself once there is room"))
            }
            Some(error) => State::Down(error.to_string()),
        }
    }

    /// Appends records one after the other and resolves with their offsets once they are on disk. A future that
    /// is dropped while it waits for a place in the queue takes its records with it; later it does not.
    ///
    /// # Errors
    /// Nothing of these records was kept.
    pub async fn append(&self, records: Vec<Vec<u8>>) -> Result<Range<i64>, AppendError> {
        if let Some(long) = records.iter().find(|record| record.len() > segment::MAX_PAYLOAD) {
            return Err(AppendError::TooLarge(long.len()));
        }
        let permits = u32::try_from(append::size(&records).min(QUEUE_BYTES)).unwrap_or(u32::MAX);
        let queue = Arc::clone(&self.inner.queue);
        let place = queue.acquire_many_owned(permits).await.map_err(|_| AppendError::Stopped)?;
        let (done, answer) = oneshot::channel();
        let sender = self.inner.appends.as_ref().ok_or(AppendError::Stopped)?;
        sender.send(Append { records, done, _place: place }).map_err(|_| AppendError::Stopped)?;
        answer.await.map_err(|_| AppendError::Stopped)?
    }

    /// A reader at the oldest record of this writer's log.
    ///
    /// # Errors
    /// The folder cannot be listed.
    pub fn reader(&self) -> Result<Reader, Error> {
        let mut reader = Reader::new(&self.inner.log);
        reader.seek(reader.low()?)?;
        Ok(reader)
    }
}

/// Ends the logs of before. Of one that is damaged or unreadable its reader tells.
fn end(found: &Logs) -> Vec<Cut> {
    let mut cuts = Vec::new();
    for log in &found.readable {
        match recover::seal(&log.dir) {
            Ok(None) | Err(Error::Damaged { .. }) => {}
            Ok(Some(cut)) => {
                tracing::warn!(
                    file = %cut.file.display(), byte = cut.byte, bytes = cut.bytes, lost_records = cut.lost_records,
                    "cut the torn end of a log of the spool"
                );
                cuts.push(cut);
            }
            Err(error) => tracing::warn!(
                log = %log.dir.display(), error = &error as &dyn std::error::Error,
                "failed to end a log of the spool; what it had published is ingested, and it is kept"
            ),
        }
    }
    cuts
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

/// Held by the one process that ingests a spool.
#[derive(Debug)]
pub struct Reading {
    _lock: Lock,
}

impl Reading {
    /// # Errors
    /// Another process ingests this spool, or the folder cannot be written.
    pub fn of(dir: &Path) -> Result<Self, Error> {
        Lock::of_reader(dir).map(|lock| Self { _lock: lock })
    }
}

/// Whether an intake ever opened the spool in `dir`: what has no writer on this host has none to wait for.
pub fn was_written(dir: &Path) -> bool {
    dir.join(manifest::WRITER).exists() || logs(dir).is_ok_and(|found| !found.readable.is_empty())
}

/// Whether an ingest ever opened the spool in `dir`.
pub fn was_read(dir: &Path) -> bool {
    dir.join(manifest::READER).exists()
}

/// Whether a folder can be written, or made where it is not there yet. Changes nothing.
///
/// # Errors
/// Names the folder that cannot be written.
pub fn writable(dir: &Path) -> Result<(), Error> {
    // A relative path begins in the folder of the process.
    let mut above = dir.ancestors().map(|at| if at.as_os_str().is_empty() { Path::new(".") } else { at });
    let there = above.find(|at| at.symlink_metadata().is_ok()).unwrap_or(dir);
    let io = |source| Error::Unwritable { dir: there.to_owned(), source };
    if !std::fs::metadata(there).map_err(io)?.is_dir() {
        return Err(io(std::io::ErrorKind::NotADirectory.into()));
    }
    let access = rustix::fs::Access::WRITE_OK | rustix::fs::Access::EXEC_OK;
    rustix::fs::access(there, access).map_err(|errno| io(errno.into()))
}

/// Removes the segments of a log whose records all lie below `offset`, but never its last. Returns how many.
///
/// # Errors
/// A file cannot be removed.
pub fn prune(log: &Path, offset: i64) -> Result<usize, Error> {
    let firsts = segment::list(log).map_err(|source| Error::Io { path: log.to_owned(), source })?;
    let mut removed = 0;
    for pair in firsts.windows(2) {
        let [first, next] = pair else { continue };
        if *next > offset {
            break;
        }
        let path = segment::path(log, *first);
        std::fs::remove_file(&path).map_err(|source| Error::Io { path, source })?;
        removed += 1;
    }
    if removed > 0 {
        manifest::sync_dir(log)?;
    }
    Ok(removed)
}

#[cfg(test)]
mod tests;
