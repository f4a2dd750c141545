//! The one thread that writes a spool. It takes all that waits, writes it, syncs once and answers all.

use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use bellwether_warehouse::{Moment, World};

use super::append::{self, Append, AppendError};
use super::manifest::{self, Head, HeadFile};
use super::room::Room;
use super::segment::{self, HEADER_BYTES};
use super::{Ballast, Error, Log, Trouble, recover};
use crate::metric;

/// Bytes after which a group is closed though more waits.
const GROUP_BYTES: usize = 8 << 20;
/// How old the head on disk may be after a power cut. It tells how much a lying disk has lost.
const HEAD_AGE: Duration = Duration::from_secs(1);
/// Between looks whether what failed would go well now.
const RETRY: Duration = Duration::from_secs(1);
/// Free space from which a full disk counts as mended.
const FREE_BYTES: u64 = 1 << 20;

/// Extension of a log's folder before it is whole.
const MAKING: &str = "new";

#[derive(Debug)]
pub(super) struct Writer {
    spool: PathBuf,
    log: Log,
    segment_bytes: u64,
    room: Arc<Room>,
    ballast: Ballast,
    trouble: Trouble,
    world: World,
    /// None until the first record: a log without records leaves no trace.
    open: Option<Open>,
    /// Append times never go back.
    appended_at_us: i64,
}

#[derive(Debug)]
struct Open {
    file: File,
    head: Head,
    head_file: HeadFile,
    /// When the head was last fsynced.
    head_synced_at: Option<Moment>,
    /// Since when the published head is newer than the one on disk.
    head_unsynced_since: Option<Moment>,
    /// An fsync or a cut failed: what the disk holds behind the head is unknown, so this file is left alone.
    is_suspect: bool,
}

impl Writer {
    pub(super) fn new(
        spool: &Path,
        log: Log,
        segment_bytes: u64,
        room: Arc<Room>,
        ballast: Ballast,
        trouble: Trouble,
        world: World,
    ) -> Self {
        let spool = spool.to_owned();
        Self { spool, log, segment_bytes, room, ballast, trouble, world, open: None, appended_at_us: 0 }
    }

    pub(super) fn run(mut self, appends: &Receiver<Append>) {
        loop {
            let first = match appends.recv_timeout(self.patience(self.world.now())) {
                Ok(first) => first,
                Err(RecvTimeoutError::Timeout) => {
                    self.sync_old_head(self.world.now());
                    self.idle();
                    continue;
                }
                Err(RecvTimeoutError::Disconnected) => break,
            };
            let mut bytes = append::size(&first.records);
            let mut group = vec![first];
            while bytes < GROUP_BYTES {
                let Ok(next) = appends.try_recv() else { break };
                bytes += append::size(&next.records);
                group.push(next);
            }
            let group = self.admitted(group);
            if !group.is_empty() {
                self.commit(group);
            }
        }
        self.sync_head();
    }

    /// Refuses what there is no room for, before anything is written.
    fn admitted(&mut self, group: Vec<Append>) -> Vec<Append> {
        let is_given_up = self.ballast.is_given_up();
        let mut bytes = 0;
        let mut admitted = Vec::with_capacity(group.len());
        for append in group {
            let more = bytes + append::size(&append.records) as u64;
            let refusal = if is_given_up {
                AppendError::DiskFull
            } else if !self.room.fits(more) {
                AppendError::Bound
            } else {
                bytes = more;
                admitted.push(append);
                continue;
            };
            refusal.count();
            let _ = append.done.send(Err(refusal));
            self.release_segment();
        }
        admitted
    }

    /// Begins the next segment, so that ingest can free the one that is written. Where even that has no room,
    /// the disk is full and other things must go first.
    fn release_segment(&mut self) {
        if self.open.as_ref().is_some_and(|open| open.head.byte > HEADER_BYTES)
            && let Err(error) = self.rotate()
        {
            tracing::debug!(error = &error as &dyn std::error::Error, "no room for another segment");
        }
    }

