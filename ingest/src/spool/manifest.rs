//! Small files of a log: who it is and up to where it may be read; and the locks of a spool's folder.

use std::fs::File;
use std::io::Write;
use std::os::unix::fs::FileExt;
use std::path::Path;

use rustix::fs::FlockOperation;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Error;

pub(super) const MANIFEST: &str = "manifest.json";
pub(super) const HEAD: &str = "head";
/// Version 1 knew one log a folder and went on with it: no `number`, no `earlier`.
const VERSION: u32 = 2;
/// Logs that a new one names as those before it. Each costs a look into the table when ingest begins with it.
const EARLIER: usize = 8;

/// Identity of a log. Each opening of the writer begins a new one.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Manifest {
    version: u32,
    pub(super) uuid: Uuid,
    /// Place among the logs of its folder: a later one has a higher number.
    #[serde(default)]
    pub(super) number: u64,
    /// Logs before this one, the latest first: a sender may repeat a batch that one of them took.
    #[serde(default)]
    pub(super) earlier: Vec<Uuid>,
    /// Offsets `[from, to)` whose records were lost with the disk's own word that they were safe. Only in logs
    /// of version 1, which went on behind them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) lost: Vec<Lost>,
}

/// What every version of the file has.
#[derive(Deserialize)]
struct Versioned {
    version: u32,
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
        let unreadable = |source: serde_json::Error| Error::Io { path: path.clone(), source: source.into() };
        let Versioned { version } = serde_json::from_slice(&bytes).map_err(unreadable)?;
        if version > VERSION {
            return Err(Error::Newer { path, version });
        }
        serde_json::from_slice(&bytes).map(Some).map_err(unreadable)
    }

    /// The log `uuid` behind all of `logs`, which are in their order.
    pub(super) fn behind<'a>(uuid: Uuid, logs: impl DoubleEndedIterator<Item = &'a Self>) -> Self {
        let mut logs = logs.rev().peekable();
        let number = logs.peek().map_or(0, |latest| latest.number) + 1;
        let mut earlier = Vec::new();
        for before in logs.flat_map(|log| std::iter::once(log.uuid).chain(log.earlier.iter().copied())) {
            if !earlier.contains(&before) {
                earlier.push(before);
            }
        }
        earlier.truncate(EARLIER);
        Self { version: VERSION, uuid, number, earlier, lost: Vec::new() }
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
/// A read may meet a write half-way; several in a row do not.
const HEAD_READS: u32 = 8;

/// The head as readers see it. Written after the segment's fsync and fsynced now and then: after a power cut it
/// may be a little old, never ahead.
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

    pub(super) fn sync(&self) -> std::io::Result<()> {
        self.file.sync_data()
    }

    /// The published head. None where there is none, or where it stays half written.
    pub(super) fn read(dir: &Path) -> Option<Head> {
        (0..HEAD_READS).find_map(|_| Self::parse(&std::fs::read(dir.join(HEAD)).ok()?))
    }

    fn parse(bytes: &[u8]) -> Option<Head> {
        let bytes: [u8; HEAD_BYTES] = bytes.try_into().ok()?;
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

/// The file of the writer's lock, named in the time when a folder was one log. It stays.
pub(super) const WRITER: &str = "lock";
pub(super) const READER: &str = "reader.lock";

/// Held by the one writer, or the one reader, of a folder for as long as it lives.
#[derive(Debug)]
pub(super) struct Lock {
    _file: File,
}

impl Lock {
    pub(super) fn of_writer(dir: &Path) -> Result<Self, Error> {
        Self::take(&dir.join(WRITER), || Error::Locked { dir: dir.to_owned() })
    }

    pub(super) fn of_reader(dir: &Path) -> Result<Self, Error> {
        Self::take(&dir.join(READER), || Error::ReadElsewhere { dir: dir.to_owned() })
    }

    fn take(path: &Path, taken: impl FnOnce() -> Error) -> Result<Self, Error> {
        let io = |source| Error::Io { path: path.to_owned(), source };
        let file = File::options().write(true).create(true).truncate(false).open(path).map_err(io)?;
        match rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Self { _file: file }),
            Err(rustix::io::Errno::WOULDBLOCK) => Err(taken()),
            Err(errno) => Err(io(errno.into())),
        }
    }
}
