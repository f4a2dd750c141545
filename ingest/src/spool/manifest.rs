//! Small files of a spool: who it is, up to where it may be read, and who writes it.

use std::fs::File;
use std::io::Write;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use rustix::fs::FlockOperation;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Error;

const MANIFEST: &str = "manifest.json";
const HEAD: &str = "head";
const LOCK: &str = "lock";
const VERSION: u32 = 1;

/// Identity of the log. A recreated folder is a new log.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Manifest {
    version: u32,
    pub(super) uuid: Uuid,
    /// Offsets `[from, to)` whose records were lost with the disk's own word that they were safe.
    #[serde(default)]
    pub(super) lost: Vec<Lost>,
}

#[derive(Clone, Copy, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub(super) struct Lost {
    pub(super) from: i64,
    pub(super) to: i64,
}

impl Manifest {
    pub(super) fn read(dir: &Path) -> Result<Option<Self>, Error> {
        let path = dir.join(MANIFEST);
        let bytes = match std::fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(Error::Io { path, source }),
        };
        let manifest: Self = serde_json::from_slice(&bytes)
            .map_err(|source| Error::Io { path: path.clone(), source: source.into() })?;
        if manifest.version > VERSION {
            return Err(Error::Newer { path, version: manifest.version });
        }
        Ok(Some(manifest))
    }

    pub(super) fn create(dir: &Path) -> Result<Self, Error> {
        let manifest = Self { version: VERSION, uuid: Uuid::new_v4(), lost: Vec::new() };
        manifest.write(dir)?;
        Ok(manifest)
    }

    /// Replaces the file in one step.
    pub(super) fn write(&self, dir: &Path) -> Result<(), Error> {
        let path = dir.join(MANIFEST);
        let fail = |source| Error::Io { path: path.clone(), source };
        let next = dir.join("manifest.next");
        let bytes = serde_json::to_vec_pretty(self).map_err(|source| fail(source.into()))?;
        let mut file = File::create(&next).map_err(fail)?;
        file.write_all(&bytes).and_then(|()| file.sync_all()).map_err(fail)?;
        std::fs::rename(&next, &path).map_err(fail)?;
        sync_dir(dir)
    }

    /// Where reading goes on behind `offset` when the records from there on were lost.
    pub(super) fn after_lost(&self, offset: i64) -> Option<i64> {
        self.lost.iter().find(|lost| lost.from == offset).map(|lost| lost.to)
    }
}

pub(super) fn sync_dir(dir: &Path) -> Result<(), Error> {
    File::open(dir)
        .and_then(|file| file.sync_all())
        .map_err(|source| Error::Io { path: dir.to_owned(), source })
}

/// End of what was fsynced: the next offset, and where its frame will begin.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) offset: i64,
    pub(super) segment: i64,
    pub(super) byte: u64,
}

const HEAD_BYTES: usize = 32;

/// The head as readers of other processes see it. Written after the segment's fsync and not fsynced itself:
/// after a power cut it may be old, never ahead.
#[derive(Debug)]
pub(super) struct HeadFile {
    file: File,
}

impl HeadFile {
    pub(super) fn open(dir: &Path) -> Result<Self, Error> {
        let path = dir.join(HEAD);
        let file = File::options().read(true).write(true).create(true).truncate(false).open(&path);
        file.map(|file| Self { file }).map_err(|source| Error::Io { path, source })
    }

    pub(super) fn publish(&self, head: &Head) -> std::io::Result<()> {
        let mut bytes = [0; HEAD_BYTES];
        bytes[..8].copy_from_slice(&head.offset.to_le_bytes());
        bytes[8..16].copy_from_slice(&head.segment.to_le_bytes());
        bytes[16..24].copy_from_slice(&head.byte.to_le_bytes());
        let checksum = blake3::hash(&bytes[..24]);
        bytes[24..].copy_from_slice(&checksum.as_bytes()[..8]);
        self.file.write_all_at(&bytes, 0)
    }

    /// The published head. None where there is none, or where it is half written.
    pub(super) fn read(dir: &Path) -> Option<Head> {
        let bytes: [u8; HEAD_BYTES] = std::fs::read(dir.join(HEAD)).ok()?.try_into().ok()?;
        if blake3::hash(&bytes[..24]).as_bytes()[..8] != bytes[24..] {
            return None;
        }
        let number = |from: usize| {
            let mut number = [0; 8];
            number.copy_from_slice(&bytes[from..from + 8]);
            number
        };
        Some(Head {
            offset: i64::from_le_bytes(number(0)),
            segment: i64::from_le_bytes(number(8)),
            byte: u64::from_le_bytes(number(16)),
        })
    }
}

/// Held by the one writer of a folder for as long as it lives.
#[derive(Debug)]
pub(super) struct Lock {
    _file: File,
}

impl Lock {
    pub(super) fn take(dir: &Path) -> Result<Self, Error> {
        let path: PathBuf = dir.join(LOCK);
        let file = File::options()
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(|source| Error::Io { path: path.clone(), source })?;
        match rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Self { _file: file }),
            Err(rustix::io::Errno::WOULDBLOCK) => Err(Error::Locked { dir: dir.to_owned() }),
            Err(errno) => Err(Error::Io { path, source: errno.into() }),
        }
    }
}
