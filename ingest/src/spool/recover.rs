//! What opening a spool does: find the end of the last segment and cut what a crash left half written.

use std::path::{Path, PathBuf};

use super::Error;
use super::manifest::{Head, HeadFile, Lost, Manifest};
use super::segment::{self, Frame, HEADER_BYTES};

/// Bytes cut from the end of the last segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cut {
    pub file: PathBuf,
    /// Where the first cut byte stood.
    pub byte: u64,
    pub bytes: u64,
    /// Records that had been acknowledged as durable and are gone all the same; 0 after an ordinary crash.
    pub lost_records: i64,
}

/// End of the log as found on disk, and what had to be cut.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) head: Head,
    pub(super) cut: Option<Cut>,
}

/// Removes the torn bytes; a segment that has not even a header goes altogether.
pub(super) fn apply(cut: &Cut) -> std::io::Result<()> {
    if cut.byte < HEADER_BYTES {
        return std::fs::remove_file(&cut.file);
    }
    let file = std::fs::File::options().write(true).open(&cut.file)?;
    file.set_len(cut.byte)?;
    file.sync_all()
}

/// Examines the last segment. Earlier ones were fsynced before the next was begun; readers check them.
pub(super) fn recover(dir: &Path, manifest: &mut Manifest) -> Result<Found, Error> {
    let published = HeadFile::read(dir).unwrap_or_default();
    let firsts = segment::list(dir).map_err(|source| Error::Io { path: dir.to_owned(), source })?;
    let Some(&first) = firsts.last() else {
        // All segments gone: go on behind what was published, so that no offset is given twice.
        return Ok(Found {
            head: Head { offset: published.offset, segment: published.offset, byte: 0 },
            cut: None,
        });
    };
    let path = segment::path(dir, first);
    let bytes = std::fs::read(&path).map_err(|source| Error::Io { path: path.clone(), source })?;
    let acknowledged = if published.segment == first { published.byte } else { 0 };
    let (head, torn) = scan(&bytes, first, acknowledged, &path)?;
    let mut found = Found { head, cut: None };
    if torn {
        let lost_records = (published.offset - head.offset).max(0);
        let bytes = bytes.len() as u64 - head.byte;
        found.cut = Some(Cut { file: path, byte: head.byte, bytes, lost_records });
    }
    if published.offset > head.offset {
        // Offsets that were acknowledged are never given again, or the table would take the new records for
        // ones it has. The log goes on in a segment behind them.
        manifest.lost.push(Lost { from: head.offset, to: published.offset });
        manifest.write(dir)?;
        found.head = Head { offset: published.offset, segment: published.offset, byte: 0 };
    }
    Ok(found)
}

/// The end of the good frames, and whether something stands behind it. `acknowledged`: bytes known to be fsynced.
fn scan(bytes: &[u8], first: i64, acknowledged: u64, path: &Path) -> Result<(Head, bool), Error> {
    let damaged = |byte: u64| Error::Damaged { file: path.to_owned(), byte };
    let header = bytes.get(..HEADER_BYTES as usize);
    if header != Some(segment::header(first).as_slice()) {
        if header.is_some() && acknowledged > 0 {
            return Err(damaged(0));
        }
        return Ok((Head { offset: first, segment: first, byte: 0 }, !bytes.is_empty()));
    }
    let mut head = Head { offset: first, segment: first, byte: HEADER_BYTES };
    loop {
        let rest = bytes.get(head.byte as usize..).unwrap_or_default();
        if rest.is_empty() {
            return Ok((head, false));
        }
        match segment::parse(rest, head.offset) {
            Frame::Complete { payload_bytes, .. } => {
                head.offset += 1;
                head.byte += (segment::FRAME_BYTES + payload_bytes) as u64;
            }
            // An fsynced frame whose bytes are all there cannot be torn.
            Frame::Damaged if head.byte < acknowledged => return Err(damaged(head.byte)),
            Frame::Damaged | Frame::Incomplete { .. } => return Ok((head, true)),
        }
    }
}
