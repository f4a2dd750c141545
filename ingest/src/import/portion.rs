//! Hands the items of a file from the thread that reads it to the one that takes them.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use tokio::sync::mpsc;

use super::file::{self, Item};
use crate::reject::{Reason, Reject};
use crate::split::Piece;

/// A portion is handed on when it has this much.
const PORTION_BYTES: usize = 1 << 20;
const PORTION_ITEMS: usize = 10_000;

/// Items that leave the reading thread together; their bytes lie in one piece.
#[derive(Default)]
pub(super) struct Portion {
    pub(super) bytes: Vec<u8>,
    pub(super) items: Vec<Owned>,
}

pub(super) enum Owned {
    /// Where the record lies in the portion's bytes.
    Record(std::ops::Range<usize>),
    Reject(Reject),
}

impl Portion {
    fn push(&mut self, item: Item<'_>) {
        let reject = |reason, detail: String, size_bytes| {
            let mut reject = Reject::new(reason, detail, "unknown", 0);
            reject.size_bytes = size_bytes;
            Owned::Reject(reject)
        };
        let item = match item {
            Item::Piece(Piece::Record { bytes, .. }) => {
                let start = self.bytes.len();
                self.bytes.extend_from_slice(bytes);
                Owned::Record(start..self.bytes.len())
            }
            Item::Piece(Piece::TooLarge { size_bytes, at }) => {
                reject(Reason::TooLarge, format!("record at byte {at}: {size_bytes} bytes"), size_bytes)
            }
            Item::Piece(Piece::Zeros { size_bytes, at }) => {
                Owned::Reject(Reject::zeros(size_bytes, at, "unknown"))
            }
            Item::Foreign { packing } => reject(
                Reason::UnknownFormat,
                format!(
                    "file: packed with {packing}, which is not understood; unpack it, or use gzip or zstd"
                ),
                0,
            ),
            Item::Piece(Piece::Truncated { size_bytes: 0, at, .. }) => {
                reject(Reason::Truncated, format!("file: the array is not closed at byte {at}"), 0)
            }
            Item::Piece(Piece::Truncated { size_bytes, at, .. }) => {
                reject(Reason::Truncated, format!("record at byte {at}: the file ends inside it"), size_bytes)
            }
            Item::Broken { after_bytes } => reject(
                Reason::Truncated,
                format!(
                    "file: compressed stream is damaged, cut off or followed by something else behind byte \
                     {after_bytes} of its content"
                ),
                0,
            ),
        };
        self.items.push(item);
    }

    fn is_full(&self) -> bool {
        self.bytes.len() >= PORTION_BYTES || self.items.len() >= PORTION_ITEMS
    }
}

/// Sends the items from number `first` on in portions.
pub(super) fn read(
    path: &Path,
    size_bytes: u64,
    max_record: usize,
    read: &Arc<AtomicU64>,
    first: u64,
    sender: &mpsc::Sender<Portion>,
) -> std::io::Result<blake3::Hash> {
    let mut number = 0;
    let mut portion = Portion::default();
    let hash = file::items(path, size_bytes, max_record, read, &mut |item| {
        number += 1;
        if number <= first {
            return true;
        }
        portion.push(item);
        if !portion.is_full() {
            return true;
        }
        // A closed channel means that the import failed: stop reading.
        sender.blocking_send(std::mem::take(&mut portion)).is_ok()
    })?;
    if !portion.items.is_empty() {
        // As above: nobody is left to care.
        let _ = sender.blocking_send(portion);
    }
    Ok(hash)
}