    fn commit(&mut self, group: Vec<Append>) {
        let started = self.world.now();
        match self.write(&group) {
            Ok(ranges) => {
                self.trouble.set(None);
                for (append, range) in group.into_iter().zip(ranges) {
                    // A caller that went away has its records all the same.
                    let _ = append.done.send(Ok(range));
                }
                metrics::histogram!(metric::SPOOL_SYNC_SECONDS)
                    .record(self.world.since(started).as_secs_f64());
                if let Some(open) = &self.open {
                    metrics::gauge!(metric::SPOOL_HEAD).set(open.head.offset as f64);
                    if open.head_synced_at.is_none_or(|at| self.world.since(at) >= HEAD_AGE) {
                        self.sync_head();
                    }
                }
            }
            Err(error) => {
                tracing::error!(
                    spool = %self.spool.display(), error = &error as &dyn std::error::Error,
                    "failed to append to the spool"
                );
                let refusal = AppendError::of(&error);
                self.trouble.set(Some(refusal.clone()));
                for append in group {
                    refusal.count();
                    let _ = append.done.send(Err(refusal.clone()));
                }
            }
        }
    }

    fn write(&mut self, group: &[Append]) -> io::Result<Vec<Range<i64>>> {
        self.ready()?;
        let segment_bytes = self.segment_bytes;
        if self.open.as_ref().is_some_and(|open| open.head.byte >= segment_bytes) {
            self.rotate()?;
        }
        self.appended_at_us = self.appended_at_us.max(self.world.wall_us());
        let appended_at_us = self.appended_at_us;
        let dir = self.log.dir.clone();
        let Some(open) = &mut self.open else { return Err(io::Error::other("no segment is open")) };
        let mut buffer = Vec::with_capacity(group.iter().map(|append| append::size(&append.records)).sum());
        let mut ranges = Vec::with_capacity(group.len());
        let mut offset = open.head.offset;
        for append in group {
            let start = offset;
            for record in &append.records {
                segment::write_frame(&mut buffer, offset, appended_at_us, record);
                offset += 1;
            }
            ranges.push(start..offset);
        }
        if let Err(error) = open.put(&buffer, &dir) {
            // Nothing of a failed group may stay: the next one takes its place.
            open.is_suspect = open.file.set_len(open.head.byte).is_err();
            return Err(error);
        }
        if let Err(error) = open.sync(&dir) {
            // After a failed fsync the kernel may have dropped the pages, and a second one would not tell.
            open.is_suspect = true;
            return Err(error);
        }
        // From here on the records are kept, whatever else fails.
        open.head.offset = offset;
        open.head.byte += buffer.len() as u64;
        self.room.add(buffer.len() as u64);
        open.head_unsynced_since.get_or_insert_with(|| self.world.now());
        if let Err(error) = open.publish(&dir) {
            tracing::error!(
                log = %dir.display(), error = &error as &dyn std::error::Error,
                "failed to publish the end of the spool; its readers wait for the next append"
            );
        }
        Ok(ranges)
    }

    /// Sees to it that there is a segment that can be trusted.
    fn ready(&mut self) -> io::Result<()> {
        let Some(open) = &self.open else {
            let making = self.log.dir.with_extension(MAKING);
            let begun = begin(&self.spool, &self.log, &making);
            if begun.is_err() {
                // What is left of it has no record, but it takes space.
                for left in [&making, &self.log.dir] {
                    let _ = std::fs::remove_dir_all(left);
                }
            }
            self.open = Some(begun?);
            self.room.add(HEADER_BYTES);
            return Ok(());
        };
        if open.is_suspect {
            if open.head.byte > HEADER_BYTES {
                check(&self.log.dir, &open.head)?;
            }
            self.rotate()?;
            tracing::warn!(
                log = %self.log.dir.display(),
                "the spool goes on in a new segment; what was acknowledged is all there"
            );
        } else if open.file.metadata()?.nlink() == 0 {
            // The segment that is written is never pruned.
            return Err(io::Error::other("its folder was deleted under this process; start it again"));
        }
        Ok(())
    }

