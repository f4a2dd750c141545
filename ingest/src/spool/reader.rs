//! Reads a spool up to its fsynced end, in the process that writes it or in another one on the same host.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::watch;
use uuid::Uuid;

use super::Error;
use super::manifest::{Head, HeadFile, Manifest};
use super::segment::{self, FRAME_BYTES, Frame, HEADER_BYTES};

/// How often a reader in another process looks for a new head.
const POLL: Duration = Duration::from_millis(50);

/// One record as it was appended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    pub offset: i64,
    pub appended_at_us: i64,
    pub payload: Bytes,
}

#[derive(Debug)]
pub(super) enum Watch {
    Local(watch::Receiver<Head>),
    File,
}

/// A position in the log. Not bound to a runtime: `read` blocks on the disk.
#[derive(Debug)]
pub struct Reader {
    dir: PathBuf,
    uuid: Uuid,
    watch: Watch,
    /// Next record to give.
    offset: i64,
    open: Option<Open>,
}

#[derive(Debug)]
struct Open {
    file: File,
    first: i64,
    /// Where the frame of `offset` begins.
    byte: u64,
    offset: i64,
}

impl Reader {
    /// Opens the spool in `dir` that another process writes.
    ///
    /// # Errors
    /// There is no spool in `dir`, or it cannot be read.
    pub fn open(dir: &Path) -> Result<Self, Error> {
        let manifest = Manifest::read(dir)?.ok_or_else(|| Error::NotFound { dir: dir.to_owned() })?;
        Ok(Self::new(dir, manifest.uuid, Watch::File))
    }

    pub(super) fn new(dir: &Path, uuid: Uuid, watch: Watch) -> Self {
        Self { dir: dir.to_owned(), uuid, watch, offset: 0, open: None }
    }

    pub fn dir(&self) -> &Path {
        &self.dir
    }

    pub fn uuid(&self) -> Uuid {
        self.uuid
    }

    /// Next offset of the log: everything before it is on disk.
    pub fn head(&self) -> i64 {
        self.current_head().offset
    }

    /// Oldest offset that is still held.
    ///
    /// # Errors
    /// The folder cannot be listed.
    pub fn low(&self) -> Result<i64, Error> {
        let firsts = segment::list(&self.dir).map_err(|source| self.io(&self.dir, source))?;
        Ok(firsts.first().copied().unwrap_or_default())
    }

    /// Moves to `offset`, which must lie between `low` and `head`.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] names all three.
    pub fn seek(&mut self, offset: i64) -> Result<(), Error> {
        let (low, head) = (self.low()?, self.head());
        if offset < low || offset > head {
            return Err(Error::OutOfRange { dir: self.dir.clone(), offset, low, head });
        }
        self.offset = offset;
        self.open = None;
        Ok(())
    }

    /// Records from the current position on, at least one if there is one, about `max_bytes` in all.
    ///
    /// # Errors
    /// [`Error::Damaged`] names file and byte of a record that is not what was written.
    pub fn read(&mut self, max_bytes: usize) -> Result<Vec<Record>, Error> {
        let head = self.current_head();
        let mut records = Vec::new();
        while records.is_empty() && self.offset < head.offset {
            self.read_segment(&head, max_bytes, &mut records)?;
        }
        Ok(records)
    }

    /// Resolves when there is something behind the current position.
    pub async fn ready(&mut self) {
        let offset = self.offset;
        match &mut self.watch {
            Watch::Local(receiver) => {
                if receiver.wait_for(|head| head.offset > offset).await.is_err() {
                    // The writer is gone: nothing will ever come.
                    std::future::pending::<()>().await;
                }
            }
            Watch::File => {
                while self.head() <= offset {
                    tokio::time::sleep(POLL).await;
                }
            }
        }
    }

    fn current_head(&self) -> Head {
        match &self.watch {
            Watch::Local(receiver) => *receiver.borrow(),
            Watch::File => HeadFile::read(&self.dir).unwrap_or_default(),
        }
    }

