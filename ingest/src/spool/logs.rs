//! The logs in a spool's folder, oldest first.
//!
//! Each opening of the writer begins a new log in a sub-folder named by a random uuid, so the offsets of a folder
//! that was put back from a copy are never given again. A log is ended by the one behind it. A folder as builds
//! before wrote it is one log more: its files lie in the spool's folder itself.

use std::path::{Path, PathBuf};

use uuid::Uuid;

use super::manifest::{HEAD, HeadFile, MANIFEST, Manifest, sync_dir};
use super::{Error, recover, segment};

/// One log of a spool.
#[derive(Clone, Debug)]
pub struct Log {
    pub(super) dir: PathBuf,
    pub(super) manifest: Manifest,
}

/// Records that the tables do not hold, and about how many bytes of the disk they take.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Waiting {
    pub records: u64,
    pub bytes: u64,
}

impl std::ops::Add for Waiting {
    type Output = Self;

    fn add(self, more: Self) -> Self {
        Self { records: self.records + more.records, bytes: self.bytes + more.bytes }
    }
}

/// A log whose manifest cannot be read. It stands for itself: the others go on.
#[derive(Debug)]
pub struct Unreadable {
    pub dir: PathBuf,
    pub error: Error,
}

#[derive(Debug, Default)]
pub struct Logs {
    /// Oldest first.
    pub readable: Vec<Log>,
    pub unreadable: Vec<Unreadable>,
}

impl Log {
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    pub fn uuid(&self) -> Uuid {
        self.manifest.uuid
    }

    /// Logs before this one, the latest first.
    pub fn earlier(&self) -> &[Uuid] {
        &self.manifest.earlier
    }

    /// Next offset of the log: everything before it is on disk.
    pub fn head(&self) -> i64 {
        HeadFile::read(&self.dir).unwrap_or_default().offset
    }

    /// What the log holds from `position` on; without one, all of it.
    pub fn waiting(&self, position: Option<i64>) -> Waiting {
        let head = self.head();
        let firsts = segment::list(&self.dir).unwrap_or_default();
        let from = position.unwrap_or_default().max(firsts.first().copied().unwrap_or(head));
        let mut waiting = Waiting { records: head.abs_diff(head.min(from)), bytes: 0 };
        let ends = firsts.iter().skip(1).copied().chain([head]);
        for (first, end) in firsts.iter().copied().zip(ends).filter(|(_, end)| *end > from) {
            let size = std::fs::metadata(segment::path(&self.dir, first)).map_or(0, |file| file.len());
            // Records of a segment are taken to be of one size.
            let share = (end - from.max(first)) as f64 / (end - first).max(1) as f64;
            waiting.bytes += (size as f64 * share) as u64;
        }
        waiting
    }

    /// Whether a later log stands in the same folder, so that nothing more comes into this one. Ask before the
    /// head is read.
    ///
    /// # Errors
    /// The folder cannot be listed.
    pub fn is_ended(&self, spool: &Path) -> Result<bool, Error> {
        Ok(logs(spool)?.readable.iter().any(|log| log.manifest.number > self.manifest.number))
    }

    /// Whether the log's own files show that its published end is its end. A head that a power cut put back, and that
    /// could not be published anew because a record is damaged or the disk failed, lies before records that nobody
    /// has read.
    ///
    /// # Errors
    /// The end cannot be found, or it is another one.
    pub fn show_end(&self) -> Result<(), Error> {
        let published = HeadFile::read(&self.dir).unwrap_or_default();
        let (end, cut) = recover::end(&self.dir)?;
        if cut.is_none() && end == published {
            return Ok(());
        }
        let (published, found) = (published.offset, end.offset);
        Err(Error::NotEnded { dir: self.dir.clone(), published, found })
    }

    /// Deletes the log. Its manifest goes last, so that a crash on the way leaves a log that is deleted again.
    ///
    /// # Errors
    /// A file cannot be deleted.
    pub fn remove(&self, spool: &Path) -> Result<(), Error> {
        let io = |path: &Path, source| Error::Io { path: path.to_owned(), source };
        for first in segment::list(&self.dir).map_err(|source| io(&self.dir, source))? {
            let path = segment::path(&self.dir, first);
            std::fs::remove_file(&path).map_err(|source| io(&path, source))?;
        }
        for name in [HEAD, MANIFEST] {
            let path = self.dir.join(name);
            match std::fs::remove_file(&path) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(io(&path, error)),
                _ => {}
            }
        }
        if self.dir != spool {
            std::fs::remove_dir_all(&self.dir).map_err(|source| io(&self.dir, source))?;
        }
        sync_dir(spool)
    }
}

/// What stands in the spool's folder `dir`.
///
/// # Errors
/// The folder cannot be listed.
pub fn logs(dir: &Path) -> Result<Logs, Error> {
    let io = |source| Error::Io { path: dir.to_owned(), source };
    let mut logs = Logs::default();
    logs.take(dir.to_owned());
    for entry in std::fs::read_dir(dir).map_err(io)? {
        let entry = entry.map_err(io)?;
        if entry.file_name().to_str().is_some_and(|name| Uuid::try_parse(name).is_ok()) {
            logs.take(entry.path());
        }
    }
    logs.readable.sort_by_key(|log| (log.manifest.number, log.manifest.uuid));
    logs.unreadable.sort_by(|a, b| a.dir.cmp(&b.dir));
    Ok(logs)
}

impl Logs {
    fn take(&mut self, dir: PathBuf) {
        match Manifest::read(&dir) {
            Ok(Some(manifest)) => self.readable.push(Log { dir, manifest }),
            // A log without a manifest and without records is being deleted.
            Ok(None) if segment::list(&dir).is_ok_and(|firsts| firsts.is_empty()) => {}
            Ok(None) => {
                let error = Error::NoManifest { dir: dir.clone() };
                self.unreadable.push(Unreadable { dir, error });
            }
            Err(error) => self.unreadable.push(Unreadable { dir, error }),
        }
    }
}
