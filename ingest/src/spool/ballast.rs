//! Disk space set aside for the flush that frees the spool.
//!
//! Spool and tables often share a disk. When it is full, nothing can be written to the tables, so nothing of the
//! spool can be freed either. The ballast is a file that holds what one flush needs: it is given up for that
//! flush, and made again when the freed segments leave room. As long as it is given up the intake takes nothing,
//! or it would eat what the flush is to have.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use rustix::fs::FallocateFlags;

use super::manifest::sync_dir;

const HELD: &str = "ballast";
const GIVEN: &str = "ballast.given";

#[derive(Clone, Debug)]
pub struct Ballast {
    dir: PathBuf,
    bytes: u64,
}

impl Ballast {
    /// The ballast of the spool in `dir`. 0 bytes: none.
    pub fn new(dir: &Path, bytes: u64) -> Self {
        Self { dir: dir.to_owned(), bytes }
    }

    /// Whether it is given up and not made again yet.
    pub fn is_given_up(&self) -> bool {
        self.bytes > 0 && self.dir.join(GIVEN).exists()
    }

    /// Makes it where there is none, or one of another size.
    ///
    /// # Errors
    /// There is no room for it.
    pub(super) fn prepare(&self) -> io::Result<()> {
        if self.is_given_up() {
            return Ok(());
        }
        let path = self.dir.join(HELD);
        if self.bytes == 0 {
            return remove(&path).and_then(|_| remove(&self.dir.join(GIVEN))).map(drop);
        }
        if std::fs::metadata(&path).is_ok_and(|file| file.len() == self.bytes) {
            return Ok(());
        }
        let made = self.fill(&path);
        if made.is_err() {
            remove(&path)?;
        }
        made
    }

    /// Frees its space. False: there was none to free.
    ///
    /// # Errors
    /// The file cannot be renamed or cut.
    pub fn give_up(&self) -> io::Result<bool> {
        let given = self.dir.join(GIVEN);
        // The name changes first: it is what holds the intake back.
        match std::fs::rename(self.dir.join(HELD), &given) {
            Ok(()) => File::options().write(true).open(&given)?.set_len(0).map(|()| true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Makes it again after it was given up. False: there is no room yet.
    ///
    /// # Errors
    /// Something else than room is missing.
    pub fn restore(&self) -> io::Result<bool> {
        let given = self.dir.join(GIVEN);
        if !self.is_given_up() {
            return Ok(true);
        }
        match self.fill(&given) {
            Ok(()) => std::fs::rename(&given, self.dir.join(HELD)).map(|()| true),
            Err(error) if is_full(&error) => {
                File::options().write(true).open(&given)?.set_len(0)?;
                Ok(false)
            }
            Err(error) => Err(error),
        }
    }

    fn fill(&self, path: &Path) -> io::Result<()> {
        let file = File::options().write(true).create(true).truncate(true).open(path)?;
        match rustix::fs::fallocate(&file, FallocateFlags::empty(), 0, self.bytes) {
            Ok(()) => {}
            // Some file systems set nothing aside but what is written.
            Err(rustix::io::Errno::OPNOTSUPP) => {
                let mut file = &file;
                io::copy(&mut io::Read::take(io::repeat(0xba), self.bytes), &mut file)?;
            }
            Err(errno) => return Err(errno.into()),
        }
        file.sync_all()?;
        sync_dir(&self.dir).map_err(io::Error::other)
    }
}

/// Whether a write failed for want of space.
pub(super) fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}

fn remove(path: &Path) -> io::Result<bool> {
    match std::fs::remove_file(path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}
