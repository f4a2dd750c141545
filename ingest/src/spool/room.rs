//! How much of the disk a spool takes, against its bound.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use uuid::Uuid;

use super::segment;
use crate::metric;

/// Bytes of all segments. Counted up by the writer; what ingest has freed shows when the files are looked at again.
#[derive(Debug)]
pub(super) struct Room {
    dir: PathBuf,
    max_bytes: u64,
    used_bytes: AtomicU64,
}

impl Room {
    pub(super) fn new(dir: &Path, max_bytes: u64) -> Self {
        let room = Self { dir: dir.to_owned(), max_bytes, used_bytes: AtomicU64::new(0) };
        room.measure();
        room
    }

    pub(super) fn fits(&self, bytes: u64) -> bool {
        let fits = |used: u64| used.saturating_add(bytes) <= self.max_bytes;
        fits(self.used_bytes.load(Ordering::Relaxed)) || fits(self.measure())
    }

    pub(super) fn add(&self, bytes: u64) {
        let before = self.used_bytes.fetch_add(bytes, Ordering::Relaxed);
        metrics::gauge!(metric::SPOOL_BYTES).set((before + bytes) as f64);
    }

    fn measure(&self) -> u64 {
        let used = used_bytes(&self.dir);
        self.used_bytes.store(used, Ordering::Relaxed);
        used
    }
}

/// Bytes of the segments of all logs in `dir`. What vanishes meanwhile counts nothing.
pub fn used_bytes(dir: &Path) -> u64 {
    let mut folders = vec![dir.to_owned()];
    for entry in std::fs::read_dir(dir).into_iter().flatten().flatten() {
        if entry.file_name().to_str().is_some_and(|name| Uuid::try_parse(name).is_ok()) {
            folders.push(entry.path());
        }
    }
    let bytes = |folder: &PathBuf| -> u64 {
        let firsts = segment::list(folder).unwrap_or_default();
        firsts
            .iter()
            .map(|first| std::fs::metadata(segment::path(folder, *first)).map_or(0, |file| file.len()))
            .sum()
    };
    let used = folders.iter().map(bytes).sum();
    metrics::gauge!(metric::SPOOL_BYTES).set(used as f64);
    used
}