    fn rotate(&mut self) -> io::Result<()> {
        self.sync_head();
        let Some(open) = &mut self.open else { return Ok(()) };
        let first = open.head.offset;
        if open.head.segment == first {
            // The suspect file has no record. Its readers see that the name stands for another one.
            match std::fs::remove_file(segment::path(&self.log.dir, first)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        open.file = create(&self.log.dir, first)?;
        open.head = Head { offset: first, segment: first, byte: HEADER_BYTES };
        open.is_suspect = false;
        self.room.add(HEADER_BYTES);
        open.head_file.publish(&open.head)
    }

    fn sync_head(&mut self) {
        let Some(open) = &mut self.open else { return };
        match open.head_file.sync() {
            Ok(()) => (open.head_synced_at, open.head_unsynced_since) = (Some(self.world.now()), None),
            // The segment is what counts.
            Err(error) => {
                tracing::warn!(
                    log = %self.log.dir.display(), error = &error as &dyn std::error::Error,
                    "failed to sync the head of the spool"
                );
                open.head_unsynced_since = Some(self.world.now());
            }
        }
    }

    /// How long to wait for the next append before `sync_old_head` and `idle` have something to do.
    fn patience(&self, now: Moment) -> Duration {
        let since = self.open.as_ref().and_then(|open| open.head_unsynced_since);
        let left = since.map(|since| HEAD_AGE.saturating_sub(now.since(since)));
        left.map_or(RETRY, |left| left.min(RETRY))
    }

    /// The last append of a burst finds the head synced a moment before; nothing else would bring its own to disk.
    fn sync_old_head(&mut self, now: Moment) {
        let since = self.open.as_ref().and_then(|open| open.head_unsynced_since);
        if since.is_some_and(|since| now.since(since) >= HEAD_AGE) {
            self.sync_head();
        }
    }

    /// Without senders, or with all of them refused before they get here, nobody else would do this.
    fn idle(&mut self) {
        if !self.room.fits(1) {
            self.release_segment();
        }
        if self.trouble.get().is_none() {
            return;
        }
        let free =
            rustix::fs::statvfs(&self.spool).map_or(0, |disk| disk.f_bavail.saturating_mul(disk.f_frsize));
        if free >= FREE_BYTES && (self.open.is_none() || self.ready().is_ok()) {
            self.trouble.set(None);
        }
    }
}

impl Open {
    fn put(&self, buffer: &[u8], dir: &Path) -> io::Result<()> {
        if is_meant("spool-write", dir) {
            let half = buffer.get(..buffer.len() / 2).unwrap_or_default();
            self.file.write_all_at(half, self.head.byte)?;
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.file.write_all_at(buffer, self.head.byte)
    }

    fn publish(&self, dir: &Path) -> io::Result<()> {
        if is_meant("spool-publish", dir) {
            return Err(io::Error::other("input/output error"));
        }
        self.head_file.publish(&self.head)
    }

    fn sync(&self, dir: &Path) -> io::Result<()> {
        if is_meant("spool-sync", dir) {
            return Err(io::Error::other("input/output error"));
        }
        self.file.sync_data()
    }
}

/// `spool-write=return(<part of the folder's path>)` plays a full disk, `spool-sync` and `spool-publish` one that fails.
fn is_meant(name: &str, dir: &Path) -> bool {
    let meant =
        fail::eval(name, |part| part.is_none_or(|part: String| dir.to_string_lossy().contains(&part)));
    meant == Some(true)
}

/// A new log. It gets its name when it is whole, so whoever lists the folder sees no half of one.
fn begin(spool: &Path, log: &Log, making: &Path) -> io::Result<Open> {
    std::fs::create_dir_all(making)?;
    let file = create(making, 0)?;
    let head = Head { offset: 0, segment: 0, byte: HEADER_BYTES };
    let head_file = HeadFile::open(making).map_err(inner)?;
    head_file.publish(&head)?;
    head_file.sync()?;
    log.manifest.write(making).map_err(inner)?;
    std::fs::rename(making, &log.dir)?;
    manifest::sync_dir(spool).map_err(inner)?;
    Ok(Open { file, head, head_file, head_synced_at: None, head_unsynced_since: None, is_suspect: false })
}

/// Deletes what a crash left of a log that was being made.
pub(super) fn clear_unfinished(spool: &Path) -> io::Result<()> {
    for entry in std::fs::read_dir(spool)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == MAKING) && path.is_dir() {
            std::fs::remove_dir_all(&path)?;
        }
    }
    Ok(())
}

/// Reads the segment that is written: it must hold all that was acknowledged.
fn check(dir: &Path, head: &Head) -> io::Result<()> {
    let path = segment::path(dir, head.segment);
    let bytes = std::fs::read(&path)?;
    let kept = usize::try_from(head.byte).ok().and_then(|end| bytes.get(..end)).unwrap_or_default();
    let (found, _) = recover::scan(kept, head.segment, head.byte, &path).map_err(inner)?;
    if (found.offset, found.byte) == (head.offset, head.byte) {
        Ok(())
    } else {
        Err(io::Error::other(Error::Damaged { file: path, byte: found.byte }))
    }
}

/// A new segment whose header and name are on disk.
fn create(dir: &Path, first: i64) -> io::Result<File> {
    let path = segment::path(dir, first);
    let file = File::options().read(true).write(true).create(true).truncate(true).open(&path)?;
    let filled = file.write_all_at(&segment::header(first), 0).and_then(|()| file.sync_all());
    if let Err(error) = filled {
        // Behind the segment that goes on instead, it would pass for the last one.
        let _ = std::fs::remove_file(&path);
        return Err(error);
    }
    manifest::sync_dir(dir).map_err(inner)?;
    Ok(file)
}

fn inner(error: Error) -> io::Error {
    match error {
        Error::Io { source, .. } => source,
        other => io::Error::other(other),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tokio::sync::{Semaphore, oneshot};

    use super::*;
    use crate::spool::manifest::Manifest;

    fn writer(dir: &Path) -> Writer {
        let world = World::default();
        let manifest = Manifest::behind(world.uuid(), std::iter::empty());
        let log = Log { dir: dir.join(manifest.uuid.to_string()), manifest };
        let room = Arc::new(Room::new(dir, u64::MAX));
        Writer::new(dir, log, 1 << 20, room, Ballast::new(dir, 0), Trouble::default(), world)
    }

    fn append(writer: &mut Writer, text: &str) {
        let place = Arc::new(Semaphore::new(1)).try_acquire_owned().unwrap();
        let (done, _) = oneshot::channel();
        writer.commit(vec![Append { records: vec![text.as_bytes().to_vec()], done, _place: place }]);
    }

    #[test]
    fn the_head_of_the_last_append_reaches_the_disk_within_its_age() {
        let dir = tempfile::tempdir().unwrap();
        let mut writer = writer(dir.path());
        let is_synced = |writer: &Writer| writer.open.as_ref().unwrap().head_unsynced_since.is_none();
        append(&mut writer, "synced at once: it is the first");
        assert!(is_synced(&writer));
        assert_eq!(writer.patience(writer.world.now()), RETRY);
        // However slow the machine is, what follows is within a second of it.
        writer.open.as_mut().unwrap().head_synced_at = Some(writer.world.now() + Duration::from_secs(3600));
        append(&mut writer, "right behind it");
        assert!(!is_synced(&writer));
        let since = writer.open.as_ref().unwrap().head_unsynced_since.unwrap();
        assert_eq!(writer.patience(since + Duration::from_millis(400)), Duration::from_millis(600));
        writer.sync_old_head(since + Duration::from_millis(999));
        assert!(!is_synced(&writer), "a second is not over");
        append(&mut writer, "another does not put it off");
        assert_eq!(writer.open.as_ref().unwrap().head_unsynced_since, Some(since));
        assert_eq!(writer.patience(since + HEAD_AGE), Duration::ZERO);
        writer.sync_old_head(since + HEAD_AGE);
        assert!(is_synced(&writer));
    }
}
