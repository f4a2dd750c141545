//! Reads one log of a spool up to its fsynced end, in the process that writes it or in another one on the same host.

use std::fs::File;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use bellwether_warehouse::World;
use bytes::Bytes;

use super::manifest::{Head, HeadFile, Manifest};
use super::segment::{self, FRAME_BYTES, Frame, HEADER_BYTES};
use super::{Error, Log};

/// How often a reader looks for a new head.
const POLL: Duration = Duration::from_millis(50);

/// One record as it was appended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    pub offset: i64,
    pub appended_at_us: i64,
    pub payload: Bytes,
}

/// A position in the log. Not bound to a runtime: `read` blocks on the disk.
#[derive(Debug)]
pub struct Reader {
    dir: PathBuf,
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
    pub fn new(log: &Log) -> Self {
        Self { dir: log.dir().to_owned(), offset: 0, open: None }
    }

    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Next offset that `read` gives.
    pub fn offset(&self) -> i64 {
        self.offset
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
        Ok(self.firsts()?.first().copied().unwrap_or_else(|| self.head()))
    }

    /// First offsets of all segments; none where the log has no record yet.
    fn firsts(&self) -> Result<Vec<i64>, Error> {
        match segment::list(&self.dir) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
            listed => listed.map_err(|source| self.io(&self.dir, source)),
        }
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
            match self.read_segment(&head, max_bytes, &mut records) {
                // What stands before the damage is given first, and the damage is met again at the next call.
                Err(_) if !records.is_empty() => break,
                result => result?,
            }
        }
        Ok(records)
    }

    /// Resolves when there is something behind the current position.
    pub async fn ready(&self, world: &World) {
        while self.head() <= self.offset {
            world.sleep(POLL).await;
        }
    }

    fn current_head(&self) -> Head {
        HeadFile::read(&self.dir).unwrap_or_default()
    }

    fn read_segment(
        &mut self,
        head: &Head,
        max_bytes: usize,
        records: &mut Vec<Record>,
    ) -> Result<(), Error> {
        // A writer whose disk failed replaces a file that has no record.
        let is_current = |open: &Open| open.file.metadata().is_ok_and(|file| file.nlink() > 0);
        let mut open = match self.open.take().filter(is_current) {
            Some(open) => open,
            None => self.open_segment()?,
        };
        let path = segment::path(&self.dir, open.first);
        let (end, next) = if open.first == head.segment {
            (head.byte, None)
        } else {
            let length = open.file.metadata().map_err(|source| self.io(&path, source))?.len();
            // Where the next one begins this one ends, though a failed fsync may have left more behind.
            (length, self.firsts()?.into_iter().find(|first| *first > open.first))
        };
        if open.byte >= end || next == Some(open.offset) {
            // A finished segment: the next one begins here, or behind records that are known to be lost.
            if open.first == head.segment {
                return Err(Error::Damaged { file: path, byte: open.byte });
            }
            self.next_segment(open.offset, &path, open.byte)?;
            return Ok(());
        }
        let buffer = self.fill(&open, end, max_bytes, &path)?;
        let mut from = 0;
        while let Some(rest) = buffer.get(from..).filter(|rest| !rest.is_empty() && next != Some(open.offset))
        {
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
        let firsts = self.firsts()?;
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
