//! The one thread that writes a spool. It takes all that waits, writes it, syncs once and answers all.

use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::mpsc::Receiver;
use std::time::Instant;

use tokio::sync::{oneshot, watch};

use super::manifest::{self, Head, HeadFile};
use super::segment::{self, HEADER_BYTES};
use super::{AppendError, Error};
use crate::metric;

/// Bytes after which a group is closed though more waits.
const GROUP_BYTES: usize = 8 << 20;

/// Records to append, and where to tell their offsets.
#[derive(Debug)]
pub(super) struct Append {
    pub(super) records: Vec<Vec<u8>>,
    pub(super) done: oneshot::Sender<Result<Range<i64>, AppendError>>,
}

#[derive(Debug)]
pub(super) struct Writer {
    dir: PathBuf,
    segment_bytes: u64,
    file: File,
    head: Head,
    head_file: HeadFile,
    published: watch::Sender<Head>,
    /// Append times never go back.
    appended_at_us: i64,
    /// An fsync failed: what the disk holds is unknown until the folder is opened again.
    is_broken: bool,
}

impl Writer {
    pub(super) fn new(
        dir: &Path,
        segment_bytes: u64,
        mut head: Head,
        published: watch::Sender<Head>,
    ) -> Result<Self, Error> {
        let path = segment::path(dir, head.segment);
        let fail = |source| Error::Io { path: path.clone(), source };
        let file = if head.byte == 0 {
            head.byte = HEADER_BYTES;
            create(dir, head.segment).map_err(fail)?
        } else {
            let file = File::options().read(true).write(true).open(&path).map_err(fail)?;
            file.set_len(head.byte).and_then(|()| file.sync_all()).map_err(fail)?;
            file
        };
        let head_file = HeadFile::open(dir)?;
        head_file.publish(&head).map_err(fail)?;
        published.send_replace(head);
        let dir = dir.to_owned();
        Ok(Self { dir, segment_bytes, file, head, head_file, published, appended_at_us: 0, is_broken: false })
    }

    /// Runs until every sender is gone.
    pub(super) fn run(mut self, appends: &Receiver<Append>) {
        while let Ok(first) = appends.recv() {
            let mut bytes = size(&first);
            let mut group = vec![first];
            while bytes < GROUP_BYTES {
                let Ok(next) = appends.try_recv() else { break };
                bytes += size(&next);
                group.push(next);
            }
            self.commit(group, bytes);
        }
    }

    fn commit(&mut self, group: Vec<Append>, bytes: usize) {
        let started = Instant::now();
        match self.write(&group, bytes) {
            Ok(ranges) => {
                for (append, range) in group.into_iter().zip(ranges) {
                    // A caller that went away has its records all the same.
                    let _ = append.done.send(Ok(range));
                }
                metrics::histogram!(metric::SPOOL_SYNC_SECONDS).record(started.elapsed().as_secs_f64());
                metrics::gauge!(metric::SPOOL_HEAD).set(self.head.offset as f64);
            }
            Err(error) => {
                tracing::error!(
                    spool = %self.dir.display(), offset = self.head.offset,
                    error = &error as &dyn std::error::Error, "failed to append to the spool"
                );
                for append in group {
                    let _ = append.done.send(Err(AppendError::of(&error, self.is_broken)));
                }
            }
        }
    }

    fn write(&mut self, group: &[Append], bytes: usize) -> io::Result<Vec<Range<i64>>> {
        if self.is_broken {
            return Err(io::Error::other("an earlier fsync failed; restart the process"));
        }
        if self.head.byte >= self.segment_bytes {
            self.file = create(&self.dir, self.head.offset)?;
            self.head = Head { offset: self.head.offset, segment: self.head.offset, byte: HEADER_BYTES };
        }
        self.appended_at_us = self.appended_at_us.max(chrono::Utc::now().timestamp_micros());
        let mut buffer = Vec::with_capacity(bytes);
        let mut ranges = Vec::with_capacity(group.len());
        let mut offset = self.head.offset;
        for append in group {
            let start = offset;
            for record in &append.records {
                segment::write_frame(&mut buffer, offset, self.appended_at_us, record);
                offset += 1;
            }
            ranges.push(start..offset);
        }
        if let Err(error) = self.put(&buffer) {
            // Nothing of a failed group may stay: the next one takes its place.
            if self.file.set_len(self.head.byte).is_err() {
                self.is_broken = true;
            }
            return Err(error);
        }
        if let Err(error) = self.file.sync_data() {
            // After a failed fsync the kernel may have dropped the pages: nothing more can be promised.
            self.is_broken = true;
            return Err(error);
        }
        self.head.offset = offset;
        self.head.byte += buffer.len() as u64;
        self.head_file.publish(&self.head)?;
        self.published.send_replace(self.head);
        Ok(ranges)
    }

    fn put(&self, buffer: &[u8]) -> io::Result<()> {
        // `spool-write=return(<part of the folder's path>)` plays a full disk.
        let full = fail::eval("spool-write", |part| {
            part.is_none_or(|part| self.dir.to_string_lossy().contains(&part))
        });
        if full == Some(true) {
            let half = buffer.get(..buffer.len() / 2).unwrap_or_default();
            self.file.write_all_at(half, self.head.byte)?;
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.file.write_all_at(buffer, self.head.byte)
    }
}

fn size(append: &Append) -> usize {
    append.records.iter().map(|record| record.len() + segment::FRAME_BYTES).sum()
}

/// A new segment whose header and name are on disk.
fn create(dir: &Path, first: i64) -> io::Result<File> {
    let path = segment::path(dir, first);
    let file = File::options().read(true).write(true).create(true).truncate(true).open(&path)?;
    file.write_all_at(&segment::header(first), 0)?;
    file.sync_all()?;
    manifest::sync_dir(dir).map_err(|error| match error {
        Error::Io { source, .. } => source,
        other => io::Error::other(other),
    })?;
    Ok(file)
}
