//! Bytes of a segment: a header, then frames.
//!
//! Header: `BWSPOOL1`, offset of the first record (i64). Frame: payload length (u32), checksum (8 bytes),
//! append time in µs (i64), payload. All little-endian. The checksum is the beginning of the BLAKE3 hash of
//! offset, append time and payload, so that a frame in the wrong place is damage too.

use std::path::{Path, PathBuf};

pub(super) const HEADER_BYTES: u64 = 16;
const MAGIC: &[u8; 8] = b"BWSPOOL1";
pub(super) const FRAME_BYTES: usize = 20;
/// Longest payload. The intake's own limit is far lower; a longer length in a file is damage.
pub(super) const MAX_PAYLOAD: usize = 16 << 20;
const SUFFIX: &str = ".spool";

pub(super) fn header(first: i64) -> [u8; HEADER_BYTES as usize] {
    let mut bytes = [0; HEADER_BYTES as usize];
    bytes[..8].copy_from_slice(MAGIC);
    bytes[8..].copy_from_slice(&first.to_le_bytes());
    bytes
}

/// File of the segment that begins with record `first`.
pub(super) fn path(dir: &Path, first: i64) -> PathBuf {
    dir.join(format!("{first:020}{SUFFIX}"))
}

/// First offsets of all segments, ascending.
pub(super) fn list(dir: &Path) -> std::io::Result<Vec<i64>> {
    let mut firsts = Vec::new();
    for entry in std::fs::read_dir(dir)? {
        let name = entry?.file_name();
        let first: Option<i64> =
            name.to_str().and_then(|name| name.strip_suffix(SUFFIX)).and_then(|name| name.parse().ok());
        firsts.extend(first);
    }
    firsts.sort_unstable();
    Ok(firsts)
}

fn checksum(offset: i64, appended_at_us: i64, payload: &[u8]) -> [u8; 8] {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&offset.to_le_bytes());
    hasher.update(&appended_at_us.to_le_bytes());
    hasher.update(payload);
    let mut short = [0; 8];
    short.copy_from_slice(&hasher.finalize().as_bytes()[..8]);
    short
}

pub(super) fn write_frame(out: &mut Vec<u8>, offset: i64, appended_at_us: i64, payload: &[u8]) {
    let length = u32::try_from(payload.len()).unwrap_or(u32::MAX);
    out.extend_from_slice(&length.to_le_bytes());
    out.extend_from_slice(&checksum(offset, appended_at_us, payload));
    out.extend_from_slice(&appended_at_us.to_le_bytes());
    out.extend_from_slice(payload);
}

/// What stands at the beginning of `bytes`.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Frame {
    Complete {
        appended_at_us: i64,
        payload_bytes: usize,
    },
    /// The bytes end inside the frame; it needs this many.
    Incomplete {
        needs: usize,
    },
    Damaged,
}

pub(super) fn parse(bytes: &[u8], offset: i64) -> Frame {
    let Some((head, rest)) = bytes.split_at_checked(FRAME_BYTES) else {
        return Frame::Incomplete { needs: FRAME_BYTES };
    };
    let mut length = [0; 4];
    length.copy_from_slice(&head[..4]);
    let mut appended_at = [0; 8];
    appended_at.copy_from_slice(&head[12..]);
    let appended_at_us = i64::from_le_bytes(appended_at);
    let payload_bytes = u32::from_le_bytes(length) as usize;
    if payload_bytes > MAX_PAYLOAD {
        return Frame::Damaged;
    }
    let Some(payload) = rest.get(..payload_bytes) else {
        return Frame::Incomplete { needs: FRAME_BYTES + payload_bytes };
    };
    if head[4..12] != checksum(offset, appended_at_us, payload) {
        return Frame::Damaged;
    }
    Frame::Complete { appended_at_us, payload_bytes }
}