    fn read_segment(
        &mut self,
        head: &Head,
        max_bytes: usize,
        records: &mut Vec<Record>,
    ) -> Result<(), Error> {
        let mut open = match self.open.take() {
            Some(open) => open,
            None => self.open_segment()?,
        };
        let path = segment::path(&self.dir, open.first);
        let end = if open.first == head.segment {
            head.byte
        } else {
            open.file.metadata().map_err(|source| self.io(&path, source))?.len()
        };
        if open.byte >= end {
            // A finished segment: the next one begins here, or behind records that are known to be lost.
            if open.first == head.segment {
                return Err(Error::Damaged { file: path, byte: open.byte });
            }
            self.next_segment(open.offset, &path, open.byte)?;
            return Ok(());
        }
        let buffer = self.fill(&open, end, max_bytes, &path)?;
        let mut from = 0;
        while let Some(rest) = buffer.get(from..).filter(|rest| !rest.is_empty()) {
            match segment::parse(rest, open.offset) {
                Frame::Complete { appended_at_us, payload_bytes } => {
                    let payload = from + FRAME_BYTES..from + FRAME_BYTES + payload_bytes;
                    from = payload.end;
                    if open.offset >= self.offset {
                        let payload = buffer.slice(payload);
                        records.push(Record { offset: open.offset, appended_at_us, payload });
                        self.offset += 1;
                    }
                    open.offset += 1;
                }
                Frame::Incomplete { .. } if open.byte + (buffer.len() as u64) < end => break,
                Frame::Incomplete { .. } | Frame::Damaged => {
                    return Err(Error::Damaged { file: path, byte: open.byte + from as u64 });
                }
            }
        }
        open.byte += from as u64;
        self.open = Some(open);
        Ok(())
    }

    /// Bytes of whole frames from the position on, as far as `end`.
    fn fill(&self, open: &Open, end: u64, max_bytes: usize, path: &Path) -> Result<Bytes, Error> {
        let left = usize::try_from(end - open.byte).unwrap_or(usize::MAX);
        let mut want = max_bytes.max(FRAME_BYTES).min(left);
        loop {
            let mut buffer = vec![0; want];
            open.file.read_exact_at(&mut buffer, open.byte).map_err(|source| self.io(path, source))?;
            match segment::parse(&buffer, open.offset) {
                // The first record alone is larger than what was asked for.
                Frame::Incomplete { needs } if needs > want && want < left => want = needs.min(left),
                _ => return Ok(buffer.into()),
            }
        }
    }

    fn open_segment(&self) -> Result<Open, Error> {
        let firsts = segment::list(&self.dir).map_err(|source| self.io(&self.dir, source))?;
        let Some(first) = firsts.iter().rev().copied().find(|first| *first <= self.offset) else {
            let low = firsts.first().copied().unwrap_or_default();
            let head = self.head();
            return Err(Error::OutOfRange { dir: self.dir.clone(), offset: self.offset, low, head });
        };
        let path = segment::path(&self.dir, first);
        let file = File::open(&path).map_err(|source| self.io(&path, source))?;
        let mut header = [0; HEADER_BYTES as usize];
        if file.read_exact_at(&mut header, 0).is_err() || header != segment::header(first) {
            return Err(Error::Damaged { file: path, byte: 0 });
        }
        Ok(Open { file, first, byte: HEADER_BYTES, offset: first })
    }

    /// Moves behind a segment that ends before record `next`.
    fn next_segment(&mut self, next: i64, ended: &Path, byte: u64) -> Result<(), Error> {
        let begins = |offset: i64| segment::path(&self.dir, offset).exists();
        if begins(next) {
            self.offset = self.offset.max(next);
            return Ok(());
        }
        let lost_to = Manifest::read(&self.dir)?.and_then(|manifest| manifest.after_lost(next));
        match lost_to.filter(|to| begins(*to)) {
            Some(to) => {
                self.offset = self.offset.max(to);
                Ok(())
            }
            None => Err(Error::Damaged { file: ended.to_owned(), byte }),
        }
    }

    fn io(&self, path: &Path, source: std::io::Error) -> Error {
        Error::Io { path: path.to_owned(), source }
    }
}
